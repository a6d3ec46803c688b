"""What the intruder holds, as orders of people and orders of sheets.

The file page by page, the write-ahead log commit by commit, every table sorted by every column, copies of the file
made between any two answers, the log, and everything the master key opens.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from data.vault import KeyProblem, Vault
from tests.intruder.linking import Order
from tests.intruder.pages import Cell, Pages, Value, trees
from tests.intruder.server import heap, inside
from tests.intruder.wal import new_rows

SEALS = (  # what seals what, as the source of the program says: the purpose, and what it is bound to
    ("runs", "run/{}"),
    ("runs", "words/{}"),
    ("words", "{}"),
    ("words", "{}.reason"),
    ("words", "comment.{}"),
    ("words", "look.{}"),
    ("names", "child/{}/1"),
    ("outbox", "{}"),
    *((purpose, "{}") for purpose in ("names", "addresses", "sheet-keys", "audit", "records", "pauses", "removals")),
)
Rows = Sequence[Sequence[Value]]


class Evidence:
    """Orders of the ids that are looked for, gathered from one source after another."""

    def __init__(self, people: Iterable[str], sheets: Iterable[str], vault: Vault | None = None) -> None:
        self.ids = {"people": set(people), "sheets": set(sheets)}
        self.all = self.ids["people"] | self.ids["sheets"]
        self.vault = vault
        self.orders: dict[str, dict[str, Order]] = {"people": {}, "sheets": {}}
        self._opened: dict[bytes, str] = {}

    # --- sources --------------------------------------------------------------------------------------------------

    def files(self, path: Path, name: str) -> None:
        """A SQLite file and the write-ahead log beside it."""
        self.file(path, name)
        self.wal(path, f"{name}.wal")

    def file(self, path: Path, name: str = "file") -> None:
        """The database file: keys, places in pages, pages, and where each id stands first and last in the raw bytes."""
        raw, pages = path.read_bytes(), Pages(path.read_bytes())
        for tree, root in trees(path).items():
            self._tree(f"{name}.{tree}", list(pages.tree(root)))
        self._ends(name, raw)

    def _tree(self, name: str, cells: list[Cell]) -> None:
        ids = [(cell, self.in_row(cell.values)) for cell in cells]
        ids = [(cell, found) for cell, found in ids if found]
        self._sequence(f"{name}.key", [found for _, found in ids])
        by_page = sorted(ids, key=lambda pair: (pair[0].page, -pair[0].offset))
        self._sequence(f"{name}.place", [found for _, found in by_page])
        self._mean(f"{name}.page", [(id, cell.page) for cell, found in ids for id in found])
        self._mean(f"{name}.age", self._ages(ids))

    def _ages(self, ids: list[tuple[Cell, list[str]]]) -> list[tuple[str, float]]:
        """How far from its page's end each row lies. A page fills from its end, and random keys fall on random pages:
        the share of its page's rows that came before it tells when a row came, however many pages there are."""
        pages: dict[int, list[tuple[Cell, list[str]]]] = defaultdict(list)
        for cell, found in ids:
            pages[cell.page].append((cell, found))
        ages = []
        for page in pages.values():
            page.sort(key=lambda pair: -pair[0].offset)
            ages += [(id, (nth + 0.5) / len(page)) for nth, (_, found) in enumerate(page) for id in found]
        return ages

    def wal(self, path: Path, name: str = "wal") -> None:
        """The write-ahead log beside the file: in which commit each id's rows were first and last written."""
        wal = Path(f"{path}-wal")
        if not wal.exists() or not wal.stat().st_size:
            return
        self._commits(name, [[self.in_row(cell.values) for cell in rows] for rows in new_rows(path, wal.read_bytes())])

    def _commits(self, name: str, commits: Sequence[Iterable[Iterable[str]]]) -> None:
        first: dict[str, float] = {}
        last: dict[str, float] = {}
        for nth, rows in enumerate(commits):
            for id in {id for row in rows for id in row}:
                first.setdefault(id, nth)
                last[id] = nth
        self._keep(f"{name}.first", first)
        self._keep(f"{name}.last", last)

    def server(self, heaps: dict[str, bytes], wal: bytes, name: str = "server") -> None:
        """PostgreSQL's files: rows dead and alive by page, place and transaction, and where ids stand in the log."""
        for table, file in heaps.items():
            rows = [(row, inside(row.raw, self.all)) for row in heap(file)]
            found = [(row, ids) for row, ids in rows if ids]
            for end, key in (("xmin", "xmin"), ("xmax", "xmax"), ("page", "page")):
                self._mean(f"{name}.{table}.{end}", [(id, getattr(row, key)) for row, ids in found for id in ids])
            ordered = sorted(found, key=lambda pair: (pair[0].page, -pair[0].offset))
            self._sequence(f"{name}.{table}.place", [ids for _, ids in ordered])
            self._ends(f"{name}.{table}", file)
        self._ends(f"{name}.log", wal)

    def _ends(self, name: str, raw: bytes) -> None:
        for end, find in (("first", raw.find), ("last", raw.rfind)):
            places = {id: find(id.encode()) for id in self.all}
            self._keep(f"{name}.bytes.{end}", {id: at for id, at in places.items() if at >= 0})

    def tables(self, tables: dict[str, tuple[list[str], Rows]], name: str = "sql") -> None:
        """Every table sorted by every column, by the numbers and times in them."""
        for table, (columns, rows) in tables.items():
            found = [(row, self.in_row(row)) for row in rows]
            found = [(row, ids) for row, ids in found if ids]
            for nth, column in enumerate(columns):
                told = [(row, ids) for row, ids in found if row[nth] is not None]
                ranked = sorted(told, key=lambda pair: (str(type(pair[0][nth])), pair[0][nth]))
                self._places(f"{name}.{table}.{column}", [(ids, row[nth]) for row, ids in ranked])

    def copies(self, copies: Sequence[set[tuple[str, tuple[Value, ...]]]], name: str = "copies") -> None:
        """Backups made one answer apart: between which two each id's rows changed."""
        changed = [[self.in_row(row) for _, row in after - before] for before, after in pairwise(copies)]
        self._commits(name, changed)

    def text(self, text: str, name: str = "log") -> None:
        """A log, line by line."""
        self._sequence(name, [[id for id in self.all if id in line] for line in text.splitlines()])

    # --- reading --------------------------------------------------------------------------------------------------

    def in_row(self, values: Iterable[Value]) -> list[str]:
        """The ids in a row, also inside what the key opens and inside longer texts."""
        values, found = list(values), []
        for value in values:
            text = self._open(value, values) if isinstance(value, bytes) else value
            if isinstance(text, str):
                found += [text] if text in self.all else self._inside(text)
        return found

    def _inside(self, text: str) -> list[str]:
        if len(text) < 12:
            return []
        words = text.replace('"', " ").replace("/", " ").replace(",", " ").replace(".", " ").replace(":", " ").split()
        return [word for word in words if word in self.all]

    def _open(self, sealed: bytes, row: Sequence[Value]) -> str:
        if self.vault is None or len(sealed) < 29:
            return sealed.decode("latin-1")
        if sealed not in self._opened:
            self._opened[sealed] = self._tried(sealed, [str(v) for v in row if isinstance(v, int) or _may_be_id(v)])
        return self._opened[sealed]

    def _tried(self, sealed: bytes, words: list[str]) -> str:
        for word in words:
            for purpose, about in SEALS:
                with suppress(KeyProblem, UnicodeDecodeError):
                    return self.vault.open(purpose, sealed, about.format(word)).decode() if self.vault else ""
        return ""

    # --- keeping --------------------------------------------------------------------------------------------------

    def _sequence(self, name: str, rows: Iterable[Iterable[str]]) -> None:
        self._places(name, [(ids, nth) for nth, ids in enumerate(rows)])

    def _places(self, name: str, rows: Sequence[tuple[Iterable[str], object]]) -> None:
        """Rows in order, with what they are ordered by: rows of the same value share a place."""
        places: dict[str, float] = {}
        at, before = -1.0, object()
        for ids, value in rows:
            at, before = (at, before) if value == before else (at + 1, value)
            for id in ids:
                places.setdefault(id, at)
        self._keep(name, places)

    def _mean(self, name: str, found: Iterable[tuple[str, float]]) -> None:
        places: dict[str, list[float]] = defaultdict(list)
        for id, place in found:
            places[id].append(place)
        self._keep(name, {id: sum(p) / len(p) for id, p in places.items()})

    def _keep(self, name: str, places: dict[str, float]) -> None:
        """The ranks, from 0 to 1, of people and of sheets apart; of no use where all have one place."""
        for kind, ids in self.ids.items():
            mine = {id: place for id, place in places.items() if id in ids}
            if len(set(mine.values())) > 1:
                self.orders[kind][name] = ranks(mine)


