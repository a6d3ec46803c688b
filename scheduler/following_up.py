"""After an event those who came are asked how it was (B6, B6e): in a pool that closes with the term (data/pools.py)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from conversations.form import Form
from data.bookings import COMING, bookings_for
from data.calendar import DAY, Calendar, load_calendar
from data.database import Database, Tx
from data.events import Occasion, mark_followed_up, occasions_over
from data.outbox import post, post_tidying
from data.people import askable
from data.pools import ask_again, find_pool, open_pool, questions_after, questions_after_talk
from data.runs import BoxLost
from data.school import School
from data.surveys import Survey, postpone
from data.wishes import wishes_of
from scheduler.plan import ANSWERS_AFTER, closing_time

ASKS_AT = time(17)  # not before the evening of the day
ASKED_WITHIN = timedelta(days=7)  # of the end: later nobody remembers
LEAST_DAYS = timedelta(days=7)  # that a new pool is open


async def follow_up_due(db: Database, school: School, now: datetime) -> bool:
    """Ask after each occasion that is over, once; whether there was one."""
    async with db.reading() as tx:
        if not await _due(tx, school, now):
            return False
    async with db.transaction() as tx:
        for occasion in await _due(tx, school, now):
            if await mark_followed_up(tx, occasion.id) and now - occasion.ends_at <= ASKED_WITHIN:
                await _ask(tx, occasion, school, now)
    return True


async def _due(tx: Tx, school: School, now: datetime) -> list[Occasion]:
    return [o for o in await occasions_over(tx, now) if asks_at(o, school.zone) <= now]


def asks_at(occasion: Occasion, zone: ZoneInfo) -> datetime:
    """Not before the same evening; the window for messages counts from there on."""
    evening = datetime.combine(occasion.ends_at.astimezone(zone).date(), ASKS_AT, zone)
    return max(occasion.ends_at, evening)


async def _ask(tx: Tx, occasion: Occasion, school: School, now: datetime) -> None:
    people = await askable(tx, await visitors(tx, occasion))
    if not people:
        return
    pool = await _pool(tx, await questions_after(tx, occasion.event), school, now)
    for person in people:
        try:
            shown = await ask_again(tx, pool, person, now)
        except BoxLost:  # `yousaid doctor` says so; a restore gives the box up
            return
        if shown:
            await post_tidying(tx, person, shown, now)
    await post(tx, "how-was-it", occasion.id, people, now)


async def visitors(tx: Tx, occasion: Occasion) -> list[str]:
    """Who booked, or said that they come, and was not noted as absent; in random (id) order.

    Of charity and wellbeing events only who still chooses to hear of them: this is a message about one too (MSG-2).
    """
    came = [b.person for b in await bookings_for(tx, occasion.id, COMING) if b.came is not False]
    if occasion.event.opted:
        came = [person for person in came if occasion.event.kind in await wishes_of(tx, person)]
    return sorted(came)


async def ask_after_talk(tx: Tx, pupil: str, school: School, now: datetime) -> bool:
    """Once an adult has been with a pupil, questions wait on the page (B6): nobody is written to. Whether they do."""
    if not await askable(tx, [pupil]):
        return False
    try:
        await ask_again(tx, await _pool(tx, await questions_after_talk(tx), school, now), pupil, now)
    except BoxLost:  # as above
        return False
    return True


async def _pool(tx: Tx, form: Form, school: School, now: datetime) -> Survey:
    if pool := await find_pool(tx, form):
        return pool
    today = now.astimezone(school.zone).date()
    last = last_day(await load_calendar(tx, school.nation), today + LEAST_DAYS)
    closes = closing_time(last, school.zone)
    return await open_pool(tx, form, school.people.head, closes, last + ANSWERS_AFTER, today)


def last_day(calendar: Calendar, day: date) -> date:
    """The last day of the term this day counts to; where no terms are known, the day before the usual next one."""
    known = next((term.last for term in calendar.terms if term.holds(day)), None)
    return known or calendar.term(day)[1] - DAY


async def keep_for_next_term(tx: Tx, pool: Survey, school: School, now: datetime) -> None:
    """Too few answered: the box stays closed until the end of the term after; nobody is told."""
    after = max(pool.closes_at, now).astimezone(school.zone).date() + LEAST_DAYS
    calendar = await load_calendar(tx, school.nation)
    last = last_day(calendar, max(after, calendar.term(pool.closes_at.astimezone(school.zone).date())[1]))
    await postpone(tx, pool.id, closing_time(last, school.zone), last + ANSWERS_AFTER)
