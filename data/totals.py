"""What stays of a survey when its answer sheets have been kept long enough: how often each answer was given (6.8).

Sheets go whole, so nobody can count anew by group or compare two answers of one sheet. All counts stay the same.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import delete, distinct, func, insert, select, update

from data.database import Tx
from data.records import delete_records
from data.surveys import Survey
from data.tables import answers, marks, sheet_keys, surveys, totals
from data.tombstones import ANSWERS, bury
from data.unchanged import check_answers, note_answers

NO_CHOICE = ("~skipped", "~raised")
SHEET = "~sheet"  # in place of a question: one row for every sheet, also where it holds no choice
MARKS = "~marks"  # in place of a question: how many finished marks there were
ANSWERED = "~answered"  # in place of a value: how many sheets answered this question
Totals = dict[str, dict[str, int]]


async def to_totals(tx: Tx, survey: Survey, now: datetime, on: date) -> int:
    """Count the sheets of a closed survey and delete them, with all that tells whose they are; how many they were.

    The marks of who took part go too: their number stays, so that anybody can still check the count (AUDIT-1).
    Sheets that a restored backup brought back are counted anew. Where there are none any more, nothing changes.
    """
    await check_answers(tx, survey.id)
    found = await _counted(tx, survey.id)
    sheets = found.get(SHEET, {}).get("", 0)
    if found:
        await tx.run(delete(totals).where(totals.c.survey == survey.id))
        rows = [
            {"survey": survey.id, "question": question, "value": value, "n": n}
            for question, counts in sorted(found.items())
            for value, n in sorted(counts.items())
        ]
        await tx.run(insert(totals), rows)
    await delete_records(tx, survey)
    await tx.run(delete(answers).where(answers.c.survey == survey.id))
    await tx.run(delete(sheet_keys).where(sheet_keys.c.survey == survey.id))
    await tx.run(delete(marks).where(marks.c.survey == survey.id))
    since = update(surveys).where(surveys.c.id == survey.id, surveys.c.totals_since.is_(None))
    await tx.run(since.values(totals_since=on.isoformat()))
    await note_answers(tx, survey.id)
    await bury(tx, ANSWERS, survey.id, now)
    return sheets


async def _counted(tx: Tx, survey: str) -> Totals:
    """Rows by question and value, and how many sheets answered each question."""
    mine, found = answers.c.survey == survey, Totals()
    each = select(answers.c.question, answers.c.value, func.count()).where(mine)
    for question, value, n in await tx.all(each.group_by(answers.c.question, answers.c.value)):
        found.setdefault(question, {})[value] = int(n)
    said = select(answers.c.question, func.count(distinct(answers.c.sheet))).where(
        mine, answers.c.value.not_in(NO_CHOICE), answers.c.question != SHEET
    )
    for question, n in await tx.all(said.group_by(answers.c.question)):
        found[question][ANSWERED] = int(n)
    finished = select(func.count()).where(marks.c.survey == survey, marks.c.finished.is_(True))
    if found and (n := int(await tx.value(finished))):
        found[MARKS] = {"": n}
    return found


async def totals_of(tx: Tx, survey: str) -> Totals:
    """Question -> value -> how often, with ANSWERED among the values; empty while the sheets are still there."""
    found = Totals()
    for r in await tx.all(select(totals).where(totals.c.survey == survey)):
        found.setdefault(r.question, {})[r.value] = int(r.n)
    return found
