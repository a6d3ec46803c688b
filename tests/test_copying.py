"""A whole school copied between SQLite and PostgreSQL: nothing lost, of one moment, and the conversation goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from data.audit import note
from data.copying import CopyProblem, copy_all, copy_to_file
from data.database import Database, open_database, read_fact, write_fact
from data.outbox import post
from data.place import Place, SqliteFile
from data.surveys import find_survey
from data.tables import groups, metadata, outbox, updates
from data.updates import first_time
from data.vault import BoxKeys, Vault
from tests.postgres_server import Server
from tests.school import MASTER, School, opened
from tests.test_dialogue import SURVEY, answer, send


async def a_school(school: School) -> str:
    """People, an open ANON survey with a run half way, a queue; who is half way."""
    await school.readers()
    people = await school.people(12)
    await send(school)
    for person in people[:6]:
        await answer(school, person)
    await school.on(people[7]).types("Menu")
    await school.on(people[8]).types("my uncle hurts me")
    async with school.db.transaction() as tx:
        assert await first_time(tx, "telegram", 5_000_000_000)
        await note(tx, "look.name", "x", school.clock.now, people[0], reason="a reason")
        await tx.run(insert(groups).values(id="nul", name="a group\0 of three"))
    return people[8]


async def rows_of(db: Database) -> dict[str, int]:
    async with db.reading() as tx:
        return {t.name: await tx.value(select(func.count()).select_from(t)) for t in metadata.sorted_tables}


async def open_at(place: Place, folder: Path, create: bool = True) -> Database:
    return await open_database(place, Vault(MASTER), BoxKeys(folder / "keys"), create)


async def test_a_school_moves_and_the_conversation_goes_on(postgres: Server, tmp_path: Path, monkeypatch) -> None:
    place = postgres.empty()
    async with opened(tmp_path) as school:
        await a_school(school)
        before = await rows_of(school.db)
        told: dict[str, int] = {}
        target = await open_at(place, tmp_path)
        assert await copy_all(school.db, target, told=told.__setitem__) == sum(before.values())
        assert told == before == await rows_of(target)
        await target.close()
        clock = school.clock
    monkeypatch.setattr("tests.school.place_for", lambda _: place)
    async with opened(tmp_path, clock) as moved:
        people = await moved.people(1)
        async with moved.db.reading() as tx:
            names = (await tx.all(select(groups.c.name).where(groups.c.id == "nul")))[0]
            survey = await find_survey(tx, SURVEY)
        assert names[0] == "a group\ufffd of three"
        assert survey
        assert survey.state == "open"
        async with moved.db.transaction() as tx:
            assert not await first_time(tx, "telegram", 5_000_000_000)
            await post(tx, "reminder", "x", people, clock.now)  # takes the next number of the outbox
        clock.move(days=40)
        await moved.rounds()
        async with moved.db.reading() as tx:
            survey = await find_survey(tx, SURVEY)
        assert survey
        assert (survey.state, survey.finished) == ("closed", 6)
    postgres.drop(place)


async def test_there_and_back_it_is_the_same(postgres: Server, tmp_path: Path) -> None:
    place = postgres.new()
    async with opened(tmp_path) as school:
        await a_school(school)
        before = await rows_of(school.db)
        server = await open_at(place, tmp_path)
        await copy_all(school.db, server)
        assert await copy_to_file(server, tmp_path / "back.db") == sum(before.values())
        await server.close()
    assert not (tmp_path / "back.db-wal").exists()
    back = await open_at(SqliteFile(tmp_path / "back.db"), tmp_path, create=False)
    assert await rows_of(back) == before
    await back.close()
    postgres.drop(place)


async def test_what_is_there_already_stays_unless_it_is_to_go(postgres: Server, tmp_path: Path) -> None:
    place = postgres.new()
    async with opened(tmp_path) as school:
        server = await open_at(place, tmp_path)
        async with server.transaction() as tx:
            await write_fact(tx, "theirs", b"1")
        with pytest.raises(CopyProblem, match="holds a school already"):
            await copy_all(school.db, server)
        async with server.reading() as tx:
            assert await read_fact(tx, "theirs") == b"1"
        await copy_all(school.db, server, replace=True)
        async with server.reading() as tx:
            assert await read_fact(tx, "theirs") is None
        await server.close()
    postgres.drop(place)


async def test_a_copy_that_fails_leaves_the_target_as_it_was(postgres: Server, tmp_path: Path) -> None:
    """A row that differs afterwards, as a disk or a server may have it."""
    place = postgres.new()
    async with opened(tmp_path) as school:
        await school.people(3)
        server = await open_at(place, tmp_path)
        async with server.transaction() as tx:
            await write_fact(tx, "theirs", b"1")
            await tx.run(
                text(
                    "CREATE FUNCTION other() RETURNS trigger AS $$ BEGIN NEW.language = 'xx'; RETURN NEW;"
                    " END $$ LANGUAGE plpgsql"
                )
            )
            await tx.run(text("CREATE TRIGGER other BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION other()"))
        with pytest.raises(CopyProblem, match="3 rows of people became 3, or others"):
            await copy_all(school.db, server, replace=True)
        async with server.reading() as tx:
            assert await read_fact(tx, "theirs") == b"1"
        await server.close()
    postgres.drop(place)


@pytest.mark.both_databases
async def test_a_copy_is_of_one_moment_while_people_join(school: School, tmp_path: Path) -> None:
    """Everybody who is in it has their role: both come in one transaction."""
    joining = True

    async def join() -> None:
        while joining:
            await school.person("parent")

    task = asyncio.create_task(join())
    counts = []
    for number in range(5):
        await asyncio.sleep(0.05)
        await copy_to_file(school.db, tmp_path / f"{number}.db")
        copy = await open_at(SqliteFile(tmp_path / f"{number}.db"), tmp_path, create=False)
        rows = await rows_of(copy)
        await copy.close()
        assert rows["people"] == rows["roles"] == rows["memberships"]
        counts.append(rows["people"])
    joining = False
    await task
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


async def test_many_rows_go_over_in_batches(postgres: Server, tmp_path: Path) -> None:
    place = postgres.new()
    async with opened(tmp_path) as school:
        async with school.db.transaction() as tx:
            await tx.run(insert(updates), [{"channel": "web", "id": 2**40 + n} for n in range(1001)])
        server = await open_at(place, tmp_path)
        told: dict[str, int] = {}
        await copy_all(school.db, server, told=told.__setitem__)
        assert told["updates"] == 1001
        await server.close()
    postgres.drop(place)


async def test_numbers_that_the_server_gives_out_go_on(postgres: Server, tmp_path: Path) -> None:
    place = postgres.new()
    async with opened(tmp_path) as school:
        people = await school.people(3)
        async with school.db.transaction() as tx:
            await post(tx, "reminder", "x", people, school.clock.now)
        server = await open_at(place, tmp_path)
        await copy_all(school.db, server)
        async with server.transaction() as tx:
            await post(tx, "reminder", "y", people, school.clock.now)
            ids = [r.id for r in await tx.all(select(outbox.c.id).order_by(outbox.c.id))]
        assert len(set(ids)) == 6
        await server.close()
    postgres.drop(place)
