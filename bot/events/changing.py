"""A planned event changed or called off, and everybody whom it touches told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.events.making import hearers, tell_hosts, with_reminders, word
from data.audit import note
from data.bookings import COMING, WAITING, bookings_for, fill_places
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
    """Another place, host or access fact for all times to come: their calendar files change too.

    Told once to each person; and to whoever leads it from now on, and whoever does no more.
    """
    new = replace(event, **changes)  # type: ignore[arg-type]
    ahead = await ahead_of(tx, event, now)
    told: set[str] = set()
    await save_event(tx, new)
    await note(tx, f"{word(event)}.changed", event.group, now, by)
    for occasion in ahead:
        touched = [p for p in await touched_by(tx, [occasion]) if p not in told]
        after = await moved(tx, replace(occasion, event=new))
        await post(tx, "event-details", after.ref, touched, now)
        told |= set(touched)
        if occasion == ahead[0] and event.host != new.host:
            await drop_about(tx, occasion, "host-changed")
            await tell_hosts(tx, after, [event.host, new.host], by, now)
    return new


async def change_room(
    tx: Tx, event: Event, now: datetime, by: str, slot_minutes: int | None, capacity: int | None
) -> bool:
    """Other times to keep, or room for more or fewer; False where that takes a place from somebody (too_many).

    Whoever waits and now has a place is told, as when somebody gives one back. Nobody else is touched.
    """
    if await too_many(tx, event, now, slot_minutes, capacity):
        return False
    new = replace(event, slot_minutes=slot_minutes, capacity=capacity)
    await save_event(tx, new)
    await note(tx, f"{word(event)}.changed", event.group, now, by)
    for occasion in await ahead_of(tx, event, now):
        for booking in await fill_places(tx, replace(occasion, event=new), now):
            await post(tx, "place-free", booking.id, [booking.person], now)
    return True


async def too_many(tx: Tx, event: Event, now: datetime, slot_minutes: int | None, capacity: int | None) -> int:
    """What keeps the room from being so: families whose kept times would shift, or heads in the fullest time or slot.

    0 where nothing does.
    """
    coming = [await bookings_for(tx, o.id, COMING) for o in await ahead_of(tx, event, now)]
    slots = Counter((n, b.slot) for n, found in enumerate(coming) for b in found if b.slot is not None)
    if slot_minutes != event.slot_minutes:
        return slots.total()
    most = max(slots.values(), default=0) if slot_minutes else max((sum(b.heads for b in f) for f in coming), default=0)
    return most if capacity is not None and most > capacity else 0


async def ahead_of(tx: Tx, event: Event, now: datetime) -> list[Occasion]:
    """Its times that have not begun and are not off, soonest first."""
    return [o for o in await occasions_of(tx, event.id) if not o.off and o.starts_at > now]


async def waits_for(tx: Tx, event: Event, now: datetime) -> int:
    """How many wait for a place at its times to come."""
    return sum([len(await bookings_for(tx, o.id, WAITING)) for o in await ahead_of(tx, event, now)])


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
    ahead = await ahead_of(tx, event, now)
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
    await drop_about(tx, occasion, *REMINDERS)


async def drop_about(tx: Tx, occasion: Occasion, *kinds: str) -> None:
    """Letters of these kinds about it as it was, where they were not sent yet."""
    refs = [occasion.id, *(f"{occasion.id}.{n}" for n in range(1, occasion.sequence + 1))]
    for kind in kinds:
        for ref in refs:
            await drop_for(tx, kind, ref)
