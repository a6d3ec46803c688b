"""Row 2, through polling and webhook: a tap, from the phone to the durable answer and the next question on the phone.

A hundred people tap as soon as the next question arrives. Our bot and a toy aiogram bot run as processes of their own
against the same Bot API server code; they take turns, lap by lap, so that a noisy machine treats both alike. What is
measured is how fast we are: the thirty messages a second that Telegram takes are row 5's.
"""

from __future__ import annotations

import asyncio
import base64
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from unittest.mock import patch

import psutil

from benchmarks.finding import Finding
from benchmarks.questions import CHOICES, HOW_MANY, wording
from bot.errands.send import default_sending, send_survey
from conversations.form import Form
from data.people import add_address, find_group
from data.vault import write_private
from tests.school import MASTER, opened
from tests.simulated_parents import environment
from tests.telegram_server import Message, Person, TelegramServer
from tests.test_kill import free_port

PEOPLE = 100
LAPS = 5
FIRST_CHAT = 3000
PATIENCE = 120  # seconds for a lap, and for a start
GOAL_RATIO, GOAL_RATE = 1.4, 300
MODES = ("polling", "webhook")
UNLIMITED = {"YOUSAID_TELEGRAM_PER_SECOND": "1000"}


class Tapper(Person):
    """Taps the first button of every new message, as often as told; then the next message ends the lap."""

    left = 0

    def __init__(self, server: TelegramServer, chat: int) -> None:
        super().__init__(server, chat, "Sam", "en")
        self.started = True
        self.newest: Message | None = None
        self.arrived = asyncio.Event()
        server.chats[chat] = self

    def show(self, message: Message) -> None:
        super().show(message)
        if message.edited:
            return
        self.newest = message
        if self.left:
            self.tap()
        else:
            self.arrived.set()

    def tap(self) -> None:
        """The first button of the newest message."""
        assert self.newest
        self.left -= 1
        content = {
            "id": self.server.new_query(self),
            "from": self.user,
            "message": self.newest.raw,
            "chat_instance": str(self.id),
            "data": self.newest.buttons[0][1],
        }
        self.server.put_update("callback_query", content)

    async def gets(self, act: Callable[[], object]) -> None:
        """Does something and waits for the message that ends it."""
        self.arrived.clear()
        act()
        async with asyncio.timeout(PATIENCE):
            await self.arrived.wait()

    def taps_often(self, times: int) -> None:
        self.left = times
        self.tap()


@dataclass
class Bot:
    """A running bot with its people. `opens` brings a person to the first question of a lap, tapping `more` times."""

    server: TelegramServer
    people: list[Tapper]
    process: psutil.Process
    opens: Callable[[Tapper, int], object]
    more: int

    async def lap(self, number: int) -> tuple[float, float, float]:
        """Everybody answers everything once: taps a second, CPU seconds a tap, and the driver's share of a core."""
        await asyncio.gather(*(p.gets(partial(self.to_first_question, p, number)) for p in self.people))
        await self.server.idle(0.5, timeout=30)
        before, own, began = _cpu(self.process), time.process_time(), time.perf_counter()
        await asyncio.gather(*(p.gets(partial(p.taps_often, HOW_MANY)) for p in self.people))
        seconds = time.perf_counter() - began
        taps = HOW_MANY * len(self.people)
        await self.server.idle(0.5, timeout=30)
        return taps / seconds, (_cpu(self.process) - before) / taps, (time.process_time() - own) / seconds

    def to_first_question(self, person: Tapper, lap: int) -> None:
        person.left = self.more
        self.opens(person, lap)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(folder: Path) -> list[Finding]:
    """In each mode."""
    return [finding for mode in MODES for finding in await _through(mode, folder / mode)]


