"""Replacing the master key while the bot runs: `reseal` seals everything anew, `retire` lets go of the old key.

Each step may be cut short by a kill and is simply done again (bot/cli/key.py has them in order):

1. The new key is made and written down (`key.next`), and its recovery sheet is printed.
2. The key file becomes a ring: the new key first, the old one second. From here on the new one seals.
3. Every sealed value is opened and sealed anew, some hundred rows at a time, so that nobody waits long (`reseal`).
4. A last look over every column of bytes. The audit log gets its row; the old key's look-up secrets are kept.
5. What was left in the database's files is wiped.
6. The old key is kept beside the key file for 31 days, for backups made before, and leaves the ring (`retire`).

Why nothing is sealed with the old key after step 3 began, though other processes write: writing transactions run one
after another, across all processes, and each looks at the key file once its turn has come (data/database.py). The ring
was on disk before the rotation's first transaction began. So whatever transaction comes after that one finds the new
ring there and seals with its first key; whatever came before is committed, and step 3 meets its rows. Readers look
too, once what they see is fixed: if they see a row sealed with the new key, the ring was there before it, so they know
that key, and look up addresses by both. A process whose ring stands in YOUSAID_KEY cannot look: it is started again
with both keys first; step 4 finds what it does otherwise.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_, update

from data.audit import COMMAND_LINE, note
from data.database import KEY_CHECK, AnyRow, Database, Tx, read_fact, write_fact
from data.earlier_lookups import keep_lookups
from data.key_ring import keep_earlier, write_ring
from data.place import SqliteFile
from data.sealed_tables import SEALED, SealedTable, facts_anew, left_behind
from data.tables import facts
from data.vault import KeyProblem

ROTATION = "rotation"  # the fact that names the keys the database needs until the end
ROWS = 300  # sealed anew in one transaction
PAUSE = 0.05  # seconds between them, in which others get their turn
PASSES = 3  # over everything, while somebody else still writes with the old key
ROTATED = "key-rotated"  # the word in the audit log
WIPED = 40  # tries to empty the WAL, which a reader may hold

Tell = Callable[[int, int], None]


class RotationProblem(KeyProblem):
    """The change of keys cannot go on; one line that names the remedy. Nothing is lost: both keys stay in the ring."""


class RotationLock:
    """One rotation at a time. The system frees it when its process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "rotating.lock"
        self._handle: int | None = None

    def __enter__(self) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise RotationProblem("The key is being changed already. Wait until that has ended.") from None
        self._handle = handle

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)


async def reseal(db: Database, now: datetime, tell: Tell = lambda done, of: None) -> bool:
    """Steps 3 to 5: from here on nothing in the database needs the older keys of the ring.

    Also for a backup from before a rotation: open it with today's key and the earlier ones, then call this.
    `tell` hears how many rows of how many are done. False where a reader kept the files from being wiped.
    RotationProblem or KeyProblem when it cannot go on.
    """
    async with db.transaction() as tx:
        await _begin(tx)
    for _ in range(PASSES):
        await _everything(db, tell)
        async with db.transaction() as tx:
            left = await left_behind(tx)
            if not left:
                await _end(tx, now)
                break
    else:
        raise RotationProblem(
            f"Something still seals with the old key ({', '.join(left)}). Start the bot again, so that it takes both "
            "keys, then run `yousaid key rotate` again. Nothing is lost."
        )
    return await wipe(db)


async def is_unfinished(db: Database) -> bool:
    """Whether this database, or the copy of one, was in the middle of a change of keys."""
    async with db.reading() as tx:
        return await read_fact(tx, ROTATION) is not None


async def check_ring(tx: Tx) -> None:
    """KeyProblem while a change of keys is under way and one of the two is not in the ring."""
    needed = json.loads(await read_fact(tx, ROTATION) or b"[]")
    there = {id.hex() for id in (tx.vault.id, *tx.vault.older)}
    if not set(needed) <= there:
        raise KeyProblem(
            "A change of keys is not finished, and it needs both keys. Type the sheet of the one that is missing: "
            "`yousaid key restore`. Then run `yousaid key rotate`. Nothing is lost."
        )


async def _begin(tx: Tx) -> None:
    """Note which keys the database needs until the end, and let today's be the one that opens it."""
    check = await read_fact(tx, KEY_CHECK)
    if check is None or not tx.vault.is_todays(check):
        await write_fact(tx, ROTATION, json.dumps([id.hex() for id in (tx.vault.id, *tx.vault.older)]).encode())
    await facts_anew(tx)


async def _end(tx: Tx, now: datetime) -> None:
    """Everything is under today's key. Said in the log once, however often the end is reached."""
    await keep_lookups(tx, now)
    if await tx.run(facts.delete().where(facts.c.name == ROTATION)):
        await note(tx, ROTATED, tx.vault.id.hex(), now, COMMAND_LINE)


async def _everything(db: Database, tell: Tell) -> None:
    async with db.reading() as tx:
        of = sum([int(await tx.value(select(func.count()).select_from(s.table).where(s.only))) for s in SEALED])
    done = 0
    for sealed in SEALED:
        last: Sequence[Any] | None = None
        while rows := await _some(db, sealed, last):
            last = tuple(getattr(rows[-1], c.name) for c in sealed.table.primary_key)
            done += len(rows)
            tell(done, max(of, done))
            await asyncio.sleep(PAUSE)
    tell(max(of, done), max(of, done))


async def _some(db: Database, sealed: SealedTable, last: Sequence[Any] | None) -> Sequence[AnyRow]:
    """The next rows in the order of their keys, sealed anew where they were not."""
    async with db.transaction() as tx:
        rows = await tx.all(_next(sealed, last))
        try:
            changes = [(row, sealed.anew(tx.vault, row)) for row in rows]
        except KeyProblem:
            raise RotationProblem(
                f"A row of {sealed.table.name} opens with no key of the ring. Run `yousaid doctor`. Nothing is lost: "
                "the old key stays in the key file."
            ) from None
        changed = [
            {f"new_{name}": value for name, value in new.items()} | _keys(sealed, row)
            for row, new in changes
            if any(getattr(row, name) != value for name, value in new.items())
        ]
        if changed:
            await tx.run(_update(sealed, list(changes[0][1])), changed)
    return rows


def _next(sealed: SealedTable, last: Sequence[Any] | None) -> Select[Any]:
    keys = list(sealed.table.primary_key)
    query = select(sealed.table).where(sealed.only).order_by(*keys).limit(ROWS)
    return query if last is None else query.where(tuple_(*keys) > tuple_(*last))


def _keys(sealed: SealedTable, row: AnyRow) -> dict[str, Any]:
    return {f"old_{c.name}": getattr(row, c.name) for c in sealed.table.primary_key}


def _update(sealed: SealedTable, names: list[str]) -> Any:
    here = [c == bindparam(f"old_{c.name}") for c in sealed.table.primary_key]
    return update(sealed.table).where(*here).values({name: bindparam(f"new_{name}") for name in names})


async def wipe(db: Database) -> bool:
    """Leave nothing of the old values in the database's own files; whether that worked. A reader may hold them."""
    for _ in range(WIPED):
        await db.wipe_deleted()
        if not isinstance(db.place, SqliteFile) or not _wal_size(db.place.path):
            return True
        await asyncio.sleep(PAUSE)
    return False


def _wal_size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.with_name(path.name + "-wal").stat().st_size
    return 0


def retire(path: Path, ring: Sequence[bytes], today: date) -> None:
    """Step 6: `path` is the key file. Only when `reseal` has ended well."""
    keep_earlier(path, tuple(ring[1:]), today)
    write_ring(path, ring[0])
