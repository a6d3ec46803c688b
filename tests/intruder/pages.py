"""A SQLite file, page by page: rows with the page and place where they lie, and what was never overwritten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INTERIOR_INDEX, INTERIOR_TABLE, LEAF_INDEX, LEAF_TABLE = 0x02, 0x05, 0x0A, 0x0D
Value = str | bytes | int | float | None


@dataclass(frozen=True)
class Cell:
    """A row of a table or an entry of an index, as it lies in a page. `offset` falls as a page fills."""

    page: int
    offset: int
    rowid: int | None
    values: tuple[Value, ...]


class Pages:
    """All pages of a database. `images` are pages found elsewhere (in a WAL), newer than the file's."""

    def __init__(self, raw: bytes, images: dict[int, bytes] | None = None) -> None:
        self.raw = raw
        self.size = int.from_bytes(raw[16:18], "big") or 65536
        self.usable = self.size - raw[20]
        self.images = images or {}

    def body(self, number: int) -> bytes:
        return self.images.get(number) or self.raw[(number - 1) * self.size : number * self.size]

    def tree(self, root: int) -> Iterator[Cell]:
        """Every row of a b-tree in key order; those that lie in inner pages too."""
        body = self.body(root)
        for child, cell in self.cells(root, body):
            if child:
                yield from self.tree(child)
            if cell:
                yield cell
        if body[self.start(root)] in (INTERIOR_INDEX, INTERIOR_TABLE):
            head = self.start(root)
            yield from self.tree(int.from_bytes(body[head + 8 : head + 12], "big"))

    def start(self, number: int) -> int:
        return 100 if number == 1 else 0

    def cells(self, number: int, body: bytes) -> Iterator[tuple[int, Cell | None]]:
        """(child page or 0, the row if there is one) of each cell of a page, in key order."""
        head = self.start(number)
        kind, count = body[head], int.from_bytes(body[head + 3 : head + 5], "big")
        if kind not in (INTERIOR_INDEX, INTERIOR_TABLE, LEAF_INDEX, LEAF_TABLE):
            return
        first = head + (12 if kind in (INTERIOR_INDEX, INTERIOR_TABLE) else 8)
        for nth in range(count):
            offset = int.from_bytes(body[first + 2 * nth : first + 2 * nth + 2], "big")
            yield self.cell(number, body, kind, offset)

    def cell(self, number: int, body: bytes, kind: int, offset: int) -> tuple[int, Cell | None]:
        at, child, rowid = offset, 0, None
        if kind in (INTERIOR_INDEX, INTERIOR_TABLE):
            child, at = int.from_bytes(body[at : at + 4], "big"), at + 4
        if kind == INTERIOR_TABLE:
            return child, None
        length, at = varint(body, at)
        if kind == LEAF_TABLE:
            rowid, at = varint(body, at)
        return child, Cell(number, offset, rowid, record(self._payload(body, at, length, kind == LEAF_TABLE)))

    def _payload(self, body: bytes, at: int, length: int, table: bool) -> bytes:
        """What lies in the page and in the overflow pages behind it (SQLite's file format, section 1.6)."""
        most = self.usable - 35 if table else (self.usable - 12) * 64 // 255 - 23
        least = (self.usable - 12) * 32 // 255 - 23
        if length <= most:
            return body[at : at + length]
        here = least + (length - least) % (self.usable - 4)
        here = here if here <= most else least
        found, more = body[at : at + here], int.from_bytes(body[at + here : at + here + 4], "big")
        while more and len(found) < length:
            page = self.body(more)
            found, more = found + page[4 : self.usable], int.from_bytes(page[:4], "big")
        return found[:length]


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """(the number, where it ends)."""
    value = 0
    for nth in range(9):
        byte = raw[at + nth]
        if nth == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + nth + 1
    raise AssertionError


def record(raw: bytes) -> tuple[Value, ...]:
    """The values of a row."""
    ends, at = varint(raw, 0)
    types, body, values = [], ends, []
    while at < ends:
        kind, at = varint(raw, at)
        types.append(kind)
    for kind in types:
        length = (kind - 12) // 2 if kind >= 12 else (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind]
        values.append(_value(kind, raw[body : body + length]))
        body += length
    return tuple(values)


def _value(kind: int, raw: bytes) -> Value:
    if kind == 0:
        return None
    if kind >= 12:
        return raw.decode("utf-8", "replace") if kind % 2 else raw
    if kind in (8, 9):
        return kind - 8
    return int.from_bytes(raw, "big", signed=True)


def trees(file: Path) -> dict[str, int]:
    """Name -> root page of every table and index."""
    connection = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    try:
        return dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0"))
    finally:
        connection.close()
