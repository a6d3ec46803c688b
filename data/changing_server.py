"""The same as data/changing.py on a PostgreSQL server: a backup before a change of schema, checks in it, the way back.

Backup, change and checks are one transaction that holds the turn of all writers, so that the backup is of the moment
before the change, and whoever starts at the same time waits for its end.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, func, literal, select, table, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from data.backup import COPY, free_name, plain_trouble, seal_copy
from data.backup_facts import PROGRAM
from data.backup_file import BackupProblem
from data.changing import Undone, called, check, check_space, why
from data.migrations.migrate import downgrade_on, upgrade, upgrade_on
from data.place import PostgresServer
from data.postgres_link import in_plain_words
from data.preparing import HEAD, Before
from data.problems import DatabaseBusy, DatabaseHeld, DatabaseProblem
from data.scratch import scratch
from data.statements import AnyRow
from data.tables import facts
from data.vault import Vault

BATCH = 200  # rows at once
WAIT_FOR_READERS = 75.0  # seconds: by then the server has ended a line of ours that hangs (data/postgres_link.py)


async def change(
    connection: AsyncConnection, place: PostgresServer, vault: Vault, version: str, before: Before
) -> None:
    """Bring the server to today's schema in this transaction; DatabaseProblem, and nothing was changed, otherwise."""
    program = await _program(connection)
    kept = await _keep(connection, vault, version, before, f"before-{HEAD}-", program)
    counts = await connection.run_sync(_counts)
    try:
        await _wait_less(connection)
        await connection.run_sync(upgrade_on, vault)
        await connection.run_sync(check, vault, counts)
    except Exception as error:
        _raise_busy(error, place)
        raise DatabaseProblem(
            f"The change of {place} to schema {HEAD} failed ({why(error)}) and was undone: nothing is lost. "
            f"Start {called(program)} again. The backup is {kept}."
        ) from None


async def roll_back(
    connection: AsyncConnection, place: PostgresServer, vault: Vault, to: str, before: Before, program: str
) -> Path:
    """Back to the older schema `to` in this transaction; where the backup is that is made first."""
    kept = await _keep(connection, vault, HEAD, before, "yousaid-", program)
    try:
        await _wait_less(connection)
        await connection.run_sync(downgrade_on, vault, to)
    except Exception as error:
        _raise_busy(error, place)
        raise DatabaseProblem(
            f"The change back to schema {to} failed ({why(error)}) and was undone. The backup is {kept}."
        ) from None
    return kept


async def _wait_less(connection: AsyncConnection) -> None:
    """For whoever reads a table; the turn of writers, which another program's backup may hold, is ours already."""
    await connection.execute(text(f"SET LOCAL lock_timeout = {int(WAIT_FOR_READERS * 1000)}"))


def _raise_busy(error: Exception, place: PostgresServer) -> None:
    """Where somebody else is in the way, that is what is said."""
    problem = in_plain_words(error, place)
    if not isinstance(problem, DatabaseBusy) or isinstance(error, Undone):
        return
    if isinstance(problem, DatabaseHeld):
        raise DatabaseHeld(
            f"Another program holds {place}, so its tables could not be changed, and nothing was. "
            "Close it (another bot, an export, psql), then start again."
        ) from None
    raise problem from None


async def _program(connection: AsyncConnection) -> str:
    """The version of the program that ran last on this server; empty before that was noted."""
    noted = await connection.scalar(select(facts.c.value).where(facts.c.name == PROGRAM))
    return noted.decode() if noted else ""


# --- the backup before --------------------------------------------------------------------------------------------


async def _keep(
    connection: AsyncConnection, vault: Vault, version: str, before: Before, name: str, program: str
) -> Path:
    """A backup of the server as this transaction sees it, beside the nightly ones; where."""
    try:
        before.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_space(int(await connection.scalar(_SIZE) or 0), before.folder)
        kept = free_name(before.folder, f"{name}{before.now.astimezone(UTC):%Y-%m-%dT%H%M}.backup")
        with plain_trouble(kept), scratch(before.folder) as folder:
            await connection.run_sync(_copy, folder / COPY, version, vault)
            await asyncio.to_thread(seal_copy, folder / COPY, kept, vault, before.now, "postgresql", program)
        return kept
    except (BackupProblem, OSError) as problem:
        says = str(problem) if isinstance(problem, BackupProblem) else f"{problem.strerror}: {problem.filename}."
        raise DatabaseProblem(f"No backup could be made first, so nothing was changed. {says}") from None


_SIZE = text("SELECT pg_database_size(current_database())")


def _copy(connection: Connection, path: Path, version: str, vault: Vault) -> None:
    """Every row, in a SQLite file of the same schema that only its owner reads."""
    path.touch(mode=0o600)
    upgrade(path, vault, version)
    known = MetaData()
    known.reflect(connection)
    with closing(sqlite3.connect(path)) as copy:
        for found in known.sorted_tables:
            if found.name != "alembic_version":
                _copy_table(connection, copy, found)
        copy.commit()


def _copy_table(connection: Connection, copy: sqlite3.Connection, found: Table) -> None:
    names = ", ".join(f'"{c.name}"' for c in found.columns)
    into = f'INSERT INTO "{found.name}" ({names}) VALUES ({", ".join("?" for _ in found.columns)})'  # noqa: S608
    for rows in _batches(connection, found):
        copy.executemany(into, [tuple(row) for row in rows])
    there = copy.execute(f'SELECT count(*) FROM "{found.name}"').fetchone()[0]  # noqa: S608 - a name from the schema
    if there != connection.scalar(select(func.count()).select_from(found)):
        raise BackupProblem(f"Rows of {found.name} are missing in the copy.")


def _batches(connection: Connection, found: Table) -> Iterator[Sequence[AnyRow]]:
    """All rows, in the order of their key; no cursor, which would stay open and forbid the change that follows."""
    key = list(found.primary_key.columns)
    query = select(found).order_by(*key).limit(BATCH)
    rows = connection.execute(query).all()
    while rows:
        yield rows
        last = [literal(getattr(rows[-1], column.name), column.type) for column in key]
        more = len(rows) == BATCH
        rows = connection.execute(query.where(tuple_(*key) > tuple_(*last))).all() if more else []


def _counts(connection: Connection) -> Mapping[str, int]:
    known = MetaData()
    known.reflect(connection)
    names = [name for name in known.tables if name != "alembic_version"]
    return {name: int(connection.scalar(select(func.count()).select_from(table(name))) or 0) for name in names}
