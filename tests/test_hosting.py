"""On the day and after it: the host's list, who came, and what was said in the room (S15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.events.paper import as_values
from bot.events.sheet import sheet_of
from data.access import cut_access, take_role
from data.audit import last_entries
from data.bookings import COMING, WAITING, Booking, Needs, book, booking_of
from data.events import Occasion, add_event, find_occasion, new_event, new_occasion, save_event
from data.moments import new_id
from data.outbox import Letter, claim, on_page
from data.people import find_group
from data.queue import waiting_items
from data.room_notes import RoomNotes, room_notes_of
from data.tables import bookings
from tests.school import School, Talk, opened

pytestmark = pytest.mark.both_databases

DAY = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
WORDS = "I work nights. My uncle hits me and I am scared to go home"


async def led(school: School, host: str, *, slots: int | None = 15, day: datetime = DAY) -> Occasion:
    """A drop-in of an hour that this person leads, with four times to keep."""
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        event = new_event("dropin", group, host=host, place="Room 4", slot_minutes=slots, ways=("in-person", "phone"))
        occasion = new_occasion(event, day, day + timedelta(hours=1))
        await add_event(tx, event, [occasion])
    return occasion


async def booked(school: School, occasion: Occasion, label: str, slot: int | None, **more: object) -> str:
    person = await school.person("parent", label=label)
    async with school.db.transaction() as tx:
        wanted = Booking(new_id(), occasion.id, person, COMING, slot, made_at=school.clock.now, **more)  # type: ignore[arg-type]
        await book(tx, occasion, wanted)
    return person


async def a_day(school: School) -> tuple[Talk, Occasion]:
    """A host, and two families who have kept a time."""
    host = await school.person("staff", label="Mr Reed")
    occasion = await led(school, host)
    needs = Needs("learning", "bsl", "a seat near the door")
    await booked(school, occasion, "The Khan family", 1, way="phone", needs=needs)
    await booked(school, occasion, "The Smith family", 0)
    return school.on(host), occasion


async def letters(school: School, person: str) -> list[str]:
    await school.rounds()
    async with school.db.reading() as tx:
        return [letter.kind for letter in reversed(await on_page(tx, person))]


async def logged(school: School) -> list[str]:
    async with school.db.reading() as tx:
        return [entry.what for entry in await last_entries(tx, 50)]


async def test_the_host_hears_at_half_past_seven_that_the_list_is_there(tmp_path: Path) -> None:
    """FAIL-7: one neutral line. Before the window opens, because it is of use only then."""
    async with opened(tmp_path, send_window="08:00-18:00 school days") as school:
        talk, _ = await a_day(school)
        school.clock.set(datetime(2026, 11, 10, 7, 29, tzinfo=UTC))
        assert await letters(school, talk.person) == []
        school.clock.move(minutes=1)
        assert await letters(school, talk.person) == ["host-sheet"]
        assert await letters(school, talk.person) == ["host-sheet"]


async def test_where_the_host_has_left_somebody_else_gets_the_list(school: School) -> None:
    """Families come all the same: first to whoever planned it, else to the SENCO."""
    host, maker, senco = [await school.person(role) for role in ("staff", "office", "senco")]
    occasion = await led(school, host)
    async with school.db.transaction() as tx:
        await save_event(tx, replace(occasion.event, made_by=maker))
        await take_role(tx, host, "staff", school.clock.now)
    school.clock.set(DAY - timedelta(hours=1))
    assert await letters(school, host) == []
    assert await letters(school, maker) == ["host-sheet"]
    async with school.db.transaction() as tx:
        await cut_access(tx, maker, school.clock.now)
    school.clock.set(DAY + timedelta(hours=2))
    assert "host-notes" in await letters(school, senco)
    talk = school.on(senco)
    talk.reply = await talk.forges(f"came={occasion.id}")
    assert "How many came without booking?" in talk.text


async def test_the_letters_to_the_host_are_one_neutral_line_and_go_only_while_they_make_sense(school: School) -> None:
    """FAIL-7"""
    talk, occasion = await a_day(school)
    says = {"host-sheet": "Your list for today is ready.", "host-notes": "Please say how many came."}
    for kind, words in says.items():
        letter = Letter(1, kind, occasion.id, talk.person, 1, 0)
        message = await school.letters.compose(letter, school.clock.now)
        assert message
        assert (message.as_text(), [b.label for b in message.buttons]) == (words, ["Open"])
        talk.reply = await talk.forges(message.buttons[0].says)
        assert talk.messages
        other = Letter(1, kind, occasion.id, await school.person("staff"), 1, 0)
        assert await school.letters.compose(other, school.clock.now) is None
    over = Letter(1, "host-sheet", occasion.id, talk.person, 1, 0)
    assert await school.letters.compose(over, DAY + timedelta(hours=1)) is None


async def test_the_list_says_when_who_how_and_what_helps_and_the_look_is_noted(school: School) -> None:
    talk, occasion = await a_day(school)
    talk.reply = await talk.forges(f"sheet={occasion.id}")
    lines = talk.messages[0].listed
    assert lines[0] == "9:00. The Smith family"
    assert lines[1].startswith("9:15. The Khan family. by phone. ")
    assert "Interpreter: " in lines[1]
    assert "Helps them: a seat near the door" in lines[1]
    assert lines[2] == "Still free: 9:30, 9:45"
    assert (await logged(school))[-1] == "look.host-sheet"


async def test_who_waits_is_counted_and_not_named(school: School) -> None:
    talk, occasion = await a_day(school)
    person = await school.person("parent", label="The Waiting family")
    async with school.db.transaction() as tx:
        await book(tx, occasion, Booking(new_id(), occasion.id, person, WAITING, 0, made_at=school.clock.now))
    talk.reply = await talk.forges(f"sheet={occasion.id}")
    assert "1 family waits for a place." in talk.text
    assert "The Waiting family" not in talk.text


@pytest.mark.parametrize("kind", ["sheet", "came", "room", "alter"])
async def test_only_the_host_and_those_who_look_after_all_see_it(school: School, kind: str) -> None:
    _, occasion = await a_day(school)
    for role in ("parent", "governor", "dsl", "staff"):
        reply = await school.on(await school.person(role)).forges(f"{kind}={occasion.id}")
        assert "This is for staff" in reply.messages[0].text
    reply = await school.on(await school.person("governor")).forges(f"{kind}=nosuchthing1")
    assert "Khan" not in reply.messages[0].as_text()


async def test_three_taps_note_who_came(school: School) -> None:
    talk, occasion = await a_day(school)
    talk.reply = await talk.forges(f"came={occasion.id}")
    assert "It has not begun yet" in talk.text
    school.clock.set(DAY + timedelta(hours=1))
    talk.reply = await talk.forges(f"came={occasion.id}")
    await talk.taps("Not everybody")
    await talk.taps("The Khan family", "Done", "2")
    assert "Booked and came: 1. Booked and did not come: 1. Came without booking: 2." in talk.text
    async with school.db.reading() as tx:
        now = await find_occasion(tx, occasion.id)
    assert now
    assert (now.came, now.missed, now.walked_in) == (1, 1, 2)
    assert "dropin.attended" in await logged(school)


async def test_noted_again_after_the_bookings_are_deleted_the_counts_stay(school: School) -> None:
    """S15: the counts stay, the bookings go with their period."""
    talk, occasion = await a_day(school)
    school.clock.set(DAY + timedelta(hours=1))
    talk.reply = await talk.forges(f"came={occasion.id}")
    await talk.types("Not everybody", "1", "Done", "2")
    async with school.db.transaction() as tx:
        await tx.run(delete(bookings).where(bookings.c.occasion == occasion.id))
    talk.reply = await talk.forges(f"came={occasion.id}")
    await talk.types("3")
    async with school.db.reading() as tx:
        now = await find_occasion(tx, occasion.id)
    assert now
    assert (now.came, now.missed, now.walked_in) == (1, 1, 2)


async def test_everybody_came_is_two_taps_and_marks_each_booking(school: School) -> None:
    talk, occasion = await a_day(school)
    person = await booked(school, occasion, "The Jones family", 2)
    school.clock.set(DAY + timedelta(hours=1))
    talk.reply = await talk.forges(f"came={occasion.id}")
    await talk.taps("Yes, everybody", "None")
    async with school.db.reading() as tx:
        mine = await booking_of(tx, occasion.id, person)
    assert mine
    assert mine.came is True


async def test_where_nobody_had_booked_one_tap_is_enough(school: School) -> None:
    host = await school.person("staff")
    occasion = await led(school, host, slots=None)
    school.clock.set(DAY + timedelta(hours=1))
    talk = school.on(host)
    talk.reply = await talk.forges(f"came={occasion.id}")
    await talk.taps("5 or more")
    await talk.types("12")
    async with school.db.reading() as tx:
        now = await find_occasion(tx, occasion.id)
    assert now
    assert (now.came, now.missed, now.walked_in) == (0, 0, 12)


async def test_the_host_is_asked_once_to_note_it_and_not_when_it_is_done(school: School) -> None:
    talk, occasion = await a_day(school)
    school.clock.set(DAY + timedelta(hours=1))
    assert "host-notes" in await letters(school, talk.person)
    assert (await letters(school, talk.person)).count("host-notes") == 1
    other = await led(school, talk.person, day=DAY + timedelta(days=1))
    school.clock.set(DAY + timedelta(days=1, minutes=30))
    talk.reply = await talk.forges(f"came={other.id}")
    await talk.taps("1")
    school.clock.move(hours=1)
    assert (await letters(school, talk.person)).count("host-notes") == 1
    assert occasion


async def test_a_moved_time_has_a_list_of_its_own_and_the_old_letter_is_not_sent(school: School) -> None:
    talk, occasion = await a_day(school)
    await talk.forges(f"alter={occasion.id}")
    await talk.types("1", "12 November", "9am", "Send now")
    school.clock.set(datetime(2026, 11, 10, 7, 30, tzinfo=UTC))
    assert "host-sheet" not in await letters(school, talk.person)
    school.clock.set(datetime(2026, 11, 12, 7, 30, tzinfo=UTC))
    assert "host-sheet" in await letters(school, talk.person)


# --- said in the room ---------------------------------------------------------------------------------------------


async def noting(school: School) -> tuple[Talk, Occasion]:
    talk, occasion = await a_day(school)
    school.clock.set(DAY + timedelta(hours=1))
    talk.reply = await talk.forges(f"room={occasion.id}")
    await talk.taps("Learning", "Behaviour", "Done")
    return talk, occasion


async def notes(school: School, occasion: Occasion) -> RoomNotes | None:
    async with school.db.reading() as tx:
        return await room_notes_of(tx, occasion.id)


async def test_themes_alone_are_enough(school: School) -> None:
    """S15.7: themes only, and to no child's file."""
    talk, occasion = await noting(school)
    await talk.taps("No, that is all", "Save it")
    assert "into no child's file" in talk.text
    found = await notes(school, occasion)
    assert found
    assert (sorted(found.themes), found.words) == (["behaviour", "learning"], "")
    assert "dropin.room-notes" in await logged(school)


