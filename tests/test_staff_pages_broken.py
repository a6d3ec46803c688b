"""What hostile, hurried and unlucky people did to the pages of staff: each test failed before that was mended."""

from __future__ import annotations

import re

import pytest

from bot.child_papers import family_of
from bot.joining import join
from data import codes as stored_codes
from data.audit import entries
from data.codes import read_code
from data.database import Tx
from data.factors import find_factor
from data.queue import empty_item, find_item, items_of
from data.records import records_of
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.pdf_words import words_of
from tests.school import School
from tests.test_people_page import letters, office, person_of, slip, waiting_code
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_queue_pages import WORDS, a_survey, act, put
from tests.test_second_factor import digits_of, set_up
from tests.test_web_channel import naps, signed_in

__all__ = ["naps"]  # a fixture

ABOUT_HER = "Ms Patel shouted at my son"
KIND = "He likes the blue chair"


# --- nobody sees what is about themselves (SAFE-7) ----------------------------------------------------------------


async def two_papers(school: School) -> tuple[str, str]:
    """Closed NAMED questions: one family's words name the SENCO, another's name nobody."""
    await school.readers()
    people = [await school.person("parent", label=label) for label in ("Okonkwo family", "Abbott family")]
    survey = await sent(school, room("NAMED"))
    for person, words in zip(people, (ABOUT_HER, KIND), strict=True):
        await gives(school, person, survey, "1", "1", words)
    school.clock.move(days=1)
    await school.rounds()
    await close(school)
    return people[0], people[1]


async def opens(school: School, browsers: NewBrowser, role: str, person: str) -> PlainBrowser:
    """A reader of papers, who has opened the one of this family."""
    browser = await signed_in(school, browsers(), await school.person(role))
    await set_up(school, browser, f"/records/{person}")
    action = {f.action: b for f in browser.page.forms for b in f.buttons if b.get("name") == "paper"}
    csrf = browser.page.forms[0].fields["csrf"]
    (address, button), *_ = action.items()
    browser.answer = await browser.http.post(address, data={"csrf": csrf, "paper": button["value"]})
    return browser


async def test_nobody_reads_about_themselves_in_a_childs_papers(school: School, browsers: NewBrowser) -> None:
    """SAFE-7: what is kept from her in the queue is kept from her in /records too, also on paper."""
    about_her, other = await two_papers(school)
    senco = await opens(school, browsers, "senco", about_her)
    assert "It helps" in senco.page.text
    assert "These words may be about you" in senco.page.text
    assert ABOUT_HER not in senco.answer.text
    await senco.press("Save as PDF for the pupil's file")
    assert "may be about you" in words_of(senco.answer.content).replace("\n", " ")
    assert ABOUT_HER not in words_of(senco.answer.content).replace("\n", " ")
    assert KIND in (await opens(school, browsers, "senco", other)).page.text
    assert ABOUT_HER in (await opens(school, browsers, "dsl", about_her)).page.text


async def test_they_stay_away_when_the_item_has_gone(school: School, browsers: NewBrowser) -> None:
    """SAFE-7, SAFE-8: the school's own record has it, and the queue does not know any more whose it was."""
    about_her, other = await two_papers(school)
    async with school.db.transaction() as tx:
        (item,) = [i for i in await items_of(tx, "calm-room-1") if i.person == about_her]
        await empty_item(tx, item.id, school.clock.now)
    assert ABOUT_HER not in (await opens(school, browsers, "senco", about_her)).answer.text
    assert KIND in (await opens(school, browsers, "senco", other)).page.text


async def test_an_old_page_does_not_undo_who_it_is_about(school: School, browsers: NewBrowser) -> None:
    """SAFE-7: two readers at once; one sends a page drawn before the other said that it is about the DSL."""
    id = await put(school)
    quick, slow = [await signed_in(school, browsers(), await school.person(r)) for r in ("senco", "deputy")]
    for browser, read in ((quick, "Read"), (slow, "Read again")):
        await browser.open("/queue")
        await browser.press(read)
    await quick.press("Send it there", route="staff", **{"about-dsl": "yes"})
    page = await slow.press("Send it there", route="welfare")
    async with school.db.reading() as tx:
        item = await find_item(tx, id)
    assert item
    assert (item.route, item.about) == ("staff", ("dsl",))
    assert "A colleague sent this on" in page.text
    assert page.form_with("Send it there")[0].fields["about-dsl"] == "yes"
    await slow.press("Send it there", route="welfare", **{"about-dsl": "yes"})  # knowing it, they may
    async with school.db.reading() as tx:
        item = await find_item(tx, id)
    assert item
    assert (item.route, item.about) == ("welfare", ("dsl",))


# --- who reads words is noted, each of them ------------------------------------------------------------------------


async def test_words_open_only_to_who_pressed_read(school: School, browsers: NewBrowser) -> None:
    """AUDIT, trust A4.2: that a colleague has read it lets nobody see the words unnoted, by address or by form."""
    id = await put(school)
    first, second = [await signed_in(school, browsers(), await school.person(r)) for r in ("senco", "deputy")]
    await first.open("/queue")
    await first.press("Read")
    assert WORDS in first.page.text
    assert WORDS not in (await second.open(f"/queue/{id}")).text
    for what in ("route", "copy", "done", "name"):
        await act(second, f"/queue/{id}/{what}", route="nowhere", reason="x")
        assert WORDS not in second.answer.text
    await second.open("/queue")
    await second.press("Read again")
    assert WORDS in second.page.text
    async with school.db.reading() as tx:
        assert len({e.actor for e in await entries(tx, id, "item.read")}) == 2


