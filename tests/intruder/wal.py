"""A SQLite write-ahead log, commit by commit; also the frames that an earlier lap has left behind its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.intruder.pages import Cell, Pages

HEADER, FRAME = 32, 24
Commit = dict[int, bytes]  # page number -> its image


def commits(wal: bytes) -> Iterator[Commit]:
    """Oldest first: what a new lap has not yet written over is older than what it wrote."""
    laps: dict[bytes, list[Commit]] = {}
    size = int.from_bytes(wal[8:12], "big") if len(wal) > HEADER else 0
    open_: dict[bytes, Commit] = {}
    for at in range(HEADER, len(wal) - FRAME - size + 1, FRAME + size) if size else ():
        number, last, salt = (wal[at + i : at + j] for i, j in ((0, 4), (4, 8), (8, 16)))
        commit = open_.setdefault(salt, {})
        commit[int.from_bytes(number, "big")] = wal[at + FRAME : at + FRAME + size]
        if any(last):
            laps.setdefault(salt, []).append(open_.pop(salt))
    now = wal[16:24]
    yield from (commit for salt, lap in laps.items() if salt != now for commit in lap)
    yield from laps.get(now, ())


def new_rows(file: Path, wal: bytes) -> Iterator[list[Cell]]:
    """What each commit added or changed: rows that no page held before it."""
    raw = file.read_bytes()
    images: dict[int, bytes] = {}
    known: set[object] = set()
    for commit in commits(wal):
        images.update(commit)
        pages, rows = Pages(raw, images), []
        for number, body in commit.items():
            for _, cell in _readable(pages, number, body):
                if cell and (key := (cell.rowid, cell.values)) not in known:
                    known.add(key)
                    rows.append(cell)
        yield rows


def _readable(pages: Pages, number: int, body: bytes) -> list[tuple[int, Cell | None]]:
    """An overflow page or a lap cut in two may look like a page of rows without being one."""
    try:
        return list(pages.cells(number, body))
    except (IndexError, ValueError, RecursionError):
        return []
