"""Making backups while the bot runs: a copy of one moment, sealed into one file; and removing old ones.

Box keys and the master key are never inside: they lie in another folder, and only the database is copied. The plain
copy lies in a folder of our own (data/scratch.py), never on the disk that the backup goes to.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data.audit import HEAD_FACT
from data.backup_file import BackupProblem, Inside, write_backup
from data.copying import copy_to_file
from data.database import Database, DatabaseBusy, DatabaseProblem
from data.place import SqliteFile, sqlite_uri
from data.scratch import scratch
from data.sqlite import schema_version
from data.vault import Vault, sync_folder

ENDING = ".backup"
OURS = re.compile(r"(?:yousaid|before-\w+)-(\d{4}-\d\d-\d\d)T\d{4}(?:-\d+)*\.backup(?:\.part)?")
LONGEST_KEPT = timedelta(days=30)  # what people are promised: gone from backups within 30 days
COPY = "copy.db"


def backup_name(at: datetime, schema: str) -> str:
    """The name of a backup made at this (local) time, such as yousaid-2026-11-22T0200-0004.backup."""
    return f"yousaid-{at:%Y-%m-%dT%H%M}-{schema}{ENDING}"


def free_name(folder: Path, name: str) -> Path:
    """This name in this folder, numbered where there is one already."""
    stem, number, path = name.removesuffix(ENDING), 1, folder / name
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{ENDING}"
    return path


def program_version() -> str:
    try:
        return version("yousaid")
    except PackageNotFoundError:
        return "unknown"


async def back_up(db: Database, target: Path, now: datetime, beside: Path) -> None:
    """One encrypted file at `target`, whole or not there at all; plain copies lie in `beside` meanwhile."""
    await asyncio.to_thread(check_target, target)
    with plain_trouble(target), scratch(beside) as folder:
        try:
            await _copied(db, folder / COPY)
        except DatabaseBusy:
            raise
        except DatabaseProblem:
            raise BackupProblem(f"No copy could be written in {beside}. Is its disk full, or failing?") from None
        await asyncio.to_thread(seal_copy, folder / COPY, target, db.vault, now, kind_of(db))


async def _copied(db: Database, path: Path) -> None:
    """All of one moment, as a SQLite file that only its owner ever reads."""
    if isinstance(db.place, SqliteFile):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        await db.vacuum_into(path)
    else:
        await asyncio.to_thread(lambda: asyncio.run(_copied_apart(db, path)))


async def _copied_apart(db: Database, path: Path) -> None:
    """From a server, on lines and in a loop of its own: row by row it keeps a loop busy for longer than people wait."""
    apart = Database(db.place, db.vault, db.boxes)
    try:
        await copy_to_file(apart, path)
    finally:
        await apart.close()


def kind_of(db: Database) -> str:
    return "sqlite" if isinstance(db.place, SqliteFile) else "postgresql"


def check_target(target: Path) -> None:
    if target.exists():
        raise BackupProblem(f"{target} is there already. Choose another name; nothing was overwritten.")
    if not target.parent.is_dir():
        raise BackupProblem(f"There is no folder {target.parent}. Make it first.")


def seal_copy(plain: Path, target: Path, vault: Vault, now: datetime, source: str, program: str = "") -> None:
    """Seal a SQLite file into a backup. The plain one loses its name at once, so that it dies with this process.

    `program`: the version that made the file, where that is not this one.
    """
    schema = schema_version(plain)
    inside = look_inside(plain)
    half = target.with_name(target.name + ".part")
    half.unlink(missing_ok=True)
    about = {"schema": schema or "", "program": program or program_version(), "at": now.astimezone(UTC).isoformat()}
    try:
        with plain.open("rb") as copy:
            plain.unlink()
            handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                write_backup(vault, copy, out, inside, {**about, "source": source})
        half.rename(target)
        sync_folder(target.parent)
    finally:
        half.unlink(missing_ok=True)


def look_inside(plain: Path) -> Inside:
    """What is noted of a copy, so that a restore can be compared with it: size, rows by table, head of the log."""
    with closing(sqlite3.connect(sqlite_uri(plain, "mode=ro&immutable=1"), uri=True)) as copy:
        rows = {name: _count(copy, name) for name in table_names(copy)}
        head = None
        if "facts" in rows:
            head = copy.execute("SELECT value FROM facts WHERE name = ?", (HEAD_FACT,)).fetchone()
    id, hash = json.loads(head[0])[:2] if head else (0, "")
    return Inside(plain.stat().st_size, rows, (int(id), str(hash)))


def table_names(copy: sqlite3.Connection) -> list[str]:
    found = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(r[0] for r in found)


def _count(copy: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(copy.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608 - a name from the schema


# --- those that are there -----------------------------------------------------------------------------------------


def backups_in(folder: Path) -> list[Path]:
    """Whole backups that we made here, newest first. Those made before a change of the schema are not among them."""
    if not folder.is_dir():
        return []
    ours = [p for p in folder.glob(f"yousaid-*{ENDING}") if OURS.fullmatch(p.name)]
    return sorted(ours, key=lambda p: p.name, reverse=True)


def remove_old(folder: Path, today: date, keep: timedelta) -> list[str]:
    """Remove our own backups that have been there for `keep`; their names. Other files stay."""
    if not folder.is_dir():
        return []
    old = [p for p in folder.iterdir() if (day := _day(p)) and today - day >= min(keep, LONGEST_KEPT)]
    for path in old:
        path.unlink(missing_ok=True)
    return sorted(p.name for p in old)


def remove_kept(database: Path, now: datetime) -> list[str]:
    """Remove databases that a restore had set aside here, when their time is over; their names."""
    oldest = (now - LONGEST_KEPT).timestamp()
    kept = [p for p in database.parent.glob(f"{database.name}.before-restore*") if p.stat().st_mtime <= oldest]
    for path in kept:
        path.unlink(missing_ok=True)
    return sorted(p.name for p in kept)


def _day(path: Path) -> date | None:
    """When a backup of ours was made, by its name: copying a file changes its time."""
    found = OURS.fullmatch(path.name)
    with suppress(ValueError):
        return date.fromisoformat(found[1]) if found else None
    return None


class plain_trouble:
    """Turns what the system says of a full or closed disk into one line with a remedy."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, _tb: object) -> None:
        if isinstance(error, OSError):
            raise BackupProblem(f"{_trouble(error)} Nothing was written to {self.target}.") from None


def _trouble(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "There is not enough room on the disk: free some space and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        folder = Path(error.filename).parent if isinstance(error.filename, str) else "The folder"
        return f"{folder} cannot be written: check its owner and rights, and the disk."
    return f"The disk failed ({error.strerror}): try another one."
