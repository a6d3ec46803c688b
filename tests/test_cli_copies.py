"""backup and restore: whole copies while the bot runs, and what cannot come back is said before."""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from data.lock import FileLock
from data.outbox import outbox_counts
from data.preparing import HEAD
from data.vault import new_master_key
from tests.command_line import GROUP, LUNCH, CommandLine, command_line_in


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """With an open box."""
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.set_up()
    yousaid.done("form", "add", yousaid.write("lunch.yaml", LUNCH))
    yousaid.join(12)
    yousaid.done("send", "lunch-check", "--group", GROUP)
    return yousaid


def test_backup_says_that_it_is_encrypted_and_which_boxes_are_open(yousaid: CommandLine) -> None:
    ran = yousaid.done("backup", "copy.backup")

    assert f"only the key in {yousaid.key_file} opens it" in ran.out
    assert "Open boxes: lunch-check-1." in ran.out
    assert yousaid.key_file.read_bytes().strip() not in Path("copy.backup").read_bytes()


def test_backup_never_overwrites(yousaid: CommandLine) -> None:
    yousaid.write("copy.db", "precious")

    assert "there already" in yousaid("backup", "copy.db").refused()
    assert Path("copy.db").read_text() == "precious"


def test_backup_into_no_folder_is_one_line(yousaid: CommandLine) -> None:
    assert "no folder" in yousaid("backup", "nowhere/copy.db").refused()


def test_restore_brings_everything_back_while_the_boxs_key_is_there(yousaid: CommandLine) -> None:
    yousaid.answer("lunch-check-1", 3)
    yousaid.done("backup", "copy.db")
    yousaid.answer("lunch-check-1", 8)

    ran = yousaid.done("restore", "copy.db")

    assert "is kept as" in ran.out
    assert yousaid.done("survey", "list").lines == ["lunch-check-1  open  12  3  3"]


def test_restore_after_closing_asks_first_names_the_survey_and_tells_people(yousaid: CommandLine) -> None:
    yousaid.answer("lunch-check-1", 6)
    yousaid.done("backup", "copy.db")
    yousaid.done("close", "lunch-check")

    no = yousaid("restore", "copy.db", typed="n\n")
    assert no.code == 1
    assert "lunch-check-1" in no.out
    assert yousaid.done("survey", "list").lines == ["lunch-check-1  closed  12  6  6"]

    yes = yousaid.done("restore", "copy.db", typed="y\n")
    assert "those asked will be told: lunch-check-1" in yes.out
    assert yousaid.done("survey", "list").lines == ["lunch-check-1  lost  12  0  0"]
    assert yousaid.change(outbox_counts) == {"dropped": 12, "waiting": 12}


def test_yes_does_not_ask(yousaid: CommandLine) -> None:
    yousaid.done("backup", "copy.db")
    (yousaid.key_file.parent / "box-lunch-check-1.key").unlink()

    assert "those asked will be told: lunch-check-1" in yousaid.done("restore", "copy.db", "--yes").out


def test_end_of_input_at_the_question_changes_nothing(yousaid: CommandLine) -> None:
    yousaid.done("backup", "copy.db")
    (yousaid.key_file.parent / "box-lunch-check-1.key").unlink()
    before = yousaid.database.read_bytes()

    assert yousaid.process("restore", "copy.db").code == 1
    assert yousaid.database.read_bytes() == before


def test_restore_refuses_while_a_bot_runs(yousaid: CommandLine) -> None:
    yousaid.done("backup", "copy.db")
    bot = FileLock(yousaid.database)
    assert asyncio.run(bot.acquire())

    assert "Stop it first" in yousaid("restore", "copy.db", "--yes").refused()
    asyncio.run(bot.release())


@pytest.mark.parametrize("content", [b"", b"minutes of a meeting" * 500])
def test_restore_of_something_else_changes_nothing(yousaid: CommandLine, content: bytes) -> None:
    Path("copy.db").write_bytes(content)
    before = yousaid.database.read_bytes()

    said = yousaid("restore", "copy.db", "--yes").refused()

    assert "copy.db" in said
    assert yousaid.database.read_bytes() == before


