"""Putting a backup back: checked before, in one step, and what was deleted since stays deleted (trust A4.3, R13)."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import tests.school
from bot.putting_back import Restored, put_back, vault_for_backups
from bot.settings import Settings
from data.access import cut_access, take_role
from data.answers import sheets_of
from data.audit_check import check_log
from data.backup import back_up, seal_copy
from data.backup_file import BackupProblem
from data.database import open_database
from data.erasing import erase
from data.key_ring import keep_earlier, write_ring
from data.migrations.migrate import upgrade
from data.names import cut_names
from data.outbox import post
from data.people import add_role, find_person, set_stopped
from data.place import SqliteFile
from data.preparing import key_check
from data.queue import add_item, empty_item, find_item
from data.removals import remove_sheet
from data.restoring import open_copy
from data.scratch import PREFIX, clean
from data.surveys import find_survey
from data.tables import answers, groups, metadata, outbox, people, queue, sheet_keys
from data.tombstone_mirror import agree, mirror_due
from data.totals import to_totals
from data.vault import BoxKeys, Vault, write_private
from tests.postgres_server import Server
from tests.school import MASTER, MONDAY, School, opened
from tests.test_keeping import answered as conf_answered
from tests.test_privacy_modes import close, gives, room, sent

both = pytest.mark.both_databases
WORDS = "The bus was late every day this week."


def settings_in(folder: Path) -> Settings:
    key = folder / "keys" / "key"
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        write_private(key, base64.b64encode(MASTER))
    return Settings(
        _env_file=None, database=tests.school.place_for(folder), key_file=key, backups=folder / "data" / "backups"
    )


def never(line: str) -> None:
    raise AssertionError(f"asked: {line}")


def restored(folder: Path, file: Path, later: float = 1) -> Restored:
    """In a loop of its own, as the command line does it."""
    return asyncio.run(put_back(settings_in(folder), file, MONDAY + timedelta(days=later), never))


class Yesterday:
    """A school with a backup, and what happened to people and words since."""

    def __init__(self) -> None:
        self.gone = self.cut = self.demoted = self.stopped = self.kept = self.item = ""
        self.sealed: list[bytes] = []

    async def before(self, school: School, file: Path) -> None:
        self.gone = await school.person("parent", label="Family Marmalade")
        self.cut = await school.person("parent")
        self.demoted = await school.person("staff", "senco")
        self.stopped = await school.person("parent")
        self.kept = await school.person("parent", label="Family Quince")
        async with school.db.transaction() as tx:
            self.item = await add_item(tx, "words", MONDAY, WORDS, self.gone, "Family Marmalade")
            await post(tx, "invitation", "x", [self.kept, self.stopped], MONDAY)
            for table in (people, queue):
                row = await tx.first(table.select().where(table.c.id.in_((self.gone, self.item))))
                assert row
                self.sealed.append(row.sealed)
        await back_up(school.db, file, MONDAY, file.parent)

    async def since(self, school: School) -> None:
        async with school.db.transaction() as tx:
            await empty_item(tx, self.item, MONDAY)
            await erase(tx, self.gone, MONDAY)
            await cut_access(tx, self.cut, MONDAY)
            await take_role(tx, self.demoted, "senco", MONDAY)
            await set_stopped(tx, self.stopped, True, MONDAY)
            await tx.run(outbox.update().where(outbox.c.person == self.kept).values(state="sent"))
        await mirror_due(school.db, MONDAY)

    async def check(self, school: School) -> None:
        """Everything that went is gone, everything else is there, and the log is whole."""
        async with school.db.reading() as tx:
            assert await find_person(tx, self.gone) is None
            assert not await tx.first(people.select().where(people.c.id == self.cut, people.c.ended_at.is_(None)))
            senco, stopped, kept = [await find_person(tx, p) for p in (self.demoted, self.stopped, self.kept)]
            assert senco
            assert stopped
            assert kept
            assert (senco.roles, stopped.stopped, kept.stopped) == ({"staff"}, True, False)
            assert kept.label == "Family Quince"
            item = await find_item(tx, self.item)
            assert item
            assert item.text == ""
            assert (await check_log(tx)).problems == []


async def a_day(folder: Path) -> Yesterday:
    """Yesterday's backup is a.backup in this folder; the school is closed."""
    day = Yesterday()
    settings_in(folder)
    async with opened(folder) as school:
        await day.before(school, folder / "a.backup")
        await day.since(school)
    return day


def files(folder: Path) -> bytes:
    """Whatever there is of the database, without what is kept of the one before; of a server's, every row."""
    if not isinstance(tests.school.place_for(folder), SqliteFile):
        return asyncio.run(on_server(folder))
    return b"".join(p.read_bytes() for p in (folder / "data").glob("yousaid.db*") if "before-restore" not in p.name)


