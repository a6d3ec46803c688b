"""The layouts of trust.md M1 to M3, which look careful and tell everything: random ids, no rowid, no times."""

from __future__ import annotations

import random
import secrets
import sqlite3
from pathlib import Path

import asyncpg

from tests.intruder.evidence import Evidence, rows_of, take
from tests.intruder.linking import KNOWN, Case
from tests.intruder.server import files, hidden_rows

QUESTIONS = 5
SCHEMA = """
    CREATE TABLE run (id TEXT PRIMARY KEY, person TEXT) WITHOUT ROWID;
    CREATE TABLE taken (survey TEXT, person TEXT, PRIMARY KEY (survey, person)) WITHOUT ROWID;
    CREATE TABLE answer (id TEXT, question TEXT, value TEXT, PRIMARY KEY (id, question)) WITHOUT ROWID;
"""


def naive_school(folder: Path, people: int, seed: int, truncated: bool) -> Case:
    """People move from runs to answers one after another; `truncated`: the WAL is folded in at the end (M1)."""
    dice = random.Random(seed)
    ids = [secrets.token_hex(8) for _ in range(people)]
    folder.mkdir(parents=True)
    connection = _opened(folder / "naive.db", ids)
    truth, content = {}, {}
    for person in dice.sample(ids, people):
        sheet = secrets.token_hex(8)
        content[sheet] = tuple(dice.randint(1, 5) for _ in range(QUESTIONS))
        _moved(connection, person, sheet, content[sheet])
        truth[person] = sheet
    if truncated:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    taken = take(folder / "naive.db", folder / "taken")
    connection.close()
    return _case(taken, ids, truth, content, dice)


def _opened(path: Path, ids: list[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(SCHEMA)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO run VALUES (?, ?)", [(secrets.token_hex(8), id) for id in ids])
    connection.execute("COMMIT")
    return connection


def _moved(connection: sqlite3.Connection, person: str, sheet: str, values: tuple[int, ...]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM run WHERE person = ?", (person,))
    connection.execute("INSERT INTO taken VALUES ('s', ?)", (person,))
    rows = [(sheet, f"q{nth}", str(value)) for nth, value in enumerate(values)]
    connection.executemany("INSERT INTO answer VALUES (?, ?, ?)", rows)
    connection.execute("COMMIT")


async def naive_server(url: str, people: int, seed: int) -> Case:
    """The same on PostgreSQL, frozen and rewritten as M3 tried in vain."""
    dice = random.Random(seed)
    ids = [secrets.token_hex(8) for _ in range(people)]
    truth: dict[str, str] = {}
    content: dict[str, object] = {}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA.replace("WITHOUT ROWID", ""))
        await connection.executemany("INSERT INTO run VALUES ($1, $2)", [(secrets.token_hex(8), id) for id in ids])
        for person in dice.sample(ids, people):
            sheet, values = secrets.token_hex(8), tuple(dice.randint(1, 5) for _ in range(QUESTIONS))
            truth[person], content[sheet] = sheet, values
            await _moved_on_server(connection, person, sheet, values)
        await connection.execute("VACUUM FREEZE")
        await connection.execute("VACUUM FULL")
    finally:
        await connection.close()
    evidence = Evidence(ids, truth.values())
    evidence.server(*await files(url))
    evidence.tables(await hidden_rows(url))
    return _as_case(evidence, ids, truth, content, dice)


async def _moved_on_server(connection: asyncpg.Connection, person: str, sheet: str, values: tuple[int, ...]) -> None:
    async with connection.transaction():
        await connection.execute("DELETE FROM run WHERE person = $1", person)
        await connection.execute("INSERT INTO taken VALUES ('s', $1)", person)
        rows = [(sheet, f"q{nth}", str(value)) for nth, value in enumerate(values)]
        await connection.executemany("INSERT INTO answer VALUES ($1, $2, $3)", rows)


def _case(taken: Path, ids: list[str], truth: dict[str, str], content: dict[str, object], dice: random.Random) -> Case:
    evidence = Evidence(ids, truth.values())
    evidence.file(taken)
    evidence.wal(taken)
    evidence.tables(rows_of(taken))
    return _as_case(evidence, ids, truth, content, dice)


def _as_case(
    evidence: Evidence, ids: list[str], truth: dict[str, str], content: dict[str, object], dice: random.Random
) -> Case:
    known, sheets = tuple(dice.sample(ids, KNOWN)), sorted(truth.values())
    return Case(sorted(ids), sheets, evidence.orders["people"], evidence.orders["sheets"], truth, content, known)
