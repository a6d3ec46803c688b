"""The copy of the tombstones beside the key: it survives the loss of the database, and notices one that was put back.

    yousaid tombstones 1
    changes 12                      how often the list was changed
    audit 1207 4f3a...              the newest row of the audit log
    HASH KIND AT                    one line each
    mac 9c1e...                     of all lines before, under the key

The database comes first, the file within seconds. After a crash between the two the database is ahead, and the file is
written anew at the start. Is the file ahead, somebody put an older database in its place: what was deleted since is
deleted again before the bot may start. It holds no names: keyed hashes, kinds and times.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.audit import Link, head, note
from data.database import Database, Tx
from data.replaying import Tombstone, carry_over, replay, tombstones_in
from data.tombstones import changes, set_changes
from data.vault import Vault, sync_folder

log = logging.getLogger(__name__)

NAME = "tombstones"  # in the folder of the key
FIRST = "yousaid tombstones 1"


class MirrorProblem(Exception):
    """The file is damaged, or was not written with this key; one line."""


@dataclass(frozen=True)
class Mirror:
    """What both sides hold: the list, how often it was changed, and the newest row of the audit log."""

    changes: int
    head: Link
    tombstones: frozenset[Tombstone]

    def ahead_of(self, other: Mirror) -> bool:
        """Whether this one knows of something that happened after the other."""
        return self.changes > other.changes or self.head.id > other.head.id


async def in_database(tx: Tx) -> Mirror:
    return Mirror(await changes(tx), await head(tx), frozenset(await tombstones_in(tx)))


# --- the file -----------------------------------------------------------------------------------------------------


def read_mirror(folder: Path, vault: Vault) -> Mirror | None:
    """What the file beside the key says; None where there is none, MirrorProblem where it cannot be trusted."""
    read = _read(folder, vault)
    return read[0] if read else None


def _read(folder: Path, vault: Vault) -> tuple[Mirror, bool] | None:
    """The mirror, and whether its code is of today's key."""
    try:
        text = (folder / NAME).read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise MirrorProblem(f"{folder / NAME} cannot be read.") from None
    body, _, mac = text.rpartition("mac ")
    known = [hmac.compare_digest(code, mac.strip()) for code in vault.lookups("tombstone-mirror", body)]
    if not any(known):
        raise MirrorProblem(f"{folder / NAME} is damaged, or belongs to another key.")
    return _parsed(body), known[0]


def _parsed(body: str) -> Mirror:
    _, count, newest, *rest = body.splitlines()
    _, id, hash = newest.split(" ")
    stones = (Tombstone(*line.split(" ")) for line in rest)
    return Mirror(int(count.removeprefix("changes ")), Link(int(id), hash), frozenset(stones))


def write_mirror(folder: Path, vault: Vault, mirror: Mirror) -> None:
    """Whole or not at all: beside the old one first, on disk, then in its place. Readable by its owner only."""
    stones = sorted(f"{t.hash} {t.kind} {t.at}" for t in mirror.tombstones)
    lines = [FIRST, f"changes {mirror.changes}", f"audit {mirror.head.id} {mirror.head.hash}", *stones]
    body = "".join(f"{line}\n" for line in lines)
    new = folder / f"{NAME}.{os.getpid()}.part"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{body}mac {vault.lookup('tombstone-mirror', body)}\n")
        file.flush()
        os.fsync(file.fileno())
    new.rename(folder / NAME)
    sync_folder(folder)


# --- keeping both alike -------------------------------------------------------------------------------------------


async def mirror_due(db: Database, _now: datetime) -> bool:
    """Write the file where it does not say what the database says, or not under today's key. Never more than once."""
    async with db.reading() as tx:
        mine = await in_database(tx)
    if await asyncio.to_thread(_trusted, db.boxes.folder, db.vault) != (mine, True):
        await asyncio.to_thread(write_mirror, db.boxes.folder, db.vault, mine)
    return False


def _trusted(folder: Path, vault: Vault) -> tuple[Mirror, bool] | None:
    """The same as `_read`; a file that cannot be trusted is set aside, so that the bot still starts."""
    try:
        return _read(folder, vault)
    except MirrorProblem as problem:
        log.error("%s It is kept as %s.damaged, and a new one is written.", problem, NAME)
        (folder / NAME).rename(folder / f"{NAME}.damaged")
        return None


async def agree(db: Database, now: datetime) -> dict[str, int] | None:
    """At start: make both say the same. What was deleted again in an older database, by kind; None for today's own.

    A file that cannot be trusted is set aside: the database has the list too, and help must be within reach.
    """
    read = await asyncio.to_thread(_trusted, db.boxes.folder, db.vault)
    there = read[0] if read else None
    for half in await asyncio.to_thread(lambda: list(db.boxes.folder.glob(f"{NAME}.*.part"))):
        half.unlink(missing_ok=True)  # of a process that was killed
    async with db.transaction() as tx:
        mine = await in_database(tx)
        again = await _again(tx, there, now) if there and there.ahead_of(mine) else None
    if again:
        await db.wipe_deleted()
    await mirror_due(db, now)
    return again


async def _again(tx: Tx, there: Mirror, now: datetime) -> dict[str, int]:
    await carry_over(tx, there.tombstones)
    found = await replay(tx, now)
    await set_changes(tx, max(there.changes, await changes(tx)) + 1)
    await note(tx, "older-database", "database", now, head=f"{there.head.id} {there.head.hash}")
    return found
