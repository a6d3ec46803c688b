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
