"""Who looked at a name or took a copy, and why: written before anything is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select

from data.database import Tx
from data.moments import moment, stamp
from data.tables import looks


@dataclass(frozen=True)
class Look:
    at: datetime
    person: str
    what: str
    ref: str
    reason: str = field(repr=False)


async def note_look(tx: Tx, person: str, what: str, ref: str, reason: str, now: datetime) -> None:
    """`what` is a short word such as "name" or "copy", `ref` the id of what was looked at."""
    sealed = tx.vault.seal("words", reason.encode(), f"look.{ref}")
    await tx.run(insert(looks).values(at=stamp(now), person=person, what=what, ref=ref, reason=sealed))


async def looks_at(tx: Tx, ref: str) -> list[Look]:
    """All looks at one thing, oldest first."""
    rows = await tx.all(select(looks).where(looks.c.ref == ref).order_by(looks.c.id))
    opened = [tx.vault.open("words", r.reason, f"look.{ref}").decode() for r in rows]
    return [Look(moment(r.at), r.person, r.what, r.ref, why) for r, why in zip(rows, opened, strict=True)]
