"""Disk full, locked, read-only, another key: one line, nothing overwritten, nothing half done."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.said import Text
from data.database import DatabaseBusy, DatabaseProblem, open_database
from data.people import Address
from data.place import SqliteFile
from data.runs import count_runs
from data.surveys import find_survey
from data.vault import BoxKeys, KeyProblem, Vault
from tests.school import MASTER, School, opened
from tests.test_dialogue import SURVEY, answer, send


async def fill_the_disk(school: School) -> None:
    with school.db.store.writer.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))


async def strangers_write(school: School) -> None:
    for n in range(500):
        await school.dialogue.hear(Address("telegram", str(n)), Text("my uncle hurts me"), n)


async def test_a_full_disk_says_so_and_loses_nothing(school: School) -> None:
    await school.readers()
    people = await school.people(12)
    senco = await send(school)
    await answer(school, people[0])
    await fill_the_disk(school)
    with pytest.raises(DatabaseProblem, match="disk is full") as caught:
        await strangers_write(school)
    assert "\n" not in str(caught.value)
    async with school.db.reading() as tx:
        survey = await find_survey(tx, SURVEY)
        assert survey
        assert await count_runs(tx, survey) == (1, 1)
    assert senco.person


async def test_another_programs_lock_is_named_after_waiting(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    with school.db.store.writer.engine.connect() as connection:
        connection.execute(text("PRAGMA busy_timeout=50"))
    other = sqlite3.connect(school.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(DatabaseBusy, match="held by another program"):
            await school.person("parent")
    finally:
        other.rollback()
        other.close()
    assert await school.person("parent")


async def test_another_key_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    async with opened(tmp_path) as school:
        path = school.db.path
    before = path.read_bytes()
    with pytest.raises(KeyProblem, match="made with another key"):
        await open_database(SqliteFile(path), Vault(b"x" * 32), BoxKeys(tmp_path / "other"), create=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"a letter, not a database" * 300, b"SQLite format 3\x00" + b"\xff" * 5000])
async def test_a_foreign_or_damaged_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "y.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseProblem):
        await open_database(SqliteFile(path), Vault(MASTER), BoxKeys(tmp_path), create=True)
    assert path.read_bytes() == content


async def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "y.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(DatabaseProblem, match="not a YouSaid database"):
        await open_database(SqliteFile(path), Vault(MASTER), BoxKeys(tmp_path), create=True)


async def test_a_missing_database_is_not_made_by_itself(tmp_path: Path) -> None:
    with pytest.raises(DatabaseProblem, match="yousaid setup"):
        await open_database(SqliteFile(tmp_path / "none.db"), Vault(MASTER), BoxKeys(tmp_path))
    assert not (tmp_path / "none.db").exists()


async def test_an_empty_file_is_not_taken_for_a_school(tmp_path: Path) -> None:
    (tmp_path / "y.db").touch()
    with pytest.raises(DatabaseProblem, match="is empty"):
        await open_database(SqliteFile(tmp_path / "y.db"), Vault(MASTER), BoxKeys(tmp_path))
    assert (tmp_path / "y.db").stat().st_size == 0
