"""Drop-ins and when to remind of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from data.database import AnyRow, Tx
from data.moments import moment, new_id, stamp
from data.tables import dropins


@dataclass(frozen=True)
class Dropin:
    id: str
    group: str
    starts_at: datetime
    place: str
    remind_at: datetime


async def add_dropin(tx: Tx, group: str, starts_at: datetime, place: str, remind_at: datetime) -> Dropin:
    dropin = Dropin(new_id(), group, starts_at, place, remind_at)
    times = {"starts_at": stamp(starts_at), "remind_at": stamp(remind_at)}
    await tx.run(insert(dropins).values(id=dropin.id, group_id=group, place=place, reminded=False, **times))
    return dropin


async def coming_dropins(tx: Tx, groups: set[str], now: datetime) -> list[Dropin]:
    """Drop-ins of these groups that have not begun, soonest first."""
    query = select(dropins).where(dropins.c.group_id.in_(groups), dropins.c.starts_at > stamp(now))
    return [_dropin(r) for r in await tx.all(query.order_by(dropins.c.starts_at))]


async def find_dropin(tx: Tx, id: str) -> Dropin | None:
    row = await tx.first(select(dropins).where(dropins.c.id == id))
    return _dropin(row) if row else None


async def dropins_to_remind(tx: Tx, now: datetime) -> list[Dropin]:
    """Those whose reminder is due and that are still to come."""
    due = (dropins.c.reminded.is_(False), dropins.c.remind_at <= stamp(now), dropins.c.starts_at > stamp(now))
    return [_dropin(r) for r in await tx.all(select(dropins).where(*due))]


async def mark_reminded(tx: Tx, id: str) -> bool:
    """Once; False when it was done."""
    new = update(dropins).where(dropins.c.id == id, dropins.c.reminded.is_(False)).values(reminded=True)
    return await tx.run(new) == 1


def _dropin(r: AnyRow) -> Dropin:
    return Dropin(r.id, r.group_id, moment(r.starts_at), r.place, moment(r.remind_at))
