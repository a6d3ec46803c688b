"""Replacing the master key while the bot runs: nothing is left under the old one, and nothing is lost (FAIL-17)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, func, insert, select

from bot.proof import proof_words
from data import rotation
from data.audit import entries, note
from data.audit_check import check_log
from data.bookings import Booking, Needs, book, booking_of
from data.children import add_places, names_of, set_name
from data.codes import find_invitation, read_code, remember_visit, slip_of_code, used_by, visit_code
from data.comments import Comment, find_comment, save_comment
from data.database import Database, open_database
from data.earlier_lookups import forget_lookups, read_kept
from data.factors import add_factor, find_factor
from data.key_ring import KeyFile, earlier_keys, forget_earlier, next_key, write_ring
from data.links import make_link, spend_link
from data.moments import new_id, stamp
from data.pauses import REASONS, pause_of, set_pause
from data.people import add_address, address_hash, addresses_of, find_group, find_person, person_at
from data.queue import add_item, find_item, route_item
from data.records import all_records
from data.removals import removals_of, remove_sheet
from data.rotation import ROTATED, ROTATION, RotationLock, RotationProblem, reseal, retire
from data.runs import runs_in, start_errand
from data.sealed_tables import FACTS, SEALED, left_behind
from data.sessions import person_of_session, start_session
from data.surveys import find_survey
from data.tables import facts, metadata, room_notes, sendings
from data.tombstones import PERSON, buried, bury
from data.vault import BoxKeys, KeyProblem, Vault, key_id
from scheduler.old_keys import old_keys_due
from tests.event_days import add_dropin
from tests.school import MASTER, School, opened, place_for, vault_in
from tests.test_privacy_modes import close, gives, room, sent

NEW = bytes(range(100, 132))
OLD_ID, NEW_ID = Vault(MASTER).id, Vault(NEW).id
CHAT, STRANGER = "777001", "777002"


def key_file(folder: Path) -> Path:
    return folder / "keys" / "key"


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A key file with today's key alone."""
    key_file(tmp_path).parent.mkdir(mode=0o700)
    write_ring(key_file(tmp_path), MASTER)
    return key_file(tmp_path)


@asynccontextmanager
async def by_command_line(folder: Path) -> AsyncIterator[Database]:
    """The same database in another process's eyes."""
    db = await open_database(place_for(folder), vault_in(folder), BoxKeys(folder / "keys"))
    try:
        yield db
    finally:
        await db.close()


async def rotated(school: School, folder: Path, new: bytes = NEW) -> None:
    """From the first step to the last, beside the running school."""
    path = key_file(folder)
    old = KeyFile(path).read()
    write_ring(path, new, *old)
    async with by_command_line(folder) as db:
        await reseal(db, school.clock.now)
    retire(path, (new, *old), school.clock.now.date())


class Known:
    """What was put into a school, by real ways, so that something stands in every sealed column."""

    parent = senco = item = survey = code = session = link = visit = ""
    words: tuple[str, str] = ("", "")
    booked = ""


async def filled(school: School) -> Known:
    k = Known()
    await school.readers()
    k.senco = await school.person("senco", label="Ms Patel")
    people = await school.people(12)
    named = await sent(school, room("NAMED", id="calm-named"))
    conf = await sent(school, room("CONF", id="calm-conf"))
    for person in people[:7]:
        for survey in (named, conf):
            await gives(school, person, survey, "1", "1", "Too loud")
    await close(school)
    k.survey = await sent(school, room("CONF", id="calm-open"))
    await sent(school, room("ANON", id="calm-box"))
    await gives(school, people[0], k.survey, "2", "1", "Still too loud")
    k.parent = await school.person("parent", label="Family 12")
    k.code = read_code(await school.code("parent", "SEND parents")) or ""
    await fill_by_hand(school, k, conf)
    return k


