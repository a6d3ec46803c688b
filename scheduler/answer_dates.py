"""Answer dates that have passed without an answer: whoever decides is reminded, once a week (LUNDY-1, FAIL-11)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from conversations.roles import MAY
from data.database import Database, Tx
from data.outbox import post
from data.people import people_with_role
from data.school import School
from data.surveys import Survey
from data.wedid import unanswered

WEEKS = 8  # after that the list of overdue answers is the only reminder left


async def answers_due(db: Database, school: School, now: datetime) -> bool:
    """Post the reminders of this week, each once; whether any was new."""
    today = now.astimezone(school.zone).date()
    since = today - timedelta(weeks=WEEKS)
    async with db.reading() as tx:
        if not await unanswered(tx, since, today):
            return False
    async with db.transaction() as tx:
        late = await unanswered(tx, since, today)
        new = [await post(tx, "answer-due", _ref(s, today), await deciders(tx, school, s), now) for s in late]
    return any(new)


async def deciders(tx: Tx, school: School, survey: Survey) -> list[str]:
    """Those in the role that was named as deciding, where it may answer; else all who may publish."""
    roles = [role for role, name in school.staff_names.items() if name == survey.decider and role in MAY["wedid"]]
    return await people_with_role(tx, *(roles or sorted(MAY["publish"]))) or await people_with_role(
        tx, *sorted(MAY["publish"])
    )


def _ref(survey: Survey, today: date) -> str:
    """One for each week since the answer date."""
    return f"{survey.id}:{(today - survey.answer_by).days // 7}"
