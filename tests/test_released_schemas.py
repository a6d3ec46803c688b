"""Every released schema moves up and down with its data; stopped at any statement it is old or new (R17, FAIL-17).

The files in tests/schemas were filled by the code of each release: a closed survey, one whose box is closed, an alert
whose ladder climbs, looks with reasons.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

import data.audit_check
from bot.said import Text
from data.answers import count_answers
from data.audit import entries
from data.events import coming_occasions, occasions_over
from data.people import Address, all_groups
from data.place import Place, SqliteFile
from data.runs import count_runs
from data.surveys import find_survey
from data.tables import metadata, outbox
from data.vault import Vault
from scheduler.due import remind_due
from tests.schemas.fill import FRIDAY
from tests.schemas.released import HEAD, VERSIONS, Content, Migrated, Stopped, put_on_server, unpack
from tests.school import School, opened
from tests.visits import B6, asked_after, pools, says_how_it_was

MOVED = ("looks", "alert_steps")  # into the audit log
MET = "dropins"  # now events of one time
EVERY = 7  # statements; `make bench ROWS=R17` takes all

both = pytest.mark.both_databases


async def released(version: str, folder: Path, database: str, request: pytest.FixtureRequest) -> Place:
    """The released school where `opened` finds it."""
    if database == "sqlite":
        return SqliteFile(unpack(version, folder))
    server = request.getfixturevalue("postgres").empty()
    await put_on_server(server, version, folder)
    request.getfixturevalue("monkeypatch").setattr("tests.school.place_for", lambda _: server)
    return server


@both
@pytest.mark.parametrize("version", VERSIONS)
async def test_all_rows_survive_the_way_up_and_down(
    tmp_path: Path, version: str, database: str, request: pytest.FixtureRequest
) -> None:
    """R17"""
    migrated = Migrated(await released(version, tmp_path, database, request))
    old = await migrated.content()
    await migrated.up()
    new = await migrated.content()
    assert await migrated.does(lambda c: compare_metadata(MigrationContext.configure(c), metadata)) == []
    kept(old, new)
    await migrated.down(version)
    back = await migrated.content()
    assert back.keys() == old.keys()
    for table in old:
        assert without_seals(table, back[table]) == without_seals(table, old[table]), table
    await migrated.up()
    kept(old, await migrated.content())


def kept(old: Content, new: Content) -> None:
    """Nothing that was there is missing: a new schema adds columns; 0003 added a row for every answer sheet."""
    added = ("~sheet", "audit-head") if "audit" not in old else ()
    for table in old.keys() - {*MOVED, MET, "alembic_version"}:
        was = [row for row in new[table] if not {row.get("question"), row.get("name")}.intersection(added)]
        columns = old[table][0].keys() if old[table] else ()
        assert sorted(({c: row[c] for c in columns} for row in was), key=repr) == old[table], table
    assert sum(row["question"] == "~sheet" for row in new["answers"]) == 7
    assert len(new["audit"]) == sum(len(old.get(table, ())) for table in (*MOVED, "audit"))
    met(old, new)


def met(old: Content, new: Content) -> None:
    """Each drop-in is an event of one time, which keeps the id that letters name."""
    events = {row["id"]: row for row in new["events"]}
    now = [(o["id"], o["starts_at"], o["first_at"], o["first_done"], events[o["event"]]) for o in new["occasions"]]
    found = [(id, e["group_id"], starts, e["place"], first, done) for id, starts, first, done, e in now]
    assert sorted(found) == sorted(tuple(row.values()) for row in old[MET])


def without_seals(table: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """What is sealed anew differs, and numbers of moved rows are given anew."""
    leave_out = {"id", "reason"} if table in MOVED else set()
    return sorted(({k: v for k, v in row.items() if k not in leave_out} for row in rows), key=repr)


@both
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_released_school_goes_on_with_this_version(
    tmp_path: Path, version: str, database: str, request: pytest.FixtureRequest
) -> None:
    """R17: counts, the open box, looks with their reasons and the ladder are there, and the log holds."""
    await released(version, tmp_path, database, request)
    async with opened(tmp_path) as school:
        async with school.db.reading() as tx:
            counts = await count_answers(tx, "parent-send-provision-1")
            survey = await find_survey(tx, "drop-in-feedback-1")
            assert survey
            assert await count_runs(tx, survey) == (1, 0)
            checked = await data.audit_check.check_log(tx)
        assert {q: c.answered for q, c in counts.items() if q <= "B1.5"} == {f"B1.{n}": 7 for n in range(1, 6)}
        assert counts["B1.3"].counts == {"a-lot": 7}
        assert not checked.problems
        if version >= "0002":
            await check_moved(school)
        if version >= "0003":
            await check_met(school)
        await goes_on(school)


async def check_moved(school: School) -> None:
    """The looks of fill.py, with their reasons, and all rungs of its ladder."""
    async with school.db.reading() as tx:
        item = (await tx.all(metadata.tables["alerts"].select()))[0].item
        found = await entries(tx, item)
    looks = {e.what: e.detail.get("reason", "") for e in found if e.what.startswith("look.")}
    assert looks == {"look.copy": "for the school's own record", "look.name": ""}
    assert [e.detail["role"] for e in found if e.what == "alert.blocked"] == ["dsl", "deputy", "head"] * 2
    assert all(before.id < after.id and before.at <= after.at for before, after in pairwise(found))


async def check_met(school: School) -> None:
    """Who was reminded is not reminded again; the drop-in still to come is, and nobody is asked of the one before."""
    async with school.db.reading() as tx:
        first, second = await coming_occasions(tx, None, FRIDAY.replace(day=27))
        assert not await occasions_over(tx, second.ends_at)
    assert (first.first_done, second.first_done) == (True, False)
    assert await remind_due(school.db, second.first_at)  # type: ignore[arg-type]
    async with school.db.reading() as tx:
        found = await tx.all(select(outbox.c.ref).where(outbox.c.kind == "reminder"))
    assert sorted(r.ref for r in found) == sorted([first.id] * 10 + [second.id] * 10)


async def goes_on(school: School) -> None:
    """Somebody who was in the middle of a survey finishes it, by an address of the old version."""
    address = Address("telegram", "7000")
    reply = await school.dialogue.hear(address, Text("/surveys"), 1)
    reply = await school.dialogue.hear(address, Text("skip"), 2)
    assert reply.messages


@both
async def test_what_is_new_goes_back_as_far_as_it_can_and_is_known_again(tmp_path: Path, database: str) -> None:
    """R17, E8: a pool goes on as a survey there, without what was let go of; here it is a pool again."""
    async with opened(tmp_path) as school:
        people = await school.people(3)
        occasion = await asked_after(school, people)
        await asked_after(school, people, "charity")
        for person in people:
            await says_how_it_was(school, person, *B6)
        school.clock.move(days=7)
        await asked_after(school, people)
        place = school.db.place
    migrated = Migrated(place)
    await migrated.down("0003")
    old = await migrated.content()
    assert occasion.id in {row["id"] for row in old["dropins"]}
    assert len(old["dropins"]) == 2
    assert None not in {row["person"] for row in old["runs"]}
    await migrated.up()
    async with opened(tmp_path) as school:
        assert {p.id for p in await pools(school)} == {"event-feedback-1", "drop-in-feedback-1"}
        async with school.db.reading() as tx:
            assert set((await all_groups(tx)).values()) == set(school.house.school.groups)
        assert await count(school) == 6


async def count(school: School) -> int:
    async with school.db.reading() as tx:
        return len(await tx.all(select(metadata.tables["runs"])))


@both
@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_failure_at_a_statement_leaves_the_old_schema(
    tmp_path: Path, version: str, database: str, request: pytest.FixtureRequest
) -> None:
    """R17: never between. Every few statements here, up and down."""
    place = await released(version, tmp_path, database, request)
    assert await stopped_everywhere(Migrated(place), version, EVERY if database == "sqlite" else 2 * EVERY) > 60


async def stopped_everywhere(migrated: Migrated, version: str, every: int) -> int:
    """Stopped at every `every`-th statement of the way up, then down; how many statements there are."""
    total = await _stopped(migrated, every, migrated.up)
    await migrated.up()
    total += await _stopped(migrated, every, lambda: migrated.down(version))
    await migrated.down(version)
    return total


async def _stopped(migrated, every, moves) -> int:  # type: ignore[no-untyped-def]
    before, at = await migrated.content(), 1
    while True:
        migrated.stop_at = at
        try:
            await moves()
        except Stopped:
            assert await migrated.content() == before, at
            at += every
            continue
        finally:
            migrated.stop_at = 0
        return at


KILLED = """
import os, signal, sys
from itertools import pairwise
from pathlib import Path
from sqlalchemy import Engine, event
from data.sqlite import prepare
from data.vault import Vault
import data.migrations.migrate, alembic.command

