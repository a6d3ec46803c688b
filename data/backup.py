"""Backups: a whole copy made while the bot runs, and putting one back. Box keys and the master key are never inside."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

from data.database import Database, DatabaseProblem, prepare
from data.vault import BoxKeys, KeyProblem, Vault, sync_folder


class BackupProblem(Exception):
    """A backup that could not be made or put back; one line that names the remedy."""


async def backup(db: Database, target: Path) -> None:
    """A compact copy of the database at `target`, complete or not there at all."""
    if target.exists():  # noqa: ASYNC240 - one look at a local disk
        raise BackupProblem(f"{target} is there already. Choose another name; nothing was overwritten.")
    if not target.parent.is_dir():
        raise BackupProblem(f"There is no folder {target.parent}. Make it first.")
    half = target.with_name(target.name + ".part")
    half.unlink(missing_ok=True)
    try:
        await db.vacuum_into(half)
        await asyncio.to_thread(_finish, half, target)
    finally:
        half.unlink(missing_ok=True)


def _finish(half: Path, target: Path) -> None:
    os.chmod(half, 0o600)
    with half.open("rb") as file:
        os.fsync(file.fileno())
    half.rename(target)
    sync_folder(target.parent)


def check_backup(file: Path, vault: Vault) -> None:
    """Raises a one-line problem unless the file is a whole YouSaid database made with this key."""
    if not file.is_file():
        raise BackupProblem(f"There is no file {file}.")
    prepare_copy = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    try:
        verdict = prepare_copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError:
        verdict = "not a database"
    finally:
        prepare_copy.close()
    if verdict != "ok":
        raise BackupProblem(f"{file} is damaged or not a backup of YouSaid. Nothing was changed.")


def lost_boxes(file: Path, boxes: BoxKeys) -> list[str]:
    """Open ANON surveys in this file whose box key is not here: their answers cannot be read any more."""
    connection = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute(
            "SELECT id FROM surveys WHERE state = 'open' AND mode = 'ANON' ORDER BY id"
        ).fetchall()
    except sqlite3.DatabaseError:
        raise BackupProblem(f"{file} is not a backup of YouSaid. Nothing was changed.") from None
    finally:
        connection.close()
    return [r[0] for r in rows if boxes.read(r[0]) is None]


def restore(file: Path, target: Path, vault: Vault) -> Path | None:
    """Put the backup in place of the database, which is kept beside it; where the old one is now, if there was one."""
    check_backup(file, vault)
    new = target.with_name(target.name + ".restoring")
    target.parent.mkdir(parents=True, exist_ok=True)
    new.unlink(missing_ok=True)
    try:
        _copy(file, new)
        prepare(new, vault, create=False)  # checks the key, and migrates the copy
        kept = _set_aside(target)
        new.rename(target)
        sync_folder(target.parent)
        return kept
    except (DatabaseProblem, KeyProblem) as problem:
        raise BackupProblem(str(problem).replace(str(new), str(file))) from None
    finally:
        for leftover in (new, *(new.with_name(new.name + end) for end in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)


def _copy(file: Path, new: Path) -> None:
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out, file.open("rb") as source:
        while chunk := source.read(1 << 20):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())


def _set_aside(target: Path) -> Path | None:
    if not target.exists():
        return None
    _fold_wal(target)
    kept = target.with_name(f"{target.name}.before-restore")
    number = 1
    while kept.exists():
        number += 1
        kept = target.with_name(f"{target.name}.before-restore-{number}")
    target.rename(kept)
    for end in ("-wal", "-shm"):
        target.with_name(target.name + end).unlink(missing_ok=True)
    return kept


def _fold_wal(target: Path) -> None:
    """Bring the WAL into the file first; a file too damaged for that is set aside as it is."""
    try:
        connection = sqlite3.connect(target, timeout=1)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    except sqlite3.DatabaseError:
        return
