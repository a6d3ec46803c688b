"""The deletions of the night: once a day at 03:00 local time, or at the next start, and no trace on the disk (6.8)."""

from __future__ import annotations

import logging
from datetime import datetime

from data.answers import destroy_spent_keys
from data.database import Database, Tx, read_fact
from data.keeping import LAST, Gone, keep, note_kept
from data.moments import moment
from data.school import School, load_school
from scheduler.plan import last_keeping_time

log = logging.getLogger(__name__)


async def keep_due(db: Database, now: datetime) -> bool:
    """Delete what is due, if that was not done since the last 03:00, however often the program was started.

    A time to come was noted when the clock was wrong: waiting for it could keep everything for years.
    """
    async with db.reading() as tx:
        school = await load_school(tx)
        last = await last_kept(tx)
    if school is None or (last and last_keeping_time(now, school.zone) <= last <= now):
        return False
    gone = await forget_now(db, school, now)
    log.info("kept long enough: %s", ", ".join(f"{g.n} {g.kind}" for g in gone) or "nothing")
    return True


async def forget_now(db: Database, school: School, now: datetime, actor: str | None = None) -> list[Gone]:
    """Delete what is due, then whatever could still be read of it on the disk. `school` has the periods."""
    async with db.transaction() as tx:
        gone = await keep(tx, school, now, actor)
    await destroy_spent_keys(db)
    await db.wipe_deleted()
    async with db.transaction() as tx:  # only now: after a crash before, the next start wipes again
        await note_kept(tx, now)
    return gone


async def last_kept(tx: Tx) -> datetime | None:
    """When this was last done to its end."""
    at = await read_fact(tx, LAST)
    return moment(at.decode()) if at else None
