"""What `yousaid doctor` says about backups: the last one, the last drill, the last one elsewhere (trust A8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.findings import LOOK, OK, Finding
from data.backup_facts import MADE, OUTSIDE, PROVEN, time_of, trouble
from data.database import Tx

MADE_OLD = timedelta(days=2)  # the nightly job makes one every day
OUTSIDE_OLD = timedelta(days=7)
PROVEN_OLD = timedelta(days=35)
TO_A_DISK = "Put a USB disk in: yousaid backup --to FOLDER, then take it out again."


async def look_at_backups(tx: Tx, now: datetime) -> list[Finding]:
    """Each with the one thing that mends it; of a new school only that it has none."""
    if await time_of(tx, MADE) is None:
        return [await _made(tx, now)]
    return [await _made(tx, now), await _proven(tx, now), await _outside(tx, now)]


async def _made(tx: Tx, now: datetime) -> Finding:
    failed, made = await trouble(tx), await time_of(tx, MADE)
    if failed:
        says = f"the last nightly one failed {ago(now - failed[0])}: {failed[1]}"
        return Finding("backup", LOOK, says, "Mend that; it is tried again every hour.")
    if made is None:
        return Finding("backup", LOOK, "none was made yet", "yousaid backup FILE; yousaid run makes one every night.")
    return _finding("backup", f"made {ago(now - made)}", now - made <= MADE_OLD, "yousaid backup FILE")


async def _proven(tx: Tx, now: datetime) -> Finding:
    proven = await time_of(tx, PROVEN)
    if proven is None:
        says = "no backup was restored for practice yet"
        return Finding("restore drill", LOOK, says, "yousaid run does it every night.")
    says = f"a backup was restored for practice {ago(now - proven)}"
    return _finding("restore drill", says, now - proven <= PROVEN_OLD, "yousaid run does it every night.")


async def _outside(tx: Tx, now: datetime) -> Finding:
    outside = await time_of(tx, OUTSIDE)
    if outside is None:
        return Finding("backup elsewhere", LOOK, "there is none on another disk yet", TO_A_DISK)
    says = f"the last one on another disk was made {ago(now - outside)}"
    return _finding("backup elsewhere", says, now - outside <= OUTSIDE_OLD, TO_A_DISK)


def _finding(check: str, says: str, fine: bool, remedy: str) -> Finding:
    return Finding(check, OK if fine else LOOK, says, "" if fine else remedy)


def ago(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"