def end(at):
    counted = [0]
    def step(*_):
        counted[0] += 1
        if counted[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    prepare(Path(sys.argv[1]) / str(at) / "yousaid.db", Vault(bytes(range(32))), create=False)

for at in map(int, sys.argv[2:]):
    child = os.fork()
    if not child:
        end(at)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
async def test_the_process_dies_at_a_statement(tmp_path: Path, version: str) -> None:
    """R17: kill -9; the next start finds the old school whole, and moves it."""
    file, moments = unpack(version, tmp_path), [*range(2, 90, 8), 500]
    old = await Migrated(SqliteFile(file)).content()
    for at in moments:
        (tmp_path / str(at)).mkdir()
        shutil.copy(file, tmp_path / str(at))
    command = [sys.executable, "-c", KILLED, str(tmp_path), *map(str, moments)]
    await asyncio.to_thread(subprocess.run, command, check=True, cwd=os.getcwd())
    found = []
    for at in moments:
        migrated = Migrated(SqliteFile(tmp_path / str(at) / "yousaid.db"))
        content = await migrated.content()
        found.append(content["alembic_version"][0]["version_num"])
        if found[-1] == version:
            assert content == old, at
            await migrated.up()
        kept(old, await migrated.content())
    assert set(found) == {version, HEAD}


async def test_rows_of_the_log_move_only_with_the_key(tmp_path: Path) -> None:
    """Another key opens no reason: nothing is moved, and nothing is lost."""
    migrated = Migrated(SqliteFile(unpack("0002", tmp_path)))
    old = await migrated.content()
    with pytest.raises(Exception, match="another key"):
        await migrated.does(lambda c: _up_with(c, Vault(b"x" * 32)))
    assert await migrated.content() == old


def _up_with(connection, vault: Vault) -> None:  # type: ignore[no-untyped-def]
    from data.migrations.migrate import upgrade_on

    upgrade_on(connection, vault, HEAD)
