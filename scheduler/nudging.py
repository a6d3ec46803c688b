"""The one reminder of a consultation: three school days before it closes, or earlier when staff say so (6.9).

CONF and NAMED: those who have neither finished nor said no. ANON: everyone who was asked, for nobody looks into the box
to find out whom to remind (ANON-5). Who has stopped is left out when it is sent.
"""

from __future__ import annotations

from datetime import datetime

from data.audit import note
from data.database import Database, Tx
from data.outbox import post
from data.runs import Run, has_started, people_in, runs_in
from data.surveys import Survey, end_nudge, find_survey, surveys_to_nudge

NUDGE = "nudge"  # kind of its letters; their ref is the survey


async def nudge_due(db: Database, now: datetime) -> bool:
    """Post the reminders whose time has come; whether there were any."""
    async with db.reading() as tx:
        if not await surveys_to_nudge(tx, now):
            return False
    async with db.transaction() as tx:
        for id in await surveys_to_nudge(tx, now):
            survey = await find_survey(tx, id)
            if survey:
                await nudge(tx, survey, now)
    return True


async def nudge(tx: Tx, survey: Survey, now: datetime, by: str | None = None) -> int:
    """Post them, once for each person in each survey; how many. `by` is who did it, for the audit log."""
    if not survey.open or survey.pooled:
        return 0
    await end_nudge(tx, survey.id)
    new = await post(tx, NUDGE, survey.id, await to_nudge(tx, survey), now)
    await note(tx, "survey.reminded", survey.id, now, by, people=str(new))
    return new


async def to_nudge(tx: Tx, survey: Survey) -> list[str]:
    """Ids of those who would be reminded now."""
    if survey.mode == "ANON":
        return await people_in(tx, survey.id)
    return [run.person for run in await runs_in(tx, survey) if wants_nudge(run)]


def wants_nudge(run: Run) -> bool:
    """Whether this person has neither finished nor said no; to be asked of runs with names only."""
    said_no = not has_started(run.state) and run.state.step > 0
    return run.state.sent is None and not said_no
