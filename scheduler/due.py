"""One round of each job, as a function that says whether it found work. The clock only repeats them."""

from __future__ import annotations

from datetime import datetime

from data.answers import destroy_spent_keys, seal_off
from data.bookings import CANNOT, bookings_for
from data.database import Database, Tx
from data.events import Occasion, Which, mark_reminded, occasions_missed, occasions_to_remind
from data.outbox import post, told_since
from data.people import members
from data.queue import empty_item, transferred_items
from data.school import School, load_school
from data.surveys import all_surveys, find_survey, surveys_due
from data.updates import last_reading, note_reading
from scheduler.closing import close_survey, read_words
from scheduler.plan import last_reading_time

CHOICE: dict[Which, str] = {"first": "day", "hour": "hour"}  # what a booking says of them


async def close_due(db: Database, school: School, now: datetime) -> bool:
    """Close the surveys whose time has come; first destroy keys whose closing broke off after its commit."""
    await destroy_spent_keys(db)
    async with db.reading() as tx:
        due = await surveys_due(tx, now)
    for id in due:
        async with db.transaction() as tx:
            survey = await find_survey(tx, id)
            closed = survey and await close_survey(tx, survey, now, now.astimezone(school.zone).date())
        if closed:
            await seal_off(db, id)
    return bool(due)


async def remind_due(db: Database, now: datetime) -> bool:
    """Post the reminders of events whose time has come, each once; those that missed it are named in the report."""
    async with db.reading() as tx:
        if not await occasions_to_remind(tx, now) and not await occasions_missed(tx, now):
            return False
    async with db.transaction() as tx:
        for occasion, which in await occasions_to_remind(tx, now):
            await _remind(tx, occasion, which, now)
        for occasion, which in await occasions_missed(tx, now):
            await _remind(tx, occasion, which, now, late=True)
            await mark_reminded(tx, occasion.id, "hour")  # neither of them is due any more
    return True


async def _remind(tx: Tx, occasion: Occasion, which: Which, now: datetime, late: bool = False) -> None:
    if not await mark_reminded(tx, occasion.id, which):
        return
    people = await _to_remind(tx, occasion, which)
    if which == "first":
        await post(tx, "reminder", occasion.ref, people, now, late=late)
    else:
        await post(tx, "reminder-hour", occasion.ref, people, now, late=late)


async def _to_remind(tx: Tx, occasion: Occasion, which: Which) -> list[str]:
    """Whoever booked, as they chose; the day before also those of the group who have said nothing yet.

    Who hears of another time after the first reminder of it was due is not reminded too: one message says it.
    """
    booked = await bookings_for(tx, occasion.id)
    missed = which == "hour" and not occasion.first_done  # nothing ran the day before: one reminder does for both
    choices = ("both", "day", "hour") if missed else ("both", CHOICE[which])
    heard = await _heard_late(tx, occasion) if which == "first" or missed else set()
    wanted = [b.person for b in booked if b.state != CANNOT and b.remind in choices and b.person not in heard]
    if occasion.event.opted or (which == "hour" and not missed):
        return wanted
    answered = {b.person for b in booked}
    return wanted + [p for p in await members(tx, occasion.event.group) if p not in answered | heard]


async def _heard_late(tx: Tx, occasion: Occasion) -> set[str]:
    """Whoever was told of its new time when the first reminder of that was due already."""
    return await told_since(tx, "event-changed", occasion.ref, occasion.first_at) if occasion.first_at else set()


async def read_due(db: Database, school: School, now: datetime) -> bool:
    """At a reading time, hand the words of all open surveys to their readers.

    One to come was noted when the clock was wrong: waiting for it could keep words from their readers for years.
    """
    at = last_reading_time(now, school.zone)
    async with db.reading() as tx:
        last = await last_reading(tx)
    if last and at <= last <= now:
        return False
    async with db.transaction() as tx:
        found = [await read_words(tx, survey, at) for survey in await all_surveys(tx, "open")]
        await note_reading(tx, at)
    return any(found)


async def forget_due(db: Database, now: datetime) -> bool:
    """Empty the queue items that have been in the school's own record for long enough (a week), and the WAL."""
    async with db.reading() as tx:
        school = await load_school(tx)
        days = school.keeping.transferred_days if school else 0
        if not school or not await transferred_items(tx, now, days):
            return False
    async with db.transaction() as tx:
        for item in await transferred_items(tx, now, days):  # asked again: a slip of the finger may be taken back
            await empty_item(tx, item, now)
    await db.wipe_deleted()
    return True
