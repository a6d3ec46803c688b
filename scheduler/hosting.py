"""What the bot tells whoever leads an event: at 07:30 that the list is there, and afterwards to note who came."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from conversations.roles import MAY
from data.database import Database, Tx
from data.events import Occasion, occasions_between
from data.outbox import post
from data.people import people_with_role
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
            told += await post(tx, "host-sheet", occasion.ref, await _hosts(tx, occasion), now)
        for occasion in await _over(tx, now):
            told += await post(tx, "host-notes", occasion.id, await _hosts(tx, occasion), now)
    return bool(told)


async def _hosts(tx: Tx, occasion: Occasion) -> list[str]:
    """Who leads it; else who made it; the SENCO where both have left: families come all the same."""
    can = await people_with_role(tx, *MAY["dropin"])
    named = [who for who in (occasion.event.host, occasion.event.made_by) if who in can]
    return named[:1] or await people_with_role(tx, "senco")


async def _lists(tx: Tx, school: School, now: datetime) -> list[Occasion]:
    """What begins today, from 07:30 on."""
    local = now.astimezone(school.zone)
    if local.time() < LISTS_AT:
        return []
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), school.zone)
    return [o for o in await occasions_between(tx, now, midnight) if not o.off]


async def _over(tx: Tx, now: datetime) -> list[Occasion]:
    """What has ended lately, and of which nobody has noted yet who came."""
    found = await occasions_between(tx, now - ASKED_FOR, now)
    return [o for o in found if not o.off and o.ends_at <= now and o.walked_in is None]
