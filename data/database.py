"""Open, migrate, read, transaction(): one writing connection, readers apart, errors in plain words.

SQLite runs with WAL and synchronous=FULL: a commit that returned survives a power cut. BEGIN IMMEDIATE takes the
write lock at once, so that two processes queue up instead of failing halfway.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Executable, Row, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from data.tables import facts
from data.vault import BoxKeys, KeyProblem, Vault
from data.writing import Writer

AnyRow = Row[*tuple[Any, ...]]
Rows = Sequence[dict[str, Any]]
Execute = Callable[[Executable, Rows | dict[str, Any] | None], Awaitable[CursorResult[Any]]]

HEAD = "0003"
KEY_CHECK = "key-check"


class DatabaseProblem(Exception):
    """The database cannot be used; the text is one line that names the remedy."""


class DatabaseBusy(DatabaseProblem):
    """Another process holds the database; the same may work in a moment."""


@dataclass(frozen=True)
class Tx:
    """What runs statements inside a transaction, with what seals and opens its rows."""

    execute: Execute
    vault: Vault
    boxes: BoxKeys

    async def run(self, statement: Executable, rows: Rows | dict[str, Any] | None = None) -> int:
        """Execute a statement that changes something; how many rows it changed."""
        if rows is not None and not rows:
            return 0
        result = await self.execute(statement, rows)
        return int(getattr(result, "rowcount", 0) or 0)

    async def all(self, statement: Executable, **values: object) -> Sequence[AnyRow]:
        """The rows; `values` fill the parameters of a statement that was built beforehand."""
        return (await self.execute(statement, values or None)).all()

    async def first(self, statement: Executable, **values: object) -> AnyRow | None:
        return (await self.execute(statement, values or None)).first()

    async def value(self, statement: Executable, **values: object) -> Any:
        return (await self.execute(statement, values or None)).scalar()


class Database:
    """One school's database. Open it with `open_database`, close it before the process ends."""

    def __init__(self, path: Path, vault: Vault, boxes: BoxKeys) -> None:
        self.path = path
        self.vault = vault
        self.boxes = boxes
        self._writer = Writer(_writing_engine(path))
        self._reader = _reading_engine(path)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """All or nothing: committed and on disk when the block ends, undone when it raises."""
        with _plain_errors(self.path):
            async with self._writer.turn() as connection:
                yield Tx(_at_once(connection), self.vault, self.boxes)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """A consistent view that cannot write."""
        with _plain_errors(self.path):
            async with self._reader.connect() as connection:
                yield Tx(connection.execute, self.vault, self.boxes)

    async def truncate_wal(self) -> None:
        """Fold the WAL into the file and empty it, so that nothing deleted stays readable there (trust M4)."""
        with _plain_errors(self.path):
            await self._writer.alone("PRAGMA wal_checkpoint(TRUNCATE)")

    async def vacuum_into(self, target: Path) -> None:
        """Write a compact copy of the whole database while others go on reading and writing."""
        with _plain_errors(target):
            async with self._reader.connect() as connection:
                raw = await connection.get_raw_connection()
                await raw.driver_connection.execute("VACUUM INTO ?", (str(target),))  # type: ignore[union-attr]

    async def close(self) -> None:
        await self._writer.close()
        await self._reader.dispose()


async def open_database(path: Path, vault: Vault, boxes: BoxKeys, create: bool = False) -> Database:
    """The school's database, migrated to this version; DatabaseProblem or KeyProblem in one line otherwise."""
    await asyncio.to_thread(prepare, path, vault, create)
    return Database(path, vault, boxes)


def prepare(path: Path, vault: Vault, create: bool) -> None:
    """Make or migrate the file and check that it belongs to this key."""
    with _plain_errors(path):
        if not path.exists():
            if not create:
                raise DatabaseProblem(f"There is no database at {path}. Run `yousaid setup` first.")
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        version = schema_version(path)
        if version is None and not create:
            raise DatabaseProblem(f"The database at {path} is empty. Run `yousaid setup`, or restore a backup.")
        if version not in (HEAD, None) and version > HEAD:
            raise DatabaseProblem(f"The database at {path} is from a newer version. Install that version of YouSaid.")
        if version is not None:
            _check_key(path, vault)
        if version != HEAD:
            _migrate(path, vault)
            _write_key_check(path, vault)


def schema_version(path: Path) -> str | None:
    """The revision the file is at; None for an empty file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise DatabaseProblem(f"The file at {path} is not a YouSaid database. Nothing was changed.")
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    finally:
        connection.close()


def _check_key(path: Path, vault: Vault) -> None:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        row = connection.execute("SELECT value FROM facts WHERE name = ?", (KEY_CHECK,)).fetchone()
    finally:
        connection.close()
    try:
        vault.open("check", row[0] if row else b"", KEY_CHECK)
    except KeyProblem:
        raise KeyProblem(
            f"The database at {path} was made with another key. Put the right key file back; nothing was changed."
        ) from None


def _write_key_check(path: Path, vault: Vault) -> None:
    connection = sqlite3.connect(path, timeout=5)
    try:
        value = vault.seal("check", b"yousaid", KEY_CHECK)
        connection.execute("INSERT OR IGNORE INTO facts (name, value) VALUES (?, ?)", (KEY_CHECK, value))
        connection.commit()
    finally:
        connection.close()


def _migrate(path: Path, vault: Vault) -> None:
    # Alembic is imported only when there is something to migrate: it costs a third of a second at start.
    from data.migrations.migrate import upgrade

    upgrade(path, vault)


async def read_fact(tx: Tx, name: str) -> bytes | None:
    value: bytes | None = await tx.value(select(facts.c.value).where(facts.c.name == name))
    return value


async def write_fact(tx: Tx, name: str, value: bytes) -> None:
    await tx.run(facts.delete().where(facts.c.name == name))
    await tx.run(facts.insert().values(name=name, value=value))


def _at_once(connection: Connection) -> Execute:
    """Statements of a writing turn (see data/writing.py)."""

    async def execute(statement: Executable, values: Rows | dict[str, Any] | None) -> CursorResult[Any]:
        return connection.execute(statement, values)

    return execute


def _reading_engine(path: Path) -> AsyncEngine:
    url = f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true"
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": 5}, pool_size=4, max_overflow=4)
    event.listen(engine.sync_engine, "connect", _on_connect(read_only=True))
    event.listen(engine.sync_engine, "begin", _on_begin(read_only=True))
    return engine


def _writing_engine(path: Path) -> Engine:
    url = f"sqlite:///file:{path}?mode=rw&uri=true"
    arguments = {"timeout": 5, "check_same_thread": False}  # loop and thread take turns
    engine = create_engine(url, hide_parameters=True, connect_args=arguments, pool_size=1, max_overflow=0)
    event.listen(engine, "connect", _on_connect(read_only=False))
    event.listen(engine, "begin", _on_begin(read_only=False))
    return engine


def _on_connect(read_only: bool) -> Callable[[Any, Any], None]:
    pragmas = ["busy_timeout=5000", "foreign_keys=ON", "trusted_schema=OFF"]
    if not read_only:
        pragmas += ["journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"]

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

    return begin


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
