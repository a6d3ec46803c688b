"""Backups and restores when the disk is full, or two are made at once; and what two backups tell an intruder (R6)."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from data.backup import back_up
from data.backup_file import BackupProblem
from data.database import DatabaseProblem, open_database
from data.place import SqliteFile
from data.problems import DatabaseBusy
from data.restoring import open_copy
from data.runs import runs_in
from data.scratch import PREFIX, clean, scratch
from data.surveys import find_survey
from data.vault import BoxKeys, Vault
from scheduler.clock import make_clock
from scheduler.sending import Sender
from tests.school import MASTER, MONDAY, School, opened
from tests.test_dialogue import SURVEY, answer, send
from tests.test_restoring import a_day, checked, files, restored, settings_in


def limited(size: int, work: Callable[[], object]) -> str:
    """Do this in a process that may write no file beyond so many bytes; the line it ended with, empty for well."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            work()
            os._exit(0)
        except (BackupProblem, DatabaseProblem, DatabaseBusy) as problem:
            os.write(writing, str(problem).encode())
            os._exit(1)
        except BaseException as error:
            os.write(writing, f"not in plain words: {type(error).__name__} {error}".encode())
            os._exit(2)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        words = said.read()
    assert os.waitstatus_to_exitcode(status) in (0, 1), words
    return words


LIMITS = (4_000, 40_000, 200_000, 400_000, 900_000, 1_113_000)


@pytest.mark.parametrize("size", LIMITS)
def test_a_full_disk_is_one_line_and_leaves_no_half_backup(tmp_path: Path, size: int) -> None:
    """R2: the school goes on; the next try works."""
    settings_in(tmp_path)

    async def make() -> None:
        async with opened(tmp_path) as school:
            await school.people(3)

    async def save() -> None:
        place = SqliteFile(tmp_path / "data" / "yousaid.db")
        db = await open_database(place, Vault(MASTER), BoxKeys(tmp_path / "keys"))
        try:
            await back_up(db, tmp_path / "a.backup", MONDAY, tmp_path / "backups")
        finally:
            await db.close()

    asyncio.run(make())
    before = rows(tmp_path / "data" / "yousaid.db")

    said = limited(size, lambda: asyncio.run(save()))

    assert said
    assert "\n" not in said
    assert rows(tmp_path / "data" / "yousaid.db") == before
    assert not (tmp_path / "a.backup").exists()
    assert not (tmp_path / "a.backup.part").exists()
    assert not list(tmp_path.glob("backups/*"))
    asyncio.run(save())
    assert (tmp_path / "a.backup").stat().st_size > LIMITS[-1]


@pytest.mark.parametrize("size", [4_000, 60_000, 200_000])
def test_a_full_disk_while_restoring_changes_nothing(tmp_path: Path, size: int) -> None:
    day = asyncio.run(a_day(tmp_path))
    before = files(tmp_path)

    said = limited(size, lambda: restored(tmp_path, tmp_path / "a.backup"))

    assert said
    assert files(tmp_path) == before
    clean(tmp_path / "data")
    assert not list((tmp_path / "data").glob(f"{PREFIX}*"))
    restored(tmp_path, tmp_path / "a.backup")
    checked(tmp_path, day)


def test_who_is_still_at_work_keeps_their_folder(tmp_path: Path) -> None:
    with scratch(tmp_path) as mine:
        (mine / "copy.db").write_text("plain")
        with scratch(tmp_path) as other:
            assert mine.is_dir()
            assert other != mine
        assert clean(tmp_path) == 0
        assert (mine / "copy.db").exists()
    assert not list(tmp_path.iterdir())


async def test_two_backups_at_once_are_both_whole(school: School, tmp_path: Path) -> None:
    names = ("a.backup", "b.backup")
    await asyncio.gather(*(back_up(school.db, tmp_path / n, MONDAY, tmp_path / "work") for n in names))
    for name in names:
        folder = tmp_path / f"look-{name}"
        folder.mkdir()
        open_copy(tmp_path / name, Vault(MASTER), folder)


async def test_the_demo_makes_no_backups_and_the_program_does(school: School, tmp_path: Path) -> None:
    sender = Sender(school.db, school.house.school, school.letters.compose, {}, school.owner)
    demo = make_clock(school.db, school.house.school, sender)
    real = make_clock(school.db, school.house.school, sender, backups=tmp_path)
    assert {j.id for j in real.get_jobs()} - {j.id for j in demo.get_jobs()} == {"back up"}


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as copy:
        names = [r[0] for r in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: sorted(copy.execute(f'SELECT * FROM "{name}"'), key=repr) for name in names}


async def test_two_backups_one_answer_apart_differ_by_ciphertext_only(school: School, tmp_path: Path) -> None:
    """R6: one length; with the key, what changed in the box is as long as before, and names no time."""
    await school.readers()
    parents = await school.people(12)
    await send(school)
    await answer(school, parents[0])  # so that this person has met the bot before
    copies = []
    for n, person in enumerate((parents[1], parents[2])):
        await answer(school, person)
        await back_up(school.db, tmp_path / f"{n}.backup", MONDAY, tmp_path)
        folder = tmp_path / str(n)
        folder.mkdir()
        copies.append(rows(open_copy(tmp_path / f"{n}.backup", Vault(MASTER), folder).path))

    first, second = copies
    assert (tmp_path / "0.backup").stat().st_size == (tmp_path / "1.backup").stat().st_size
    assert {t for t in first if len(first[t]) != len(second[t])} <= {"updates"}
    assert shape(first["runs"]) == shape(second["runs"])
    async with school.db.reading() as tx:
        survey = await find_survey(tx, SURVEY)
        assert survey
        assert sum(run.state.sent is not None for run in await runs_in(tx, survey)) == 3
    box = school.db.boxes.read(SURVEY)
    assert box
    assert all(box not in (tmp_path / f"{n}.backup").read_bytes() for n in range(2))


def shape(table: list[tuple[object, ...]]) -> list[object]:
    return sorted([len(v) if isinstance(v, bytes) else repr(v) for v in row] for row in table)
