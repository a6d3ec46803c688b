"""Every night at 02:00 a backup, and at once a drill that restores it for practice (trust A8, E10).

What is due follows from facts: a machine that was off catches up, and what failed is tried again an hour later.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from data.backup import LONGEST_KEPT, back_up, backup_name, free_name, remove_kept, remove_old
from data.backup_facts import MADE, NIGHTLY, PROVEN, note_time, note_trouble, time_of, trouble
from data.backup_file import BackupProblem
from data.database import Database, DatabaseProblem
from data.place import SqliteFile
from data.preparing import HEAD
from data.restoring import prove
from data.school import School

log = logging.getLogger(__name__)

AT = time(2)  # local
AGAIN_AFTER = timedelta(hours=1)


async def back_up_due(db: Database, school: School, folder: Path, now: datetime) -> bool:
    """Make the nightly backup, prove it and remove old ones, where that is due. Failures are noted and logged once."""
    if not await _is_due(db, now, school.zone):
        return False
    today = now.astimezone(school.zone).date()
    try:
        await asyncio.to_thread(_remove_oldest, db, folder, now, today)
        file = await _made(db, folder, now, school.zone)
        await prove(file, db.vault, db.boxes, folder)
        await asyncio.to_thread(remove_old, folder, today, timedelta(days=school.keeping.backups_days))
    except (BackupProblem, DatabaseProblem, OSError) as problem:
        await _failed(db, now, problem)
        return False
    async with db.transaction() as tx:
        await note_time(tx, now, NIGHTLY, PROVEN)
        await note_trouble(tx, now, "")
    log.info("the nightly backup was made, and restored for practice")
    return False


def last_time(now: datetime, zone: ZoneInfo) -> datetime:
    """The latest 02:00 that is not after `now`."""
    local = now.astimezone(zone)
    tonight = datetime.combine(local.date(), AT, zone)
    return tonight if tonight <= local else datetime.combine(local.date() - timedelta(days=1), AT, zone)


async def _is_due(db: Database, now: datetime, zone: ZoneInfo) -> bool:
    async with db.reading() as tx:
        made, failed = await time_of(tx, NIGHTLY), await trouble(tx)
    if made is not None and last_time(now, zone) <= made <= now:
        return False
    return failed is None or not failed[0] <= now < failed[0] + AGAIN_AFTER


async def _made(db: Database, folder: Path, now: datetime, zone: ZoneInfo) -> Path:
    file = await asyncio.to_thread(_name_in, folder, backup_name(now.astimezone(zone), HEAD))
    await back_up(db, file, now, folder)
    async with db.transaction() as tx:
        await note_time(tx, now, MADE)
    return file


def _remove_oldest(db: Database, folder: Path, now: datetime, today: date) -> None:
    """A promise to people, whatever else fails tonight: gone from backups within 30 days."""
    remove_old(folder, today, LONGEST_KEPT)
    if isinstance(db.place, SqliteFile):
        remove_kept(db.place.path, now)


def _name_in(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return free_name(folder, name)


async def _failed(db: Database, now: datetime, problem: Exception) -> None:
    says = str(problem) if not isinstance(problem, OSError) else f"{problem.strerror}: {problem.filename}"
    log.error("the nightly backup failed: %s", says)
    async with db.transaction() as tx:
        await note_trouble(tx, now, says)
