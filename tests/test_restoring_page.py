"""docs/restoring.md is enough for a stranger: its commands, on an empty folder, with sheet and file only (E10)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.recovery_sheet import groups_of
from data.key_ring import read_ring
from tests.command_line import GROUP, LUNCH, command_line_in

PAGE = (Path(__file__).parent.parent / "docs" / "restoring.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    \.venv/bin/yousaid (.+)$", PAGE, re.MULTILINE)
FILE = re.search(r"/media/usb/(\S+)", PAGE)


def test_the_page_has_the_commands_that_the_test_plays() -> None:
    assert [c.split()[0] for c in COMMANDS] == ["key", "restore", "doctor", "run"]


def test_a_stranger_restores_with_this_page_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: object
) -> None:
    """E10: under 10 minutes; what the commands take of that is measured here."""
    school, disk, empty = tmp_path / "school", tmp_path / "usb", tmp_path / "empty"
    for folder in (school, disk, empty):
        folder.mkdir()
    yousaid = command_line_in(school, monkeypatch)
    yousaid.set_up()
    yousaid.done("form", "add", yousaid.write("lunch.yaml", LUNCH))
    yousaid.join(12)
    yousaid.done("send", "lunch-check", "--group", GROUP)
    yousaid.answer("lunch-check-1", 7)
    yousaid.done("close", "lunch-check")
    yousaid.done("backup", "--to", str(disk))
    sheet = " ".join(groups_of(read_ring(yousaid.key_file.read_text())[0]))
    (file,) = disk.iterdir()
    shutil.rmtree(school)

    stranger, begun = command_line_in(empty, monkeypatch), time.monotonic()
    key, restore, doctor, run = (c.replace(FILE[0] if FILE else "", str(file)).split() for c in COMMANDS)
    assert "The key is in" in stranger.process(*key, typed=sheet + "\n").out
    told = stranger.process(*restore)
    assert (told.code, told.err) == (0, "")
    assert "Nothing is known of the time since" in told.out
    assert "broken" not in re.sub(r"0 broken", "", stranger.process(*doctor).out)
    starts(run, empty)
    seconds = time.monotonic() - begun

    assert stranger.done("survey", "list").lines == ["lunch-check-1  closed  12  7  7"]
    assert seconds < 60
    record_property("figure", f"a school is back in {seconds:.0f} s after its sheet is typed")  # type: ignore[operator]


def starts(run: list[str], folder: Path) -> None:
    """It comes up, says whose it is, and ends in good order."""
    command = [sys.executable, "-m", "bot", *run]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as bot:
        assert bot.stdout
        line = bot.stdout.readline()
        backups = folder / "var" / "backups"
        while not list(backups.glob("yousaid-*.backup")) and bot.poll() is None:
            time.sleep(0.05)  # a machine that has never made one catches up at once
        bot.terminate()
        assert bot.wait(20) == 0
    assert line.startswith("Elmfield Primary: ")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
