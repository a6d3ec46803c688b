"""A school on a PostgreSQL server over the real command line: set up, asked, killed, answered, counted, moved."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.settings import SettingsProblem
from data.copying import CopyProblem
from data.lock import FileLock
from data.place import PostgresServer
from data.vault import new_master_key
from tests.command_line import GROUP, LUNCH, SCHOOL, CommandLine, command_line_in
from tests.postgres_server import Server
from tests.simulated_parents import BotProcess
from tests.telegram_server import Person, TelegramServer
from tests.test_kill import free_port

CODE = re.compile(r"start=([0-9A-Za-z_-]+)")


@pytest.fixture
def place(postgres: Server) -> Iterator[PostgresServer]:
    place = postgres.empty()
    yield place
    postgres.drop(place)


@pytest.fixture
def yousaid(place: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    yousaid = command_line_in(tmp_path, monkeypatch)
    monkeypatch.setenv("YOUSAID_DATABASE", place.url)
    return yousaid


async def run(yousaid: CommandLine, *arguments: str) -> str:
    """What a command prints, run in a thread; it must end well."""
    ran = await asyncio.to_thread(yousaid.process, *arguments)
    assert (ran.code, ran.err) == (0, "")
    return ran.out


@pytest.fixture
async def bot() -> AsyncIterator[BotProcess]:
    """`yousaid run`, not started yet; it ends with the test at the latest."""
    bot = BotProcess({})
    yield bot
    await bot.kill()


async def test_a_school_on_a_server_from_setup_to_the_file(
    yousaid: CommandLine, bot: BotProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """FAIL-4: kill -9 in the middle; the same question waits."""
    async with TelegramServer() as server:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", server.token)
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", server.url)
        monkeypatch.setenv("YOUSAID_LISTEN", f"127.0.0.1:{free_port()}")
        assert "this machine" in await run(yousaid, "setup", "--from", yousaid.write("school.yaml", SCHOOL))
        await run(yousaid, "form", "add", yousaid.write("lunch.yaml", LUNCH))
        told = await run(yousaid, "invite", "--role", "parent", "--group", GROUP, "--count", "10")
        parents = [server.person(3000 + n) for n in range(10)]
        bot.environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        await bot.start()
        for parent, code in zip(parents, CODE.findall(told), strict=True):
            await parent.types(f"/start {code}")
            await parent.sees_button("Yes, start")
            await parent.taps("Yes, start")
        await asyncio.gather(*(p.sees("You have joined") for p in parents))
        await run(yousaid, "send", "lunch-check", "--group", GROUP)
        for parent in parents:
            letter = await parent.sees_button("Open")
            await parent.taps("Open", on=letter.id)
            intro = await parent.reads_until("We want lunch to be better")
            await parent.taps("Yes, start", on=intro.id)
            await parent.sees("Is lunch easy or hard?")
        await bot.kill()
        await bot.start()
        await asyncio.gather(*(finishes(p) for p in parents))
        assert await bot.stop() == 0
        await run(yousaid, "close", "lunch-check")
        assert "finished: 10" in await run(yousaid, "survey", "show", "lunch-check")
        await run(yousaid, "export", "lunch-check", "--out", "out")
        states = {c["check"]: c["state"] for c in json.loads(await run(yousaid, "doctor", "--json"))["checks"]}
        assert (states["database"], states["server"], states["writing"]) == ("ok", "ok", "ok")
        server.assert_nothing_refused()
    assert list(tmp_path.rglob("*.csv"))


async def finishes(parent: Person) -> None:
    await parent.taps("Easy")
    await parent.sees_button("Send my answers")
    await parent.taps("Send my answers")
    await parent.sees("We have your answers")


def test_before_setup_every_command_names_it(yousaid: CommandLine) -> None:
    yousaid.key_file.parent.mkdir()
    yousaid.key_file.write_text(new_master_key())
    yousaid.key_file.chmod(0o600)
    for words in ("run", "invite --role parent", "survey list"):
        assert "Run `yousaid setup` first" in yousaid.process(*words.split()).refused()


def test_setup_that_fails_leaves_neither_key_nor_tables(
    yousaid: CommandLine, postgres: Server, place: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise SettingsProblem("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr("bot.setup._fill", fails)
        yousaid("setup", "--from", yousaid.write("school.yaml", SCHOOL)).refused()
    assert not yousaid.key_file.exists()
    assert postgres.does("SELECT relname FROM pg_class WHERE relname = 'people'", place) == []
    assert "is set up" in yousaid.set_up().out


def test_setup_leaves_a_school_with_another_key_alone(yousaid: CommandLine, place: PostgresServer) -> None:
    yousaid.set_up()
    yousaid.key_file.unlink()
    assert "no key" in yousaid("setup", "--from", yousaid.write("school.yaml", SCHOOL)).refused()
    yousaid.key_file.write_text(new_master_key())
    yousaid.key_file.chmod(0o600)
    assert "another key" in yousaid("setup", "--from", yousaid.write("school.yaml", SCHOOL)).refused()


# --- moving -------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_file(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A school in a SQLite file, in the middle of an ANON survey."""
    monkeypatch.delenv("YOUSAID_DATABASE")
    yousaid.set_up()
    yousaid.done("form", "add", yousaid.write("lunch.yaml", LUNCH))
    yousaid.join(12)
    yousaid.done("send", "lunch-check", "--group", GROUP)
    yousaid.answer("lunch-check-1", 6)
    return yousaid


