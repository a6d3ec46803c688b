"""B10: one chat sends far more than a person can; nobody else notices."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from bot.telegram_channel.flood import BURST, MOST_WAITING, Flood
from tests.telegram_school import telegram_school
from tests.telegram_server import Person


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_a_person_can_type_is_always_read() -> None:
    """Five taps a second for as long as somebody likes."""
    clock = Clock()
    flood = Flood(clock)
    for _ in range(600):
        assert flood.admits(1)
        clock.now += 0.2


def test_a_flood_is_passed_over_and_told_once_a_minute() -> None:
    """B10: one "please slow down", and other chats are read as before."""
    clock = Clock()
    flood = Flood(clock)
    admitted = told = 0
    for _ in range(6000):
        if flood.admits(1):
            admitted += 1
        elif flood.tells(1):
            told += 1
        assert flood.admits(2) or clock.now > 1000
        clock.now += 0.01
    assert admitted <= BURST + 60 * 5 + 1
    assert told == 1
    clock.now += 60
    assert flood.admits(1)


async def test_one_chat_floods_and_others_are_answered(tmp_path: Path) -> None:
    """B10, in short; `make bench ROWS=B10` measures a minute of it."""
    async with telegram_school(tmp_path) as bot:
        loud, other = await bot.joins("parent", "SEND parents"), await bot.joins("parent", "SEND parents")
        took: list[float] = []
        for _ in range(5):
            await asyncio.gather(*(loud.types("/help") for _ in range(40)))
            took.append(await _helped(other))
        assert sorted(took)[-2] < 2.0  # a busy machine
        said = [m.text for m in loud.messages]
        assert sum("Please slow down" in text for text in said) <= 1
        assert len(said) <= BURST + MOST_WAITING + 25


async def _helped(person: Person) -> float:
    asked = time.monotonic()
    await person.types("/help")
    await person.reads_until("What you can do")
    person.read_all()
    return time.monotonic() - asked
