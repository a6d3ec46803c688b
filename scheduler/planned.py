"""Sendings that were planned for a day and time: they go out then, in the window, with all checks made again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from conversations.roles import MAY
from data.calendar import load_calendar
from data.database import Database, Tx
from data.outbox import post
from data.people import people_with_role
from data.school import School
from data.sendings import Planned, end_sending, sendings_due
from scheduler.plan import may_send_at

REFUSED = "send-refused"  # kind of the letter to whoever planned it; its ref is the sending
SendPlanned = Callable[[Tx, Planned, datetime], Awaitable[str]]  # sends it; why not, where it was refused


async def planned_due(db: Database, school: School, send: SendPlanned, now: datetime) -> bool:
    """Send what is due, each once and in a transaction of its own; whether there was any."""
    async with db.reading() as tx:
        due = await sendings_due(tx, now)
        if not due or may_send_at(now, school, await load_calendar(tx, school.nation)) > now:
            return False
    for planned in due:
        async with db.transaction() as tx:
            if await end_sending(tx, planned.id, "sent"):
                await _send(tx, planned, send, now)
    return True


async def _send(tx: Tx, planned: Planned, send: SendPlanned, now: datetime) -> None:
    """What is refused now is told to whoever planned it; where they may send no more, to all who may."""
    why = await send(tx, planned, now)
    if why:
        await end_sending(tx, planned.id, "refused", why, before="sent")
        senders = await people_with_role(tx, *sorted(MAY["send"]))
        people = [planned.by] if planned.by in senders else senders
        await post(tx, REFUSED, planned.id, people, now)