def test_a_school_moves_to_a_server_and_goes_on(
    on_file: CommandLine, place: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = on_file.done("move", "--to", place.url)
    assert "read again and compared" in ran.out
    assert not on_file.database.exists()
    kept = on_file.database.with_name("yousaid.db.moved")
    assert f"kept as {kept.relative_to(on_file.folder)}" in ran.out
    assert "no database" in on_file.process("run").refused()  # nobody goes on with the old one by mistake
    monkeypatch.setenv("YOUSAID_DATABASE", place.url)
    on_file.answer("lunch-check-1", 12)
    on_file.done("close", "lunch-check")
    assert "finished: 12" in on_file.done("survey", "show", "lunch-check").out
    assert on_file.done("audit", "verify")
    assert "moved" not in on_file.done("doctor").out
    on_file.done("move", "--to", "back.db")
    monkeypatch.setenv("YOUSAID_DATABASE", "back.db")
    assert "finished: 12" in on_file.done("survey", "show", "lunch-check").out


def test_moving_refuses_what_is_in_use(on_file: CommandLine, postgres: Server, place: PostgresServer) -> None:
    bot = FileLock(on_file.database)
    assert asyncio.run(bot.acquire())
    assert "Stop it first" in on_file("move", "--to", place.url).refused()
    asyncio.run(bot.release())
    assert "already" in on_file("move", "--to", str(on_file.database.relative_to(on_file.folder))).refused()
    assert "--to must name the database" in on_file("move", "--to", "postgresql://canary@h").refused()
    other = postgres.new()
    assert "another key" in on_file("move", "--to", other.url).refused()
    postgres.drop(other)
    before = on_file.database.read_bytes()
    on_file.done("move", "--to", place.url)
    on_file.database.write_bytes(before)
    assert "holds a school already" in on_file("move", "--to", place.url).refused()
    assert on_file.database.exists()


def test_a_move_that_fails_leaves_both_as_they_were(
    on_file: CommandLine, postgres: Server, place: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise CopyProblem("the line broke")

    with monkeypatch.context() as patch:
        patch.setattr("data.copying._set_sequences", fails)
        assert "the line broke" in on_file("move", "--to", place.url).refused()
    assert postgres.does("SELECT relname FROM pg_class WHERE relname = 'people'", place) == []
    assert on_file.database.exists()
    on_file.done("move", "--to", place.url)


# --- doctor -------------------------------------------------------------------------------------------------------


def checks(yousaid: CommandLine) -> dict[str, tuple[str, str]]:
    return {c["check"]: (c["state"], c["says"]) for c in json.loads(yousaid("doctor", "--json").out)["checks"]}


def test_doctor_says_what_the_server_keeps_and_who_reads(
    yousaid: CommandLine, postgres: Server, place: PostgresServer
) -> None:
    assert checks(yousaid)["key"][0] == "broken"
    yousaid.set_up()
    found = checks(yousaid)
    assert found["server"] == ("ok", f"PostgreSQL 18.{found['server'][1].split('.')[1]}")
    assert found["server's log"][0] == "ok"
    assert found["readers"][0] == "look"  # the tests' own user is the server's owner
    for setting in ("log_statement = 'all'", "log_min_duration_statement = 0"):
        postgres.does(f"ALTER DATABASE {place.database} SET {setting}")
    found = checks(yousaid)
    assert found["server's log"][0] == "look"
    assert "log_min_duration_statement=0, log_statement=all" in found["server's log"][1]
    postgres.does(f"ALTER DATABASE {place.database} SET default_transaction_read_only = on")
    assert checks(yousaid)["writing"][0] == "broken"


def test_doctor_of_a_user_of_its_own(yousaid: CommandLine, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("elmfield", "nosy"):
        postgres.does(f"CREATE ROLE {name} LOGIN")
    postgres.does("CREATE DATABASE theirs OWNER elmfield")
    place = PostgresServer(postgres.place("theirs").url.replace("postgres@", "elmfield@"))
    monkeypatch.setenv("YOUSAID_DATABASE", place.url)
    yousaid.set_up()
    assert checks(yousaid)["readers"][0] == "ok"
    postgres.does("GRANT SELECT ON people TO nosy", place)
    assert checks(yousaid)["readers"] == ("look", "these can read the tables too: nosy")
    postgres.drop(place)
    for name in ("elmfield", "nosy"):
        postgres.does(f"DROP ROLE {name}")
