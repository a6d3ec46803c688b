"""A newer version on a PostgreSQL server: a backup before its change of schema, checks, the way back (E7, E8)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from data import changing, changing_server
from data.database import HEAD, open_database
from data.place import PostgresServer, SqliteFile
from data.postgres import prepare, roll_back, server_version
from data.postgres_link import connect
from data.preparing import Before
from data.problems import DatabaseHeld, DatabaseProblem
from data.restoring import open_copy
from data.vault import BoxKeys, Vault, write_private
from tests.command_line import command_line_in
from tests.postgres_server import Server
from tests.schemas.released import VERSIONS, Content, Migrated, put_on_server
from tests.school import MASTER, MONDAY

VAULT = Vault(MASTER)


@pytest.fixture
async def old(tmp_path: Path, postgres: Server) -> PostgresServer:
    """A server with the school of the version before."""
    place = postgres.empty()
    await put_on_server(place, VERSIONS[-1], tmp_path / "released")
    return place


def before(folder: Path) -> Before:
    return Before(folder / "backups", MONDAY)


async def content(place: PostgresServer | SqliteFile) -> Content:
    found = await Migrated(place).content()
    return {name: found[name] for name in sorted(found)}


async def changed(place: PostgresServer, folder: Path) -> None:
    await prepare(place, VAULT, create=False, before=before(folder))


async def test_a_backup_is_there_before_anything_changes(tmp_path: Path, old: PostgresServer) -> None:
    """E7: of the schema before, whole, and one that `yousaid restore` takes."""
    was = await content(old)
    await changed(old, tmp_path)
    assert await server_version(old) == HEAD
    (kept,) = (tmp_path / "backups").iterdir()
    assert kept.name == f"before-{HEAD}-2026-11-02T1000.backup"
    copy = open_copy(kept, VAULT, tmp_path)
    assert copy.schema == VERSIONS[-1]
    assert await content(SqliteFile(copy.path)) == was
    await changed(old, tmp_path)  # nothing to change, so no second one
    assert len(list((tmp_path / "backups").iterdir())) == 1


async def test_of_two_programs_that_start_together_one_changes_it(tmp_path: Path, old: PostgresServer) -> None:
    """The other waits until it is done, and then finds it done: one backup, and both go on."""
    keys = BoxKeys(tmp_path / "released" / "keys")
    both = await asyncio.gather(*(open_database(old, VAULT, keys, before=before(tmp_path)) for _ in range(2)))
    for db in both:
        await db.close()
    assert await server_version(old) == HEAD
    assert len(list((tmp_path / "backups").iterdir())) == 1


def harmed(statement: str) -> Any:
    def upgrade_on(connection: Connection, *given: Any) -> None:
        changing_server_up(connection, *given)
        connection.execute(text(statement))

    return upgrade_on


changing_server_up = changing_server.upgrade_on


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM answers", "rows of answers were lost"),
        ("DROP TABLE tombstones", "the tables are not what they should be"),
        ("UPDATE facts SET value = '\\x00' WHERE name = 'key-check'", "the key does not open it any more"),
        ("SELECT nonsense", "ProgrammingError"),
    ],
)
async def test_a_change_that_goes_wrong_is_undone_and_says_what_to_start(
    tmp_path: Path, old: PostgresServer, monkeypatch: pytest.MonkeyPatch, statement: str, says: str
) -> None:
    """E7: an automatic way back."""
    was = await content(old)
    monkeypatch.setattr(changing_server, "upgrade_on", harmed(statement))
    with pytest.raises(DatabaseProblem, match="undone: nothing is lost") as problem:
        await changed(old, tmp_path)
    assert says in str(problem.value)
    assert await content(old) == was
    monkeypatch.undo()
    await changed(old, tmp_path)
    assert await server_version(old) == HEAD


async def test_without_room_or_a_folder_nothing_is_changed(
    tmp_path: Path, old: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = await content(old)
    usage = changing.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(changing.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DatabaseProblem, match="MiB free"):
        await changed(old, tmp_path)
    monkeypatch.undo()
    (tmp_path / "backups").rmdir()
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(DatabaseProblem, match="nothing was changed"):
        await changed(old, tmp_path)
    assert await content(old) == was


@asynccontextmanager
async def read_by_another(place: PostgresServer) -> AsyncIterator[None]:
    """Somebody's psql that looked at a table an hour ago, and is still inside its transaction."""
    reader = await connect(place, "psql")
    try:
        async with reader.transaction():
            await reader.fetch("SELECT * FROM surveys")
            yield
    finally:
        await reader.close()


async def test_a_reader_that_hangs_stops_a_change_before_long_and_nothing_is_changed(
    tmp_path: Path, old: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E7: one line that names the remedy; when the other one has gone, the same start works."""
    monkeypatch.setattr(changing_server, "WAIT_FOR_READERS", 0.2)
    was = await content(old)
    async with read_by_another(old):
        with pytest.raises(DatabaseHeld, match=r"Another program holds .* nothing was\. Close it") as problem:
            await asyncio.wait_for(changed(old, tmp_path), 20)
    assert "\n" not in str(problem.value)
    assert (await server_version(old), await content(old)) == (VERSIONS[-1], was)
    await changed(old, tmp_path)
    assert await server_version(old) == HEAD


async def test_a_reader_that_hangs_stops_the_way_back_too(
    tmp_path: Path, old: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E8"""
    await changed(old, tmp_path)
    monkeypatch.setattr(changing_server, "WAIT_FOR_READERS", 0.2)
    async with read_by_another(old):
        with pytest.raises(DatabaseHeld, match="nothing was"):
            await asyncio.wait_for(roll_back(old, VAULT, VERSIONS[-1], before(tmp_path), ""), 20)
    assert await server_version(old) == HEAD


def test_rollback_on_a_server_keeps_what_was_answered_since(
    tmp_path: Path, old: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E8: one command, nothing answered is lost."""
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.key_file.parent.mkdir()
    write_private(yousaid.key_file, base64.b64encode(MASTER))
    monkeypatch.setenv("YOUSAID_DATABASE", old.url)
    yousaid.done("survey", "list")  # brings it to this version
    assert asyncio.run(server_version(old)) == HEAD
    yousaid.join(3)

    ran = yousaid.done("rollback", "--yes")

    assert f"has schema {VERSIONS[-1]} now" in ran.out
    assert "bookings" in ran.out
    back = asyncio.run(content(old))
    assert len(back["people"]) == 14 + 3
    assert len(back["dropins"]) == 2
    assert any(path.name.startswith("yousaid-") for path in (yousaid.folder / "var" / "backups").iterdir())
    yousaid.done("survey", "list")  # and up again
    assert asyncio.run(server_version(old)) == HEAD
