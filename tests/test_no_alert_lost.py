"""For every k: a failure, or the end of the process, at the k-th call of a school day loses no alert (A4.4, FAIL-1)."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.said import Text
from data.database import DatabaseProblem
from data.people import Address, add_address
from data.queue import waiting_items
from tests.faults import Killed, Trip, WatchedPhones, survives, watch
from tests.school import Clock, School, opened

FRIDAY = datetime(2026, 11, 6, 15, 30, tzinfo=UTC)
EVENING = FRIDAY.replace(hour=17, minute=59)
MONDAY = datetime(2026, 11, 9, 8, 30, tzinfo=UTC)
LADDER = ("dsl", "deputy", "head")
SAID = {1: "my dad hits me", 2: "my uncle hurts me", 3: "i want to die"}
UNDER_WAY = 2  # alerts to one person that were being sent when the process died
EXPECTED = {"dsl": 6, "deputy": 3, "head": 2}  # two in the afternoon, one in the evening, and so on


async def prepared(folder: Path) -> None:
    """Readers with phones, and two parents with one each."""
    async with opened(folder, Clock(FRIDAY)) as school:
        for place in (*LADDER, "parent-1", "parent-3"):
            person = await school.person(place.partition("-")[0])
            async with school.db.transaction() as tx:
                await add_address(tx, person, "telegram", place)


class Day:
    """One Friday that goes on after whatever happens, as Telegram redelivers and the clock ticks again."""

    def __init__(self, folder: Path, trip: Trip) -> None:
        self.folder = folder
        self.trip = trip
        self.clock = Clock(FRIDAY)
        self.phones = WatchedPhones(trip)
        self.running = contextlib.AsyncExitStack()

    async def play(self) -> list[str]:
        """The whole day and Monday morning; the texts in the queue at its end."""
        await self.begins()
        await self.hears(1, "parent-1")
        await self.hears(2, "stranger")
        await self.ticks(FRIDAY, FRIDAY + timedelta(minutes=15))
        self.clock.set(EVENING)
        await self.hears(3, "parent-3")
        await self.ticks(EVENING, MONDAY, MONDAY + timedelta(minutes=15))
        async with self.school.db.reading() as tx:
            texts = [item.text for item in await waiting_items(tx)]
        await self.running.aclose()
        return texts

    async def begins(self) -> None:
        """The process starts, or starts again."""
        await self.running.aclose()
        self.school: School = await self.running.enter_async_context(opened(self.folder, self.clock))

    async def hears(self, delivery: int, place: str) -> None:
        """The same update comes until its turn is committed."""

        async def arrives() -> None:
            await self.school.dialogue.hear(Address("telegram", place), Text(SAID[delivery]), delivery)

        while not await survives(self.trip, self.begins, arrives):
            pass

    async def ticks(self, *moments: datetime) -> None:
        for moment in moments:
            for later in (0, 5, 75):  # seconds: the claim of a process that died is free after a minute
                self.clock.set(moment + timedelta(seconds=later))
                await survives(self.trip, self.begins, lambda: self.school.rounds({"telegram": self.phones}))


async def play_all(folder: Path, error: type[BaseException], first: int, every: int) -> int:
    """Play the day with an accident at every call `first`, `first + every`, ...; the number of the last call."""
    await prepared(folder / "template")
    k = first
    while await play_once(folder, error, k):
        k += every
    return k


async def play_once(folder: Path, error: type[BaseException], k: int) -> bool:
    """One day with an accident at call k; False when there are fewer calls. AssertionError when an alert is lost."""
    trip = Trip(k, error)
    shutil.rmtree(folder / "day", ignore_errors=True)
    shutil.copytree(folder / "template", folder / "day")
    with pytest.MonkeyPatch.context() as patch:
        watch(trip, patch)
        day = Day(folder / "day", trip)
        found = await day.play()
    assert sorted(found) == sorted(SAID.values()), k
    alerts = Counter(who for who, _ in day.phones.got)
    for role, expected in EXPECTED.items():
        assert expected <= alerts[role] <= expected + UNDER_WAY * trip.tripped, (k, alerts)
    return trip.tripped


@pytest.mark.slow
@pytest.mark.parametrize(("error", "first"), [(DatabaseProblem, 1), (Killed, 21)])
async def test_no_alert_is_lost(tmp_path: Path, error: type[BaseException], first: int) -> None:
    """Every disclosure is in the queue once, everybody whose turn it was is alerted; what was under way may come twice.

    Every fortieth call here, each accident at other ones; `make bench` takes them all.
    """
    assert await play_all(tmp_path, error, first, every=40) > 150
