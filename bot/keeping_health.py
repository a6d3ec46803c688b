"""What `yousaid doctor` says about deletion: when it was last done, what waits, and the list beside the key (6.8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.backup_health import ago
from bot.findings import BROKEN, LOOK, OK, Finding
from data.database import Database, DatabaseProblem
from data.keeping import would_go
from data.school import School
from data.tombstone_mirror import NAME, MirrorProblem, in_database, read_mirror
from scheduler.keeping import last_kept
from scheduler.leaps import LEAP
from scheduler.plan import last_keeping_time

PATIENCE = timedelta(hours=1)  # after 03:00
CLOCK = "Set the clock: timedatectl set-ntp true. If it is right: yousaid forget --dry-run, then yousaid forget"
NOW = "yousaid forget, or yousaid run, which does it every night"


async def look_at_keeping(db: Database, school: School, now: datetime) -> list[Finding]:
    """The night's deletions, and the copy of the tombstones."""
    async with db.reading() as tx:
        last = await last_kept(tx)
    return [await _deletions(db, school, last, now), await _mirror(db)]


async def _deletions(db: Database, school: School, last: datetime | None, now: datetime) -> Finding:
    if last is None:
        return Finding("deletion", OK, "not done yet; `yousaid run` does it every night")
    if now - last > LEAP:
        says = f"it is {(now - last).days} days after the last night's work: nothing is closed, deleted or backed up"
        return Finding("date", BROKEN, says, CLOCK)
    if last_keeping_time(now - PATIENCE, school.zone) <= last <= now:
        return Finding("deletion", OK, f"what was kept long enough went {ago(now - last)}")
    try:
        waits = await would_go(db, school, now)
    except DatabaseProblem:
        waits = []
    overdue = ", ".join(f"{gone.n} {gone.kind}" for gone in waits) or "nothing"
    return Finding("deletion", LOOK, f"last done {ago(now - last)}; overdue: {overdue}", NOW)


async def _mirror(db: Database) -> Finding:
    async with db.reading() as tx:
        mine = await in_database(tx)
    file = db.boxes.folder / NAME
    try:
        there = read_mirror(db.boxes.folder, db.vault)
    except MirrorProblem as problem:
        return Finding("deletion list", BROKEN, str(problem), "yousaid run sets it aside and writes a new one.")
    if there is None and not mine.tombstones:
        return Finding("deletion list", OK, "empty yet")
    if there is None:
        return Finding("deletion list", LOOK, f"there is none at {file}", "yousaid run writes it.")
    if there.ahead_of(mine):
        says = "somebody put an older database in place: what was deleted since has come back"
        return Finding("deletion list", BROKEN, says, "yousaid run deletes it again before it starts.")
    fits = there.tombstones == mine.tombstones
    says = "beside the key, so that nothing deleted comes back" if fits else f"{file} is behind the database"
    return Finding("deletion list", OK if fits else LOOK, says, "" if fits else "yousaid run writes it.")