def _may_be_id(value: Value) -> bool:
    return isinstance(value, str) and len(value) >= 6 and " " not in value and not value.startswith("20")


def ranks(places: dict[str, float]) -> Order:
    """Places as 0 to 1; who shares a place stands in the middle of those who do."""
    ordered = sorted(places.values())
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for nth, place in enumerate(ordered):
        first.setdefault(place, nth)
        last[place] = nth
    end = max(len(ordered) - 1, 1)
    return {id: (first[place] + last[place]) / 2 / end for id, place in places.items()}


def rows_of(path: Path) -> dict[str, tuple[list[str], Rows]]:
    """Every table of a live SQLite file: its columns and rows, with the hidden rowid where there is one."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        names = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        found = {}
        for name, sql in names:
            hidden = "" if "WITHOUT ROWID" in sql else "rowid AS _rowid, "
            cursor = connection.execute(f'SELECT {hidden}* FROM "{name}"')
            found[name] = ([column[0] for column in cursor.description], cursor.fetchall())
        return found
    finally:
        connection.close()


def copy_of(tables: dict[str, tuple[list[str], Rows]]) -> set[tuple[str, tuple[Value, ...]]]:
    """What a backup holds. `yousaid backup` writes rows in key order, so that its rows are all there is to it."""
    return {(name, tuple(row)) for name, (_, rows) in tables.items() for row in rows}


def take(path: Path, folder: Path) -> Path:
    """The files as a thief finds them, with the WAL of a running program."""
    folder.mkdir(parents=True)
    for end in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copy(f"{path}{end}", folder / f"taken.db{end}")
    return folder / "taken.db"
