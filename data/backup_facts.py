"""When what was backed up, proven and put back: facts that the nightly job and `yousaid doctor` read."""

from __future__ import annotations

from datetime import datetime

from data.database import Tx, read_fact, write_fact

MADE = "last-backup"  # a backup of any kind
NIGHTLY = "last-nightly-backup"
OUTSIDE = "last-backup-outside"  # on another disk: `yousaid backup --to DIR`
PROVEN = "last-restore-drill"  # a backup was restored for practice, and was whole
TROUBLE = "backup-trouble"  # why the last nightly backup or its drill failed; gone when one went well
PROGRAM = "program"  # the version of the program that ran last: which one to go back to


async def note_time(tx: Tx, at: datetime, *facts: str) -> None:
    for fact in facts:
        await write_fact(tx, fact, at.isoformat().encode())


async def time_of(tx: Tx, fact: str) -> datetime | None:
    value = await read_fact(tx, fact)
    return datetime.fromisoformat(value.decode()) if value else None


async def note_trouble(tx: Tx, at: datetime, says: str) -> None:
    """What went wrong, in one line for an operator; empty: nothing."""
    await write_fact(tx, TROUBLE, f"{at.isoformat()} {says}".encode() if says else b"")


async def trouble(tx: Tx) -> tuple[datetime, str] | None:
    """When it went wrong, and how."""
    value = await read_fact(tx, TROUBLE)
    if not value:
        return None
    at, _, says = value.decode().partition(" ")
    return datetime.fromisoformat(at), says
