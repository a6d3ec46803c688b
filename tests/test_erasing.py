"""Alice deletes herself; nothing of hers is left but what she was told, and nothing of Bob's has changed (6.8)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.joining import join
from bot.role_changes import grant_role
from data.access import cut_access
from data.alerts import set_away
from data.answers import count_sheets, sheets_of
from data.audit_check import check_log
from data.bookings import Booking, Needs, book
from data.children import add_places, set_name
from data.codes import Invitation, make_code, make_device_code, note_wrong_code, place_of, read_code, remember_visit
from data.comments import QUOTE, Comment, save_comment
from data.database import Tx
from data.erasing import erase, erase_leftovers, must_stay
from data.factors import add_factor
from data.held import items_of
from data.links import make_link
from data.looks import note_look
from data.moments import new_id
from data.names import whose_sheet
from data.outbox import post
from data.pauses import set_pause
from data.people import add_address, find_group, people_with_role
from data.queue import add_item, find_item, mark_read, mark_transferred, route_item
from data.records import records_of
from data.removals import count_removals
from data.requests import ask_to_talk
from data.sealed_tables import SEALED
from data.sessions import start_session
from data.surveys import all_surveys, find_survey
from data.tables import marks, metadata, people, sheet_keys, surveys
from data.vault import Vault
from data.wishes import wish
from tests.event_days import add_dropin
from tests.school import School
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_rights import known

pytestmark = pytest.mark.both_databases

EVERYWHERE = ("audit",)  # knows people by their random number only, as /delete says


class Seen:
    """Opens what a row holds and remembers the words; stands in for a vault that seals anew."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.words: list[bytes] = []

    def is_todays(self, sealed: bytes) -> bool:
        return False

    def open(self, purpose: str, sealed: bytes, about: str) -> bytes:
        self.words.append(self.vault.open(purpose, sealed, about))
        return self.words[-1]

    def seal(self, purpose: str, plain: bytes, about: str) -> bytes:
        return b""

    def lookup(self, purpose: str, words: str) -> str:
        return ""

    def lookups(self, purpose: str, words: str) -> tuple[str, ...]:
        return ("",)


async def everything(tx: Tx) -> dict[str, list[tuple[str, tuple[Any, ...]]]]:
    """Table -> (all that can be read in a row, with the key; the row as it is stored)."""
    found: dict[str, list[tuple[str, tuple[Any, ...]]]] = {}
    opens = {sealed.table.name: sealed.anew for sealed in SEALED}
    boxes = {s.id for s in await all_surveys(tx) if s.mode == "ANON"}
    for table in metadata.sorted_tables:
        for row in await tx.all(select(table)):
            plain = " ".join(str(value) for value in row if isinstance(value, str))
            boxed = table.name == "runs" and row.survey in boxes
            words = [] if boxed else opened(tx, opens.get(table.name), row)
            found.setdefault(table.name, []).append((" ".join([plain, *words]), tuple(row)))
    return found


def opened(tx: Tx, anew: Callable[..., object] | None, row: Any) -> list[str]:
    seen = Seen(tx.vault)
    if anew:
        anew(seen, row)
    return [words.decode() for words in seen.words]


def holding(rows: dict[str, list[tuple[str, tuple[Any, ...]]]], *marks: str) -> list[tuple[str, str]]:
    """(table, what can be read) of every row in which one of these stands."""
    return [(name, text) for name, found in rows.items() for text, _ in found if any(m in text for m in marks)]


# --- a random school ----------------------------------------------------------------------------------------------


async def joined(school: School, label: str, slip: int) -> str:
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents")
        what = Invitation("parent", group, "en", label, children=2, slip=slip)
        code = await make_code(tx, what, 1, school.clock.now + timedelta(days=14), school.clock.now)
        person = await join(tx, school.house, read_code(code) or "", school.clock.now, "en")
    assert person
    return person


