"""Copies a whole school from one database to another, of either kind: for moving, and for backups of a server.

The source is read in one transaction, so the copy is of one moment, also while the bot writes. The target is written in
one transaction and compared before it ends: it holds everything, or what it held before. Rows go over in the order of
their keys, so that their place tells nothing of when they came. Everything sealed stays sealed; keys are not touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, Table, delete, func, insert, literal, select, text, tuple_

from data.database import KEY_CHECK, Database, Tx, open_database
from data.place import PostgresServer, SqliteFile
from data.problems import DatabaseProblem
from data.statements import storable
from data.tables import facts, metadata

BATCH = 200  # rows at once; one of them can hold a long answer
Told = Callable[[str, int], None]


class CopyProblem(DatabaseProblem):
    """The copy was given up, and nothing was changed; one line."""


async def copy_all(source: Database, target: Database, replace: bool = False, told: Told = lambda *_: None) -> int:
    """Copy every row of every table; how many. CopyProblem, and then the target is as it was.

    Both must be at this program's schema (`open_database` sees to that). The target must hold nothing but its key
    check, unless `replace`: then what it holds goes in the same transaction. Afterwards the target has the source's
    key check, so it belongs to the source's key. Stop the bot on the target (data/lock.py); the source may be in use.
    `told` hears each table's name and number of rows.
    """
    rows = 0
    async with source.reading() as old, target.transaction() as new:
        await _make_room(new, target, replace)
        for table in metadata.sorted_tables:
            count = await _copy(old, new, table)
            told(table.name, count)
            rows += count
        if isinstance(target.place, PostgresServer):
            await _set_sequences(new)
    return rows


async def copy_to_file(source: Database, path: Path) -> int:
    """Copy a database of either kind into a new SQLite file, readable by its owner only; how many rows."""
    target = await open_database(SqliteFile(path), source.vault, source.boxes, create=True)
    try:
        rows = await copy_all(source, target, replace=True)
        await target.wipe_deleted()  # also empties the -wal, so that the file alone is everything
        return rows
    finally:
        await target.close()


async def is_unused(tx: Tx) -> bool:
    """Whether a migrated database holds nothing but its key check."""
    for table in metadata.sorted_tables:
        query = select(func.count()).select_from(table)
        if await tx.value(query.where(facts.c.name != KEY_CHECK) if table is facts else query):
            return False
    return True


async def _make_room(tx: Tx, target: Database, replace: bool) -> None:
    if not replace and not await is_unused(tx):
        raise CopyProblem(f"The database {target.place} holds a school already. Nothing was changed.")
    for table in reversed(metadata.sorted_tables):
        await tx.run(delete(table))


async def _copy(old: Tx, new: Tx, table: Table) -> int:
    count, there = 0, 0
    async for rows in _batches(old, table):
        await new.run(insert(table), rows)
        count += len(rows)
        there = _sum(there, rows)
    found, again = 0, 0
    async for rows in _batches(new, table):
        found += len(rows)
        again = _sum(again, rows)
    if (count, there) != (found, again):
        raise CopyProblem(f"{count} rows of {table.name} became {found}, or others. Nothing was changed.")
    return count


async def _batches(tx: Tx, table: Table) -> AsyncIterator[list[dict[str, Any]]]:
    """All rows, in the order of their key."""
    key = list(table.primary_key.columns)
    query = select(table).order_by(*key).limit(BATCH)
    rows = await tx.all(query)
    while rows:
        yield [{name: storable(value) for name, value in row._mapping.items()} for row in rows]
        last = [literal(getattr(rows[-1], column.name), column.type) for column in key]
        rows = await tx.all(query.where(tuple_(*key) > tuple_(*last))) if len(rows) == BATCH else []


def _sum(before: int, rows: list[dict[str, Any]]) -> int:
    """The same for the same rows in any order."""
    digests = (hashlib.sha256(repr(sorted(row.items())).encode()).digest() for row in rows)
    return (before + sum(map(int.from_bytes, digests))) % 2**256


async def _set_sequences(tx: Tx) -> None:
    """The next number that the server gives out follows the highest that came over."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and isinstance(column.type, Integer):
            highest = await tx.value(select(func.max(column)))
            statement = text("SELECT setval(pg_get_serial_sequence(:name, :column), :next, false)")
            await tx.all(statement, name=table.name, column=column.name, next=(highest or 0) + 1)
