"""Putting a backup back. Everything is checked, and deleted again what was deleted since, on a copy; then one step
replaces the database. So whenever this is interrupted, the database is the old one or the new one, whole.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data.audit_check import check_log
from data.backup import COPY, back_up, free_name, look_inside, plain_trouble, table_names
from data.backup_file import BackupProblem, Inside, OtherKey, is_backup, open_backup
from data.copying import copy_all, is_unused
from data.database import HEAD, KEY_CHECK, Database, DatabaseProblem, open_database
from data.place import PostgresServer, SqliteFile, sqlite_uri
from data.scratch import scratch
from data.sqlite import schema_version
from data.vault import BoxKeys, KeyProblem, Vault, sync_folder

LOG_SINCE = "0003"  # the first schema with an audit log
PLAIN = b"SQLite format 3\0"


@dataclass(frozen=True)
class Copy:
    """A backup, opened: a SQLite file at `path`. `made_at` is None for the unencrypted ones of earlier versions.

    `earlier_key`: its rows were sealed with a key that has been replaced since.
    """

    path: Path
    schema: str
    earlier_key: bool
    made_at: datetime | None = None
    program: str = ""


def open_copy(file: Path, vault: Vault, folder: Path) -> Copy:
    """The backup as a SQLite file in `folder`, whole and made with one of our keys; BackupProblem otherwise."""
    if not file.is_file():
        raise BackupProblem(f"There is no file {file}.")
    path = folder / COPY
    with plain_trouble(folder.parent):
        return _decrypted(file, vault, path) if is_backup(file) else _copied(file, vault, path)


def _decrypted(file: Path, vault: Vault, path: Path) -> Copy:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        line, inside = open_backup(vault, file, out)
    _check_schema(line.schema, line.program, file)
    _check_sound(path, file)
    _check_inside(path, line.schema, inside, file)
    earlier = not _sealed_today(path, vault, file)
    return Copy(path, line.schema, earlier, datetime.fromisoformat(line.at).astimezone(UTC), line.program)


def _copied(file: Path, vault: Vault, path: Path) -> Copy:
    """The same of a bare SQLite file, as earlier versions made them."""
    with file.open("rb") as source:
        if source.read(len(PLAIN)) != PLAIN:
            raise BackupProblem(f"{file} is damaged or not a backup of YouSaid. Nothing was changed.")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out, file.open("rb") as source:
        shutil.copyfileobj(source, out, 1 << 20)
    _check_sound(path, file)
    try:
        schema = schema_version(path)
    except DatabaseProblem:
        schema = None
    _check_schema(schema or "", "", file)
    return Copy(path, schema or "", not _sealed_today(path, vault, file))


def _check_schema(schema: str, program: str, file: Path) -> None:
    if not schema:
        raise BackupProblem(f"{file} is damaged or not a backup of YouSaid. Nothing was changed.")
    if schema > HEAD:
        made = f"YouSaid {program}" if program else "the newest YouSaid"
        raise BackupProblem(f"{file} is from a newer version (schema {schema}). Install {made}, then restore it.")


def _check_sound(path: Path, file: Path) -> None:
    try:
        with closing(sqlite3.connect(sqlite_uri(path, "mode=ro&immutable=1"), uri=True)) as copy:
            fine = copy.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
            fine = fine and copy.execute("PRAGMA foreign_key_check").fetchone() is None
    except sqlite3.DatabaseError:
        fine = False
    if not fine:
        raise BackupProblem(f"{file} is damaged or not a backup of YouSaid. Nothing was changed.")


def _check_inside(path: Path, schema: str, inside: Inside, file: Path) -> None:
    """Against what was noted when it was made."""
    found = look_inside(path)
    if (found.rows, found.audit, schema_version(path)) != (inside.rows, inside.audit, schema):
        raise BackupProblem(f"{file} does not hold what it held when it was made. Take another backup.")


def _sealed_today(path: Path, vault: Vault, file: Path) -> bool:
    """Whether today's key seals its rows; OtherKey when none of ours opens what was sealed at the first start."""
    with closing(sqlite3.connect(sqlite_uri(path, "mode=ro&immutable=1"), uri=True)) as copy:
        known = "facts" in table_names(copy)
        row = copy.execute("SELECT value FROM facts WHERE name = ?", (KEY_CHECK,)).fetchone() if known else None
    sealed = row[0] if row else b""
    try:
        vault.open("check", sealed, KEY_CHECK)
        return vault.is_todays(sealed) or not vault.older
    except KeyProblem:
        raise OtherKey(f"{file} was made with another key. Put the right key file back; nothing was changed.") from None


