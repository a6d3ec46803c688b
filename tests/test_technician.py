"""What a school's technician runs into: odd folders, other people's editors, a clock that is wrong, two machines."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import ANY

import pytest
from sqlalchemy import func, select

from bot.keeping_health import look_at_keeping
from bot.letters import Letters
from bot.recovery_sheet import groups_of
from bot.settings import SettingsProblem, read_settings
from data.backup import plain_trouble
from data.backup_file import BackupProblem
from data.delivery import look_again
from data.events import find_occasion
from data.keeping import note_kept
from data.key_ring import read_ring
from data.outbox import new_owner, post
from data.people import find_group
from data.problems import DatabaseProblem
from data.tables import metadata, outbox
from data.updates import last_reading
from scheduler.clock import make_clock
from scheduler.keeping import forget_now, keep_due, last_kept
from scheduler.leaps import leap
from scheduler.plan import last_reading_time
from scheduler.sending import Sender
from tests.command_line import CommandLine, command_line_in
from tests.event_days import add_dropin
from tests.school import School, opened
from tests.test_dialogue import answer, send


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


def test_a_database_that_was_moved_is_looked_for_where_it_went(yousaid: CommandLine) -> None:
    """With the setting forgotten, doctor told to set up a second school."""
    yousaid.set_up()
    yousaid.done("move", "--to", "elsewhere.db")
    left = sorted(path.name for path in (yousaid.folder / "var").iterdir() if path.suffix != ".lock")
    assert left == ["yousaid.db.moved"], "one whole file, also after a kill between two names"
    state, _, command = remedy(yousaid, "database")
    assert (state, "YOUSAID_DATABASE" in command, "setup" in command) == ("broken", True, False)


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


# --- a clock that is wrong ------------------------------------------------------------------------------------------


async def ticks(school: School, backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job of the real clock has one turn, at the time of the school's clock."""
    monkeypatch.setattr("scheduler.clock.now_utc", school.clock)
    sender = Sender(school.db, school.house.school, Letters(school.db, school.house).compose, {}, new_owner())
    for job in make_clock(school.db, school.house.school, sender, backups=backups).get_jobs():
        await job.func()


async def test_a_date_years_ahead_closes_and_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAIL: a board whose battery died, or a slip with `date`, took answers, keys and all backups at once."""
    async with opened(tmp_path) as school:
        await school.readers()
        people = await school.people(12)
        await send(school)
        for person in people[:4]:
            await answer(school, person)
        backups = tmp_path / "backups"
        await ticks(school, backups, monkeypatch)
        before, there = await rows(school), set(backups.iterdir())
        right = school.clock.now
        school.clock.set(datetime(2036, 5, 5, 3, 30, tzinfo=UTC))
        await ticks(school, backups, monkeypatch)
        assert (await rows(school), set(backups.iterdir())) == (before, there)
        found = {f.check: f for f in await look_at_keeping(school.db, school.house.school, school.clock.now)}
        assert (found["date"].state, "timedatectl" in found["date"].remedy) == ("broken", True)
        school.clock.set(right + timedelta(days=1))
        await ticks(school, backups, monkeypatch)
        found = {f.check: f for f in await look_at_keeping(school.db, school.house.school, school.clock.now)}
        assert found["deletion"].state == "ok"


@pytest.mark.parametrize("wrong", [datetime(2036, 5, 5, 3, 30, tzinfo=UTC), datetime(2036, 5, 6, 11, 0, tzinfo=UTC)])
async def test_what_is_due_on_right_dates_is_not_lost_to_a_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: datetime
) -> None:
    """Reminders, letters, reading times and "how was it" wait for the right date, and none waits for 2036."""
    async with opened(tmp_path, send_window="08:00-18:00 school days") as school:
        backups = tmp_path / "backups"
        parent = await school.person("parent")
        await ticks(school, backups, monkeypatch)
        tomorrow = school.clock.now + timedelta(days=1)
        async with school.db.transaction() as tx:
            group = await find_group(tx, "SEND parents") or ""
            occasion = await add_dropin(tx, group, tomorrow, "Room 4", tomorrow - timedelta(hours=18))
            await post(tx, "role", "parent", [parent], school.clock.now)
        school.clock.set(wrong)
        await ticks(school, backups, monkeypatch)
        school.clock.set(tomorrow - timedelta(hours=17))
        async with school.db.transaction() as tx:  # the bot starts again, as it is told to
            await look_again(tx, school.clock.now)
        await ticks(school, backups, monkeypatch)
        async with school.db.reading() as tx:
            now = await find_occasion(tx, occasion.id)
            assert now
            assert (now.first_done, now.followed_up) == (True, False)
            assert await last_reading(tx) == last_reading_time(school.clock.now, school.house.school.zone)
            assert {r.state for r in await tx.all(select(outbox).where(outbox.c.kind == "reminder"))} == {"page"}
            assert await tx.all(select(outbox).where(outbox.c.due_at > "2036")) == []
            assert {r.state for r in await tx.all(select(outbox).where(outbox.c.person == parent))} == {"page"}


async def test_after_a_long_absence_a_person_says_that_the_date_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The periods of 6.8 hold again after `yousaid forget`, and after summer holidays without it."""
    async with opened(tmp_path) as school:
        backups = tmp_path / "backups"
        await ticks(school, backups, monkeypatch)
        school.clock.move(days=70)
        await ticks(school, backups, monkeypatch)
        assert len(list(backups.iterdir())) == 1, "the old one went, a new one is there"
        school.clock.move(days=300)
        await ticks(school, backups, monkeypatch)
        assert await leap(school.db, school.clock.now)
        await forget_now(school.db, school.house.school, school.clock.now)
        await ticks(school, backups, monkeypatch)
        newest = max(path.name for path in backups.glob("*.backup"))
        assert f"{school.clock.now:%Y-%m-%d}" in newest


