"""Which deliveries of a channel were handled, so that a repeated one changes nothing; and reading times."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, exists, func, insert, select

from data.database import Tx
from data.moments import moment, stamp
from data.tables import readings, updates

KEPT = 20_000  # far more than a channel can redeliver


_NEW = select(bindparam("channel", type_=updates.c.channel.type), bindparam("id", type_=updates.c.id.type)).where(
    ~exists().where(updates.c.channel == bindparam("channel"), updates.c.id == bindparam("id"))
)
_NOTE = insert(updates).from_select(["channel", "id"], _NEW)  # built once: every update is noted


async def first_time(tx: Tx, channel: str, id: int) -> bool:
    """Note this delivery in the transaction of its effect; False when it was handled before."""
    new = await tx.run(_NOTE, {"channel": channel, "id": id}) == 1
    if new and id % 1000 == 0:
        # update ids restart at random after a quiet week, so old high ones must not stay for ever
        count = int(await tx.value(select(func.count()).select_from(updates)))
        if count > KEPT:
            await tx.run(delete(updates).where(updates.c.channel == channel, updates.c.id < id - KEPT))
    return new


async def last_reading(tx: Tx) -> datetime | None:
    """When words were last handed to their readers."""
    at = await tx.value(select(func.max(readings.c.at)))
    return moment(at) if at else None


async def note_reading(tx: Tx, at: datetime) -> None:
    await tx.run(delete(readings))
    await tx.run(insert(readings).values(at=stamp(at)))
