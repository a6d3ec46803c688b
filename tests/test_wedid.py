""" "You said, we did": one row, a colleague's second look, out to everyone who was asked (S11, LUNDY-1, FAIL-11)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errands.send import default_sending, send_survey
from conversations.answering import how_many
from conversations.channel import Message
from conversations.form import read_form
from conversations.texts import load_texts
from data.audit import entries
from data.outbox import on_page
from data.people import find_group
from data.surveys import Survey, all_surveys
from data.wedid import drafts, rows_of
from scheduler.answer_dates import answers_due
from tests.school import School, Talk

pytestmark = pytest.mark.both_databases
LUNCH = """
id: lunch-check
version: 1
mode: CONF
audience: parents
title: {en: Lunch}
questions:
  - {id: lunch.1, type: one, text: {en: Easy?}, choices: [{id: easy, label: {en: Easy}}, {id: hard, label: {en: Hard}}]}
"""


async def answered(school: School, answers: int = 12, asked: int = 14) -> Survey:
    """A closed survey that so many of so many parents answered."""
    parents = await school.people(asked)
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, read_form(LUNCH, "lunch"), group, school.clock.now.date())
        sent = await send_survey(tx, school.house, sending, school.clock.now)
    for parent in parents[:answers]:
        talk = school.on(parent)
        talk.reply = await talk.forges(f"o={sent.id}")
        await talk.types("yes", "1", "Send my answers")
    school.clock.move(days=15)
    await school.rounds()
    async with school.db.reading() as tx:
        return next(s for s in await all_surveys(tx, "closed") if s.id == sent.id)


async def writes(school: School, *lines: str, role: str = "senco", name: str = "Ms Patel") -> Talk:
    talk = school.on(await school.person(role, label=name))
    await talk.types("/wedid", *lines)
    return talk


ROW = ("Lunch is too loud", "7", "We are doing it", "A quiet room opens", "the SENCO", "5 May 2027")


async def test_from_a_row_to_everyone_who_was_asked(school: School) -> None:
    """S11, S10.5: also to those who did not answer."""
    survey = await answered(school)
    head = await school.person("head")
    senco = await writes(school, *ROW)
    said = senco.reply.messages[-1].as_text()
    assert "You said (7 of 12): Lunch is too loud" in said
    assert "We are doing it: A quiet room opens" in said
    assert "By: 5 May 2027" in said
    await senco.taps("Send now")
    async with school.db.reading() as tx:
        assert await rows_of(tx, survey.id) == []
        assert [letter.kind for letter in await on_page(tx, head)] == []
    await school.rounds()
    row = await the_draft(school, survey)
    looks = school.on(head)
    looks.reply = await looks.forges(f"look={row}")
    await looks.taps("Publish")
    assert "14 people get a message" in looks.reply.messages[-1].text
    await school.rounds()
    async with school.db.reading() as tx:
        parents = await people_asked(tx, survey)
        kinds = [[letter.kind for letter in await on_page(tx, p)].count("wedid") for p in parents]
        assert kinds == [1] * 14
        assert len(await entries(tx, row, "wedid.published")) == 1
    parent = school.on(parents[0])
    await parent.types("/yousaid")
    assert "A quiet room opens" in parent.reply.messages[-1].as_text()
    assert "Lunch: 12 of 14 people answered" in parent.reply.messages[-1].as_text()


async def the_draft(school: School, survey: Survey) -> str:
    async with school.db.reading() as tx:
        (row,) = await rows_of(tx, survey.id, "draft")
    return row.id


async def people_asked(tx: object, survey: Survey) -> list[str]:
    from data.wedid import everyone_asked

    return await everyone_asked(tx, survey.id)  # type: ignore[arg-type]


async def test_nobody_publishes_their_own_words(school: School) -> None:
    """S11: a colleague's second look."""
    survey = await answered(school)
    senco = await writes(school, *ROW)
    await senco.taps("Send now")
    assert "Nobody else can look at it yet" in senco.reply.messages[-1].text
    row = await the_draft(school, survey)
    for says in (f"look={row}", f"pub={row}", f"not-yet={row}"):
        senco.reply = await senco.forges(says)
        assert senco.reply.messages[-1].text == "You wrote this yourself. A colleague has to look at it."
    assert await the_draft(school, survey) == row


@pytest.mark.parametrize("role", ["staff", "office", "governor", "dsl", "parent"])
async def test_only_those_who_may_publish(school: School, role: str) -> None:
    survey = await answered(school)
    senco = await writes(school, *ROW)
    await senco.taps("Send now")
    row = await the_draft(school, survey)
    other = school.on(await school.person(role))
    for says in (f"look={row}", f"pub={row}", f"not-yet={row}"):
        other.reply = await other.forges(says)
        assert "This is for staff" in other.reply.messages[-1].text
    assert await the_draft(school, survey) == row


async def test_two_taps_publish_once(school: School) -> None:
    survey = await answered(school)
    head = school.on(await school.person("head"))
    senco = await writes(school, *ROW)
    await senco.taps("Send now")
    row = await the_draft(school, survey)
    head.reply = await head.forges(f"pub={row}")
    head.reply = await head.forges(f"pub={row}")
    assert head.reply.messages[-1].text == "This was done already."
    head.reply = await head.forges(f"not-yet={row}")
    async with school.db.reading() as tx:
        assert len(await rows_of(tx, survey.id)) == 1


