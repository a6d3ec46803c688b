"""What a school's technician runs into: odd folders, other people's editors, a clock that is wrong, two machines."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.recovery_sheet import groups_of
from bot.settings import SettingsProblem, read_settings
from data.key_ring import read_ring
from tests.command_line import CommandLine, command_line_in


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    folder = tmp_path / "school"
    folder.mkdir()
    return command_line_in(folder, monkeypatch)


@pytest.mark.parametrize("name", ["Büro der Schule", "R&D #2", "100%41", "what? @home:80", "a;b=c"])
def test_folders_may_be_called_anything(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In SQLite's addresses a # ends the path, a ? begins options and %41 is a letter."""
    home = yousaid.folder / name
    monkeypatch.setenv("YOUSAID_DATABASE", str(home / "data #1 %41?" / "you said.db"))
    monkeypatch.setenv("YOUSAID_KEY_FILE", str(home / "keys" / "key"))
    yousaid.set_up()
    assert "0 broken" in yousaid.done("doctor").out
    backup = home / "of today.backup"
    yousaid.done("backup", str(backup))
    yousaid.done("rollback", "--yes")
    yousaid.done("restore", str(backup), "--yes")
    yousaid.done("key", "rotate", "--yes")
    assert "0 broken" in yousaid.done("doctor").out
    assert {path.name for path in yousaid.folder.iterdir()} == {name, "school.yaml"}


# --- other people's editors, and lost keys --------------------------------------------------------------------------


def remedy(yousaid: CommandLine, check: str) -> tuple[str, str, str]:
    """What doctor finds, and what it tells to do."""
    checks = json.loads(yousaid("doctor", "--json").out)["checks"]
    return next((c["state"], c["says"], c["remedy"]) for c in checks if c["check"] == check)


def groups(key_file: Path) -> str:
    return " ".join(groups_of(read_ring(key_file.read_text())[0]))


@pytest.mark.parametrize("text", ["{}\r\n", "\ufeff{}\r\n", "  {}  \n\n"])
def test_a_key_that_went_through_an_editor_is_still_the_key(yousaid: CommandLine, text: str) -> None:
    yousaid.set_up()
    yousaid.key_file.write_text(text.format(yousaid.key_file.read_text().strip()), encoding="utf-8")
    assert "0 broken" in yousaid.done("doctor").out


@pytest.mark.parametrize("left", ["", "hello", "é" * 44, None])
def test_what_doctor_says_of_a_lost_key_brings_it_back(yousaid: CommandLine, left: str | None) -> None:
    """It told to set up a new school, and `key restore` told to run `key restore`."""
    yousaid.set_up()
    sheet = groups(yousaid.key_file)
    if left is None:
        yousaid.key_file.unlink()
    else:
        yousaid.key_file.write_text(left, encoding="utf-8")
    state, _, command = remedy(yousaid, "key")
    assert (state, command) == ("broken", "yousaid key restore")
    yousaid.done("key", "restore", typed=sheet + "\n")
    assert "0 broken" in yousaid.done("doctor").out


def test_a_key_with_wrong_rights_is_not_replaced(yousaid: CommandLine) -> None:
    yousaid.set_up()
    yousaid.key_file.chmod(0o640)
    state, _, command = remedy(yousaid, "key")
    assert (state, command.startswith("chmod 600")) == ("broken", True)


def test_a_database_that_is_gone_is_not_taken_for_a_new_school(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the wrong folder, or after a disk has died, `setup` would make a second school."""
    assert remedy(yousaid, "key")[2].startswith("yousaid setup")
    yousaid.set_up()
    (yousaid.folder / "var/backups").mkdir()
    yousaid.done("backup", "--to", "var/backups")
    yousaid.database.unlink()
    state, _, command = remedy(yousaid, "database")
    assert (state, "setup" in command) == ("broken", False)
    yousaid.done("restore", command.rpartition("restore ")[2], "--yes")
    assert "0 broken" in yousaid.done("doctor").out


def test_settings_from_another_editor_are_read_or_refused(yousaid: CommandLine) -> None:
    """A mark before the first name made it another name, so that this setting was passed over without a word."""
    yousaid.set_up()
    yousaid.write(".env", "\ufeffYOUSAID_DATABASE='elsewhere.db'\r\nYOUSAID_LOG=\"debug\"\r\n")
    assert "elsewhere.db" in yousaid("survey", "list").refused()
    (yousaid.folder / ".env").write_text("YOUSAID_LOG=debug\n", encoding="utf-16")
    state, says, _ = remedy(yousaid, "settings")
    assert (state, "UTF-8" in says) == ("broken", True)


def test_settings_that_may_not_be_read_do_not_end_the_bot(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever saves .env as another user, while changing a stolen token: the bot reads it again and must live on."""
    yousaid.set_up()
    yousaid.write(".env", "YOUSAID_LOG=debug\n")

    def refused(*_a: object, **_k: object) -> None:
        raise PermissionError(13, "Permission denied", ".env")

    monkeypatch.setattr("bot.settings.dotenv_values", refused)
    with pytest.raises(SettingsProblem, match="chown"):
        read_settings()
    assert remedy(yousaid, "settings")[0] == "broken"


def test_a_folder_of_keys_that_cannot_be_written_is_broken(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No box could be opened there, and doctor said nothing. Rights do not bind the owner of a container."""
    yousaid.set_up()
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != yousaid.key_file.parent and real(path, mode))
    state, _, command = remedy(yousaid, "key folder")
    assert (state, "chmod 700" in command) == ("broken", True)