async def on_server(folder: Path) -> bytes:
    db = await open_database(tests.school.place_for(folder), Vault(MASTER), BoxKeys(folder / "keys"))
    try:
        async with db.reading() as tx:
            rows = [row for table in metadata.sorted_tables for row in await tx.all(table.select())]
        return b"".join(v if isinstance(v, bytes) else str(v).encode() for row in sorted(rows, key=repr) for v in row)
    finally:
        await db.close()


def still_there(folder: Path, day: Yesterday) -> bool:
    raw = files(folder)
    return any(sealed in raw for sealed in day.sealed)


@pytest.fixture
def day(tmp_path: Path) -> Yesterday:
    return asyncio.run(a_day(tmp_path))


def checked(folder: Path, day: Yesterday) -> None:
    async def go() -> None:
        async with opened(folder) as school:
            await day.check(school)
            assert await agree(school.db, MONDAY) is None  # the list beside the key knows of the restore
            await day.check(school)

    asyncio.run(go())


@both
def test_what_was_deleted_since_is_deleted_again(tmp_path: Path, day: Yesterday) -> None:
    """R13: no deleted marker is left after restoring yesterday's backup."""
    folder = tmp_path / "look"
    folder.mkdir()
    yesterdays = open_copy(tmp_path / "a.backup", Vault(MASTER), folder).path.read_bytes()
    assert all(sealed in yesterdays for sealed in day.sealed), "the test would not notice"

    done = restored(tmp_path, tmp_path / "a.backup")

    assert done.deleted_again == {"person": 1, "access": 1, "role": 1, "stop": 1, "item": 1}
    assert (done.known_by, done.letters) == ("database", 1)
    assert not still_there(tmp_path, day)
    checked(tmp_path, day)
    again = restored(tmp_path, tmp_path / "a.backup", later=2)
    assert again.deleted_again == done.deleted_again
    assert Path(done.kept).exists()
    assert Path(again.kept).exists()
    assert again.kept != done.kept
    checked(tmp_path, day)


def test_the_list_beside_the_key_is_enough_when_the_database_is_lost(tmp_path: Path, day: Yesterday) -> None:
    (tmp_path / "data" / "yousaid.db").write_bytes(os.urandom(9000))
    done = restored(tmp_path, tmp_path / "a.backup")
    assert (done.known_by, done.deleted_again["person"]) == ("list", 1)
    assert not still_there(tmp_path, day)
    checked(tmp_path, day)


@both
def test_on_another_machine_nothing_is_known_and_that_is_said(tmp_path: Path, day: Yesterday) -> None:
    other = tmp_path / "other"
    (other / "data").mkdir(parents=True)
    done = restored(other, tmp_path / "a.backup")
    assert (done.known_by, done.deleted_again, done.kept) == ("nowhere", {}, "")
    assert still_there(other, day)  # so somebody has to delete them again, and is told so


@both
def test_what_was_given_again_stays(tmp_path: Path) -> None:
    async def go() -> str:
        settings_in(tmp_path)
        async with opened(tmp_path) as school:
            person = await school.person("senco")
            await back_up(school.db, tmp_path / "a.backup", MONDAY, tmp_path)
            async with school.db.transaction() as tx:
                await take_role(tx, person, "senco", MONDAY)
                await add_role(tx, person, "senco")
        return person

    person = asyncio.run(go())
    assert restored(tmp_path, tmp_path / "a.backup").deleted_again == {}

    async def roles() -> frozenset[str]:
        async with opened(tmp_path) as school:
            return (await school.known(person)).roles

    assert asyncio.run(roles()) == {"senco"}


@both
def test_backup_from_before_the_key_was_changed_is_sealed_anew(tmp_path: Path, day: Yesterday) -> None:
    new, key = bytes(range(1, 33)), settings_in(tmp_path).key_file
    keep_earlier(key, (MASTER,), MONDAY.date())
    write_ring(key, new)

    restored(tmp_path, tmp_path / "a.backup")

    async def label() -> str:
        place = tests.school.place_for(tmp_path)
        db = await open_database(place, Vault(new), BoxKeys(key.parent))  # today's key alone
        try:
            async with db.reading() as tx:
                person = await find_person(tx, day.kept)
                return person.label if person else ""
        finally:
            await db.close()

    assert asyncio.run(label()) == "Family Quince"


def old_schema(folder: Path, revision: str, vault: Vault) -> Path:
    """A SQLite file of an earlier version."""
    path = folder / f"{revision}.db"
    upgrade(path, vault, revision)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO facts (name, value) VALUES ('key-check', ?)", (key_check(vault),))
    connection.execute("INSERT INTO groups (id, name) VALUES ('g', 'Year 3 parents')")
    connection.commit()
    connection.close()
    return path