async def test_a_night_noted_in_the_future_does_not_keep_everything_for_years(tmp_path: Path) -> None:
    """The first start was with a wrong date: deletions would have waited for it, and doctor called that fine."""
    async with opened(tmp_path) as school:
        async with school.db.transaction() as tx:
            await note_kept(tx, datetime(2036, 5, 5, tzinfo=UTC))
        found = {f.check: f.state for f in await look_at_keeping(school.db, school.house.school, school.clock.now)}
        assert found["deletion"] == "look"
        assert await keep_due(school.db, school.clock.now)
        async with school.db.reading() as tx:
            assert await last_kept(tx) == school.clock.now


async def rows(school: School) -> dict[str, int]:
    """How many rows each table has; the outbox aside, where messages may go on."""
    async with school.db.reading() as tx:
        tables = [t for t in metadata.sorted_tables if t.name not in ("outbox", "facts")]
        return {t.name: int(await tx.value(select(func.count()).select_from(t))) for t in tables}


# --- rights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["var", "var/yousaid.db"])
def test_rights_that_are_missing_are_not_called_damage(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """Doctor told to restore a backup over a sound database, or that all was well. (Root is bound by no rights.)"""
    yousaid.set_up()
    real, shut = os.access, (yousaid.folder / closed).resolve()
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).resolve() != shut and real(path, mode))
    state, _, command = remedy(yousaid, "database")
    assert (state, "chown" in command, "restore" in command) == ("broken", True, False)


def test_a_database_that_others_can_read_is_noticed(yousaid: CommandLine) -> None:
    yousaid.set_up()
    yousaid.database.chmod(0o644)
    assert remedy(yousaid, "writing") == ("look", f"others on this machine can read {Path('var/yousaid.db')}", ANY)


def test_the_folder_that_cannot_be_written_is_the_one_named(tmp_path: Path) -> None:
    """`yousaid backup FILE` blamed the file's folder where the one of the nightly backups was closed."""
    with pytest.raises(BackupProblem, match="var/backups cannot be written"), plain_trouble(tmp_path / "x.backup"):
        raise PermissionError(13, "Permission denied", "var/backups/.yousaid-copying-1")


async def test_a_server_that_is_away_for_long_fills_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each job said so at each tick: three lines a second, all weekend."""
    async with opened(tmp_path) as school:

        async def away(*_: object) -> bool:
            raise DatabaseProblem("The server cannot be reached.")

        monkeypatch.setattr("scheduler.clock.tidy_due", away)
        sender = Sender(school.db, school.house.school, Letters(school.db, school.house).compose, {}, new_owner())
        job = make_clock(school.db, school.house.school, sender).get_job("tidy")
        for _ in range(5):
            await job.func()
    assert [r.message for r in caplog.records if "reached" in r.message] == ["tidy: The server cannot be reached."]
