"""What each privacy mode keeps at closing: ANON, CONF and NAMED, to the last sheet (domain 6.4)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.errands.send import default_sending, send_survey
from conversations.form import Form, read_form
from data.answers import SHEET, count_answers, count_sheets, sheets_of
from data.people import find_group
from data.surveys import find_survey
from data.tables import answers, marks, sheet_keys
from tests.school import School, Talk

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