async def log_problems(copy: Copy, vault: Vault, boxes: BoxKeys) -> list[str]:
    """What is wrong with the log of who did what in this copy; nothing where there is no log yet."""
    if copy.schema < LOG_SINCE:
        return []
    db = Database(SqliteFile(copy.path), vault, boxes)
    try:
        async with db.reading() as tx:
            return (await check_log(tx)).problems
    finally:
        await db.close()


def lost_boxes(path: Path, boxes: BoxKeys) -> list[str]:
    """Open ANON surveys in this copy whose box key is not here: their answers cannot be read any more."""
    with closing(sqlite3.connect(sqlite_uri(path, "mode=ro"), uri=True)) as copy:
        query = "SELECT id FROM surveys WHERE state = 'open' AND mode = 'ANON' ORDER BY id"
        return [r[0] for r in copy.execute(query) if boxes.read(r[0]) is None]


# --- the drill ----------------------------------------------------------------------------------------------------


async def prove(file: Path, vault: Vault, boxes: BoxKeys, beside: Path) -> None:
    """Restore this backup for practice into a folder that goes again; BackupProblem says what is wrong with it.

    In a thread, to the removal of the copy: it may be large, and people are waiting for answers meanwhile.
    """
    await asyncio.to_thread(_prove, file, vault, boxes, beside)


def _prove(file: Path, vault: Vault, boxes: BoxKeys, beside: Path) -> None:
    with scratch(beside) as folder:
        problems = asyncio.run(log_problems(open_copy(file, vault, folder), vault, boxes))
    if problems:
        raise BackupProblem(f"{file}: the log of who did what is not whole. {problems[0]}")


# --- the step that replaces ---------------------------------------------------------------------------------------


def put_in_place(new: Path, target: Path) -> Path | None:
    """Replace the SQLite file `target` by `new` in one step; where the old one is kept now, if there was one."""
    _one_file(new)
    target.parent.mkdir(parents=True, exist_ok=True)
    kept = free_place(target)
    there = target.exists()
    if there:
        _fold_wal(target)
    _part(target, kept)
    if there:
        _keep(target, kept)
    os.replace(new, target)
    sync_folder(target.parent)
    return kept if there else None


def _part(target: Path, kept: Path) -> None:
    """The old WAL, also of a file that is gone, must not stay beside the new one: SQLite would play it over that."""
    for end in ("-wal", "-shm"):
        left = target.with_name(target.name + end)
        if left.exists():
            left.rename(kept.with_name(kept.name + end))


async def put_on_server(
    new: Path, place: PostgresServer, vault: Vault, boxes: BoxKeys, now: datetime, backups: Path
) -> Path | None:
    """Replace what the server holds by this file, in one transaction; the backup that is made of it before."""
    target = await open_database(place, vault, boxes, create=True)
    source = Database(SqliteFile(new), vault, boxes)
    try:
        kept = await _kept(target, now, backups)
        await copy_all(source, target, replace=True)
        await target.wipe_deleted()
        return kept
    finally:
        await source.close()
        await target.close()


async def _kept(db: Database, now: datetime, backups: Path) -> Path | None:
    """A backup of what the server holds; none of a database that was never used."""
    async with db.reading() as tx:
        if await is_unused(tx):
            return None
    name = f"before-restore-{now:%Y-%m-%dT%H%M}.backup"
    kept = await asyncio.to_thread(free_name, backups, name)
    await back_up(db, kept, now, backups)
    return kept


def _one_file(path: Path) -> None:
    """Fold the WAL in, and wait until it is on disk."""
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _keep(target: Path, kept: Path) -> None:
    """A second name for the old database, which keeps its first until it is replaced."""
    try:
        os.link(target, kept)
    except OSError:  # a file system without second names
        shutil.copy2(target, kept)
    os.utime(kept)  # from today on it is kept, see data/backup.py


def free_place(target: Path) -> Path:
    kept, number = target.with_name(f"{target.name}.before-restore"), 1
    while kept.exists():
        number += 1
        kept = target.with_name(f"{target.name}.before-restore-{number}")
    return kept


def _fold_wal(target: Path) -> None:
    try:
        with closing(sqlite3.connect(target, timeout=1)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise BackupProblem(f"{target} is held by another program. Close it; nothing was changed.") from None
