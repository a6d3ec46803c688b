"""What must not come back with a backup: deleted people, cut access, words that were forgotten, a STOP.

The database keeps a keyed hash of each, and a copy of that list lies beside the key, so that it survives the loss of
the database. `yousaid restore` replays the list on what it has put back, before the bot may start (data/replaying.py).
After KEPT the backups that could bring it back are gone too (they live 30 days at most), and the tombstone goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from data.database import Tx, read_fact, write_fact
from data.moments import stamp
from data.tables import tombstones
from data.vault import Vault

KEPT = timedelta(days=45)  # longer than any backup
CHANGED = "tombstones-changed"  # the fact that counts the changes, so that the copy beside the key can be compared
PERSON, ACCESS, STOP = "person", "access", "stop"  # deleted, cut off by the school, no messages; refs: a person's id
ROLE = "role"  # ref: role_ref(person, role)
ITEM, SHEET = "item", "sheet"  # an emptied queue item; a removed answer sheet
PAUSE, CHILD = "pause", "child"  # no messages for a while (a person's id); a child's name (child_ref) taken out
BOOKING, OFF = "booking", "off"  # a place given back (booking_ref); a time or an event that was called off (its id)
WISH = "wish"  # events of a kind somebody chose to hear of, and no longer does (wish_ref)
ANSWERS, NAMES = "answers", "names"  # a survey's raw answers; who gave them. refs: the survey's id


def role_ref(person: str, role: str) -> str:
    return f"{person}/{role}"


def child_ref(person: str, nth: int) -> str:
    return f"{person}/{nth}"


def booking_ref(occasion: str, person: str) -> str:
    return f"{occasion}/{person}"


def wish_ref(person: str, kind: str) -> str:
    return f"{person}/{kind}"


async def bury(tx: Tx, kind: str, ref: str, now: datetime) -> None:
    """In the transaction of the deletion. Harmless when it lies there already."""
    await tx.run(delete(tombstones).where(tombstones.c.hash.in_(_hashes(tx.vault, kind, ref))))
    await tx.run(insert(tombstones).values(hash=_hashes(tx.vault, kind, ref)[0], kind=kind, at=stamp(now)))
    await set_changes(tx, await changes(tx) + 1)


async def unbury(tx: Tx, kind: str, ref: str) -> None:
    """It is there again on purpose: a role given anew, messages wanted again."""
    if await tx.run(delete(tombstones).where(tombstones.c.hash.in_(_hashes(tx.vault, kind, ref)))):
        await set_changes(tx, await changes(tx) + 1)


async def buried(tx: Tx, kind: str, refs: Iterable[str]) -> list[str]:
    """Those of these refs that have a tombstone."""
    rows = await tx.all(select(tombstones.c.hash).where(tombstones.c.kind == kind))
    known = {r.hash for r in rows}
    return [ref for ref in refs if known & set(_hashes(tx.vault, kind, ref))]


async def forget_tombstones(tx: Tx, now: datetime) -> int:
    """Drop those whose time is over; how many."""
    gone = await tx.run(delete(tombstones).where(tombstones.c.at < stamp(now - KEPT)))
    if gone:
        await set_changes(tx, await changes(tx) + 1)
    return gone


async def changes(tx: Tx) -> int:
    """How often the list was changed. It only grows, unless an older database was put in place."""
    return int(await read_fact(tx, CHANGED) or 0)


async def set_changes(tx: Tx, n: int) -> None:
    await write_fact(tx, CHANGED, str(n).encode())


def _hashes(vault: Vault, kind: str, ref: str) -> tuple[str, ...]:
    """Under today's key first, then under earlier ones: a hash cannot be made anew when the key changes."""
    return vault.lookups("tombstone", f"{kind}/{ref}")
