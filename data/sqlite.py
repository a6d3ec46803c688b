"""A school's database as a SQLite file: one writing connection, readers apart, errors in plain words.

SQLite runs with WAL and synchronous=FULL: a commit that returned survives a power cut. BEGIN IMMEDIATE takes the
write lock at once, so that two processes queue up instead of failing halfway.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, CursorResult, Engine, Executable, create_engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from data.place import SqliteFile, sqlite_uri
from data.preparing import HEAD, KEY_CHECK, Before, check_key, check_version, key_check
from data.problems import DatabaseBusy, DatabaseProblem
from data.statements import Execute, Values
from data.tables import facts
from data.vault import Vault
from data.writing import Writer

SYNCHRONOUS = "FULL"  # only tests, which no power cut meets, may do with less


class SqliteStore:
    """Transactions on a SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = Writer(_writing_engine(path))
        self._reader = _reading_engine(path)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Execute]:
        with _plain_errors(self.path):
            async with self.writer.turn() as connection:
                yield _at_once(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Execute]:
        with _plain_errors(self.path):
            async with self._reader.connect() as connection:
                yield connection.execute

    async def wipe_deleted(self) -> None:
        """Fold the WAL into the file and empty it; the file itself is wiped as rows go (secure_delete)."""
        with _plain_errors(self.path):
            await self.writer.alone("PRAGMA wal_checkpoint(TRUNCATE)")

    async def vacuum_into(self, target: Path) -> None:
        """Write a compact copy of the whole database while others go on reading and writing."""
        with _plain_errors(target):
            async with self._reader.connect() as connection:
                raw = await connection.get_raw_connection()
                await raw.driver_connection.execute("VACUUM INTO ?", (str(target),))  # type: ignore[union-attr]

    async def close(self) -> None:
        await self.writer.close()
        await self._reader.dispose()


def prepare(path: Path, vault: Vault, create: bool, before: Before | None = None) -> None:
    """Make or migrate the file and check that it belongs to this key. `before`: where a backup goes before a change."""
    with _plain_errors(path):
        if not path.exists():
            if not create:
                raise DatabaseProblem(f"There is no database at {path}. Run `yousaid setup` first.")
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        version = schema_version(path)
        check_version(SqliteFile(path), version, create)
        if version is not None:
            check_key(SqliteFile(path), vault, _stored_check(path))
        if version != HEAD:
            _migrate(path, vault, version, before)


def schema_version(path: Path) -> str | None:
    """The revision the file is at; None for an empty file."""
    connection = sqlite3.connect(sqlite_uri(path, "mode=ro"), uri=True, timeout=5)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise DatabaseProblem(f"The file at {path} is not a YouSaid database. Nothing was changed.")
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    finally:
        connection.close()


def is_empty_file(path: Path) -> bool:
    """Whether a school can be made here: no file yet, or an empty one."""
    if path.is_dir():
        raise DatabaseProblem(f"{path} is a folder. Set YOUSAID_DATABASE to the path of a file.")
    if not path.exists() or not path.stat().st_size:
        return True
    with _plain_errors(path):
        schema_version(path)
    return False


