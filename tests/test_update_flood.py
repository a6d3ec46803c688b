"""B10: one chat sends far more than a person can; nobody else notices."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from bot.telegram_channel.flood import BURST, MOST_WAITING, Flood
from data.queue import all_items
from tests.telegram_school import TelegramSchool, telegram_school
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


async def test_words_of_concern_are_read_also_in_a_flood(tmp_path: Path) -> None:
    """SAFE-12, FAIL-1: nobody is told to slow down with that."""
    async with telegram_school(tmp_path) as bot:
        loud = await bot.joins("parent", "SEND parents")
        await asyncio.gather(*(loud.types("/help") for _ in range(120)), loud.types("my uncle hurts me"))
        for _ in range(600):  # a minute at most
            await asyncio.sleep(0 if await _items(bot) else 0.1)
        assert await _items(bot) == 1


async def _items(bot: TelegramSchool) -> int:
    async with bot.school.db.reading() as tx:
        return len(await all_items(tx))
