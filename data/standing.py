"""Whether those who joined can still be reached: stopped by themselves, blocked, or no longer let in by the school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select

from data.database import Tx
from data.moments import moment
from data.tables import addresses, people, second_factors


@dataclass(frozen=True)
class Standing:
    """`unreachable`: every chat of theirs refuses our messages. Who only uses the web page is reached there."""

    stopped: bool
    unreachable: bool
    ended_at: datetime | None


async def standings(tx: Tx) -> dict[str, Standing]:
    """Of everybody who joined, by id."""
    chats, blocked = func.count(addresses.c.hash), func.sum(case((addresses.c.unreachable, 1), else_=0))
    here: ColumnElement[bool] = (addresses.c.person == people.c.id) & addresses.c.ended.is_(False)
    query = select(people.c.id, people.c.stopped, people.c.ended_at, chats.label("chats"), blocked.label("blocked"))
    rows = await tx.all(query.outerjoin(addresses, here).group_by(people.c.id))
    return {r.id: Standing(bool(r.stopped), 0 < r.chats == r.blocked, _moment(r.ended_at)) for r in rows}


def _moment(stored: str | None) -> datetime | None:
    return moment(stored) if stored else None


async def with_factor(tx: Tx) -> set[str]:
    """Ids of those who set up a second factor."""
    return {r.person for r in await tx.all(select(second_factors.c.person))}
