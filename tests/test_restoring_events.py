"""After a restore what was called off stays off, and a place given back stays free: nobody is reminded of it (R13)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from data.backup import back_up
from data.bookings import CANNOT, COMING, WAITING, Booking, book, bookings_for, cannot_come
from data.database import Tx
from data.events import Occasion, cancel_event, cancel_occasion, find_occasion, occasions_to_remind
from data.moments import new_id
from data.outbox import on_page
from data.people import find_group
from data.replaying import replay
from scheduler.due import remind_due
from tests.event_days import add_meeting, add_slots
from tests.school import MONDAY, School, opened
from tests.test_restoring import restored, settings_in

pytestmark = pytest.mark.both_databases
AT = MONDAY + timedelta(days=3)
Does = Callable[[School], Awaitable[None]]


async def group(tx: Tx) -> str:
    return await find_group(tx, "SEND parents") or ""


async def books(tx: Tx, occasion: Occasion, person: str, state: str = COMING, slot: int = 0) -> None:
    await book(tx, occasion, Booking(new_id(), occasion.id, person, state, slot=slot, made_at=MONDAY))


async def states(tx: Tx, occasion: str) -> dict[str, str]:
    return {b.person: b.state for b in await bookings_for(tx, occasion)}


def brought_back(folder: Path, before: Does, since: Does, after: Does) -> None:
    """A day of a school: what was before the backup, what happened since, and what is so after the restore."""

    async def played(*steps: Does) -> None:
        async with opened(folder) as school:
            for step in steps:
                await step(school)

    settings_in(folder)
    asyncio.run(played(before, lambda school: back_up(school.db, folder / "a.backup", MONDAY, folder), since))
    restored(folder, folder / "a.backup", later=0.1)
    asyncio.run(played(after))


class Place:
    """Two who have a place, one who waits; the first gives theirs back, the second does and takes it again."""

    async def before(self, school: School) -> None:
        self.first, self.again, self.waits = await school.people(3)
        async with school.db.transaction() as tx:
            occasion = await add_slots(tx, await group(tx), AT, 2)
            self.id = occasion.id
            await books(tx, occasion, self.first)
            await books(tx, occasion, self.again, slot=1)
            await books(tx, occasion, self.waits, WAITING)

    async def since(self, school: School) -> None:
        async with school.db.transaction() as tx:
            occasion = await find_occasion(tx, self.id)
            assert occasion
            for person in (self.first, self.again):
                await cannot_come(tx, occasion, person, MONDAY)
            await books(tx, occasion, self.again, slot=1)

    async def after(self, school: School) -> None:
        async with school.db.reading() as tx:
            there = await states(tx, self.id)
        assert there == {self.first: CANNOT, self.again: COMING, self.waits: COMING}
        school.clock.set(AT - timedelta(hours=12))
        await remind_due(school.db, school.clock.now)
        await school.rounds()
        async with school.db.reading() as tx:
            kinds = {p: {x.kind for x in await on_page(tx, p)} for p in (self.first, self.again, self.waits)}
        assert "reminder" not in kinds[self.first]
        assert "reminder" in kinds[self.again]
        assert kinds[self.waits] >= {"reminder", "place-free"}


def test_a_place_given_back_stays_free_and_the_next_one_has_it(tmp_path: Path) -> None:
    """S15, R13: who took theirs again has it."""
    place = Place()
    brought_back(tmp_path, place.before, place.since, place.after)


class CalledOff:
    """An event that is called off, one of two times of another, and one that stays."""

    async def before(self, school: School) -> None:
        await school.people(2)
        async with school.db.transaction() as tx:
            (self.whole,) = await add_meeting(tx, await group(tx), AT, title="Off")
            self.one, self.other = await add_meeting(tx, await group(tx), AT, AT + timedelta(hours=3), title="Two")

    async def since(self, school: School) -> None:
        async with school.db.transaction() as tx:
            assert await cancel_event(tx, self.whole.event.id, MONDAY, "Ms Patel is ill")
            assert await cancel_occasion(tx, self.one, MONDAY)

    async def after(self, school: School) -> None:
        async with school.db.reading() as tx:
            found = [await find_occasion(tx, o.id) for o in (self.whole, self.one, self.other)]
            due = await occasions_to_remind(tx, AT - timedelta(hours=1))
        assert [o and o.off for o in found] == [True, True, False]
        assert [occasion.id for occasion, _ in due] == [self.other.id]


def test_what_was_called_off_stays_off(tmp_path: Path) -> None:
    """S3, R13"""
    off = CalledOff()
    brought_back(tmp_path, off.before, off.since, off.after)


async def test_replaying_it_twice_changes_nothing(school: School) -> None:
    """A restore that was interrupted, or done again."""
    place = Place()
    await place.before(school)
    async with school.db.transaction() as tx:
        occasion = await find_occasion(tx, place.id)
        assert occasion
        await cannot_come(tx, occasion, place.first, MONDAY)
        there = await states(tx, place.id)
        assert await replay(tx, MONDAY) == {}
        assert await states(tx, place.id) == there
