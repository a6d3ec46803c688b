"""A newer version: a backup before its change of schema, checks within it, and the way back by one command (E7, E8)."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from data import changing
from data.backup import backups_in
from data.database import HEAD
from data.migrations import migrate
from data.preparing import Before
from data.problems import DatabaseBusy, DatabaseProblem
from data.restoring import open_copy
from data.sqlite import prepare, schema_version
from data.vault import Vault, write_private
from tests.command_line import CommandLine, command_line_in
from tests.schemas.released import VERSIONS, unpack
from tests.school import MASTER, MONDAY

VAULT = Vault(MASTER)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The file of the version before."""
    return unpack(VERSIONS[-1], tmp_path)


def before(folder: Path) -> Before:
    return Before(folder / "backups", MONDAY)


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.iterdump())


def changed(old: Path, folder: Path) -> None:
    prepare(old, VAULT, create=False, before=before(folder))


def test_a_backup_is_there_before_anything_changes(tmp_path: Path, old: Path) -> None:
    """E7"""
    was = content(old)
    changed(old, tmp_path)
    assert schema_version(old) == HEAD
    (kept,) = (tmp_path / "backups").iterdir()
    assert kept.name == f"before-{HEAD}-2026-11-02T1000.backup"
    copy = open_copy(kept, VAULT, tmp_path)
    assert (copy.schema, content(copy.path)) == (VERSIONS[-1], was)
    changed(old, tmp_path)  # nothing to change, so no second one
    assert len(list((tmp_path / "backups").iterdir())) == 1


def harmed(statement: str) -> Any:
    def upgrade_on(connection: Connection, *given: Any) -> None:
        migrate_up(connection, *given)
        connection.execute(text(statement))

    return upgrade_on


migrate_up = migrate.upgrade_on


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM groups", "rows"),
        ("DELETE FROM answers", "rows of answers were lost"),
        ("DROP TABLE tombstones", "the tables are not what they should be"),
        ("UPDATE facts SET value = x'00' WHERE name = 'key-check'", "the key does not open it any more"),
        ("UPDATE surveys SET group_id = 'nobody'", "rows do not belong together"),
        ("SELECT nonsense", "OperationalError"),
    ],
)
def test_a_change_that_goes_wrong_is_undone_and_says_what_to_start(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch, statement: str, says: str
) -> None:
    """E7: an automatic way back."""
    was = content(old)
    monkeypatch.setattr(migrate, "upgrade_on", harmed(statement))
    with pytest.raises(DatabaseProblem, match="undone: nothing is lost") as problem:
        changed(old, tmp_path)
    assert says in str(problem.value)
    assert "the version of YouSaid that you had before" in str(problem.value)
    assert content(old) == was
    monkeypatch.undo()
    changed(old, tmp_path)
    assert schema_version(old) == HEAD


def test_the_version_to_go_back_to_is_named_where_it_is_known(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("INSERT INTO facts (name, value) VALUES ('program', ?)", (b"0.2.7",))
        connection.commit()
    monkeypatch.setattr(migrate, "upgrade_on", harmed("DELETE FROM answers"))
    with pytest.raises(DatabaseProblem, match=r"Start YouSaid 0\.2\.7 again"):
        changed(old, tmp_path)


def test_without_room_or_a_folder_nothing_is_changed(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = content(old)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(changing.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DatabaseProblem, match="MiB free"):
        changed(old, tmp_path)
    monkeypatch.undo()
    (tmp_path / "backups").rmdir()
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(DatabaseProblem, match="nothing was changed"):
        changed(old, tmp_path)
    assert content(old) == was


def test_a_file_that_another_program_holds_is_told_so(tmp_path: Path, old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="another program"):
            changed(old, tmp_path)
    assert schema_version(old) == VERSIONS[-1]


# --- the way back -------------------------------------------------------------------------------------------------


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A school of the version before, where the command line looks for it."""
    yousaid = command_line_in(tmp_path, monkeypatch)
    old = unpack(VERSIONS[-1], tmp_path)
    (tmp_path / "var").mkdir()
    old.rename(yousaid.database)
    write_private(yousaid.key_file, base64.b64encode(MASTER))
    return yousaid


def test_rollback_keeps_what_was_answered_since(yousaid: CommandLine) -> None:
    """E8: one command, nothing answered is lost."""
    yousaid.done("survey", "list")  # brings it to this version
    assert schema_version(yousaid.database) == HEAD
    yousaid.join(3)

    ran = yousaid.done("rollback", "--yes")

    assert f"has schema {VERSIONS[-1]} now" in ran.out
    assert schema_version(yousaid.database) == VERSIONS[-1]
    with closing(sqlite3.connect(yousaid.database)) as connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone()[0] > 0
        there = connection.execute("SELECT count(*) FROM people").fetchone()[0]
    assert backups_in(yousaid.folder / "var" / "backups")
    yousaid.done("survey", "list")  # and up again, with the three who joined
    with closing(sqlite3.connect(yousaid.database)) as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone()[0] == there


def test_rollback_asks_first_and_knows_no_other_schemas(yousaid: CommandLine) -> None:
    yousaid.done("survey", "list")
    assert yousaid("rollback", typed="n\n").code == 1
    for wrong in ("0000", HEAD, "two", "../1"):
        assert "--to takes" in yousaid("rollback", "--yes", "--to", wrong).refused()
    assert schema_version(yousaid.database) == HEAD