async def belonging(school: School, person: str, label: str, dice: random.Random) -> None:
    """Whatever the bot can come to know about somebody; each thing or not."""
    now = school.clock.now
    dsl = (await _ids(school, "dsl"))[0]
    async with school.db.transaction() as tx:
        things = [
            lambda: add_address(tx, person, "telegram", f"chat of {label}"),
            lambda: start_session(tx, person, now),
            lambda: set_name(tx, person, 1, f"child of {label}"),
            lambda: add_places(tx, person, 1),
            lambda: make_link(tx, person, "mydata", "", now),
            lambda: make_device_code(tx, person, "en", now),
            lambda: remember_visit(tx, place_of(person), "ABCDEFGHJ2", now),
            lambda: note_wrong_code(tx, place_of(person), now),
            lambda: post(tx, "reminder", f"day {dice.random()}", [person], now),
            lambda: _pause(tx, person, now),
            lambda: note_look(tx, dsl, "family", person, f"the school trip of {label.lower()} is late", now),
            lambda: add_factor(tx, person, "SECRET", 1),
            lambda: set_away(tx, person, now + timedelta(days=3)),
            lambda: grant_role(tx, person, "governor", now),
            lambda: _signs_up(tx, person, label, now),
            lambda: wish(tx, person, "charity"),
            lambda: ask_to_talk(tx, person, dsl, now),
        ]
        for thing in things:
            if dice.random() < 0.7:
                await thing()  # type: ignore[no-untyped-call]
        for _ in range(dice.randrange(5)):
            await _item(tx, person, label, dsl, dice, now)


async def _signs_up(tx: Tx, person: str, label: str, now: Any) -> None:
    group = await find_group(tx, "SEND parents") or ""
    occasion = await add_dropin(tx, group, now + timedelta(days=2), "Room 4", now)
    needs = Needs("friends", "bsl", f"{label} needs a ramp")
    await book(tx, occasion, Booking(new_id(), occasion.id, person, "coming", needs=needs, made_at=now))


async def _pause(tx: Tx, person: str, now: Any) -> None:
    await set_pause(tx, person, "bereavement", None, person, now)


async def _item(tx: Tx, person: str, label: str, dsl: str, dice: random.Random, now: Any) -> None:
    """Words in any state: unread, read, quoted, sent on, in the school's record."""
    kind = dice.choice(["words", "flagged", "help"])
    id = await add_item(tx, kind, now, f"words of {label}", person, label, quote=True)
    if dice.random() < 0.4:
        return
    await mark_read(tx, id, dsl, now)
    item = await find_item(tx, id)
    assert item
    if dice.random() < 0.5:
        await route_item(tx, item, dice.choice(["welfare", "none"]), (), f"ask {label}", dsl, now)
    if dice.random() < 0.5:
        await mark_transferred(tx, id, dsl, now)


async def _ids(school: School, role: str) -> list[str]:
    async with school.db.reading() as tx:
        return await people_with_role(tx, role)


async def a_school(school: School, dice: random.Random) -> tuple[str, str]:
    """Ids of Alice and Bob in a school of a dozen, with questions open and closed in every mode."""
    await school.readers()
    alice, bob = await joined(school, "Alicemark", 1), await joined(school, "Bobmark", 2)
    await school.people(10)
    for nth, mode in enumerate(dice.choices(["ANON", "CONF", "NAMED"], k=4)):
        survey = await sent(school, room(mode, id=f"room-{nth}"))
        for person, name in ((alice, "Alicemark"), (bob, "Bobmark")):
            if dice.random() < 0.7:
                await gives(school, person, survey, dice.choice("12"), "1", f"said by {name}")
        if dice.random() < 0.7:
            await close(school)
    await belonging(school, alice, "Alicemark", dice)
    await belonging(school, bob, "Bobmark", dice)
    return alice, bob


@pytest.mark.parametrize("seed", range(6))
async def test_alice_is_gone_and_bob_is_as_before(school: School, seed: int) -> None:
    """6.8, PR-1: over random schools. Words of Alice's that a human must still read stay, and her number in the log."""
    alice, bob = await a_school(school, random.Random(seed))
    async with school.db.reading() as tx:
        before = await everything(tx)
        kept = {item.id for item in await items_of(tx, alice) if must_stay(item)}
    async with school.db.transaction() as tx:
        await erase(tx, alice, school.clock.now, alice)
    async with school.db.reading() as tx:
        after = await everything(tx)
    assert len({table for table, _ in holding(before, alice, "Alicemark")}) > 4  # so that the reader is known to see
    left = [row for row in holding(after, alice, "Alicemark", "alicemark") if not _told(row, kept, alice)]
    assert left == []
    assert of_bob(after, bob) == of_bob(before, bob)
    async with school.db.reading() as tx:
        assert (await check_log(tx)).problems == []