async def fill_by_hand(school: School, k: Known, conf: str) -> None:
    now = school.clock.now
    async with school.db.transaction() as tx:
        await add_places(tx, k.parent, 1)
        await set_name(tx, k.parent, 1, "Sunny")
        await add_address(tx, k.parent, "telegram", CHAT)
        await add_factor(tx, k.senco, "JBSWY3DPEHPK3PXP", 5)
        await remember_visit(tx, address_hash(tx, "telegram", STRANGER), k.code, now)
        k.session, k.link = await start_session(tx, k.parent, now), await make_link(tx, k.parent, "queue", "", now)
        k.item = await add_item(tx, "flagged", now, "He hits me", k.parent, "Family 12", conf)
        found = await find_item(tx, k.item)
        assert found
        await route_item(tx, found, "none", (), "a song", k.senco, now)
        await save_comment(tx, Comment(k.item, conf, "theme", "too loud", ("noise",)))
        await bury(tx, PERSON, "gone-person", now)
        survey = await find_survey(tx, conf)
        assert survey
        sheet = await tx.value(
            select(metadata.tables["answers"].c.sheet).where(metadata.tables["answers"].c.survey == conf)
        )
        await remove_sheet(tx, survey, sheet, "twice", k.senco, now)
        await start_errand(tx, k.senco, "away", (await runs_in(tx, (await find_survey(tx, k.survey))))[0].state, now)  # type: ignore[arg-type]
        await note(tx, "export", conf, now, k.senco, reason="asked by the head")
        await set_pause(tx, k.parent, REASONS[0], None, k.senco, now)
        occasion = await add_dropin(tx, await find_group(tx, "SEND parents") or "", now, "Room 4", now)
        k.booked = occasion.id
        needs = Needs("", "", "a ramp")
        await book(tx, occasion, Booking(new_id(), occasion.id, k.parent, "coming", needs=needs, made_at=now))
        noted = tx.vault.seal("room-notes", b"more ramps", "noted")
        await tx.run(insert(room_notes).values(id="noted", occasion=occasion.id, theme="place", sealed=noted))
        plan = {"form": "x", "group_id": occasion.event.group, "due_at": stamp(now), "state": "cancelled"}
        planned = tx.vault.seal("names", b"{}", "sending/plan")
        await tx.run(insert(sendings).values(id="plan", sealed=planned, **plan))
        invitation = await find_invitation(tx, k.code, now)
        assert invitation
        k.words = proof_words(school.house, tx.vault, k.code, "en", invitation.hash)


async def still_there(school: School, k: Known) -> None:
    """Everything is found and opens."""
    now = school.clock.now
    async with school.db.transaction() as tx:
        assert (await find_person(tx, k.parent)).label == "Family 12"  # type: ignore[union-attr]
        assert await names_of(tx, k.parent) == ["Sunny"]
        assert (await person_at(tx, "telegram", CHAT)).id == k.parent  # type: ignore[union-attr]
        assert [a.where for a in await addresses_of(tx, k.parent)] == [CHAT]
        assert (await find_factor(tx, k.senco)).secret == "JBSWY3DPEHPK3PXP"  # type: ignore[union-attr]
        assert (await person_of_session(tx, k.session, now)).id == k.parent  # type: ignore[union-attr]
        stranger = tx.vault.lookups("address", f"telegram:{STRANGER}")
        assert await visit_code(tx, *stranger) == k.code
        item = await find_item(tx, k.item)
        assert item
        assert (item.text, item.reason) == ("He hits me", "a song")
        assert (await find_comment(tx, k.item)).words == "too loud"  # type: ignore[union-attr]
        assert await buried(tx, PERSON, ["gone-person", "other"]) == ["gone-person"]
        assert (await pause_of(tx, k.parent, now)).reason == REASONS[0]  # type: ignore[union-attr]
        assert len(await all_records(tx)) == 7
        assert [r.reason for r in await removals_of(tx, "calm-conf-1")] == ["twice"]
        assert (await booking_of(tx, k.booked, k.parent)).needs.access == "a ramp"  # type: ignore[union-attr]
        noted = await tx.value(select(room_notes.c.sealed))
        assert tx.vault.open("room-notes", noted, "noted") == b"more ramps"
        assert tx.vault.open("names", await tx.value(select(sendings.c.sealed)), "sending/plan") == b"{}"
        survey = await find_survey(tx, k.survey)
        assert survey
        assert sum(run.state.sent is not None for run in await runs_in(tx, survey)) == 1
        box = await find_survey(tx, "calm-box-1")
        assert box
        assert len(await runs_in(tx, box)) == 12
        assert [e.detail for e in await entries(tx, "calm-conf-1", "export")] == [{"reason": "asked by the head"}]
        assert not (await check_log(tx)).problems
        found = await find_invitation(tx, k.code, now)
        assert found
        assert proof_words(school.house, tx.vault, k.code, "en", found.hash) == k.words
        assert await slip_of_code(tx, k.code)


