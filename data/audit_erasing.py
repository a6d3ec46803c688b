"""What may go from the audit log without breaking it: old rows from the front, and the sealed details of a row.

Old rows go from the front only, and the base, with a code of the key, says after which row the chain begins. Details
are emptied where somebody has the right to it; a row of its own accounts for each, so that no reason vanishes unseen.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, update

from data.audit import BASE_FACT, Link, note, set_link
from data.database import Tx
from data.moments import stamp
from data.tables import audit

ERASED = "erased"  # the row that accounts for emptied details; its ref is the id of the row they stood in


async def forget_entries(tx: Tx, before: datetime, now: datetime) -> int:
    """Remove the rows from the front that are older than `before`; how many. The chain still holds.

    The newest row always stays, and so does whatever follows the first row that is younger: nothing goes from within.
    A row of the log says how many went.
    """
    newest = await tx.value(select(func.max(audit.c.id)))
    younger = await tx.value(select(func.min(audit.c.id)).where(audit.c.at >= stamp(before)))
    last = await _last_before(tx, newest if younger is None else younger)
    if last is None:
        return 0
    await set_link(tx, BASE_FACT, last)
    gone = await tx.run(delete(audit).where(audit.c.id <= last.id))
    await note(tx, "forgotten", "audit", now, rows=str(gone))
    return gone


async def _last_before(tx: Tx, id: int | None) -> Link | None:
    if id is None:
        return None
    row = await tx.first(select(audit.c.id, audit.c.hash).where(audit.c.id < id).order_by(audit.c.id.desc()).limit(1))
    return Link(row.id, row.hash) if row else None


async def erase_details(tx: Tx, ids: Iterable[int], now: datetime, why: str, actor: str | None = None) -> int:
    """Empty the sealed details of these rows, each accounted for by a row of its own; how many were emptied.

    Who did what, when and to what stays: only the words that were given with it go. `why` is a short word of ours,
    such as "deleted", never anything a person wrote.
    """
    emptied = [id for id in sorted(set(ids)) if await _empty(tx, id)]
    for id in emptied:
        await note(tx, ERASED, str(id), now, actor, why=why)
    return len(emptied)


async def _empty(tx: Tx, id: int) -> bool:
    theirs = update(audit).where(audit.c.id == id, audit.c.sealed.is_not(None), audit.c.what != ERASED)
    return await tx.run(theirs.values(sealed=None)) == 1