async def test_words_with_a_name_are_not_saved_until_it_is_out(school: School) -> None:
    """FAIL-14: a family who had booked, and staff."""
    talk, occasion = await noting(school)
    await talk.taps("Add a few words")
    await talk.types("The Khan family wants more maths, Ms Patel agrees")
    assert "This may tell who it was" in talk.text
    assert "Save it" not in [b.label for b in talk.messages[-1].buttons]
    assert await notes(school, occasion) is None
    await talk.types("Change", "3", "More help with maths is wanted", "Save it")
    found = await notes(school, occasion)
    assert found
    assert found.words == "More help with maths is wanted"


async def test_flagged_words_go_to_the_queue_and_not_into_the_notes(school: School) -> None:
    """SAFE-12"""
    talk, occasion = await noting(school)
    await talk.taps("Add a few words")
    await talk.types(WORDS)
    async with school.db.reading() as tx:
        assert [item.text for item in await waiting_items(tx)] == [WORDS]
    assert await notes(school, occasion) is None


async def test_noting_again_takes_the_place_of_the_first(school: School) -> None:
    talk, occasion = await noting(school)
    await talk.taps("No, that is all", "Save it")
    talk.reply = await talk.forges(f"room={occasion.id}")
    await talk.taps("Friends", "Done", "No, that is all", "Save it")
    found = await notes(school, occasion)
    assert found
    assert found.themes == ("friends",)


