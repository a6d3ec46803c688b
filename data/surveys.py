"""Surveys: one sending of a form to a group, from opening to closing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import bindparam, func, insert, select, update

from conversations.form import Form
from data.database import AnyRow, Tx
from data.moments import moment, stamp
from data.tables import groups, surveys


@dataclass(frozen=True)
class Survey:
    """`state` is open, closed, unopened (too few answered) or lost (its box key is gone)."""

    id: str
    nth: int
    form: Form = field(repr=False)
    mode: str = ""
    group: str = ""
    decision: str = ""
    decider: str = field(default="", repr=False)
    opened_on: date = date.min
    closes_at: datetime = datetime.min
    answer_by: date = date.min
    state: str = "open"
    closed_on: date | None = None
    asked: int = 0
    nudge_at: datetime | None = None  # when its one reminder is due; none: it went, or there is none
    started: int | None = None
    finished: int | None = None
    keys_cut_on: date | None = None
    totals_since: date | None = None  # since when its answer sheets have gone
    pooled: bool = False  # one box for many visits (data/pools.py)

    @property
    def open(self) -> bool:
        return self.state == "open"


async def next_survey_id(tx: Tx, form: str) -> tuple[str, int]:
    """The id of the next sending of this form, and its number."""
    nth = int(await tx.value(select(func.coalesce(func.max(surveys.c.nth), 0)).where(surveys.c.form == form))) + 1
    return f"{form}-{nth}", nth


async def add_survey(tx: Tx, survey: Survey) -> None:
    await tx.run(
        insert(surveys).values(
            id=survey.id,
            nth=survey.nth,
            form=survey.form.id,
            version=survey.form.version,
            source=survey.form.model_dump_json(),
            mode=survey.mode,
            group_id=survey.group,
            decision=survey.decision,
            decider=tx.vault.seal("names", survey.decider.encode(), survey.id),
            opened_on=survey.opened_on.isoformat(),
            closes_at=stamp(survey.closes_at),
            answer_by=survey.answer_by.isoformat(),
            state=survey.state,
            asked=survey.asked,
            nudge_at=stamp(survey.nudge_at) if survey.nudge_at else None,
            pooled=survey.pooled,
        )
    )


_BY_ID = select(surveys).where(surveys.c.id == bindparam("id"))  # built once: every tap asks it


async def find_survey(tx: Tx, id: str) -> Survey | None:
    """The survey of this id; given a form's id, its latest survey."""
    row = await tx.first(_BY_ID, id=id)
    if not row:
        row = await tx.first(select(surveys).where(surveys.c.form == id).order_by(surveys.c.nth.desc()).limit(1))
    return _survey(tx, row) if row else None


async def all_surveys(tx: Tx, *states: str) -> list[Survey]:
    """Surveys in these states (all when none is named), newest first."""
    query = select(surveys).order_by(surveys.c.opened_on.desc(), surveys.c.nth.desc())
    if states:
        query = query.where(surveys.c.state.in_(states))
    return [_survey(tx, row) for row in await tx.all(query)]


async def surveys_due(tx: Tx, now: datetime) -> list[str]:
    """Ids of open surveys whose closing time has come."""
    query = select(surveys.c.id).where(surveys.c.state == "open", surveys.c.closes_at <= stamp(now))
    return [r.id for r in await tx.all(query)]


async def surveys_to_nudge(tx: Tx, now: datetime) -> list[str]:
    """Ids of open surveys whose one reminder is due."""
    due = select(surveys.c.id).where(surveys.c.state == "open", surveys.c.nudge_at <= stamp(now))
    return [r.id for r in await tx.all(due)]


async def end_nudge(tx: Tx, survey: str) -> None:
    """Its reminder has gone; there is no other."""
    await tx.run(update(surveys).where(surveys.c.id == survey).values(nudge_at=None))


async def postpone(tx: Tx, survey: str, closes_at: datetime, answer_by: date) -> None:
    new = {"closes_at": stamp(closes_at), "answer_by": answer_by.isoformat()}
    await tx.run(update(surveys).where(surveys.c.id == survey, surveys.c.state == "open").values(**new))


async def mark_closed(tx: Tx, survey: str, state: str, on: date, started: int, finished: int) -> bool:
    """Close it once; False when it was closed already."""
    new = {"state": state, "closed_on": on.isoformat(), "started": started, "finished": finished}
    return await tx.run(update(surveys).where(surveys.c.id == survey, surveys.c.state == "open").values(**new)) == 1


async def group_name(tx: Tx, survey: Survey) -> str:
    return str(await tx.value(select(groups.c.name).where(groups.c.id == survey.group)))


@lru_cache(maxsize=64)
def _form(source: str) -> Form:
    return Form.model_validate_json(source, strict=False)


def _survey(tx: Tx, r: AnyRow) -> Survey:
    return Survey(
        id=r.id,
        nth=r.nth,
        form=_form(r.source),
        mode=r.mode,
        group=r.group_id,
        decision=r.decision,
        decider=tx.vault.open("names", r.decider, r.id).decode(),
        opened_on=date.fromisoformat(r.opened_on),
        closes_at=moment(r.closes_at),
        answer_by=date.fromisoformat(r.answer_by),
        state=r.state,
        closed_on=date.fromisoformat(r.closed_on) if r.closed_on else None,
        asked=r.asked,
        nudge_at=moment(r.nudge_at) if r.nudge_at else None,
        started=r.started,
        finished=r.finished,
        keys_cut_on=date.fromisoformat(r.keys_cut_on) if r.keys_cut_on else None,
        totals_since=date.fromisoformat(r.totals_since) if r.totals_since else None,
        pooled=r.pooled,
    )