async def test_what_is_given_back_comes_to_its_writer(school: School) -> None:
    survey = await answered(school)
    head = school.on(await school.person("head"))
    senco = await writes(school, *ROW)
    await senco.taps("Send now")
    head.reply = await head.forges(f"not-yet={await the_draft(school, survey)}")
    await school.rounds()
    async with school.db.reading() as tx:
        assert "wedid-back" in [letter.kind for letter in await on_page(tx, senco.person)]
        assert await rows_of(tx, survey.id, "draft") == []


async def test_a_published_row_is_replaced_never_changed(school: School) -> None:
    """S11.3"""
    survey = await answered(school)
    head = school.on(await school.person("head"))
    senco = await writes(school, *ROW)
    await senco.taps("Send now")
    head.reply = await head.forges(f"pub={await the_draft(school, survey)}")
    await senco.types("/wedid", "Lunch is too loud", "7", "We did it", "The quiet room is open", "the SENCO")
    await senco.types("Change", "7", "Instead of: Lunch is too loud")
    await senco.taps("Send now")
    head.reply = await head.forges(f"pub={await the_draft(school, survey)}")
    async with school.db.reading() as tx:
        (row,) = await rows_of(tx, survey.id)
        assert row.words == "The quiet room is open"
        assert len(await rows_of(tx, survey.id, "replaced")) == 1


async def test_a_row_about_other_questions_is_not_replaced(school: School) -> None:
    """S11.3: what was promised about the first ones would have gone from everybody's /yousaid."""
    first = await answered(school)
    head = school.on(await school.person("head"))
    senco = await writes(school, *ROW, "Send now")
    await head.forges(f"pub={await the_draft(school, first)}")
    school.clock.move(days=200)
    await answered(school)
    await senco.types("/wedid", "1", "Too hot", "7", "We did it", "A fan", "the SENCO", "Change", "7")
    assert [b.label for b in senco.messages[-1].buttons] == ["A new row", "Back", "Cancel"]
    await senco.types("1", "Change", "1", "2", "Change", "7", "Instead of: Lunch is too loud", "Change", "1", "1")
    assert "The row to be replaced is not one of these questions." in senco.text
    await senco.types("Send now")
    async with school.db.reading() as tx:
        assert [row.words for row in await rows_of(tx, first.id)] == ["A quiet room opens"]
        assert await drafts(tx) == []


@pytest.mark.parametrize("words", ["Mr Okafor shouts", "call 0161 496 0000 00", "Ms Patel is late"])
async def test_no_row_points_to_somebody(school: School, words: str) -> None:
    """S11.5, FAIL-14"""
    await answered(school)
    senco = await writes(school, words, *ROW[1:])
    said = senco.reply.messages[-1]
    assert "This can tell who somebody is" in said.text
    assert "Send now" not in [b.label for b in said.buttons]


async def test_bad_input_is_told_kindly(school: School) -> None:
    await answered(school)
    senco = await writes(school, "x" * 301)
    assert "too long" in senco.reply.messages[0].text
    await senco.types("Lunch", "99", "We cannot", "no money", "the head")
    assert "Only 12 people answered" in senco.reply.messages[-1].text


async def test_below_ten_answers_nothing_of_what_was_said_goes_out(school: School) -> None:
    """SUP-1"""
    await answered(school, answers=9)
    senco = await writes(school, *ROW)
    said = senco.reply.messages[-1].as_text()
    assert "Lunch is too loud" not in said
    assert "7" not in said.replace("2027", "")
    assert "You answered our questions: Lunch" in said
    assert "Fewer than 10 people answered, so what they said is not shown" in said  # to staff, who wonder


@pytest.mark.parametrize(
    ("said_it", "finished", "words"),
    [
        (12, 31, "12 of 31"), (3, 31, "fewer than 5 of 31"), (28, 31, "nearly all of 31"), (31, 31, "31 of 31"),
        (7, 9, ""), (None, 31, ""), (5, 10, "5 of 10"),
    ],
)  # fmt: skip
def test_small_numbers_are_words(said_it: int | None, finished: int, words: str) -> None:
    """SUP-1, SUP-2"""
    assert how_many(load_texts(), "en", said_it, finished) == words


async def test_an_overdue_answer_reminds_whoever_decides_once_a_week(school: School) -> None:
    """LUNDY-1, FAIL-11"""
    survey = await answered(school)
    head, senco = await school.person("head"), await school.person("senco")
    assert not await answers_due(school.db, school.house.school, school.clock.now)
    school.clock.set(
        school.clock.now.replace(hour=10) + (survey.answer_by - school.clock.now.date()) + timedelta(days=1)
    )
    for _ in range(3):
        await answers_due(school.db, school.house.school, school.clock.now)
        await school.rounds()
    assert await dues(school, head) == 1
    assert await dues(school, senco) == 0
    school.clock.move(days=7)
    await answers_due(school.db, school.house.school, school.clock.now)
    await school.rounds()
    assert await dues(school, head) == 2
    writer = await writes(school, *ROW, name="Mx Two")
    await writer.taps("Send now")
    talk = school.on(head)
    talk.reply = await talk.forges(f"pub={await the_draft(school, survey)}")
    school.clock.move(days=7)
    assert not await answers_due(school.db, school.house.school, school.clock.now)


async def dues(school: School, person: str) -> int:
    async with school.db.reading() as tx:
        return [letter.kind for letter in await on_page(tx, person)].count("answer-due")


async def test_before_the_first_answer(school: School) -> None:
    parent = school.on(await school.person("parent", group="Year 3 parents"))
    await parent.types("/yousaid")
    said: Message = parent.reply.messages[-1]
    assert "There are no answers from the school yet" in said.text
