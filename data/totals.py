"""What stays of a survey when its answer sheets have been kept long enough: how often each answer was given (6.8).

Sheets go whole, so nobody can count anew by group or compare two answers of one sheet. All counts stay the same.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import delete, distinct, func, insert, select, update

from data.database import Tx
from data.records import delete_records
from data.surveys import Survey
from data.tables import answers, sheet_keys, surveys, totals
from data.tombstones import ANSWERS, bury

NO_CHOICE = ("~skipped", "~raised")
SHEET = "~sheet"  # in place of a question: one row for every sheet, also where it holds no choice
ANSWERED = "~answered"  # in place of a value: how many sheets answered this question
Totals = dict[str, dict[str, int]]


async def to_totals(tx: Tx, survey: Survey, now: datetime, on: date) -> int:
    """Count the sheets of a closed survey and delete them, with all that tells whose they are; how many they were.

    Sheets that a restored backup brought back are counted anew. Where there are none any more, nothing changes.
    """
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
    for table in (answers, sheet_keys):
        await tx.run(delete(table).where(table.c.survey == survey.id))
    since = update(surveys).where(surveys.c.id == survey.id, surveys.c.totals_since.is_(None))
    await tx.run(since.values(totals_since=on.isoformat()))
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
    return found


async def totals_of(tx: Tx, survey: str) -> Totals:
    """Question -> value -> how often, with ANSWERED among the values; empty while the sheets are still there."""
    found = Totals()
    for r in await tx.all(select(totals).where(totals.c.survey == survey)):
        found.setdefault(r.question, {})[r.value] = int(r.n)
    return found
