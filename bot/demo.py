"""`yousaid demo`: an invented school in var/demo/, three phones on one page, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from bot.demo_school import FACT, make_school, open_demo
from bot.dialogue import Dialogue
from bot.elmfield import ELMFIELD as SCHOOL
from bot.facts import House
from bot.letters import Letters
from bot.sending_later import planned_sender
from bot.serving import make_server
from bot.web_channel.demo_page import PHONES, make_demo_app
from conversations.texts import load_texts
from data.answers import destroy_spent_keys
from data.database import Database, DatabaseBusy, DatabaseProblem, read_fact
from data.lock import FileLock
from data.outbox import free_dead_claims, new_owner
from data.surveys import all_surveys
from data.vault import KeyProblem
from scheduler.clock import make_clock, now_utc
from scheduler.sending import Sender

FOLDER = Path("var/demo")
HOST = "127.0.0.1"


async def run_demo(port: int, open_browser: bool, folder: Path = FOLDER) -> None:
    """Make the school if need be, serve it, and stop cleanly at a signal."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    with listening(port) as sock:
        demo = asyncio.create_task(_demo(sock, folder, open_browser))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({demo, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        demo.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await demo


def listening(port: int) -> socket.socket:
    """The socket; OSError when something else listens there."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


async def _demo(sock: socket.socket, folder: Path, open_browser: bool) -> None:
    await ensure_school(folder, now_utc())
    address = f"http://{HOST}:{sock.getsockname()[1]}"
    async with opened(folder) as (db, people):
        await serve(sock, db, people, address, folder, open_browser)


async def serve(
    sock: socket.socket, db: Database, people: dict[str, str], address: str, folder: Path, open_browser: bool
) -> None:
    """Page and clock, until cancelled."""
    house = House(SCHOOL, load_texts(), address)
    dialogue, letters = Dialogue(db, house, now_utc), Letters(db, house)
    sender = Sender(db, SCHOOL, letters.compose, {}, await _claims(db))
    clock = make_clock(db, SCHOOL, sender, send_planned=planned_sender(house))
    server = make_server(make_demo_app(dialogue, letters, now_utc, people, str(folder)), HOST, 0)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    clock.start()
    try:
        _announce(address, folder, open_browser)
        await asyncio.shield(serving)
    finally:
        clock.shutdown(wait=False)
        server.should_exit = True
        await serving


async def _claims(db: Database) -> str:
    """This process's name in the outbox, after what an earlier one left behind was tidied."""
    await destroy_spent_keys(db)
    owner = new_owner()
    async with db.transaction() as tx:
        await free_dead_claims(tx, owner)
    return owner


def _announce(address: str, folder: Path, open_browser: bool) -> None:
    print(f"{SCHOOL.name} (invented): {address}/", flush=True)
    print("Nothing here is real: play every part.", flush=True)
    print(f"Its data is in {folder}/. Ctrl-C stops it; delete the folder to begin afresh.", flush=True)
    if open_browser and has_browser():
        threading.Thread(target=_open, args=(f"{address}/",), daemon=True).start()


def has_browser() -> bool:
    """Whether there is a screen to open a browser on; one inside this terminal would be in the way."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(address: str) -> None:
    with contextlib.suppress(webbrowser.Error, OSError):
        webbrowser.open(address)


# --- the folder ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Database, dict[str, str]]]:
    """The demo's database, and whose phones it shows."""
    db = await open_demo(folder)
    try:
        async with db.reading() as tx:
            raw = await read_fact(tx, FACT)
        yield db, json.loads(raw or b"{}")
    finally:
        await db.close()


async def ensure_school(folder: Path, now: datetime) -> None:
    """A school in this folder whose questions are not over by themselves; made anew otherwise.

    It is made in a folder beside and then renamed, so that a crash halfway leaves nothing that looks finished.
    """
    if await usable(folder, now):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / "demo")
    if not await lock.acquire():
        raise DatabaseBusy("Another demo is being made here at this moment. Try again in some seconds.")
    try:
        _sweep(folder)
        new = Path(tempfile.mkdtemp(prefix=f"{folder.name}-new-", dir=folder.parent))
        await make_school(new, now)
        _put_in_place(new, folder)
    finally:
        await lock.release()


async def usable(folder: Path, now: datetime) -> bool:
    """Whether this folder holds a finished demo whose open questions still have time."""
    try:
        async with opened(folder) as (db, people):
            async with db.reading() as tx:
                newest = next((s for s in await all_surveys(tx) if s.form.id == "parent-send-provision"), None)
            return set(PHONES) <= set(people) and newest is not None and newest.closes_at > now
    except (OSError, ValueError, DatabaseProblem, KeyProblem):
        return False


def _sweep(folder: Path) -> None:
    """Remove what a killed start left beside the folder."""
    for kind in ("new", "old"):
        for left in folder.parent.glob(f"{folder.name}-{kind}-*"):
            shutil.rmtree(left, ignore_errors=True)


def _put_in_place(new: Path, folder: Path) -> None:
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f"{folder.name}-old-", dir=folder.parent))
        folder.rename(old / folder.name)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        new.rename(folder)
