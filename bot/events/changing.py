"""A planned event changed or called off, and everybody whom it touches told once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.events.making import hearers, with_reminders, word
from data.audit import note
from data.bookings import COMING, WAITING, bookings_for
from data.calendar import load_calendar
from data.database import Tx
from data.events import Event, Occasion, cancel_event, cancel_occasion, moved, occasions_of, save_event
from data.outbox import drop_for, post
from data.school import School

REMINDERS = ("reminder", "reminder-hour")


async def move(tx: Tx, school: School, occasion: Occasion, starts: datetime, now: datetime, by: str) -> Occasion:
    """Another day or time, as long as before; reminders come anew. Whoever is touched is told once."""
    calendar = await load_calendar(tx, school.nation)
    ends = starts + (occasion.ends_at - occasion.starts_at)
    new = with_reminders(replace(occasion, starts_at=starts, ends_at=ends), school, calendar, now)
    touched = await touched_by(tx, [occasion])
    await drop_reminders(tx, occasion)
    late = new.hour_at is None or new.hour_at <= now
    reminders = {"first_at": new.first_at, "hour_at": new.hour_at, "hour_done": late}
    after = await moved(tx, occasion, starts_at=starts, ends_at=ends, **reminders)
    await note(tx, f"{word(occasion.event)}.changed", occasion.event.group, now, by)
    await post(tx, "event-changed", after.ref, touched, now)
    return after


async def change_event(tx: Tx, event: Event, now: datetime, by: str, **changes: object) -> Event:
    """Another place or host for all times to come: their calendar files change too. Told once to each person."""
    new = replace(event, **changes)  # type: ignore[arg-type]
    ahead = [o for o in await occasions_of(tx, event.id) if not o.off and o.starts_at > now]
    told: set[str] = set()
    await save_event(tx, new)
    await note(tx, f"{word(event)}.changed", event.group, now, by)
    for occasion in ahead:
        touched = [p for p in await touched_by(tx, [occasion]) if p not in told]
        after = await moved(tx, replace(occasion, event=new))
        await post(tx, "event-changed", after.ref, touched, now)
        told |= set(touched)
    return new


async def call_off(tx: Tx, occasion: Occasion, reason: str, now: datetime, by: str) -> bool:
    """One time of it; False when it was off already."""
    touched = await touched_by(tx, [occasion])
    if not await cancel_occasion(tx, occasion, now, reason):
        return False
    await drop_reminders(tx, occasion)
    await note(tx, f"{word(occasion.event)}.cancelled", occasion.event.group, now, by)
    await post(tx, "event-cancelled", occasion.id, touched, now)
    return True


async def call_off_all(tx: Tx, event: Event, reason: str, now: datetime, by: str) -> bool:
    """Every time that has not begun; False when it was off already."""
    ahead = [o for o in await occasions_of(tx, event.id) if not o.off and o.starts_at > now]
    touched = await touched_by(tx, ahead)
    if not await cancel_event(tx, event.id, now, reason):
        return False
    for occasion in ahead:
        await drop_reminders(tx, occasion)
    await drop_for(tx, "event", event.id)
    await note(tx, f"{word(event)}.cancelled", event.group, now, by)
    await post(tx, "event-cancelled", event.id, touched, now)
    return True


async def touched_by(tx: Tx, times: Iterable[Occasion]) -> list[str]:
    """Who has a place or waits for one; and all it is for, where they heard of it: announced, or reminded of."""
    found: dict[str, None] = {}
    for occasion in times:
        for booking in await bookings_for(tx, occasion.id, COMING, WAITING):
            found[booking.person] = None
        if occasion.event.kind != "dropin" or occasion.first_done:
            found |= dict.fromkeys(await hearers(tx, occasion.event))
    return list(found)


async def drop_reminders(tx: Tx, occasion: Occasion) -> None:
    """Those that wait to be sent would name a time that is not so any more."""
    refs = {occasion.id} | {f"{occasion.id}.{n}" for n in range(1, occasion.sequence + 1)}
    for kind in REMINDERS:
        for ref in refs:
            await drop_for(tx, kind, ref)