async def rows_of(db: Database) -> dict[str, int]:
    async with db.reading() as tx:
        return {s.table.name: int(await tx.value(select(func.count()).select_from(s.table))) for s in SEALED}


def on_disk(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in (folder / "data").rglob("*") if p.is_file())


# --- the whole ----------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_everything_is_sealed_anew_and_still_found(tmp_path: Path, ring: Path) -> None:
    """FAIL-17: names, words, sessions, codes on letters and their two words, links, tombstones, the audit log."""
    async with opened(tmp_path) as school:
        known = await filled(school)
        assert {name for name, n in (await rows_of(school.db)).items() if not n} == set()
        await still_there(school, known)
        await rotated(school, tmp_path)
        await still_there(school, known)  # the running bot, which has seen nothing but the file
        async with school.db.reading() as tx:
            assert tx.vault.id == NEW_ID
            assert await left_behind(tx) == []
            told = [e for e in await entries(tx, NEW_ID.hex()) if e.what == ROTATED]
            assert len(told) == 1
    assert earlier_keys(ring.parent) == (MASTER,)
    assert KeyFile(ring).read() == (NEW,)
    async with opened(tmp_path) as school:  # started anew with the new key alone
        school.clock.move(days=15)
        await still_there(school, known)
        async with school.db.transaction() as tx:
            assert await spend_link(tx, known.link, school.clock.now)


async def test_no_byte_under_the_old_key_is_left_in_the_files(tmp_path: Path, ring: Path) -> None:
    """FAIL-17: a raw look at database and WAL, with the bot still running."""
    async with opened(tmp_path) as school:
        await filled(school)
        assert b"\x02" + OLD_ID in on_disk(tmp_path)
        await rotated(school, tmp_path)
        assert b"\x02" + OLD_ID not in on_disk(tmp_path)
        assert b"\x02" + NEW_ID in on_disk(tmp_path)


async def test_the_old_key_alone_opens_nothing_any_more(tmp_path: Path, ring: Path) -> None:
    async with opened(tmp_path) as school:
        await filled(school)
        await rotated(school, tmp_path)
    with pytest.raises(KeyProblem, match="another key"):
        await open_database(place_for(tmp_path), Vault(MASTER), BoxKeys(tmp_path / "keys"))


async def test_twice_in_a_row_and_letters_of_both_times_still_open(tmp_path: Path, ring: Path) -> None:
    third = bytes(range(60, 92))
    async with opened(tmp_path) as school:
        known = await filled(school)
        await rotated(school, tmp_path)
        later = read_code(await school.code("parent", "SEND parents")) or ""
        async with school.db.reading() as tx:
            assert tx.vault.lookup("code", later) == (await find_invitation(tx, later, school.clock.now)).hash  # type: ignore[union-attr]
        await rotated(school, tmp_path, third)
        await still_there(school, known)
    async with opened(tmp_path) as school:
        school.clock.move(days=15)
        await still_there(school, known)
        async with school.db.reading() as tx:
            assert await find_invitation(tx, later, school.clock.now - timedelta(days=1))
            assert await used_by(tx, later, known.parent) is False
        assert tx.vault.older == ()


# --- what must not be forgotten -----------------------------------------------------------------------------------


def test_every_sealed_column_of_the_schema_is_known() -> None:
    """Whoever adds a column of bytes says how it is sealed."""
    known = {f"{s.table.name}.{column}" for s in SEALED for column in s.columns} - {"visits.code"}
    there = {f"{t.name}.{c.name}" for t in metadata.sorted_tables for c in t.c if isinstance(c.type, LargeBinary)}
    assert known == there - {"facts.value"}


