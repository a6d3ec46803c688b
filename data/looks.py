"""Who looked at a name or took a copy, and why: rows of the audit log, written before anything is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from data.audit import entries, note
from data.database import Tx

LOOK = "look."  # kinds of looks in the audit log begin with this


@dataclass(frozen=True)
class Look:
    at: datetime
    person: str
    what: str
    ref: str
    reason: str = field(repr=False)


async def note_look(tx: Tx, person: str, what: str, ref: str, reason: str, now: datetime) -> None:
    """`what` is a short word such as "name" or "copy", `ref` the id of what was looked at."""
    await note(tx, LOOK + what, ref, now, person, reason=reason)


async def looks_at(tx: Tx, ref: str) -> list[Look]:
    """All looks at one thing, oldest first."""
    found = [e for e in await entries(tx, ref) if e.what.startswith(LOOK)]
    return [Look(e.at, e.actor or "", e.what.removeprefix(LOOK), ref, e.detail.get("reason", "")) for e in found]