def _told(row: tuple[str, str], kept: set[str], alice: str) -> bool:
    """What /delete says that stays: words until they are read, a number in the log; and a row to tidy chats."""
    table, text = row
    if table == "queue":
        return any(id in text for id in kept)
    if table in EVERYWHERE:
        return "licemark" not in text
    return table in ("people", "addresses") and "Alicemark" not in text.replace("chat of Alicemark", "")


def of_bob(rows: dict[str, list[tuple[str, tuple[Any, ...]]]], bob: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Bob's rows as they are stored, but the log of the deletion, which only grows."""
    mine = [(name, row) for name, found in rows.items() for text, row in found if bob in text or "Bobmark" in text]
    return sorted(((name, row) for name, row in mine if name not in EVERYWHERE), key=repr)


@pytest.mark.parametrize("seed", range(2))
async def test_deleting_again_after_a_restore_needs_nothing_but_the_number(school: School, seed: int) -> None:
    """A4.3: the tombstone is there, the person is back: gone at once, chats and all, and nobody is written to."""
    alice, _ = await a_school(school, random.Random(seed))
    async with school.db.transaction() as tx:
        await erase(tx, alice, school.clock.now)
        await erase(tx, alice, school.clock.now)
        await erase(tx, "nobodyatall00000", school.clock.now)
        assert await tx.first(select(people).where(people.c.id == alice)) is None


async def test_whoever_the_school_cut_off_can_be_deleted_too(school: School) -> None:
    """PR-2, then 6.8: the label goes from the row that stayed."""
    alice = await joined(school, "Alicemark", 1)
    async with school.db.transaction() as tx:
        await cut_access(tx, alice, school.clock.now)
        await erase(tx, alice, school.clock.now)
        await erase_leftovers(tx, school.clock.now + timedelta(days=2))
        assert holding(await everything(tx), "Alicemark") == []
        assert await tx.first(select(people).where(people.c.id == alice)) is None


async def test_quotes_of_hers_go(school: School) -> None:
    """SUP-6: what could be read outside the team and was hers."""
    await school.readers()
    alice = await joined(school, "Alicemark", 1)
    survey = await sent(school, room("CONF"))
    async with school.db.transaction() as tx:
        item = await add_item(tx, "words", school.clock.now, "more visits", alice, "Alicemark", survey, quote=True)
        await mark_read(tx, item, alice, school.clock.now)
        await save_comment(tx, Comment(item, survey, QUOTE, "more visits", ()))
        await erase(tx, alice, school.clock.now, alice)
        assert holding(await everything(tx), "more visits") == []
    assert not await known(school, alice)


@pytest.mark.parametrize(("mode", "left"), [("ANON", 6), ("CONF", 6), ("NAMED", 5)])
async def test_the_count_comes_out_even_afterwards(school: School, mode: str, left: int) -> None:
    """AUDIT-1: answers + removed = marks + gone. Numbers stay in CONF and ANON; a child's papers go, counted."""
    await school.readers()
    alice = await joined(school, "Alicemark", 1)
    people = [alice, *await school.people(11)]
    id = await sent(school, room(mode))
    for person in people[:6]:
        await gives(school, person, id, "1", "1", "skip")
    await close(school)
    async with school.db.transaction() as tx:
        await erase(tx, alice, school.clock.now, alice)
        survey = await find_survey(tx, id)
        assert survey
        finished = len(await tx.all(select(marks).where(marks.c.survey == id, marks.c.finished.is_(True))))
        gone = await tx.value(select(surveys.c.gone).where(surveys.c.id == id))
        removed = await count_removals(tx, id)
        assert (await count_sheets(tx, id), removed, finished, gone) == (left, 6 - left, 5, 1)
        assert await tx.all(select(sheet_keys).where(sheet_keys.c.survey == id)) == [] or mode != "ANON"
        assert alice not in [await whose_sheet(tx, id, sheet) for sheet, _ in await sheets_of(tx, id, survey.form)]
        assert await records_of(tx, alice) == []