async def _through(mode: str, folder: Path) -> list[Finding]:
    """Both bots, lap by lap; the median lap of each, and the median of the laps' ratios."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(our_bot(folder / "ours", mode, UNLIMITED))
        peer = await stack.enter_async_context(toy_bot(folder / "toy", mode))
        laps = [(await ours.lap(n), await peer.lap(n)) for n in range(1, LAPS + 1)]
    laps = laps[1:]  # the first one warms up
    rate, cpu, driver = (statistics.median(lap[0][i] for lap in laps) for i in range(3))
    toy_rate, toy_cpu, toy_driver = (statistics.median(lap[1][i] for lap in laps) for i in range(3))
    ratio = statistics.median(own[0] / toy[0] for own, toy in laps)
    goal, holds = f">= {GOAL_RATIO} x aiogram, >= {GOAL_RATE}/s", ratio >= GOAL_RATIO and rate >= GOAL_RATE
    return [
        Finding(2, f"tap through {mode}", rate, "taps/s", ratio, "aiogram", goal, holds),
        Finding(2, f"tap through {mode}, aiogram", toy_rate, "taps/s"),
        Finding(2, f"CPU of a tap, {mode}", 1000 * cpu, "ms", cpu / toy_cpu, "aiogram"),
        Finding(2, f"CPU of a tap, {mode}, aiogram", 1000 * toy_cpu, "ms"),
        Finding(2, f"the driver's share of a core, {mode}", driver, "of ours"),
        Finding(2, f"the driver's share of a core, {mode}, aiogram", toy_driver, "of toy"),
    ]


# --- our bot ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def our_bot(folder: Path, mode: str = "polling", more: Mapping[str, str] | None = None) -> AsyncIterator[Bot]:
    """`yousaid run` with a survey for every lap; `more` settings."""
    async with TelegramServer() as server:
        people = [Tapper(server, FIRST_CHAT + n) for n in range(PEOPLE)]
        await _prepare(folder, [p.id for p in people])
        names = environment(server, folder, free_port(), mode) | (more or {})
        async with running(["-m", "bot", "run"], names, server, mode) as process:
            yield Bot(server, people, process, _open_survey, more=1)
        server.assert_nothing_refused()


def _open_survey(person: Tapper, lap: int) -> None:
    person.server.put_update(
        "callback_query",
        {
            "id": person.server.new_query(person),
            "from": person.user,
            "message": {"message_id": 1, "date": 0, "chat": person.described()},
            "chat_instance": str(person.id),
            "data": f"o=bench-{lap}",
        },
    )


async def _prepare(folder: Path, chats: list[int]) -> None:
    """A school whose parents are asked in several surveys; invitations count as sent."""
    keys = folder / "keys"
    keys.mkdir(parents=True, mode=0o700)
    write_private(keys / "key", base64.b64encode(MASTER))
    async with opened(folder) as school:
        school.clock.set(datetime.now(UTC))
        parents = await school.people(len(chats))
        async with school.db.transaction() as tx:
            for parent, chat in zip(parents, chats, strict=True):
                await add_address(tx, parent, "telegram", str(chat))
            group = await find_group(tx, "SEND parents") or ""
            sending = default_sending(school.house, _form(), group, school.clock.now.date())
            with patch("bot.errands.send.MOST_ASKED", LAPS + 1):  # a school may ask twice in a half term
                for _ in range(LAPS):
                    await send_survey(tx, school.house, sending, school.clock.now)
        await school.rounds()  # no channel: nobody is invited


def _form() -> Form:
    choices = [{"id": id, "label": {"en": label}} for id, label in CHOICES.items()]
    questions = [
        {"id": f"Q{n}", "type": "one", "text": {"en": wording(n)}, "choices": choices} for n in range(1, HOW_MANY + 1)
    ]
    heading = {"id": "bench", "version": 1, "mode": "ANON", "audience": "parents", "title": {"en": "Lessons"}}
    return Form.model_validate(heading | {"intro": {"en": "We want lessons to get better."}, "questions": questions})


# --- the peer -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def toy_bot(folder: Path, mode: str) -> AsyncIterator[Bot]:
    """The toy bot on aiogram (toy_aiogram.py)."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    async with TelegramServer() as server:
        people = [Tapper(server, FIRST_CHAT + n) for n in range(PEOPLE)]
        names = {"TOY_API": server.url, "TOY_TOKEN": server.token, "TOY_DATABASE": str(folder / "toy.db")}
        names |= {"TOY_PORT": str(free_port())} if mode == "webhook" else {}
        async with running(["-m", "benchmarks.toy_aiogram"], names, server, mode) as process:
            yield Bot(server, people, process, _start_toy, more=0)
        server.assert_nothing_refused()


def _start_toy(person: Tapper, lap: int) -> None:
    person.sends_update({"text": f"/start {lap}", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]})


@asynccontextmanager
async def running(
    command: list[str], names: dict[str, str], server: TelegramServer, mode: str = "polling"
) -> AsyncIterator[psutil.Process]:
    """A Python process that has begun to take updates from this server; ended with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env={**os.environ, **names}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await server.called("setWebhook" if mode == "webhook" else "getUpdates", timeout=PATIENCE)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()
