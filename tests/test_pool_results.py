"""What came of a term's visits: staff hear of it once, see counts with small ones hidden, and open no box early."""

from __future__ import annotations

import csv
import io

import pytest

from bot.survey_files import files_of
from data.answers import count_sheets
from data.outbox import on_page
from data.surveys import find_survey
from tests.browser.plain import NewBrowser
from tests.school import School, Talk
from tests.test_following_up import TERM_END, with_terms
from tests.test_results_page import with_app
from tests.test_web_channel import naps
from tests.visits import asked_after, pools, says_how_it_was

__all__ = ["naps"]  # a fixture
pytestmark = pytest.mark.both_databases
POOL = "drop-in-feedback-1"
HIDDEN = "hidden to protect people"
YES, SILENT = ("Yes", "Yes", "Friends", "Done"), ("Yes", "Yes", "Skip")
SEE_RESULTS = ("admin", "senco", "dsl", "deputy", "head")
OTHERS = ("staff", "office", "governor", "chair", "parent")


async def term_of(school: School, sheets: int, silent: int = 0) -> None:
    """A term with one drop-in, after which so many said how it was, some of them not all; now it has ended."""
    await with_terms(school)
    people = await school.people(sheets)
    await asked_after(school, people)
    for n, person in enumerate(people):
        await says_how_it_was(school, person, *(SILENT if n < silent else YES))
    school.clock.set(TERM_END)


async def told(school: School, person: str) -> list[str]:
    async with school.db.reading() as tx:
        return [letter.ref for letter in await on_page(tx, person) if letter.kind == "box-opened"]


async def open_letter(school: School, person: str) -> Talk:
    """`Open` under the letter."""
    async with school.db.reading() as tx:
        letter = next(letter for letter in await on_page(tx, person) if letter.kind == "box-opened")
    message = await school.letters.compose(letter, school.clock.now)
    assert message
    assert message.as_text() == "New results are here to read."
    talk = school.on(person)
    talk.reply = await talk.forges(message.buttons[0].says)
    return talk


async def test_who_may_see_results_is_told_once_that_the_box_was_opened(school: School) -> None:
    """B6, LUNDY-1: one neutral line (FAIL-7), and `Open` leads to the counts; nobody else hears of it."""
    see = [await school.person(role) for role in SEE_RESULTS]
    others = [await school.person(role) for role in OTHERS]
    await term_of(school, 10)
    for _ in range(2):
        await school.rounds()
    assert [await told(school, person) for person in see] == [[POOL]] * len(see)
    assert [await told(school, person) for person in others] == [[]] * len(others)
    talk = await open_letter(school, see[0])
    assert "After a drop-in" in talk.text
    for person in others:
        talk = school.on(person)
        talk.reply = await talk.forges(f"o={POOL}")
        assert "After a drop-in" not in talk.text


async def test_a_letter_to_whoever_may_not_see_them_any_more_is_not_sent(school: School) -> None:
    from data.access import take_role

    senco = await school.person("senco", "staff")
    await term_of(school, 10)
    await school.rounds()
    async with school.db.transaction() as tx:
        letter = next(letter for letter in await on_page(tx, senco) if letter.kind == "box-opened")
        await take_role(tx, senco, "senco", school.clock.now)
    assert await school.letters.compose(letter, school.clock.now) is None


async def test_with_fewer_than_ten_people_there_is_nothing_to_see_and_nobody_is_told(school: School) -> None:
    """SUP-1: /summary says how many were asked, /export and /results have nothing of it."""
    senco = await school.person("senco")
    await term_of(school, 9)
    await school.rounds()
    assert await told(school, senco) == []
    talk = school.on(senco)
    await talk.types("/export")
    assert talk.text == school.house.say("en", "staff.none-closed")
    await talk.types("/summary")
    for words in ("Friends", "Mostly", "Close and count"):
        assert words not in talk.text
    talk.reply = await talk.forges(f"o={POOL}")
    assert "listened" not in talk.text
    async with school.db.reading() as tx:
        assert await count_sheets(tx, POOL) == 0


async def test_what_few_answered_is_hidden_in_every_output(school: School) -> None:
    """SUP-1, SUP-7: only 4 of 12 said what to talk about next; neither the chat nor a file says what they said."""
    senco = await school.person("senco")
    await term_of(school, 12, silent=8)
    await school.rounds()
    talk = await open_letter(school, senco)
    assert "Asked after 12 visits, answered after 12." in talk.text
    assert "answered this question, so the answers are hidden to protect people." in talk.text
    assert "Friends" not in talk.text
    await talk.types("/export")
    (file,) = [m.file for m in talk.messages if m.file]
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert {row["count"] for row in rows if row["question"] == "B6.1" and row["answer"] == "yes"} == {"12"}
    assert {row["count"] for row in rows if row["question"] == "B6.3"} == {HIDDEN}
    async with school.db.reading() as tx:
        survey = await find_survey(tx, POOL)
        assert survey
        found = await files_of(tx, school.house, survey, "SENCO", school.clock.now.date())
    assert set(found.files) == {"counts", "codebook", "answers"}
    assert len(list(csv.reader(io.StringIO(found.files["answers"])))) == 13
    assert "friends" not in found.files["answers"]


async def test_its_files_are_on_the_page_of_results(school: School, browsers: NewBrowser) -> None:
    """EXP-5"""
    await term_of(school, 10)
    await school.rounds()
    browser = await with_app(school, browsers, POOL)
    await browser.press("Answers, a line for each sheet")
    assert len(list(csv.reader(io.StringIO(browser.answer.content.decode("utf-8-sig"))))) == 11


async def test_no_hand_opens_it_early(school: School) -> None:
    """SUP-1: whoever could open it after each drop-in could tell who said what. Each way says when it opens."""
    await with_terms(school)
    people = await school.people(12)
    await asked_after(school, people)
    for person in people:
        await says_how_it_was(school, person, *YES)
    talk = school.on(await school.person("head"))
    for says in (f"close={POOL}", f"later={POOL}"):
        talk.reply = await talk.forges(says)
        assert talk.text == school.house.say("en", "after.closes-itself")
    talk.reply = await talk.forges(f"remind={POOL}")
    await talk.types("/close")
    assert talk.text == school.house.say("en", "staff.none-open")
    (pool,) = await pools(school)
    assert (pool.open, pool.closes_at) == (True, TERM_END)
    async with school.db.reading() as tx:
        kinds = {letter.kind for person in people for letter in await on_page(tx, person)}
    assert kinds == {"how-was-it"}
