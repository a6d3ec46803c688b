"""What each privacy mode keeps at closing: ANON, CONF and NAMED, to the last sheet (domain 6.4)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from bot.errands.send import default_sending, send_survey
from conversations.answers import Answer, chosen
from conversations.form import Form, read_form
from data.answers import SHEET, count_answers, count_sheets, sheets_of
from data.audit import entries
from data.children import add_places
from data.names import cut_day, cut_names, forget_writers, is_cut, whose_sheet
from data.people import find_group
from data.periods import months_before
from data.queue import find_item, finished_items, mark_read, route_item, waiting_items
from data.records import Record, all_records, delete_records, records_of
from data.surveys import Survey, find_survey
from data.tables import answers, marks, sheet_keys
from data.tombstones import NAMES, buried
from tests.school import MONDAY, School, Talk

MODES = ("ANON", "CONF", "NAMED")
ROOM = """
id: calm-room
version: 1
mode: CONF
audience: parents
title: {en: The calm room}
intro: {en: We ask about the calm room.}
questions:
  - id: calm.1
    type: one
    text: {en: Does the calm room help?}
    choices: [{id: helps, label: {en: It helps}}, {id: no-help, label: {en: It does not help}}]
  - id: calm.2
    type: few
    max: 2
    text: {en: When is it needed most?}
    choices: [{id: morning, label: {en: Morning}}, {id: lunch, label: {en: Lunch}}, {id: home, label: {en: Home time}}]
  - {id: calm.3, type: text, text: {en: What else should we know?}}