async def test_what_is_off_has_no_list(school: School) -> None:
    talk, occasion = await a_day(school)
    await talk.forges(f"alter={occasion.id}")
    await talk.types("Call off this time", "The heating is broken", "Send now")
    talk.reply = await talk.forges(f"sheet={occasion.id}")
    assert "That is off" in talk.text
    school.clock.set(DAY - timedelta(hours=1))
    await school.rounds()
    async with school.db.transaction() as tx:
        assert "host-sheet" not in {x.kind for x in await claim(tx, "test", DAY + timedelta(days=9), 100)}


async def test_who_helps_stands_apart_from_what_families_come_for(school: School) -> None:
    """S13: whoever offered to help is named once more below the list, and helping is nobody's topic."""
    host = await school.person("staff", label="Mr Reed")
    occasion = await led(school, host, slots=None)
    await booked(school, occasion, "The Khan family", None, needs=Needs("help"))
    await booked(school, occasion, "The Smith family", None, needs=Needs("learning"))
    reply = await school.on(host).forges(f"sheet={occasion.id}")
    lines = reply.messages[0].listed
    assert {*lines[:2]} == {"The Khan family", "The Smith family. Learning"}
    assert lines[2] == "They help on the day: The Khan family"
    async with school.db.reading() as tx:
        sheet = await sheet_of(tx, school.house, "en", occasion)
    assert "They help on the day: The Khan family" in as_values(school.house, "en", sheet, school.clock.now)["below"]