@both
@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
@pytest.mark.parametrize("sealed", [True, False])
def test_backups_of_earlier_versions_are_brought_to_today(tmp_path: Path, revision: str, sealed: bool) -> None:
    """E9; the unencrypted ones of the first versions too, with a remark."""
    file = old_schema(tmp_path, revision, Vault(MASTER))
    if sealed:
        seal_copy(file, tmp_path / "old.backup", Vault(MASTER), MONDAY, "sqlite")
        file = tmp_path / "old.backup"

    done = restored(tmp_path, file)

    assert (done.made_at is None) == (not sealed)

    async def names() -> list[str]:
        place = tests.school.place_for(tmp_path)
        db = await open_database(place, Vault(MASTER), BoxKeys(tmp_path / "keys"))
        try:
            async with db.reading() as tx:
                return [row.name for row in await tx.all(groups.select())]
        finally:
            await db.close()

    assert asyncio.run(names()) == ["Year 3 parents"]


def newer(path: Path) -> Path:
    plain = old_schema(path.parent, "0003", Vault(MASTER))
    connection = sqlite3.connect(plain)
    connection.execute("UPDATE alembic_version SET version_num = '0099'")
    connection.commit()
    connection.close()
    seal_copy(plain, path.parent / "newer.backup", Vault(MASTER), MONDAY, "sqlite")
    return path.parent / "newer.backup"


def flipped(path: Path) -> Path:
    raw = bytearray(path.read_bytes())
    raw[-1000] ^= 1
    path.write_bytes(raw)
    return path


@both
@pytest.mark.parametrize(("harm", "says"), [(newer, "Install YouSaid"), (flipped, "damaged")])
def test_what_cannot_be_put_back_changes_nothing(
    tmp_path: Path, day: Yesterday, harm: Callable[[Path], Path], says: str
) -> None:
    file, before = harm(tmp_path / "a.backup"), files(tmp_path)
    with pytest.raises(BackupProblem, match=says):
        restored(tmp_path, file)
    assert files(tmp_path) == before
    assert not list((tmp_path / "data").glob(f"{PREFIX}*"))


def test_the_old_wal_never_joins_the_new_database(tmp_path: Path) -> None:
    """A bot that was killed leaves one behind."""

    async def go() -> tuple[str, str]:
        settings_in(tmp_path)
        async with opened(tmp_path) as school:
            first = await school.person("parent")
            await back_up(school.db, tmp_path / "a.backup", MONDAY, tmp_path)
            second = await school.person("parent")
            (tmp_path / "left").write_bytes((tmp_path / "data" / "yousaid.db-wal").read_bytes())
            (tmp_path / "file").write_bytes((tmp_path / "data" / "yousaid.db").read_bytes())
        return first, second

    first, second = asyncio.run(go())
    database = tmp_path / "data" / "yousaid.db"
    database.write_bytes((tmp_path / "file").read_bytes())
    database.with_name("yousaid.db-wal").write_bytes((tmp_path / "left").read_bytes())

    kept = restored(tmp_path, tmp_path / "a.backup").kept

    def ids(path: Path) -> set[str]:
        connection = sqlite3.connect(path)
        found = {r[0] for r in connection.execute("SELECT id FROM people")}
        connection.close()
        return found

    assert ids(database) == {first}
    assert ids(Path(kept)) == {first, second}


@both
@pytest.mark.parametrize("closed", [True, False])
def test_names_sheets_and_answers_that_had_gone_go_again(tmp_path: Path, closed: bool) -> None:
    """CONF: also where the survey was still open on the day of the backup, and has been closed and cut since."""

    async def go() -> None:
        settings_in(tmp_path)
        async with opened(tmp_path) as school:
            id = await (conf_answered(school, "CONF") if closed else conf_open(school))
            await back_up(school.db, tmp_path / "a.backup", school.clock.now, tmp_path)
            if not closed:
                await close(school)
            now, on = school.clock.now, school.clock.now.date()
            async with school.db.transaction() as tx:
                survey = await find_survey(tx, id)
                assert survey
                (sheet, _), *_ = await sheets_of(tx, id, survey.form)
                await remove_sheet(tx, survey, sheet, "a test of the door", None, now)
                await cut_names(tx, survey, on)
                await to_totals(tx, survey, now, on)

    asyncio.run(go())
    done = restored(tmp_path, tmp_path / "a.backup", later=40)

    expected = {"sheet", "names", "answers"} if closed else {"names", "answers"}  # a sheet of an open box has no id yet
    assert expected <= set(done.deleted_again)

    async def left() -> tuple[int, int]:
        async with opened(tmp_path) as school, school.db.reading() as tx:
            return len(await tx.all(answers.select())), len(await tx.all(sheet_keys.select()))

    assert asyncio.run(left()) == (0, 0)