def test_restore_of_a_missing_file_is_one_line(yousaid: CommandLine) -> None:
    assert "no file" in yousaid("restore", "nowhere.db").refused()


def test_backup_of_another_school_is_refused_by_its_own_name(yousaid: CommandLine) -> None:
    yousaid.done("backup", "copy.db")
    shutil.rmtree("var")
    yousaid.key_file.write_text(new_master_key())

    said = yousaid("restore", "copy.db", "--yes").refused()

    assert "copy.db was made with another key" in said
    assert ".restoring" not in said
    assert not yousaid.database.exists()


def test_restore_onto_a_fresh_machine_needs_only_key_and_backup(yousaid: CommandLine) -> None:
    yousaid.done("backup", "copy.db")
    shutil.rmtree("var")

    yousaid.done("restore", "copy.db")

    assert yousaid.done("survey", "list").lines == ["lunch-check-1  open  12  0  0"]


def test_a_folder_gets_named_files_and_loses_old_ones(yousaid: CommandLine) -> None:
    disk = yousaid.folder / "usb"
    disk.mkdir()
    for name in ("yousaid-2026-01-05T0200-0002.backup", "before-0003-2026-01-05T0200.backup", "photos.zip"):
        (disk / name).write_text("x")

    first = yousaid.done("backup", "--to", str(disk), "--keep", "14d")
    yousaid.done("backup", "--to", str(disk))

    assert "Removed there, as they were older: before-0003-2026-01-05T0200.backup, yousaid-2026-01-05T0200" in first.out
    assert "is on the disk of this machine" in first.out
    ours = sorted(p.name for p in disk.iterdir())
    assert (len(ours), ours[0]) == (3, "photos.zip")
    assert all(re.fullmatch(rf"yousaid-\d{{4}}-\d\d-\d\dT\d{{4}}-{HEAD}(-2)?\.backup", name) for name in ours[1:])


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second disk")
def test_another_disk_counts_as_elsewhere(yousaid: CommandLine) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as disk:
        ran = yousaid.done("backup", "--to", disk)

    assert "take the disk out" in ran.out
    assert "ok      backup elsewhere" in yousaid("doctor").out


@pytest.mark.parametrize("keep", ["31d", "0d", "-1", "ever", "2w"])
def test_backups_are_never_kept_over_thirty_days(yousaid: CommandLine, keep: str) -> None:
    """Trust A4.3: what is deleted is gone from backups by then."""
    assert "30d" in yousaid("backup", "--to", str(yousaid.folder), "--keep", keep).refused()


def test_a_disk_that_is_not_in_is_asked_for(yousaid: CommandLine) -> None:
    assert "Is the disk in" in yousaid("backup", "--to", "/media/nowhere").refused()
    assert "Name a file, or a folder" in yousaid("backup").refused()
    assert "Name a file, or a folder" in yousaid("backup", "x", "--to", str(yousaid.folder)).refused()


def test_a_wrong_restore_is_taken_back_with_what_was_kept(yousaid: CommandLine) -> None:
    yousaid.done("backup", "copy.backup")
    yousaid.answer("lunch-check-1", 6)
    yousaid.done("restore", "copy.backup")
    assert yousaid.done("survey", "list").lines == ["lunch-check-1  open  12  0  0"]

    ran = yousaid.done("restore", "var/yousaid.db.before-restore")

    assert "not encrypted" in ran.out
    assert yousaid.done("survey", "list").lines == ["lunch-check-1  open  12  6  6"]


def test_restores_and_backups_stand_in_the_log(yousaid: CommandLine) -> None:
    """AUDIT: whoever takes a copy, or puts an older day back, leaves a row."""
    yousaid.done("backup", "copy.backup")
    yousaid.done("restore", "copy.backup")
    yousaid.done("backup", "again.backup")

    shown = yousaid.done("audit", "show").out
    assert shown.index("restored") < shown.index("backup  database")
    assert yousaid.done("audit", "verify").code == 0