async def test_the_last_look_finds_what_nobody_thought_of(tmp_path: Path, ring: Path) -> None:
    async with opened(tmp_path) as school:
        async with school.db.transaction() as tx:
            await tx.run(insert(facts).values(name="unknown", value=tx.vault.seal("new", b"something", "unknown")))
        assert "unknown" not in FACTS
        write_ring(ring, NEW, MASTER)
        async with by_command_line(tmp_path) as db:
            with pytest.raises(RotationProblem, match=r"facts\.value"):
                await reseal(db, school.clock.now)
            async with db.reading() as tx:
                assert await tx.value(select(facts.c.value).where(facts.c.name == ROTATION))


async def test_a_row_that_no_key_opens_stops_it_and_nothing_is_lost(tmp_path: Path, ring: Path) -> None:
    async with opened(tmp_path) as school:
        parent = await school.person("parent")
        async with school.db.transaction() as tx:
            people = metadata.tables["people"]
            broken = Vault(secrets.token_bytes(32)).seal("names", b"{}", parent)
            await tx.run(people.update().where(people.c.id == parent).values(sealed=broken))
        write_ring(ring, NEW, MASTER)
        async with by_command_line(tmp_path) as db:
            with pytest.raises(RotationProblem, match="people"):
                await reseal(db, school.clock.now)
    assert KeyFile(ring).read() == (NEW, MASTER)


async def test_a_forged_row_of_the_log_is_not_made_good(tmp_path: Path, ring: Path) -> None:
    """A new code is given only to rows whose old one holds; else changing the key would hide a forged history."""
    async with opened(tmp_path) as school:
        async with school.db.transaction() as tx:
            for n in range(3):
                await note(tx, "export", f"s-{n}", school.clock.now, None, reason="asked")
            audit = metadata.tables["audit"]
            await tx.run(audit.update().where(audit.c.id == 2).values(mac="0" * 64))
            before = (await check_log(tx)).problems
        await rotated(school, tmp_path)
        async with school.db.reading() as tx:
            assert (await check_log(tx)).problems == before == ["Row 2 was not written with this key."]


# --- versions and rings -------------------------------------------------------------------------------------------


def test_a_value_without_a_key_id_opens_with_any_key_of_the_ring() -> None:
    """What version 1 sealed names no key."""
    sealed = Vault(MASTER).seal("names", b"Sam", "1")
    assert key_id(sealed) == OLD_ID
    old = b"\x01" + sealed[5:]
    assert key_id(old) is None
    assert Vault(MASTER).open("names", old, "1") == Vault(NEW, MASTER).open("names", old, "1") == b"Sam"
    assert Vault(MASTER, NEW).open("names", old, "1") == b"Sam"
    for vault in (Vault(NEW), Vault(NEW, secrets.token_bytes(32))):
        with pytest.raises(KeyProblem):
            vault.open("names", old, "1")
        with pytest.raises(KeyProblem):
            vault.open("names", sealed, "1")
    assert repr(Vault(NEW, MASTER)) == "Vault()"


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x02", b"\x02" + OLD_ID, b"\x02" + OLD_ID + bytes(12), bytes(40)])
def test_what_is_no_sealed_value_is_refused_in_one_line(junk: bytes) -> None:
    with pytest.raises(KeyProblem):
        Vault(MASTER).open("names", junk, "1")


