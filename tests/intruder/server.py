"""What PostgreSQL keeps beside the rows (trust M3): hidden columns, heap pages with dead rows, and its own log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.intruder.pages import Value

PAGE = 8192
HEADER = 24
HIDDEN = "xmin::text::bigint AS _xmin, xmax::text::bigint AS _xmax, cmin::text::bigint AS _cmin, ctid::text AS _ctid"
Table = tuple[list[str], list[tuple[Value, ...]]]


@dataclass(frozen=True)
class HeapRow:
    """A row as it lies in a page, dead or alive, with the numbers of the transactions that wrote and removed it."""

    page: int
    offset: int
    xmin: int
    xmax: int
    raw: bytes


async def hidden_rows(url: str) -> dict[str, Table]:
    """Every table with the hidden columns of its rows."""
    connection = await asyncpg.connect(url)
    try:
        names = [r[0] for r in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return {name: _table(await connection.fetch(f'SELECT {HIDDEN}, * FROM "{name}"')) for name in names}
    finally:
        await connection.close()


def _table(rows: list[asyncpg.Record]) -> Table:
    return (list(rows[0].keys()) if rows else [], [tuple(_value(k, v) for k, v in row.items()) for row in rows])


def _value(name: str, value: Value) -> Value:
    """The place of a row as a number: page, then line."""
    if name != "_ctid" or not isinstance(value, str):
        return value
    page, line = value.strip("()").split(",")
    return int(page) << 16 | int(line)


async def files(url: str) -> tuple[dict[str, bytes], bytes]:
    """(table or index -> its file, the server's log of changes), written out first."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
        folder = Path(await connection.fetchval("SHOW data_directory"))
        found = await connection.fetch(
            "SELECT relname, pg_relation_filepath(oid) AS path FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 't')"
        )
        wal = await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_lsn())")
    finally:
        await connection.close()
    heaps = {row["relname"]: (folder / row["path"]).read_bytes() for row in found if (folder / row["path"]).exists()}
    return heaps, (folder / "pg_wal" / wal).read_bytes()


def heap(file: bytes) -> Iterator[HeapRow]:
    """Every row that still lies in the pages of a table, also those that were removed or replaced."""
    for number in range(len(file) // PAGE):
        page = file[number * PAGE : (number + 1) * PAGE]
        lower = int.from_bytes(page[12:14], "little")
        for at in range(HEADER, min(lower, PAGE), 4):
            line = int.from_bytes(page[at : at + 4], "little")
            offset, length = line & 0x7FFF, line >> 17
            if length >= 23 and offset + length <= PAGE:
                raw = page[offset : offset + length]
                xmin, xmax = (int.from_bytes(raw[i : i + 4], "little") for i in (0, 4))
                yield HeapRow(number, offset, xmin, xmax, raw)


def inside(raw: bytes, ids: Iterable[str]) -> list[str]:
    return [id for id in ids if id.encode() in raw]
