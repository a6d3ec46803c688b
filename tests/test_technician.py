"""What a school's technician runs into: odd folders, other people's editors, a clock that is wrong, two machines."""

from __future__ import annotations

from pathlib import Path

import pytest

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