async def conf_open(school: School) -> str:
    await school.readers()
    everybody = await school.people(12)
    id = await sent(school, room("CONF"))
    for person in everybody:
        await gives(school, person, id, "1", "1", "Too loud")
    return id


# --- kill -9 ------------------------------------------------------------------------------------------------------

CALLS = ("open", "fsync", "link", "replace", "rename", "unlink", "rmdir")


def killed_at(k: int, work: Callable[[], object]) -> bool:
    """Do this in a process of its own that is killed before its k-th call that touches the disk; whether it was."""
    child = os.fork()
    if child == 0:
        seen = [0]

        def counted(call: Callable[..., object]) -> Callable[..., object]:
            def here(*given: object, **more: object) -> object:
                seen[0] += 1
                if seen[0] == k:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*given, **more)

            return here

        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_restore_that_is_killed_anywhere_leaves_the_old_database_or_the_new_one(tmp_path: Path) -> None:
    """Whichever it is: whole, nothing deleted comes back, and the next restore finishes."""
    made = tmp_path / "made"
    made.mkdir()
    day = asyncio.run(a_day(made))
    k, outcomes = 0, set()
    while True:
        k += 1
        folder = tmp_path / str(k)
        shutil.copytree(made, folder)
        was = killed_at(k, lambda folder=folder: restored(folder, folder / "a.backup"))  # type: ignore[misc]
        database = folder / "data" / "yousaid.db"
        connection = sqlite3.connect(database)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        done = connection.execute("SELECT count(*) FROM audit WHERE what = 'restored'").fetchone()[0]
        connection.close()
        outcomes.add(done)
        assert not still_there(folder, day)
        clean(folder / "data")
        assert not list((folder / "data").glob(f"{PREFIX}*"))
        checked(folder, day)
        if not was:
            break
        if k % 8 == 0:
            restored(folder, folder / "a.backup")
            checked(folder, day)
        shutil.rmtree(folder)
    assert k > 12
    assert outcomes == {0, 1}


def test_backup_that_is_killed_anywhere_is_whole_or_not_there(tmp_path: Path) -> None:
    """And the plain copy is gone at the next backup, whoever could have read it meanwhile."""
    settings_in(tmp_path)

    async def make(file: Path) -> None:
        async with opened(tmp_path) as school:
            await back_up(school.db, file, MONDAY, tmp_path / "backups")

    asyncio.run(make(tmp_path / "first.backup"))
    k = 0
    while True:
        k += 1
        file = tmp_path / f"{k}.backup"
        was = killed_at(k, lambda file=file: asyncio.run(make(file)))  # type: ignore[misc]
        for left in (tmp_path / "backups").rglob("*"):
            assert left.stat().st_mode & 0o077 == 0
        if file.exists():
            folder = tmp_path / f"look{k}"
            folder.mkdir()
            open_copy(file, Vault(MASTER), folder)
        if not was:
            break
    asyncio.run(make(tmp_path / "last.backup"))
    assert k > 8
    assert not list((tmp_path / "backups").glob(f"{PREFIX}*"))


def test_keys_of_the_last_weeks_are_tried(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    keep_earlier(settings.key_file, (bytes(32),), MONDAY.date())
    vault = vault_for_backups(settings)
    assert (vault.id, vault.older) == (Vault(MASTER).id, (Vault(bytes(32)).id,))


def test_backups_go_from_one_kind_of_database_to_the_other(tmp_path: Path, postgres: Server) -> None:
    """E9: one encrypted file, both databases."""
    day = asyncio.run(a_day(tmp_path))
    server = postgres.new()
    settings = settings_in(tmp_path).model_copy(update={"database": server})
    asyncio.run(put_back(settings, tmp_path / "a.backup", MONDAY + timedelta(days=1), never))

    async def from_server() -> str:
        db = await open_database(server, Vault(MASTER), BoxKeys(tmp_path / "keys"))
        try:
            await back_up(db, tmp_path / "server.backup", MONDAY, tmp_path)
            async with db.reading() as tx:
                person = await find_person(tx, day.kept)
                return person.label if person else ""
        finally:
            await db.close()

    assert asyncio.run(from_server()) == "Family Quince"
    restored(tmp_path, tmp_path / "server.backup", later=2)
    assert not still_there(tmp_path, day)
    checked(tmp_path, day)
    postgres.drop(server)
