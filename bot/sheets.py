"""One answer sheet of a closed survey, by its number in the file of answers: looked at before it is taken out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.exports import ANON_LEAST, answer_words
from bot.facts import House
from bot.phrased import Phrased
from bot.results import results_of
from conversations.form import fill, said
from data.answers import sheets_of
from data.database import Tx
from data.looks import note_look
from data.removals import sheet_numbers
from data.surveys import Survey


class NoSheet(Phrased):
    """There is no such sheet to be shown."""


@dataclass(frozen=True)
class OneSheet:
    """`answers` are (id of the question, its words, the answer in words)."""

    survey: Survey
    id: str
    number: int
    answers: tuple[tuple[str, str, str], ...] = field(repr=False)

    @property
    def lines(self) -> list[str]:
        return [f"{id}: {answer}" for id, _, answer in self.answers]


async def look_at_sheet(
    tx: Tx, house: House, survey: Survey, number: int, actor: str, language: str, now: datetime
) -> OneSheet:
    """The sheet, and the row of the log that somebody looked at it; NoSheet says why not.

    Sheets without names are shown one by one only where the file of answers shows them (bot/survey_files.py).
    """
    sheets = dict(await sheets_of(tx, survey.id, survey.form)) if survey.state == "closed" else {}
    if survey.mode == "ANON" and len(sheets) < ANON_LEAST:
        raise NoSheet("removal.few", least=ANON_LEAST)
    numbers = {n: id for id, n in (await sheet_numbers(tx, survey)).items()}
    if number not in numbers:
        raise NoSheet("removal.no-sheet", n=number, survey=survey.id)
    await note_look(tx, actor, "sheet", survey.id, "", now)
    values = sheets[numbers[number]]
    facts, texts = house.survey_facts(survey, language), house.texts
    hidden = {q.id for q in (await results_of(tx, house, survey, language)).questions if q.hidden}
    instead = texts.say(language, "summary.hidden")  # as in the file of answers
    answers = tuple(
        (q.id, fill(said(q.text, language), facts), instead if q.id in hidden else words)
        for q in survey.form.questions
        if q.type != "text"
        for words in [answer_words(q, values.get(q.id), texts, language)]
    )
    return OneSheet(survey, numbers[number], number, answers)
