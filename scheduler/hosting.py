"""What the bot tells whoever leads an event: at 07:30 that the list is there, and afterwards to note who came."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from data.database import Database, Tx
from data.events import Occasion, occasions_between
from data.outbox import post
from data.school import School

LISTS_AT = time(7, 30)
ASKED_FOR = timedelta(days=3)  # after it; later the host has forgotten


async def hosts_due(db: Database, school: School, now: datetime) -> bool:
    """Post what hosts are to hear now, each once; whether there was any."""
    async with db.reading() as tx:
        if not await _lists(tx, school, now) and not await _over(tx, now):
            return False
    async with db.transaction() as tx:
        told = 0
        for occasion in await _lists(tx, school, now):
            told += await post(tx, "host-sheet", occasion.ref, _host(occasion), now)
        for occasion in await _over(tx, now):
            told += await post(tx, "host-notes", occasion.id, _host(occasion), now)
    return bool(told)


def _host(occasion: Occasion) -> list[str]:
    """Who leads it; else who made it."""
    who = occasion.event.host or occasion.event.made_by
    return [who] if who else []


async def _lists(tx: Tx, school: School, now: datetime) -> list[Occasion]:
    """What begins today, from 07:30 on."""
    local = now.astimezone(school.zone)
    if local.time() < LISTS_AT:
        return []
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), school.zone)
    return [o for o in await occasions_between(tx, now, midnight) if not o.off and _host(o)]


async def _over(tx: Tx, now: datetime) -> list[Occasion]:
    """What has ended lately, and of which nobody has noted yet who came."""
    found = await occasions_between(tx, now - ASKED_FOR, now)
    return [o for o in found if not o.off and o.ends_at <= now and o.walked_in is None and _host(o)]
