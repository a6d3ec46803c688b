"""Row 5: a broadcast through the real outbox, against a server that refuses the 31st message in any one second.

Invitations to questions, and reminders of a drop-in, which `yousaid run` posts and sends by itself. Meanwhile somebody
asks /help every second or two, and once Telegram asks everybody to wait. `BENCH_LETTERS` sets other sizes than 900 and
10,000, such as "300 300".
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.finding import Finding
from benchmarks.row2_taps import running
from bot.errands.send import default_sending, send_survey
from conversations.form import Form
from data.people import add_address, add_person, add_role, find_group, join_group
from data.vault import write_private
from tests.event_days import add_dropin
from tests.school import MASTER, School, opened
from tests.simulated_parents import environment
from tests.telegram_server import Person, TelegramServer
from tests.test_kill import free_port

SIZES = [int(n) for n in os.environ.get("BENCH_LETTERS", "900 10000").split()]
FIRST_CHAT = 100_000
HALT = 3  # seconds that Telegram once asks to wait
MOST, LEAST, SLOWEST = 30, 28.0, 0.25

Post = Callable[[School], Awaitable[None]]


async def measure(folder: Path) -> list[Finding]:
    """Each in a school of its own: invitations to the first number of people, reminders to others."""
    posts: list[Post] = [_invite, *[_remind] * (len(SIZES) - 1)]
    todo = list(zip(posts, SIZES, strict=True))
    return [f for n, (post, size) in enumerate(todo) for f in await _broadcast(folder / str(n), size, post)]


async def _broadcast(folder: Path, size: int, post: Post) -> list[Finding]:
    keys = folder / "keys"
    keys.mkdir(parents=True, mode=0o700)
    write_private(keys / "key", base64.b64encode(MASTER))
    async with TelegramServer(per_second=MOST) as server:
        async with opened(folder) as school:
            school.clock.set(datetime.now(UTC))
            await _members(school, server, size)
            await post(school)
        asker = server.person(FIRST_CHAT - 1)
        asker.started = True
        async with running(["-m", "bot", "run"], environment(server, folder, free_port()), server):
            asking = asyncio.create_task(_ask(asker))
            halted = await _until_sent(server, size)
            asking.cancel()
            took = (await asyncio.gather(asking, return_exceptions=True)) and asker.took  # type: ignore[attr-defined]
    return _found(server, f"{size:,} {'invitations' if post is _invite else 'reminders'}", size, halted, took)


async def _members(school: School, server: TelegramServer, size: int) -> None:
    await school.readers()
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        for number in range(size):
            id = await add_person(tx, "en", "", school.clock.now)
            await add_role(tx, id, "parent")
            await join_group(tx, id, group)
            await add_address(tx, id, "telegram", str(FIRST_CHAT + number))
            server.person(FIRST_CHAT + number).started = True


async def _invite(school: School) -> None:
    now = school.clock.now
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await send_survey(tx, school.house, default_sending(school.house, _form(), group, now.date()), now)


async def _remind(school: School) -> None:
    """A drop-in tomorrow, of which everybody is to be reminded now."""
    now = school.clock.now
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await add_dropin(tx, group, now + timedelta(days=1), "Room 4", now)


def _form() -> Form:
    choices = [{"id": id, "label": {"en": id}} for id in ("good", "bad")]
    question = {"id": "Q1", "type": "one", "text": {"en": "How is lunch?"}, "choices": choices}
    heading = {"id": "bench", "version": 1, "mode": "CONF", "audience": "parents", "title": {"en": "Lunch"}}
    return Form.model_validate(heading | {"intro": {"en": "We want lunch to get better."}, "questions": [question]})


async def _ask(person: Person) -> None:
    """Somebody who is no member asks again and again; how long each answer took stands in `took`."""
    person.took = took = []  # type: ignore[attr-defined]
    while True:
        asked, before = time.monotonic(), len(person.messages)
        await person.types("/help")
        while len(person.messages) == before:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.002)
        took.append((asked, time.monotonic() - asked))
        await asyncio.sleep(1.3)


async def _until_sent(server: TelegramServer, size: int) -> float:
    """Wait until everybody has a letter; halfway Telegram asks to wait. When that was."""
    halted = 0.0
    while (got := _letters(server)) < size:
        if not halted and got > size / 2:
            server.fail_next("sendMessage", 429, f"Too Many Requests: retry after {HALT}")
            halted = time.monotonic()
        await asyncio.sleep(0.1)
    return halted


def _letters(server: TelegramServer) -> int:
    return sum(1 for chat in server.chats.values() if chat.id >= FIRST_CHAT and chat.messages)


def _found(
    server: TelegramServer, name: str, size: int, halted: float, took: list[tuple[float, float]]
) -> list[Finding]:
    at = sorted(m.at for chat in server.chats.values() for m in chat.messages)
    refused = [one for one in server.refused if "Too Many" in one[2]]
    letters = [m.at for chat in server.chats.values() if chat.id >= FIRST_CHAT for m in chat.messages]
    stopped = next((c.at for c in server.calls if c.method == "sendMessage" and c.at >= halted), halted)
    during = sum(1 for c in server.calls if c.method.startswith("send") and stopped + 0.05 < c.at < stopped + HALT)
    rate = size / (max(letters) - min(letters) - HALT)
    # Who asks while Telegram lets nobody speak waits for that, not for the broadcast.
    free = sorted(t for asked, t in took if not stopped - 0.5 < asked < stopped + HALT)
    slow = free[int(len(free) * 0.99)] if free else 0.0
    busiest = _busiest(at)
    return [
        Finding(5, f"{name}: sent", rate, "/s", goal=f">= {LEAST:.0f}/s", holds=rate >= LEAST),
        Finding(5, f"{name}: most in any second", busiest, "messages", goal=f"<= {MOST}", holds=busiest <= MOST),
        Finding(5, f"{name}: refused", len(refused), "messages", goal="0", holds=not refused),
        Finding(5, f"{name}: lost or twice", abs(len(letters) - size), "letters", goal="0", holds=len(letters) == size),
        Finding(5, f"{name}: reply to somebody waiting, p99", slow, "s", goal=f"< {SLOWEST}", holds=slow < SLOWEST),
        Finding(5, f"{name}: sent while Telegram asked to wait", during, "messages", goal="0", holds=during == 0),
    ]


def _busiest(at: list[float]) -> int:
    """The most messages in any one second."""
    most = first = 0
    for last, moment in enumerate(at):
        while at[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
