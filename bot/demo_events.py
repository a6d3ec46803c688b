"""Drop-ins and a coffee morning of the demo's school, with families who have a place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from bot.elmfield import ELMFIELD as SCHOOL
from data.bookings import COMING, Booking, book
from data.calendar import load_calendar
from data.database import Tx
from data.events import Event, Occasion, add_event, new_event, new_occasion
from data.moments import new_id
from scheduler.plan import reminder_times

COFFEE = {
    "noise": "Quiet talk, no music", "crowds": "About 20 people", "toilets": "Next to the hall, one with a ramp",
    "quiet": "The library is free all morning", "cost": "Nothing", "wear": "What you like",
}  # fmt: skip


async def plan(tx: Tx, groups: tuple[str, str], host: str, families: Sequence[str], now: datetime) -> None:
    """A drop-in with times, one for pupils, and a coffee morning at two times; some families have a place.

    The next school day is kept free: no reminder is due when the demo starts, so that the questions come first.
    """
    parents, pupils = groups
    made = now - timedelta(days=6)
    by = {"host": host, "made_by": host, "made_at": made}
    talk = new_event("dropin", parents, place="Room 4", ways=("in-person", "phone"), slot_minutes=15, **by)
    lunch = new_event("dropin", pupils, place="Room 4", **by)
    coffee = new_event("coffee", parents, place="The school hall", access=COFFEE, capacity=20, **by)
    slots = await _held(tx, talk, now, 2, 9, 120)
    await add_event(tx, talk, [slots])
    await add_event(tx, lunch, [await _held(tx, lunch, now, 3, 12, 40)])
    morning, evening = await _held(tx, coffee, now, 4, 9, 90), await _held(tx, coffee, now, 5, 18, 90)
    await add_event(tx, coffee, [morning, evening])
    for slot, person in zip((0, 1, 4), families, strict=False):
        await book(tx, slots, Booking(new_id(), slots.id, person, COMING, slot=slot, made_at=made))
    for person in families[3:8]:
        await book(tx, morning, Booking(new_id(), morning.id, person, COMING, heads=2, made_at=made))


async def _held(tx: Tx, event: Event, now: datetime, days: int, hour: int, minutes: int) -> Occasion:
    """So many school days from now, at this hour, with its reminders."""
    calendar, day = await load_calendar(tx, SCHOOL.nation), now.astimezone(SCHOOL.zone).date()
    while days:
        day += timedelta(days=1)
        days -= calendar.is_school_day(day)
    starts = datetime.combine(day, time(hour), SCHOOL.zone)
    first, last = reminder_times(starts, SCHOOL, calendar)
    reminders = {"first_at": first, "hour_at": last, "hour_done": last is None or last <= now}
    return new_occasion(event, starts, starts + timedelta(minutes=minutes), **reminders)
