"""Answers of closed surveys: opening the box, counting, and the sheets for export.

Closing is one transaction: the answers of all finished runs go over in random order under fresh random ids, a mark
says who took part, and all runs of the survey go. After the commit the caller destroys the box key (`seal_off`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import and_, distinct, func, insert, select

from conversations.answers import Answer
from conversations.engine import kept_answers
from conversations.form import Form
from data.database import Database, Tx
from data.moments import new_id
from data.records import keep_records
from data.runs import Run, end_runs, has_started, how_many_sent, runs_in
from data.surveys import Survey, all_surveys, mark_closed
from data.tables import answers, marks, sheet_keys
from data.totals import ANSWERED, MARKS, totals_of
from data.totals import NO_CHOICE as NO_CHOICE
from data.totals import SHEET as SHEET
from data.unchanged import check_answers, note_answers

BOX_LEAST = 5  # people: a box of fewer is never opened
POOL_LEAST = 10  # a pool of fewer, however often they came, is kept for the next term (domain B6)


@dataclass(frozen=True)
class Closed:
    """How a closing ended: the new state, who had sent, who had started without sending, and who never started."""

    state: str
    finished: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()

    @property
    def people(self) -> list[str]:
        return sorted((*self.finished, *self.unsent, *self.untouched))


async def open_box(tx: Tx, survey: Survey, on: date) -> Closed | None:
    """Close the survey and copy its answers; None when it was closed already. May raise BoxLost."""
    runs = await runs_in(tx, survey)
    finished = [run for run in runs if run.state.sent is not None]
    begun = [run for run in runs if has_started(run.state)]
    opened = survey.mode != "ANON" or how_many_sent(survey, runs) >= least_people(survey)
    state = "closed" if opened else "unopened"
    if not await mark_closed(tx, survey.id, state, on, len(begun), len(finished)):
        return None
    if opened:
        await _copy(tx, survey, finished)
    if survey.mode == "NAMED":
        await keep_records(tx, survey, finished)
    if not survey.pooled:
        await _mark(tx, survey, runs)
    await note_answers(tx, survey.id)
    await end_runs(tx, survey.id)
    return _closed(survey, state, runs)


def least_people(survey: Survey) -> int:
    """With fewer people who sent any, the answers without names are not opened."""
    return POOL_LEAST if survey.pooled else BOX_LEAST


async def _mark(tx: Tx, survey: Survey, runs: list[Run]) -> None:
    rows = [{"survey": survey.id, "person": run.person, "finished": run.state.sent is not None} for run in runs]
    await tx.run(insert(marks), sorted(rows, key=lambda row: str(row["person"])))


def _closed(survey: Survey, state: str, runs: list[Run]) -> Closed:
    """Of a pool nobody is known any more: somebody may stand in it more than once, or not at all."""
    if survey.pooled:
        return Closed(state)
    done = {run.person for run in runs if run.state.sent is not None}
    begun = {run.person for run in runs if has_started(run.state)}
    others = {run.person for run in runs} - begun
    return Closed(state, tuple(sorted(done)), tuple(sorted(begun - done)), tuple(sorted(others)))


async def mark_lost(tx: Tx, survey: Survey, people: list[str], on: date) -> None:
    """A survey whose box key is gone: its runs go, and it says so."""
    if await mark_closed(tx, survey.id, "lost", on, 0, 0):
        people = [] if survey.pooled else people
        await tx.run(insert(marks), [{"survey": survey.id, "person": p, "finished": False} for p in sorted(people)])
        await end_runs(tx, survey.id)


async def seal_off(db: Database, survey: str) -> None:
    """After the commit of a closing: empty the WAL and destroy the box key, so that no copy can be read any more."""
    db.boxes.destroy(survey)
    await db.wipe_deleted()


async def destroy_spent_keys(db: Database) -> list[str]:
    """Destroy the keys of boxes that are not open: something broke off between closing and destroying. Their surveys.

    Looked at again in a transaction, when nobody else writes: who is sending has made a key before its survey is there.
    """
    if not db.boxes.surveys():
        return []
    async with db.reading() as tx:
        if not await _spent(tx):
            return []
    async with db.transaction() as tx:
        spent = await _spent(tx)
        for survey in spent:
            tx.boxes.destroy(survey)
    await db.wipe_deleted()
    return spent


async def _spent(tx: Tx) -> list[str]:
    still_open = {s.id for s in await all_surveys(tx, "open")}
    return [survey for survey in tx.boxes.surveys() if survey not in still_open]


async def _copy(tx: Tx, survey: Survey, finished: list[Run]) -> None:
    sheets = [(new_id(), run) for run in finished]
    secrets.SystemRandom().shuffle(sheets)
    rows = [row for sheet, run in sheets for row in _rows(survey, sheet, run)]
    await tx.run(insert(answers), sorted(rows, key=lambda r: (r["question"], r["value"], r["sheet"])))
    if survey.mode != "ANON":
        await tx.run(
            insert(sheet_keys),
            sorted((_key(tx, survey, s, r) for s, r in sheets), key=lambda k: str(k["id"])),
        )


def _rows(survey: Survey, sheet: str, run: Run) -> list[dict[str, str]]:
    kept = kept_answers(survey.form, run.state.sent or {})
    choices = [
        {"survey": survey.id, "question": q.id, "value": value, "sheet": sheet}
        for q in survey.form.questions
        if q.type != "text" and q.id in kept  # words never join the choices again, nor whether there were any
        for value in _values(kept[q.id])
    ]
    return [*choices, {"survey": survey.id, "question": SHEET, "value": "", "sheet": sheet}]


def _values(answer: Answer) -> tuple[str, ...]:
    return (f"~{answer.kind}",) if answer.kind in ("skipped", "raised") else answer.values


def _key(tx: Tx, survey: Survey, sheet: str, run: Run) -> dict[str, object]:
    id = new_id()
    sealed = tx.vault.seal("sheet-keys", json.dumps({"sheet": sheet, "person": run.person}).encode(), id)
    return {"id": id, "survey": survey.id, "sealed": sealed}


# --- counting -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QuestionCounts:
    """`answered` counts sheets with an answer other than skipped or words; `counts` how often each value stands."""

    answered: int
    counts: Mapping[str, int] = field(repr=False)
    skipped: int


async def count_answers(tx: Tx, survey: str) -> dict[str, QuestionCounts]:
    """The counts of a closed survey, by question; the same when only its totals are left. May raise AnswersChanged."""
    await check_answers(tx, survey)
    if kept := await totals_of(tx, survey):
        return {q: _question(counts.pop(ANSWERED, 0), counts) for q, counts in kept.items() if q not in (SHEET, MARKS)}
    where = and_(answers.c.survey == survey, answers.c.question != SHEET)
    values = await tx.all(
        select(answers.c.question, answers.c.value, func.count())
        .where(where)
        .group_by(answers.c.question, answers.c.value)
    )
    sheets = await tx.all(
        select(answers.c.question, func.count(distinct(answers.c.sheet)))
        .where(where, answers.c.value.not_in(NO_CHOICE))
        .group_by(answers.c.question)
    )
    answered = {r[0]: int(r[1]) for r in sheets}
    counts: dict[str, dict[str, int]] = {}
    for r in values:
        counts.setdefault(r[0], {})[r[1]] = int(r[2])
    return {q: _question(answered.get(q, 0), c) for q, c in counts.items()}


def _question(answered: int, counts: dict[str, int]) -> QuestionCounts:
    kept = {value: n for value, n in counts.items() if value not in NO_CHOICE}
    return QuestionCounts(answered, kept, counts.get("~skipped", 0))


async def count_sheets(tx: Tx, survey: str) -> int:
    """How many answer sheets there were, also those with nothing but words on them: as many as finished marks."""
    if kept := await totals_of(tx, survey):
        return kept.get(SHEET, {}).get("", 0)
    return int(await tx.value(select(func.count()).where(answers.c.survey == survey, answers.c.question == SHEET)))


async def sheets_of(tx: Tx, survey: str, form: Form) -> list[tuple[str, dict[str, tuple[str, ...]]]]:
    """Every answer sheet with choices as (random id, values by question), in the order of the random ids.

    May raise AnswersChanged.
    """
    await check_answers(tx, survey)
    where = and_(answers.c.survey == survey, answers.c.question != SHEET)
    rows = await tx.all(select(answers).where(where).order_by(answers.c.sheet))
    found: dict[str, dict[str, list[str]]] = {}
    for r in rows:
        found.setdefault(r.sheet, {}).setdefault(r.question, []).append(r.value)
    order = {q.id: [c.id for c in q.choices] for q in form.questions}
    return [(sheet, {q: _ordered(v, order.get(q, [])) for q, v in kept.items()}) for sheet, kept in found.items()]


def _ordered(values: list[str], order: list[str]) -> tuple[str, ...]:
    return tuple(sorted(values, key=lambda v: order.index(v) if v in order else -1))