async def test_a_half_changed_database_needs_both_keys(
    tmp_path: Path, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAIL-17: the old key is gone from the ring before the end."""
    async with opened(tmp_path) as school:
        known = await filled(school)
        write_ring(ring, NEW, MASTER)
        monkeypatch.setattr(rotation, "SEALED", SEALED[:4])
        async with by_command_line(tmp_path) as db:
            with pytest.raises(RotationProblem):
                await reseal(db, school.clock.now)
    boxes = BoxKeys(tmp_path / "keys")
    for vault, words in ((Vault(NEW), "needs both keys"), (Vault(MASTER), "another key")):
        with pytest.raises(KeyProblem, match=words):
            await open_database(place_for(tmp_path), vault, boxes)
    monkeypatch.undo()
    async with opened(tmp_path) as school:
        school.clock.move(days=15)
        await still_there(school, known)
        await rotated_on(school, tmp_path)
        await still_there(school, known)


async def rotated_on(school: School, folder: Path) -> None:
    """A ring of two keys: the rotation goes on."""
    async with by_command_line(folder) as db:
        await reseal(db, school.clock.now)
    retire(key_file(folder), KeyFile(key_file(folder)).read(), school.clock.now.date())


async def test_a_running_bot_passes_over_a_wrong_or_damaged_ring(tmp_path: Path, ring: Path) -> None:
    async with opened(tmp_path) as school:
        known = await filled(school)
        for content in (b"", b"nonsense\n", MASTER):
            ring.write_bytes(content)
            await still_there(school, known)
        write_ring(ring, secrets.token_bytes(32))  # another school's
        await still_there(school, known)
        async with school.db.transaction() as tx:
            assert tx.vault.id == OLD_ID
        ring.unlink()
        await still_there(school, known)


# --- two at once, and beside a working bot ------------------------------------------------------------------------


def test_the_second_of_two_rotations_refuses(tmp_path: Path) -> None:
    with RotationLock(tmp_path), pytest.raises(RotationProblem, match="already"), RotationLock(tmp_path):
        pass
    with RotationLock(tmp_path):
        pass


@pytest.mark.both_databases
async def test_a_school_at_work_notices_nothing(tmp_path: Path, ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAIL-17: people join, write, look and come back while the key is changed; nobody is unknown for a moment."""
    monkeypatch.setattr(rotation, "ROWS", 3)
    monkeypatch.setattr(rotation, "PAUSE", 0.002)
    async with opened(tmp_path) as school:
        known = await filled(school)
        busy = [asyncio.create_task(_comes_and_goes(school, n)) for n in range(4)]
        await rotated(school, tmp_path)
        for task in busy:
            task.cancel()
        rounds = await asyncio.gather(*busy, return_exceptions=True)
        assert [r for r in rounds if not isinstance(r, asyncio.CancelledError)] == []
        await still_there(school, known)
        async with school.db.reading() as tx:
            assert await left_behind(tx) == []
    async with opened(tmp_path) as school, school.db.reading() as tx:
        assert await left_behind(tx) == []


async def _comes_and_goes(school: School, number: int) -> None:
    """Somebody joins and is looked for again and again, by writers and by readers."""
    round = 0
    while True:
        chat, round = f"{number}-{round}", round + 1
        id = await school.person("parent", label=chat)
        async with school.db.transaction() as tx:
            await add_address(tx, id, "telegram", chat)
            cookie = await start_session(tx, id, school.clock.now)
        for _ in range(3):
            async with school.db.reading() as tx:
                found = await person_at(tx, "telegram", chat)
                assert found
                assert found.label == chat
                assert await person_of_session(tx, cookie, school.clock.now)
            await asyncio.sleep(0)


async def test_after_the_first_step_nothing_is_sealed_with_the_old_key(tmp_path: Path, ring: Path) -> None:
    """The argument in data/rotation.py, taken by its word: a writer that began before, one after."""
    async with opened(tmp_path) as school:
        async with school.db.transaction() as tx:
            write_ring(ring, NEW, MASTER)  # while this one has its turn
            assert key_id(tx.vault.seal("names", b"", "1")) == OLD_ID
        async with school.db.transaction() as tx:
            assert key_id(tx.vault.seal("names", b"", "1")) == NEW_ID


async def test_a_reader_who_meets_a_newer_key_takes_it_up(tmp_path: Path, ring: Path) -> None:
    async with opened(tmp_path) as school, school.db.reading() as tx:
        write_ring(ring, NEW, MASTER)
        assert tx.vault.id == OLD_ID
        assert tx.vault.open("names", Vault(NEW).seal("names", b"Sam", "1"), "1") == b"Sam"
        assert tx.vault.id == NEW_ID


# --- what stays for a while ---------------------------------------------------------------------------------------


async def test_lookup_secrets_go_when_nothing_can_stand_under_them(tmp_path: Path, ring: Path) -> None:
    async with opened(tmp_path) as school:
        known = await filled(school)
        code = await school.code("parent", days=300)
        await rotated(school, tmp_path)
        now = school.clock.now
        async with school.db.transaction() as tx:
            kept = await read_kept(tx)
            assert len(kept) == 1
            assert MASTER not in b"".join(kept[0].secrets.secrets.values())
            assert "audit" not in kept[0].secrets.secrets
            for days, gone in ((179, 0), (181, 0), (301, 1), (302, 0)):
                assert await forget_lookups(tx, now + timedelta(days=days)) == gone
            assert await find_invitation(tx, read_code(code) or "", now)  # this process has seen the old key itself
    async with opened(tmp_path) as school, school.db.reading() as tx:
        assert await find_invitation(tx, known.code, now) is None


def test_earlier_keys_are_kept_31_days_and_tried_newest_first(tmp_path: Path) -> None:
    path, third = tmp_path / "key", bytes(range(60, 92))
    write_ring(path, third)
    retire(path, (NEW, MASTER), date(2026, 11, 1))
    retire(path, (third, NEW, MASTER), date(2026, 11, 20))
    (tmp_path / "key.before-2026-11-30").write_text("damaged")
    (tmp_path / "key.before-never").write_text("not ours")
    assert {p.name for p in tmp_path.glob("key.before-2026*")} == {
        "key.before-2026-11-01", "key.before-2026-11-20", "key.before-2026-11-30",
    }  # fmt: skip
    assert (tmp_path / "key.before-2026-11-01").stat().st_mode & 0o777 == 0o600
    assert earlier_keys(tmp_path) == (NEW, MASTER)
    assert KeyFile(path).read() == (third,)
    assert forget_earlier(tmp_path, "key", date(2026, 12, 2)) == 0
    assert forget_earlier(tmp_path, "key", date(2026, 12, 3)) == 1
    assert earlier_keys(tmp_path) == (NEW,)


async def test_the_clock_lets_go_of_what_is_left(tmp_path: Path, ring: Path) -> None:
    async with opened(tmp_path) as school:
        await rotated(school, tmp_path)
        assert not await old_keys_due(school.db, school.clock.now)
        assert await old_keys_due(school.db, school.clock.move(days=32))
        assert earlier_keys(ring.parent) == ()
        async with school.db.reading() as tx:
            assert len(await read_kept(tx)) == 1
        assert await old_keys_due(school.db, school.clock.move(days=150))
        assert not await old_keys_due(school.db, school.clock.now)
        async with school.db.reading() as tx:
            assert await read_kept(tx) == []


async def test_a_backup_from_before_opens_with_the_earlier_key_and_is_sealed_anew(tmp_path: Path, ring: Path) -> None:
    """What `yousaid restore` does with a copy that is older than the key."""
    async with opened(tmp_path) as school:
        known = await filled(school)
        await school.db.vacuum_into(tmp_path / "before.db")
        await rotated(school, tmp_path)
    (tmp_path / "before.db").replace(tmp_path / "data" / "yousaid.db")
    for end in ("-wal", "-shm"):
        (tmp_path / "data" / f"yousaid.db{end}").unlink(missing_ok=True)
    with pytest.raises(KeyProblem):
        await open_database(place_for(tmp_path), vault_in(tmp_path), BoxKeys(tmp_path / "keys"))
    both = Vault(*KeyFile(ring).read(), *earlier_keys(ring.parent))
    db = await open_database(place_for(tmp_path), both, BoxKeys(tmp_path / "keys"))
    await reseal(db, school.clock.now)
    await db.close()
    async with opened(tmp_path) as school:
        school.clock.move(days=15)
        await still_there(school, known)


def test_the_next_key_is_the_same_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert next_key(path) == next_key(path)
    assert (tmp_path / "key.next").stat().st_mode & 0o777 == 0o600