"""


def room(mode: str, words_only: bool = False, audience: str = "parents", id: str = "calm-room") -> Form:
    """The form in this mode; `words_only` keeps its last question alone."""
    raw = ROOM if not words_only else ROOM[: ROOM.index("  - id: calm.1")] + ROOM[ROOM.index("  - {id: calm.3") :]
    raw = raw.replace("CONF", mode).replace("calm-room", id).replace("audience: parents", f"audience: {audience}")
    return read_form(raw, "calm.yaml")


async def sent(school: School, form: Form) -> str:
    """The survey, sent to everybody in the group."""
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, form, group, school.clock.now.date())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bot.errands.send.MOST_ASKED", 99)  # tests about something else need more in a half term
            return (await send_survey(tx, school.house, sending, school.clock.now)).id


async def gives(school: School, person: str, survey: str, *lines: str) -> Talk:
    """This person answers by typing, and sends."""
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey}")
    await talk.taps("Yes, start")
    await talk.types(*lines)
    await talk.taps("Send my answers")
    return talk


async def close(school: School) -> None:
    school.clock.move(days=15)
    await school.rounds()


# --- the count ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_every_sheet_is_counted_also_without_a_choice(school: School, mode: str) -> None:
    """Anyone can check: answer sheets = finished marks, also where somebody skipped all or wrote words only."""
    await school.readers()
    people = await school.people(12)
    survey = await sent(school, room(mode))
    ways = (("1", "1", "skip"), ("skip", "skip", "skip"), ("skip", "skip", "Too loud"))
    for i, person in enumerate(people[:7]):
        await gives(school, person, survey, *ways[i % 3])
    await close(school)
    async with school.db.reading() as tx:
        finished = len(await tx.all(select(marks).where(marks.c.survey == survey, marks.c.finished)))
        assert await count_sheets(tx, survey) == finished == 7
        assert len(await tx.all(select(marks).where(marks.c.survey == survey))) == 12
        keys = await tx.all(select(sheet_keys).where(sheet_keys.c.survey == survey))
        assert len(keys) == (0 if mode == "ANON" else 7)


@pytest.mark.parametrize("mode", MODES)
async def test_a_form_of_words_alone_leaves_sheets_too(school: School, mode: str) -> None:
    await school.readers()
    people = await school.people(10)
    survey = await sent(school, room(mode, words_only=True))
    for i, person in enumerate(people[:6]):
        await gives(school, person, survey, "Too loud" if i % 2 else "skip")
    await close(school)
    async with school.db.reading() as tx:
        found = await find_survey(tx, survey)
        assert found
        assert await count_sheets(tx, survey) == 6
        assert await count_answers(tx, survey) == {}
        assert await sheets_of(tx, survey, found.form) == []
        rows = await tx.all(select(answers).where(answers.c.survey == survey))
    assert {(r.question, r.value) for r in rows} == {(SHEET, "")}  # nothing says who wrote and who did not


# --- CONF: the keys -----------------------------------------------------------------------------------------------


async def two_sheets(school: School, mode: str) -> tuple[str, dict[str, str]]:
    """A closed survey that two parents answered, and who gave which first answer."""
    await school.readers()
    people = [await school.person("parent", label=f"Family {i}") for i in (1, 2)]
    survey = await sent(school, room(mode))
    await gives(school, people[0], survey, "1", "1", "He likes the blue chair")
    await gives(school, people[1], survey, "2", "2", "skip")
    await close(school)
    return survey, {"helps": people[0], "no-help": people[1]}


async def owners(school: School, survey: str) -> dict[str, str | None]:
    async with school.db.reading() as tx:
        found = await find_survey(tx, survey)
        assert found
        sheets = await sheets_of(tx, survey, found.form)
        return {values["calm.1"][0]: await whose_sheet(tx, survey, sheet) for sheet, values in sheets}


async def test_a_key_tells_whose_sheet_it_is_until_it_is_cut(school: School) -> None:
    """Domain 6.4, 6.8: cut means that the database itself does not know it any more, nor the words beside it."""
    survey, given = await two_sheets(school, "CONF")
    assert await owners(school, survey) == given
    async with school.db.transaction() as tx:
        found = await find_survey(tx, survey)
        assert found
        for item in await waiting_items(tx):
            await mark_read(tx, item.id, given["helps"], school.clock.now)
        assert await cut_names(tx, found, date(2027, 2, 16)) == 2
    assert await owners(school, survey) == {"helps": None, "no-help": None}
    async with school.db.reading() as tx:
        assert await tx.all(select(sheet_keys)) == []
        assert {(i.person, i.who, i.text) for i in await finished_items(tx)} == {("", "", "He likes the blue chair")}
        assert await buried(tx, NAMES, [survey, "other-1"]) == [survey]
        assert [e.what for e in await entries(tx, survey)][-1] == "names.cut"
        cut = await find_survey(tx, survey)
        assert cut
        assert cut.keys_cut_on == date(2027, 2, 16)
        assert await count_sheets(tx, survey) == 2  # the answers stay


@pytest.mark.parametrize("late", ["unread", "welfare"])
async def test_whoever_may_be_in_danger_is_still_found(school: School, late: str) -> None:
    """SAFE-8: words that nobody has read yet, and words sent on as a concern, keep their author when keys are cut."""
    survey, given = await two_sheets(school, "CONF")
    async with school.db.transaction() as tx:
        found = await find_survey(tx, survey)
        assert found
        (item,) = await waiting_items(tx)
        if late == "welfare":
            await mark_read(tx, item.id, given["helps"], school.clock.now)
            await route_item(tx, item, "welfare", (), "", given["helps"], school.clock.now)
        await cut_names(tx, found, date(2027, 2, 16))
        kept = await find_item(tx, item.id)
        assert kept
        assert kept.person == given["helps"]
        await mark_read(tx, item.id, given["helps"], school.clock.now)
        assert await forget_writers(tx, survey) == (1 if late == "unread" else 0)


@pytest.mark.parametrize(
    ("closed", "months", "day"),
    [((2026, 11, 16), 3, (2027, 2, 16)), ((2026, 11, 30), 3, (2027, 3, 1)), ((2026, 11, 30), 0, (2026, 11, 30)),
     ((2026, 12, 31), 12, (2027, 12, 31)), ((2027, 8, 31), 6, (2028, 3, 1))],
)  # fmt: skip
def test_the_day_of_cutting_is_the_one_the_nightly_job_finds(closed: tuple, months: int, day: tuple) -> None:
    """What people are told and what the job does cannot differ: the first day with months_before(day) >= closed."""
    survey = Survey("calm-room-1", 1, room("CONF"), "CONF", closed_on=date(*closed))
    assert cut_day(survey, months) == date(*day)
    assert months_before(date(*day), months) >= date(*closed)
    assert months_before(date(*day) - timedelta(days=1), months) < date(*closed)
    assert is_cut(survey, months, date(*day))
    assert not is_cut(survey, months, date(*day) - timedelta(days=1))


# --- NAMED: the papers --------------------------------------------------------------------------------------------


async def papers(school: School, person: str) -> list[Record]:
    async with school.db.reading() as tx:
        return await records_of(tx, person)


async def test_a_named_sheet_is_kept_whole_with_who_how_and_when(school: School) -> None:
    """Domain 6.4: words included, though readers had them before closing (SAFE-3); counting still works."""
    survey, given = await two_sheets(school, "NAMED")
    (record,) = await papers(school, given["helps"])
    assert record.answers == {
        "calm.1": chosen("helps"), "calm.2": chosen("morning"), "calm.3": Answer("text", ("He likes the blue chair",)),
    }  # fmt: skip
    assert (record.survey, record.label, record.roles, record.how) == (survey, "Family 1", ("parent",), "web")
    assert (record.language, record.sent_at, record.child) == ("en", MONDAY, None)
    async with school.db.reading() as tx:
        assert (await count_answers(tx, survey))["calm.1"].counts == {"helps": 1, "no-help": 1}
        assert [(i.text, i.person) for i in await waiting_items(tx)] == [("He likes the blue chair", given["helps"])]


async def test_words_that_readers_have_stay_with_a_named_sheet_and_come_to_them_once(school: School) -> None:
    await school.readers()
    person = await school.person("parent")
    survey = await sent(school, room("NAMED"))
    await gives(school, person, survey, "1", "1", "He likes the blue chair")
    for _ in range(3):
        school.clock.move(days=1)
        await school.rounds()
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey}")
    await talk.taps("Change an answer")
    assert "He likes the blue chair" not in talk.text
    await talk.types("3")
    assert "You said: He likes the blue chair" in talk.text
    await talk.types("It is the green one")  # not sent: what was sent stands
    school.clock.move(days=1)
    await school.rounds()
    async with school.db.reading() as tx:
        assert [i.text for i in await waiting_items(tx)] == ["He likes the blue chair"]
    await talk.types("Send my answers")
    sent_at = school.clock.now
    await close(school)
    (record,) = await papers(school, person)
    assert record.answers["calm.3"].values == ("It is the green one",)
    assert record.sent_at == sent_at
    async with school.db.reading() as tx:
        assert sorted(i.text for i in await waiting_items(tx)) == ["He likes the blue chair", "It is the green one"]


async def test_unsent_changes_do_not_reach_the_papers(school: School) -> None:
    await school.readers()
    person = await school.person("parent")
    survey = await sent(school, room("NAMED"))
    talk = await gives(school, person, survey, "1", "1", "He likes the blue chair")
    await talk.taps("Change an answer")
    await talk.types("3", "It is the green one")
    await close(school)
    (record,) = await papers(school, person)
    assert record.answers["calm.3"].values == ("He likes the blue chair",)


async def test_flagged_words_are_with_their_readers_and_not_in_the_papers(school: School) -> None:
    """SAFE-12"""
    await school.readers()
    person = await school.person("parent")
    survey = await sent(school, room("NAMED"))
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey}")
    await talk.types("yes", "1", "1", "my uncle hurts me", "Go on", "Send my answers")
    await close(school)
    (record,) = await papers(school, person)
    assert record.answers["calm.3"].kind == "raised"


async def test_the_place_of_an_only_child_is_known_and_of_two_it_is_not(school: School) -> None:
    await school.readers()
    one, two = await school.person("parent"), await school.person("parent")
    async with school.db.transaction() as tx:
        await add_places(tx, one, 1)
        await add_places(tx, two, 2)
    survey = await sent(school, room("NAMED"))
    for person in (one, two):
        await gives(school, person, survey, "1", "1", "skip")
    await close(school)
    assert [(await papers(school, person))[0].child for person in (one, two)] == [1, None]


async def test_a_pupil_answers_beside_an_adult_on_the_schools_device(school: School) -> None:
    await school.readers()
    pupil = await school.person("pupil")
    survey = await sent(school, room("NAMED", audience="pupils"))
    await gives(school, pupil, survey, "1", "1", "skip")
    await close(school)
    (record,) = await papers(school, pupil)
    assert (record.how, record.roles) == ("device", ("pupil",))


async def test_papers_are_deleted_by_survey(school: School) -> None:
    survey, given = await two_sheets(school, "NAMED")
    async with school.db.transaction() as tx:
        found = await find_survey(tx, survey)
        assert found
        assert await delete_records(tx, found) == 2
    assert await papers(school, given["helps"]) == []


@pytest.mark.parametrize("mode", ["ANON", "CONF"])
async def test_other_modes_leave_no_papers(school: School, mode: str) -> None:
    await school.readers()
    people = await school.people(10)
    survey = await sent(school, room(mode))
    for person in people[:6]:
        await gives(school, person, survey, "1", "1", "skip")
    await close(school)
    async with school.db.reading() as tx:
        assert await all_records(tx) == []
