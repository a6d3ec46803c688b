"""A child's papers in words: NAMED sheets as they are read on a page, and printed for the pupil's file (domain 6.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.behind import letter_of, roles_in_words
from bot.facts import House
from bot.item_record import Pairs, lines_of, moment_words, name_of, pictures_named
from conversations.asking import answer_words
from conversations.form import Form, said
from data.database import Tx
from data.people import find_person
from data.queue import EMPTIED, items_of
from data.records import Record
from data.surveys import find_survey

TEMPLATE = "child_papers.typ"


@dataclass(frozen=True)
class Paper:
    """One sheet. `facts` are (what, value): when, who, how; `answers` are (question, lines of the answer)."""

    id: str
    title: str
    facts: Pairs = field(repr=False)
    answers: tuple[tuple[str, tuple[str, ...]], ...] = field(repr=False)


async def family_of(tx: Tx, house: House, record: Record, language: str) -> str:
    """What staff call this family: its label, else the number of its letter."""
    person = await find_person(tx, record.person)
    if label := (person.label if person else record.label):
        return label
    letter = await letter_of(tx, record.person)
    return house.say(language, "letter.number", n=letter) if letter else house.say(language, "records.no-label")


async def paper_of(tx: Tx, house: House, record: Record, language: str, roles: Iterable[str] = ()) -> Paper:
    """For a reader with these roles: words that are about them are left out (SAFE-7)."""
    survey = await find_survey(tx, record.survey)
    assert survey
    family = await family_of(tx, house, record, language)
    facts = _facts(house, record, family, language)
    title = said(survey.form.title, language)
    hides = await _is_about(tx, record, set(roles))
    return Paper(record.id, title, facts, _answers(house, survey.form, record, language, hides))


async def _is_about(tx: Tx, record: Record, roles: set[str]) -> bool:
    """Whether this family's words may be about somebody with these roles.

    Of an item that has gone nobody knows any more whose it was: then it may be theirs if nothing of theirs is left.
    """
    items = await items_of(tx, record.survey)
    mine = [item for item in items if item.person == record.person] or [i for i in items if i.kind == EMPTIED]
    return any(roles & set(item.about) for item in mine)


def _facts(house: House, record: Record, family: str, language: str) -> Pairs:
    who = ", ".join([family, *roles_in_words(house, record.roles, language)])
    how = f"records.how.{record.how}"
    found = [
        ("records.when", moment_words(house, record.sent_at, language)),
        ("records.who", who),
        ("records.how-given", house.say(language, how) if house.texts.has(how) else ""),
        ("records.child", house.say(language, "records.only-child") if record.child else ""),
    ]
    return tuple((house.say(language, key), value) for key, value in found if value)


def _answers(
    house: House, form: Form, record: Record, language: str, hides: bool
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    s = house.setting(None, "", language)
    found = []
    for q in form.questions:
        if answer := record.answers.get(q.id):
            instead = "raised" if answer.kind == "raised" else "about-you" if hides and q.type == "text" else ""
            words = house.say(language, f"records.{instead}") if instead else answer_words(q, answer, s)
            found.append((s.fill(said(q.text, language)), lines_of(words) or (words,)))
    return tuple(found)


async def as_values(
    tx: Tx, house: House, family: str, papers: Sequence[Paper], person: str, now: datetime, language: str
) -> dict[str, object]:
    """What the template is filled with; pictures in the words are named, since fonts for print have none."""
    made = f"{moment_words(house, now, language)}, {await name_of(tx, house, person, language)}"
    facts = [("queue.school", house.school.name), ("records.family", family), ("queue.made", made)]
    return {
        "lang": language,
        "title": house.say(language, "records.paper-title"),
        "facts": [(house.say(language, key), pictures_named(value)) for key, value in facts],
        "papers": [_printed(paper) for paper in papers],
    }


def _printed(paper: Paper) -> dict[str, object]:
    facts = [(what, pictures_named(value)) for what, value in paper.facts]
    answers = [(question, [pictures_named(line) for line in lines]) for question, lines in paper.answers]
    return {"title": paper.title, "facts": facts, "answers": answers}
