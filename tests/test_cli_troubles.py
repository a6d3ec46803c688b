"""What can be wrong with settings, key and database: one line each, and nothing overwritten. Some as real processes."""

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from data.lock import FileLock
from data.vault import new_master_key
from tests.command_line import CommandLine, command_line_in

COMMANDS = [
    ["run"],
    ["survey", "list"],
    ["invite", "--role", "staff"],
    ["send", "drop-in-feedback", "--group", "SEND parents"],
    ["close", "drop-in-feedback"],
    ["backup", "copy.db"],
    ["form", "list"],
]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line_in(tmp_path, monkeypatch)


@pytest.fixture
def yousaid(empty: CommandLine) -> CommandLine:
    empty.set_up()
    return empty


@contextmanager
def held(database: Path) -> Iterator[None]:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_before_setup_every_command_says_so(empty: CommandLine, command: list[str]) -> None:
    assert "yousaid setup" in empty(*command).refused()
    assert not empty.database.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_wrong_key_is_said_and_nothing_is_changed(yousaid: CommandLine, command: list[str]) -> None:
    yousaid.key_file.write_text(new_master_key())
    before = yousaid.database.read_bytes()

    assert "another key" in yousaid(*command).refused()
    assert yousaid.database.read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_damaged_file_is_said_and_left_as_it_is(yousaid: CommandLine, command: list[str]) -> None:
    yousaid.database.write_bytes(b"\0not a database" * 1000)
    before = yousaid.database.read_bytes()

    assert "damaged" in yousaid(*command).refused()
    assert yousaid.database.read_bytes() == before


def test_database_held_by_another_program_is_said(yousaid: CommandLine) -> None:
    with held(yousaid.database):
        assert "held by another program" in yousaid("invite", "--role", "staff").refused()


def test_reading_and_backing_up_go_on_while_another_writes(yousaid: CommandLine) -> None:
    with held(yousaid.database):
        yousaid("survey", "list")
        assert "Backup: copy.db" in yousaid("backup", "copy.db").out


def test_folder_in_place_of_the_database_is_said(yousaid: CommandLine) -> None:
    os.rename(yousaid.database, yousaid.folder / "away.db")
    yousaid.database.mkdir()

    assert "var/yousaid.db" in yousaid("survey", "list").refused()


def test_database_that_may_not_be_written_is_said(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    # Rights do not bind the owner of a container; a file system that refuses does.
    monkeypatch.setenv("YOUSAID_DATABASE", "/proc/version")

    assert "/proc/version" in yousaid("survey", "list").refused()


@pytest.mark.parametrize("key", ["", "too short", "é" * 44])
def test_damaged_key_is_said(yousaid: CommandLine, key: str) -> None:
    yousaid.key_file.write_text(key, encoding="utf-8")

    assert "key" in yousaid("survey", "list").refused()


def test_key_others_can_read_is_refused(yousaid: CommandLine) -> None:
    yousaid.key_file.chmod(0o644)

    assert "chmod 600" in yousaid("survey", "list").refused()


def test_unknown_setting_names_the_nearest(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_TELEGRAM_TOKE", "123456:canary")

    said = yousaid("survey", "list").refused()

    assert "YOUSAID_TELEGRAM_TOKE is not a setting. Did you mean YOUSAID_TELEGRAM_TOKEN?" in said
    assert "canary" not in said


def test_wrong_value_names_the_setting_and_not_the_value(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_LISTEN", "canary")

    said = yousaid("run").refused()

    assert "YOUSAID_LISTEN must look like 127.0.0.1:8080." in said
    assert "canary" not in said


def test_processes_end_with_one_line_too(yousaid: CommandLine) -> None:
    yousaid.key_file.unlink()

    assert "There is no key" in yousaid.process("run").refused()
    assert "There is no key" in yousaid.process("survey", "list").refused()


EVERY = [
    *("demo", "setup", "run", "doctor", "invite", "send", "close", "export", "backup", "restore", "try", "form"),
    *("form list", "form check", "form add", "form show", "survey", "survey list", "survey show"),
    *("calendar", "calendar load", "calendar check", "calendar show"),
]


def test_taken_address_ends_the_start_in_one_line(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("YOUSAID_LISTEN", f"127.0.0.1:{other.getsockname()[1]}")
        assert "is in use" in yousaid.process("run").refused()


def test_second_bot_is_told_that_one_runs(yousaid: CommandLine) -> None:
    bot = FileLock(yousaid.database)
    assert asyncio.run(bot.acquire())

    assert "already" in yousaid.process("run").refused()
    asyncio.run(bot.release())


@pytest.mark.parametrize("command", EVERY)
def test_every_command_has_help(empty: CommandLine, command: str) -> None:
    assert f"Usage: yousaid {command}" in empty.done(*command.split(), "--help").out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("bogus", "No such command 'bogus'"),
        ("survei", "Did you mean 'survey'?"),
        ("form", "Missing command"),
        ("send lunch", "--group"),
        ("doctor --jsno", "--jsno"),
    ],
)
def test_mistyped_commands_are_one_line(empty: CommandLine, command: str, says: str) -> None:
    ran = empty(*command.split())

    assert ran.code == 2
    assert says in ran.refused()


def test_help_and_start_load_nothing_heavy(empty: CommandLine) -> None:
    heavy = "{'alembic', 'sqlalchemy', 'telegram', 'aiohttp', 'apscheduler', 'bot.charts', 'cryptography', 'babel'}"
    code = f"import sys, bot.__main__; print({heavy} & set(sys.modules))"
    here = Path(__file__).parent.parent
    ran = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True)

    assert ran.stdout == "set()\n"


def test_bug_is_one_line_without_its_values_and_debug_shows_only_the_place(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("canary")

    monkeypatch.setattr("bot.cli.survey._all", broken)

    said = yousaid("survey", "list").refused()
    shown = yousaid("--debug", "survey", "list").err

    assert "ZeroDivisionError" in said
    assert "bot/cli/survey.py" in shown
    assert "canary" not in said + shown
