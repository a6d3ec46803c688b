"""/events: the numbers staff see, the list of a day as a PDF, and a term imported on a page (S3.3, S15, SUP-1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.events.looking_back import term_so_far
from data.bookings import CANNOT, COMING, WAITING, Booking, book, cannot_come
from data.events import Occasion, add_event, coming_occasions, new_event, new_occasion, save_occasion
from data.moments import new_id
from data.people import find_group
from data.room_notes import RoomNotes, save_room_notes
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.pdf_words import words_of
from tests.school import MONDAY, School
from tests.test_hosting import DAY, a_day, booked, led, logged
from tests.test_importing import TABLE
from tests.test_second_factor import set_up
from tests.test_web_channel import naps, signed_in

__all__ = ["naps"]  # a fixture


async def over(school: School, n: int, came: int, missed: int, *themes: str, walked: int = 0) -> None:
    """So many drop-ins of this term that are over."""
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        for i in range(n):
            event, starts = new_event("dropin", group), MONDAY - timedelta(days=7 * i + 1)
            made = new_occasion(event, starts, starts + timedelta(hours=1))
            await add_event(tx, event, [made])
            await save_occasion(tx, replace(made, came=came, missed=missed, walked_in=walked))
            await save_room_notes(tx, made.id, RoomNotes(tuple(themes)))


async def office(school: School, browsers: NewBrowser, role: str = "office") -> PlainBrowser:
    return await signed_in(school, browsers(), await school.person(role))


async def planned(school: School) -> list[Occasion]:
    async with school.db.reading() as tx:
        return await coming_occasions(tx, None, school.clock.now)


async def test_the_list_says_how_many_come_and_wait_and_names_nobody(school: School, browsers: NewBrowser) -> None:
    _, occasion = await a_day(school)
    late = await school.person("parent", label="The Late family")
    async with school.db.transaction() as tx:
        await book(tx, occasion, Booking(new_id(), occasion.id, late, WAITING, 0, made_at=school.clock.now))
    browser = await office(school, browsers)
    await browser.open("/events")
    for words in ("Tuesday 10 November, 9:00 to 10:00", "2 are coming. 1 family waits for a place.", "Room 4"):
        assert words in browser.page.text
    await browser.open(f"/events/{occasion.id}")
    assert "2 are coming." in browser.page.text
    assert "family" not in browser.page.text.replace("1 family waits", "")


async def test_a_time_that_nobody_could_make_is_named(school: School, browsers: NewBrowser) -> None:
    """S3.3"""
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        event = new_event("coffee", group, title="Coffee")
        times = [new_occasion(event, DAY + timedelta(days=n), DAY + timedelta(days=n, hours=1)) for n in range(3)]
        await add_event(tx, event, times)
    person = await school.person("parent")
    async with school.db.transaction() as tx:
        await book(tx, times[0], Booking(new_id(), times[0].id, person, COMING, made_at=school.clock.now))
        assert await cannot_come(tx, times[1], person, school.clock.now) == []
    browser = await office(school, browsers)
    await browser.open(f"/events/{times[0].id}")
    assert browser.page.text.count("Nobody could make this time.") == 1
    assert browser.page.text.count("Nobody has said anything yet.") == 1
    assert CANNOT


@pytest.mark.parametrize(("came", "missed", "percent"), [(5, 5, 50), (8, 2, 20), (1, 1, 50), (0, 0, None), (10, 0, 0)])
async def test_how_many_missed_it_is_told_in_percent_of_a_term(
    school: School, came: int, missed: int, percent: int | None
) -> None:
    await over(school, 5, came, missed)
    async with school.db.reading() as tx:
        term = await term_so_far(tx, school.house, "en", school.clock.now)
    assert term.percent_missed == (percent if came + missed else None)


async def test_small_numbers_of_a_term_are_hidden(school: School, browsers: NewBrowser) -> None:
    """SUP-1: fewer than 5 who missed it, or at whose drop-in a theme was named, stay hidden."""
    await over(school, 1, 8, 2, "friends", walked=3)
    browser = await office(school, browsers)
    await browser.open("/events")
    assert "too few to show" in browser.page.text
    assert "Friends: fewer than 5" in browser.page.text
    assert browser.page.text.count("fewer than 5") == 2  # and those who came without booking


async def test_themes_of_a_term_are_counted_by_the_times_they_were_named(school: School) -> None:
    await over(school, 5, 2, 2, "learning")
    await over(school, 2, 2, 2, "friends")
    async with school.db.reading() as tx:
        term = await term_so_far(tx, school.house, "en", school.clock.now)
    assert term.themes == (("Learning", 5), ("Friends", None))


@pytest.mark.parametrize("role", ["parent", "governor", "dsl", "chair"])
async def test_the_pages_are_for_those_who_plan(school: School, browsers: NewBrowser, role: str) -> None:
    _, occasion = await a_day(school)
    browser = await office(school, browsers, role)
    for path in ("/events", "/events/import", f"/events/{occasion.id}"):
        await browser.open(path)
        assert "This is for staff" in browser.page.text


async def test_the_list_is_saved_as_a_pdf_after_the_second_factor_and_noted(
    school: School, browsers: NewBrowser
) -> None:
    talk, occasion = await a_day(school)
    browser = await signed_in(school, browsers(), talk.person)
    await set_up(school, browser, f"/events/{occasion.id}")
    await browser.press("Save the list as a PDF")
    pdf = browser.answer.content
    assert pdf.startswith(b"%PDF")
    words = words_of(pdf)
    for said in ("The Khan family", "9:15", "by phone", "a seat near the door", "Still free: 9:30, 9:45"):
        assert said in words.replace("\n", " ") or said in words
    assert "look.host-sheet" in await logged(school)


async def test_a_colleague_who_does_not_lead_it_gets_no_names(school: School, browsers: NewBrowser) -> None:
    _, occasion = await a_day(school)
    other = await signed_in(school, browsers(), await school.person("staff"))
    await other.open(f"/events/{occasion.id}")
    assert "Save the list" not in other.page.text


async def test_thirty_families_fit_on_one_page(school: School) -> None:
    from bot.events.paper import TEMPLATE, as_values
    from bot.events.sheet import sheet_of
    from bot.papers.typesetting import pictures

    occasion = await led(school, await school.person("senco"), slots=None)
    for n in range(24):
        await booked(school, occasion, f"Family {n}", None)
    async with school.db.reading() as tx:
        values = as_values(school.house, "en", await sheet_of(tx, school.house, "en", occasion), school.clock.now)
    assert len(pictures(TEMPLATE, values)) == 1


async def test_a_term_is_looked_at_first_and_then_planned(school: School, browsers: NewBrowser) -> None:
    await school.person("senco", label="Ms Patel")
    browser = await office(school, browsers)
    await browser.open("/events/import")
    await browser.press("Look at it first", text=TABLE)
    assert "All is right. 4 times would be planned." in browser.page.text
    assert await planned(school) == []
    await browser.press("Plan these 4 times")
    assert len(await planned(school)) == 4
    assert "Coffee and cake" in browser.page.text


async def test_what_is_wrong_is_shown_with_what_was_pasted(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await browser.open("/events/import")
    text = "date,starts,group\n31/2/2027,9:00,SEND parents\n3/3/2027,noonish,SEND parents\n"
    await browser.press("Look at it first", text=text)
    assert "2 things are wrong. Nothing was planned." in browser.page.text
    assert "Line 2: “31/2/2027” is no date" in browser.page.text
    assert "noonish" in browser.page.text
    assert await planned(school) == []
