"""Events for tests that are about something else."""

from __future__ import annotations

from datetime import datetime, timedelta

from data.database import Tx
from data.events import Occasion, add_event, new_event, new_occasion


async def add_dropin(tx: Tx, group: str, starts: datetime, place: str, remind_at: datetime) -> Occasion:
    """A drop-in of one hour without slots, of which everybody in the group is reminded once."""
    event = new_event("dropin", group, place=place, made_at=starts - timedelta(days=30))
    occasion = new_occasion(event, starts, starts + timedelta(hours=1), first_at=remind_at, hour_done=True)
    await add_event(tx, event, [occasion])
    return occasion


async def add_slots(tx: Tx, group: str, starts: datetime, slots: int, **more: object) -> Occasion:
    """A drop-in with so many slots of a quarter of an hour for one family each."""
    facts = {"place": "Room 4", "slot_minutes": 15, "made_at": starts - timedelta(days=30)} | more
    event = new_event("dropin", group, **facts)
    occasion = new_occasion(event, starts, starts + slots * timedelta(minutes=15), first_at=starts - timedelta(days=1))
    await add_event(tx, event, [occasion])
    return occasion


async def add_meeting(tx: Tx, group: str, *starts: datetime, kind: str = "coffee", **more: object) -> list[Occasion]:
    """A coffee morning or other event of two hours, offered at these times."""
    facts = {"place": "The hall", "made_at": starts[0] - timedelta(days=30)} | more
    event = new_event(kind, group, **facts)
    times = [new_occasion(event, at, at + timedelta(hours=2), first_at=at - timedelta(days=1)) for at in starts]
    await add_event(tx, event, times)
    return times