# --- the second factor, or the page's time, ends between look and press (trust A4.5) -------------------------------

NOT_DONE = "What you just sent was not done"


async def digits(school: School, browser: PlainBrowser) -> None:
    async with school.db.reading() as tx:
        factor = await find_factor(tx, browser.person)  # type: ignore[attr-defined]
    assert factor
    await browser.press("Go on", digits=digits_of(school, factor.secret))


async def joined_family(school: School, browsers: NewBrowser) -> tuple[PlainBrowser, str]:
    """The office, and the page of a family that has joined."""
    browser, codes = await office(school, browsers), await letters(school)
    async with school.db.transaction() as tx:
        assert await join(tx, school.house, read_code(codes[0]) or "", school.clock.now, "en")
    return browser, f"/people/letter/{await slip(school, 'Khan family')}"


@pytest.mark.parametrize("minutes", [11, 16])
async def test_access_that_was_not_cut_is_not_taken_for_cut(school: School, browsers: NewBrowser, minutes: int) -> None:
    """PR-2: after six digits, or after a lock, the page comes back; it says that nothing has happened yet."""
    browser, page = await joined_family(school, browsers)
    await browser.open(page)
    assert NOT_DONE not in browser.page.text
    school.clock.move(minutes=minutes)
    await browser.press("End their access", reason="order")
    assert (NOT_DONE in browser.page.text) == (minutes == 16)  # a locked page says it at once
    await digits(school, browser)
    assert browser.answer.url.path == page
    assert NOT_DONE in browser.page.text
    assert (await school.known(await person_of(school, "Khan family"))).roles
    await browser.press("End their access", reason="order")
    assert NOT_DONE not in browser.page.text
    assert not (await school.known(await person_of(school, "Khan family"))).roles


@pytest.mark.parametrize("minutes", [11, 16])
async def test_a_yes_to_a_waiting_role_comes_back_to_the_page_it_stands_on(
    school: School, browsers: NewBrowser, minutes: int
) -> None:
    browser = await office(school, browsers, "admin")
    await waiting_code(school, await school.person("head", label="Mrs Ahmed"))
    await browser.open("/people/staff")
    school.clock.move(minutes=minutes)
    await browser.press("Yes, they may")
    await digits(school, browser)
    assert (browser.answer.status_code, browser.answer.url.path) == (200, "/people/staff")
    assert NOT_DONE in browser.page.text
    assert "Yes, they may" in browser.page.labels


async def test_what_an_address_says_of_an_earlier_form_is_not_said_of_this_one(
    school: School, browsers: NewBrowser
) -> None:
    browser, page = await joined_family(school, browsers)
    await browser.open(page)
    address = re.search(r'href="(/people/pause/[^"]+)"', browser.answer.text)[1]  # type: ignore[index]
    await browser.open(f"{address}?said=not-done")
    assert NOT_DONE in browser.page.text
    await browser.press("Take out all their names")
    assert NOT_DONE not in browser.page.text


# --- small numbers -------------------------------------------------------------------------------------------------


async def test_a_sheet_shows_no_answer_that_the_file_hides(school: School, browsers: NewBrowser) -> None:
    """SUP-1, SUP-7: ten sheets without names; only three answered the second question."""
    await school.readers()
    people = await school.people(12)
    survey = await sent(school, room("ANON"))
    for i, person in enumerate(people[:10]):
        await gives(school, person, survey, "1", "2" if i < 3 else "skip", "skip")
    await close(school)
    browser = await signed_in(school, browsers(), await school.person("admin"))
    await set_up(school, browser, f"/results/{survey}")
    await browser.press("Answers, a line for each sheet")
    assert "Lunch" not in browser.answer.text
    seen = [(await browser.open(f"/results/{survey}/sheet?number={n}")).text for n in range(1, 11)]
    assert all("It helps" in page for page in seen)
    assert [page for page in seen if "Lunch" in page] == []
    assert all("hidden to protect people" in page for page in seen)


# --- 1,500 families ------------------------------------------------------------------------------------------------


async def test_naming_a_family_by_its_letter_opens_no_other_letter(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/records of a big school opened every letter for every family without a label: 90 s, and nobody could write."""
    await letters(school, "".join(f"Family {i},Year 3 parents,en\n" for i in range(20)))
    await school.readers()
    parent = await school.person("parent")
    survey = await sent(school, room("NAMED"))
    await gives(school, parent, survey, "1", "1", KIND)
    await close(school)
    opened: list[object] = []
    before = stored_codes._invitation
    monkeypatch.setattr(stored_codes, "_invitation", lambda *a: opened.append(a) or before(*a))
    async with school.db.reading() as tx:
        (record,) = await records_of(tx, parent)
        assert await family_of(tx, school.house, record, "en") == "A family without a label"
    assert opened == []


async def test_the_list_of_the_queue_does_not_ask_the_database_about_every_row(
    school: School, browsers: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of 1,500 families: two questions for each of them made the list take seconds."""
    survey = await a_survey(school)
    for _ in range(30):
        await put(school, kind="words", survey=survey)
    senco = await signed_in(school, browsers(), await school.person("senco"))
    asked: list[object] = []
    before = Tx.all
    monkeypatch.setattr(Tx, "all", lambda tx, *a, **more: asked.append(a) or before(tx, *a, **more))
    page = await senco.open("/queue")
    assert page.labels.count("Read") == 30
    assert page.text.count(survey) == 30
    assert len(asked) < 30
