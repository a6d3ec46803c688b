"""A look at the database file from outside, for `yousaid doctor`: changes nothing, waits for nobody."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from data.place import sqlite_uri

PATIENCE = 0.3  # seconds


@dataclass(frozen=True)
class Checkup:
    """`trouble` is what SQLite says when the file cannot be read at all; `unwritable` why it cannot be written."""

    wal: bool = False
    verdict: str = ""
    trouble: str = ""
    unwritable: str = ""


def look_at(path: Path) -> Checkup:
    """The state of the file; never raises for what a file can hold."""
    try:
        connection = sqlite3.connect(sqlite_uri(path, "mode=rw"), uri=True, timeout=PATIENCE, isolation_level=None)
    except sqlite3.Error as error:
        return Checkup(trouble=str(error))
    try:
        wal = connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        return Checkup(wal, verdict, "", _unwritable(connection))
    except sqlite3.Error as error:
        return Checkup(trouble=str(error))
    finally:
        connection.close()


def _unwritable(connection: sqlite3.Connection) -> str:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return str(error)
    return ""
