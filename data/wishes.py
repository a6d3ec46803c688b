"""What people chose to hear of besides: charity and wellbeing events, each off until they say so (MSG-2)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from data.database import Tx
from data.events import OPTED
from data.tables import memberships, wishes
from data.tombstones import WISH, bury, unbury, wish_ref


async def wish(tx: Tx, person: str, kind: str) -> bool:
    """Hear of events of this kind from now on; whether that is new. ValueError for a kind nobody has to choose."""
    if kind not in OPTED:
        raise ValueError(f"{kind} is not a kind of event that people choose")
    if kind in await wishes_of(tx, person):
        return False
    await tx.run(insert(wishes).values(person=person, kind=kind))
    await unbury(tx, WISH, wish_ref(person, kind))
    return True


async def unwish(tx: Tx, person: str, kind: str, now: datetime) -> bool:
    """Hear of them no more, also after a restore; whether they did until now."""
    await bury(tx, WISH, wish_ref(person, kind), now)
    return await tx.run(delete(wishes).where(wishes.c.person == person, wishes.c.kind == kind)) == 1


async def all_wishes(tx: Tx) -> list[str]:
    """The refs of every choice, for the deletions after a restore."""
    return [wish_ref(r.person, r.kind) for r in await tx.all(select(wishes))]


async def wishes_of(tx: Tx, person: str) -> set[str]:
    """The kinds this person chose to hear of."""
    return {r.kind for r in await tx.all(select(wishes.c.kind).where(wishes.c.person == person))}


async def who_wishes(tx: Tx, group: str, kind: str) -> list[str]:
    """Ids of those in this group who chose to hear of events of this kind."""
    both = select(wishes.c.person).join(memberships, memberships.c.person == wishes.c.person)
    query = both.where(memberships.c.group_id == group, wishes.c.kind == kind).order_by(wishes.c.person)
    return [r.person for r in await tx.all(query)]
