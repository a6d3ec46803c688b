"""Row 9: from the command to a bot that answers, its memory then, and what importing it costs."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil

from benchmarks.finding import Finding
from data.vault import write_private
from tests.school import MASTER, opened
from tests.simulated_parents import environment
from tests.telegram_server import TelegramServer
from tests.test_kill import free_port

TIMES = 5
PATIENCE = 20  # seconds
MEBIBYTE = 1024 * 1024
OURS = "import bot.__main__, bot.cli.opening, bot.cli.one_line, bot.logs, bot.program"  # what `yousaid run` imports
PEER = "import telegram.ext"
MOST_SECONDS, MOST_MEBIBYTES, MOST_RATIO = 2.0, 150.0, 2.5


@dataclass(frozen=True)
class Start:
    """One start: seconds until ready, and the memory then."""

    seconds: float
    mebibytes: float


async def measure(folder: Path) -> list[Finding]:
    """Each the best of some, after one that fills the file cache."""
    async with TelegramServer() as server:
        settings = await _prepare(folder / "school", server)
        starts = await _some(lambda: _start(settings))
    ours, peer = [], []
    for _ in range(TIMES + 1):  # taking turns, so that a noisy machine treats both alike
        ours.append(await asyncio.to_thread(_import_seconds, OURS))
        peer.append(await asyncio.to_thread(_import_seconds, PEER))
    seconds, memory, ratio = min(s.seconds for s in starts), min(s.mebibytes for s in starts), min(ours) / min(peer)
    return [
        Finding(9, "cold start to ready", seconds, "s", goal=f"< {MOST_SECONDS} s", holds=seconds < MOST_SECONDS),
        Finding(9, "memory when ready", memory, "MiB", goal=f"< {MOST_MEBIBYTES} MiB", holds=memory < MOST_MEBIBYTES),
        Finding(9, "imports", min(ours), "s", ratio, PEER, f"<= {MOST_RATIO} x {PEER}", ratio <= MOST_RATIO),
    ]


async def _prepare(folder: Path, server: TelegramServer) -> dict[str, str]:
    """A school that is set up; the environment of its bot."""
    keys = folder / "keys"
    keys.mkdir(parents=True, mode=0o700)
    write_private(keys / "key", base64.b64encode(MASTER))
    async with opened(folder) as school:
        school.clock.set(datetime.now(UTC))
        await school.readers()
    return environment(server, folder, free_port())


async def _some(measured: Callable[[], Awaitable[Start]]) -> list[Start]:
    await measured()
    return [await measured() for _ in range(TIMES)]


async def _start(settings: dict[str, str]) -> Start:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env={**os.environ, **settings}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _ready(f"http://{settings['YOUSAID_LISTEN']}/readyz")
        seconds = time.perf_counter() - began
        return Start(seconds, psutil.Process(process.pid).memory_info().rss / MEBIBYTE)
    finally:
        process.terminate()
        await process.wait()


async def _ready(address: str) -> None:
    """Asks until the answer is 200."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        while True:
            try:
                async with session.get(address) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.01)


def _import_seconds(statement: str) -> float:
    """In an interpreter of its own."""
    timed = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", timed], check=True, capture_output=True, text=True)
    return float(done.stdout)
