"""`yousaid setup`: key, database, school, recovery sheet and first codes; and what it refuses to touch."""

import os
import re
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.command_line import SCHOOL, CommandLine, command_line_in
from tests.telegram_server import TelegramServer, TelegramServerInThread

CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}")


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line_in(tmp_path, monkeypatch)


def test_setup_prints_a_code_each_and_the_admins_alone_at_the_end(yousaid: CommandLine) -> None:
    ran = yousaid.set_up()

    codes = CODE.findall(ran.out)
    assert CODE.fullmatch(ran.lines[-1])
    assert len(set(codes)) == 3
    assert f"http://127.0.0.1:0/join/{ran.lines[-1]}" in ran.out
    assert "sign `yousaid documents" in ran.out
    assert "opens" not in ran.lines[0]
    assert "open only on the school's machine" in ran.out


def test_key_and_database_are_readable_by_their_owner_only(yousaid: CommandLine) -> None:
    yousaid.set_up()

    modes = [stat.S_IMODE(os.stat(p).st_mode) for p in (yousaid.key_file.parent, yousaid.key_file, yousaid.database)]
    assert modes == [0o700, 0o600, 0o600]


def test_setup_again_updates_the_school_and_gives_fresh_codes(yousaid: CommandLine) -> None:
    first, key = yousaid.set_up(), yousaid.key_file.read_bytes()
    changed = SCHOOL.replace("Elmfield Primary", "Oakfield Primary").replace("SEND parents]", "SEND parents, Nursery]")

    again = yousaid.done("setup", "--from", yousaid.write("school.yaml", changed))

    assert "Oakfield Primary is up to date" in again.out
    assert not set(CODE.findall(first.out)) & set(CODE.findall(again.out))
    assert yousaid.key_file.read_bytes() == key
    yousaid.done("invite", "--role", "parent", "--group", "nursery")


def test_unknown_and_missing_keys_are_named_all_at_once(yousaid: CommandLine) -> None:
    wrong = SCHOOL.replace("phone: 0161 496 0000\n", "fone: 1\n").replace("chair: Mr Jones", "cheir: Mr Jones")

    said = yousaid("setup", "--from", yousaid.write("school.yaml", wrong)).refused()

    assert all(name in said for name in ("missing: phone", "people.chair", "unknown", "fone", "people.cheir"))
    assert not yousaid.key_file.exists()
    assert not yousaid.database.exists()


def test_missing_school_file_is_one_line(yousaid: CommandLine) -> None:
    assert "nowhere.yaml" in yousaid("setup", "--from", "nowhere.yaml").refused()


def test_database_without_its_key_is_left_alone(yousaid: CommandLine) -> None:
    yousaid.set_up()
    before = yousaid.database.read_bytes()
    yousaid.key_file.unlink()

    said = yousaid("setup", "--from", "school.yaml").refused()

    assert "no key" in said
    assert not yousaid.key_file.exists()
    assert yousaid.database.read_bytes() == before


def test_file_that_is_no_database_is_left_alone(yousaid: CommandLine) -> None:
    yousaid.database.parent.mkdir()
    yousaid.database.write_bytes(b"minutes of the last meeting " * 100)

    said = yousaid("setup", "--from", yousaid.write("school.yaml", SCHOOL)).refused()

    assert "not a database" in said
    assert yousaid.database.read_bytes().startswith(b"minutes")
    assert not yousaid.key_file.exists()


def test_somebody_elses_database_is_left_alone(yousaid: CommandLine) -> None:
    yousaid.database.parent.mkdir()
    other = sqlite3.connect(yousaid.database)
    other.execute("CREATE TABLE invoices (id)")
    other.close()

    assert "not a YouSaid database" in yousaid("setup", "--from", yousaid.write("school.yaml", SCHOOL)).refused()
    assert not yousaid.key_file.exists()


def test_folder_in_place_of_the_database_is_one_line_and_makes_no_key(yousaid: CommandLine) -> None:
    yousaid.database.mkdir(parents=True)

    assert "folder" in yousaid("setup", "--from", yousaid.write("school.yaml", SCHOOL)).refused()
    assert not yousaid.key_file.exists()


def test_file_in_place_of_the_databases_folder_is_one_line_and_leaves_no_key(yousaid: CommandLine) -> None:
    yousaid.write("var", "a file")

    assert "var" in yousaid("setup", "--from", yousaid.write("school.yaml", SCHOOL)).refused()
    assert not yousaid.key_file.exists()


def test_key_from_a_secret_store_makes_no_file_and_no_sheet(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOUSAID_KEY", "bm90IGEgc2VjcmV0IGJ1dCAzMiBieXRlcyBsb25nISE=")

    ran = yousaid.set_up()

    assert "RECOVERY SHEET" not in ran.out
    assert not yousaid.key_file.exists()


def test_key_beside_the_database_is_warned_about(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_KEY_FILE", str(yousaid.folder / "var/key"))

    assert "share the folder" in yousaid.set_up().out


def test_links_name_the_bot_when_telegram_answers(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    with TelegramServerInThread(TelegramServer()) as running:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", running.server.token)
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", running.url)
        ran = yousaid.set_up()

    assert f"https://t.me/yousaid_test_bot?start={ran.lines[-1]}" in ran.out
    assert "https://t.me/yousaid_test_bot?start=" in yousaid.done("invite", "--role", "staff").out


def test_silent_telegram_stops_nothing(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", "123456:TEST-canary-token")
    monkeypatch.setenv("YOUSAID_TELEGRAM_API", "http://127.0.0.1:9")

    ran = yousaid.set_up()

    assert "could not be reached" in ran.out
    assert "canary" not in ran.out


def test_token_telegram_does_not_know_is_said_without_the_token(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TelegramServerInThread(TelegramServer()) as running:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", "999999:WRONG-canary-token")
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", running.url)
        ran = yousaid.set_up()

    assert "does not know this token" in ran.out
    assert "canary" not in ran.out


ANSWERS = """\
Elmfield Primary

0161 496 0000
whenever
Mon-Fri 08:30-16:00

Ms Patel
Mr Okafor
Mrs Lee
Mrs Ahmed
Mr Jones
0161 496 0001
0161 496 0002

Year 3 parents, SEND parents"""


def test_without_a_file_each_field_is_asked_and_shown_before_writing(yousaid: CommandLine) -> None:
    ran = yousaid.done("setup", typed=f"{ANSWERS}\n\ny\n")

    assert "must look like: Mon-Fri 08:30-16:00" in ran.out
    assert "Groups: Year 3 parents, SEND parents" in ran.out
    assert "Alerts outside office hours: dsl" in ran.out
    assert CODE.fullmatch(ran.lines[-1])
    yousaid.done("invite", "--role", "parent", "--group", "SEND parents")


def test_no_to_the_summary_writes_nothing(yousaid: CommandLine) -> None:
    ran = yousaid("setup", typed=f"{ANSWERS}\n\nn\n")

    assert (ran.code, ran.err) == (1, "Stopped. Nothing more was done.\n")
    assert not yousaid.key_file.exists()


def test_end_of_input_while_asking_is_one_line(yousaid: CommandLine) -> None:
    assert yousaid.process("setup", typed="Elmfield Primary\n").refused().startswith("Stopped")
