"""Nightly backups and their drill: once a night, caught up, tried again, removed in time, and never a false proof."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.backup_health import look_at_backups
from data import backup as backups
from data.backup import back_up, backups_in, remove_old
from data.backup_facts import OUTSIDE, PROVEN, note_time, time_of, trouble
from data.backup_file import PIECE, SEALED_PIECE, BackupProblem
from data.periods import Keeping
from data.preparing import HEAD
from data.queue import add_item
from data.restoring import prove
from data.scratch import PREFIX
from data.vault import Vault
from scheduler.backing_up import back_up_due, last_time
from tests.school import MASTER, School, opened

pytestmark = pytest.mark.both_databases

NIGHT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CANARY = "marmalade-canary"


async def night(school: School, folder: Path, now: datetime) -> list[str]:
    """What lies there after the job was asked at `now`."""
    await back_up_due(school.db, school.house.school, folder, now)
    return [p.name for p in backups_in(folder)]


async def states(school: School, now: datetime) -> dict[str, str]:
    async with school.db.reading() as tx:
        return {f.check: f.state for f in await look_at_backups(tx, now)}


async def test_once_a_night_and_caught_up_after_days_off(school: School, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    first = await night(school, folder, NIGHT)
    assert first == [f"yousaid-2026-11-22T0200-{HEAD}.backup"]
    assert await night(school, folder, NIGHT + timedelta(hours=23)) == first
    assert len(await night(school, folder, NIGHT + timedelta(hours=24))) == 2
    assert len(await night(school, folder, NIGHT + timedelta(days=4, hours=7))) == 3
    assert folder.stat().st_mode & 0o077 == 0
    assert all(p.stat().st_mode & 0o077 == 0 for p in folder.iterdir())


def test_two_oclock_is_local_time() -> None:
    from zoneinfo import ZoneInfo

    london = ZoneInfo("Europe/London")
    summer = datetime(2026, 7, 1, 0, 59, tzinfo=UTC)
    assert last_time(summer, london).date().isoformat() == "2026-06-30"
    assert last_time(summer + timedelta(minutes=1), london).date().isoformat() == "2026-07-01"


async def test_as_many_nights_as_school_yaml_says(tmp_path: Path) -> None:
    """Trust A4.3: what is deleted is gone from backups in time."""
    async with opened(tmp_path, keeping={"backups_days": 7}) as school:
        for day in range(7 + 3):
            there = await night(school, tmp_path / "backups", NIGHT + timedelta(days=day))
    assert len(there) == 7
    assert Keeping().backups_days <= 30


def test_only_our_own_go_and_none_stays_over_thirty_days(tmp_path: Path) -> None:
    names = [
        "yousaid-2026-10-01T0200-0002.backup", "yousaid-2026-10-23T0200-0003.backup",
        "yousaid-2026-10-24T0200-0003-2.backup", "before-0003-2026-10-01T0200.backup",
        "holiday-2020-01-01.backup", "yousaid.db", "yousaid-2026-10-01T0200-0003.backup.txt",
    ]  # fmt: skip
    for name in names:
        (tmp_path / name).write_text("x")
    gone = remove_old(tmp_path, NIGHT.date(), timedelta(days=400))
    assert gone == sorted([names[0], names[1], names[3]])
    assert remove_old(tmp_path, NIGHT.date(), timedelta(days=5)) == [names[2]]


async def test_failure_is_one_line_a_finding_and_tried_again_in_an_hour(
    school: School, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "backups"
    folder.write_text("a file where the folder should be")
    for minutes in (0, 5, 10, 59):
        await back_up_due(school.db, school.house.school, folder, NIGHT + timedelta(minutes=minutes))
    assert len([r for r in caplog.records if "nightly backup" in r.message]) == 1
    assert (await states(school, NIGHT))["backup"] == "look"
    folder.unlink()
    assert len(await night(school, folder, NIGHT + timedelta(minutes=61))) == 1
    assert (await states(school, NIGHT + timedelta(minutes=61)))["backup"] == "ok"
    async with school.db.reading() as tx:
        assert await trouble(tx) is None


async def test_disk_full_leaves_nothing_half_and_says_so(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "write_backup", full)
    folder = tmp_path / "backups"
    assert await night(school, folder, NIGHT) == []
    async with school.db.reading() as tx:
        failed = await trouble(tx)
    assert failed
    assert "not enough room" in failed[1]
    assert list(folder.iterdir()) == []


async def test_a_whole_backup_is_proven_and_the_copy_goes_again(school: School, tmp_path: Path) -> None:
    """E10."""
    folder = tmp_path / "backups"
    await night(school, folder, NIGHT)
    async with school.db.reading() as tx:
        assert await time_of(tx, PROVEN) == NIGHT
    assert not list(folder.glob(f"{PREFIX}*"))


def flipped(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - SEALED_PIECE)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [flipped, cut, empty, Path.unlink])
async def test_the_drill_fails_on_a_file_that_was_harmed(
    school: School, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    file = tmp_path / "a.backup"
    await back_up(school.db, file, NIGHT, tmp_path)
    await prove(file, school.db.vault, school.db.boxes, tmp_path)
    harm(file)
    with pytest.raises(BackupProblem):
        await prove(file, school.db.vault, school.db.boxes, tmp_path)


def changed(statement: str) -> Callable[[Path], None]:
    def change(plain: Path) -> None:
        connection = sqlite3.connect(plain)
        connection.execute(statement)
        connection.commit()
        connection.close()

    return change


@pytest.mark.parametrize(
    "harm",
    [
        changed("DELETE FROM groups WHERE name = 'SEND parents'"),
        changed("DELETE FROM facts WHERE name = 'key-check'"),
        changed("UPDATE audit SET what = 'other' WHERE id = 1"),
        changed("DELETE FROM audit WHERE id = 1"),
        changed("UPDATE alembic_version SET version_num = '9999'"),
        lambda plain: os.truncate(plain, plain.stat().st_size // 2),
        lambda plain: plain.write_bytes(plain.read_bytes()[:PIECE] + os.urandom(plain.stat().st_size - PIECE)),
    ],
    ids=["row", "canary", "log row", "log cut", "schema", "half", "pages"],
)
async def test_the_drill_fails_on_content_that_is_not_what_it_was(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object]
) -> None:
    """Also where the file itself is whole: the copy went wrong after its rows were counted."""
    from data.audit import note

    async with school.db.transaction() as tx:
        await note(tx, "one", "x", NIGHT)
        await note(tx, "two", "x", NIGHT)
    look = backups.look_inside

    def then_harmed(plain: Path) -> object:
        inside = look(plain)
        harm(plain)
        return backups.Inside(plain.stat().st_size, inside.rows, inside.audit)

    monkeypatch.setattr(backups, "look_inside", then_harmed)
    await night(school, tmp_path / "backups", NIGHT)
    async with school.db.reading() as tx:
        assert await time_of(tx, PROVEN) is None
        assert await trouble(tx)


async def test_a_drill_with_another_key_fails(school: School, tmp_path: Path) -> None:
    await back_up(school.db, tmp_path / "a.backup", NIGHT, tmp_path)
    with pytest.raises(BackupProblem, match="another key"):
        await prove(tmp_path / "a.backup", Vault(bytes(32)), school.db.boxes, tmp_path)
    await prove(tmp_path / "a.backup", Vault(bytes(32), MASTER), school.db.boxes, tmp_path)


async def test_doctor_reminds_of_a_copy_elsewhere_and_of_proofs(school: School, tmp_path: Path) -> None:
    """Trust A8: 7 days without a backup outside the machine, 35 without a proven restore."""
    assert await states(school, NIGHT) == {"backup": "look"}
    await night(school, tmp_path / "backups", NIGHT)
    assert (await states(school, NIGHT))["backup elsewhere"] == "look"
    async with school.db.transaction() as tx:
        await note_time(tx, NIGHT, OUTSIDE)
    assert set((await states(school, NIGHT + timedelta(days=1))).values()) == {"ok"}
    assert (await states(school, NIGHT + timedelta(days=8)))["backup elsewhere"] == "look"
    assert (await states(school, NIGHT + timedelta(days=8)))["restore drill"] == "ok"
    assert (await states(school, NIGHT + timedelta(days=36)))["restore drill"] == "look"


async def test_nothing_is_readable_in_a_backup(school: School, tmp_path: Path) -> None:
    """Names, addresses, words, choices, group names: nothing of it without the key."""
    from data.people import add_address

    await school.person("parent", label=CANARY)
    person = await school.person("parent")
    async with school.db.transaction() as tx:
        await add_address(tx, person, "telegram", "5550001234")
        await add_item(tx, "words", NIGHT, CANARY)
    await back_up(school.db, tmp_path / "a.backup", NIGHT, tmp_path)
    raw = (tmp_path / "a.backup").read_bytes()
    for marker in (CANARY, "5550001234", "SEND parents", "Elmfield", "CREATE TABLE", "parent", person):
        assert marker.encode() not in raw, marker
    assert MASTER not in raw