def remove_file(path: Path, vault: Vault) -> None:
    """Remove a school's file that was made with this key."""
    if path.is_file() and schema_version(path) is not None:
        check_key(SqliteFile(path), vault, _stored_check(path))
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Give a database that nobody uses any more another name, so that no bot starts on it by mistake; that name."""
    kept, number = path.with_name(f"{path.name}.moved"), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.moved-{number}")
    with _plain_errors(path), closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a kill between two names must not part them
        connection.execute("PRAGMA journal_mode=DELETE")
    for end in ("-wal", "-shm", ""):
        if path.with_name(path.name + end).exists():
            path.with_name(path.name + end).rename(kept.with_name(kept.name + end))
    return kept


def _stored_check(path: Path) -> bytes | None:
    connection = sqlite3.connect(sqlite_uri(path, "mode=ro"), uri=True, timeout=5)
    try:
        row = connection.execute("SELECT value FROM facts WHERE name = ?", (KEY_CHECK,)).fetchone()
    finally:
        connection.close()
    return row[0] if row else None


def _migrate(path: Path, vault: Vault, version: str | None, before: Before | None) -> None:
    # Alembic is imported only when there is something to migrate: it costs a third of a second at start.
    from data.migrations.migrate import upgrade

    def note_key(connection: Connection) -> None:
        if not connection.scalar(select(facts.c.name).where(facts.c.name == KEY_CHECK)):
            connection.execute(insert(facts).values(name=KEY_CHECK, value=key_check(vault)))

    if version is not None and before is not None:
        from data.changing import change

        change(path, vault, before, note_key)
    else:
        upgrade(path, vault, finish=note_key)


def _at_once(connection: Connection) -> Execute:
    """Statements of a writing turn (see data/writing.py)."""

    async def execute(statement: Executable, values: Values) -> CursorResult[Any]:
        return connection.execute(statement, values)

    return execute


def _url(driver: str, path: Path, mode: str) -> URL:
    database, _, _ = sqlite_uri(path, "").partition("?")
    return URL.create(driver, database=database, query={"mode": mode, "uri": "true"})


def _reading_engine(path: Path) -> AsyncEngine:
    url = _url("sqlite+aiosqlite", path, "ro")
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": 5}, pool_size=4, max_overflow=4)
    event.listen(engine.sync_engine, "connect", _on_connect(read_only=True))
    event.listen(engine.sync_engine, "begin", _on_begin(read_only=True))
    return engine


def _writing_engine(path: Path) -> Engine:
    url = _url("sqlite", path, "rw")
    arguments = {"timeout": 5, "check_same_thread": False}  # loop and thread take turns
    engine = create_engine(url, hide_parameters=True, connect_args=arguments, pool_size=1, max_overflow=0)
    event.listen(engine, "connect", _on_connect(read_only=False))
    event.listen(engine, "begin", _on_begin(read_only=False))
    return engine


def _on_connect(read_only: bool) -> Callable[[Any, Any], None]:
    pragmas = ["busy_timeout=5000", "foreign_keys=ON", "trusted_schema=OFF"]
    if not read_only:
        pragmas += ["journal_mode=WAL", f"synchronous={SYNCHRONOUS}", "secure_delete=ON"]

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by us, below
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return connected


def _on_begin(read_only: bool) -> Callable[[Any], None]:
    statement = text("BEGIN" if read_only else "BEGIN IMMEDIATE")

    def begin(connection: Any) -> None:
        connection.execute(statement)
        if read_only:
            connection.execute(_FIRST_LOOK).scalar()

    return begin


_FIRST_LOOK = text("SELECT 1 FROM sqlite_master LIMIT 1")  # from here on a reader's view is fixed (data/rotation.py)


class _plain_errors:
    """Turns what SQLite says into one line with a remedy; nothing of a statement's values is shown."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, _tb: object) -> None:
        if isinstance(error, DBAPIError):
            error = error.orig if isinstance(error.orig, BaseException) else error
        if isinstance(error, (sqlite3.OperationalError, sqlite3.DatabaseError, OSError)):
            problem = _in_plain_words(str(error), self.path)
            if problem:
                raise problem from None


def _in_plain_words(said: str, path: Path) -> DatabaseProblem | None:
    said = said.lower()
    if "locked" in said or "busy" in said:
        return DatabaseBusy(f"The database at {path} is held by another program. Close it, or try again in a moment.")
    if "full" in said or "no space" in said:
        return DatabaseProblem(f"The disk is full, so nothing was written to {path}. Free some space and try again.")
    if "readonly" in said or "read-only" in said or "permission" in said or "unable to open" in said:
        return DatabaseProblem(
            f"The database at {path} cannot be written. Check the owner and rights of file and folder."
        )
    if "not a database" in said or "malformed" in said or "encrypted" in said:
        return DatabaseProblem(
            f"The file at {path} is damaged or not a database. Restore a backup: `yousaid restore FILE`."
        )
    if "i/o error" in said:
        return DatabaseProblem(f"The file at {path} cannot be read or written. Check that it is a file, and the disk.")
    if "no such table" in said or "no such column" in said:
        return DatabaseProblem(f"The file at {path} is not a complete YouSaid database. Restore a backup.")
    return None
