"""Whether a survey's answer sheets and its people agree (AUDIT-1): a sheet too few or too many shows here.

    answers counted + removed with a reason = finished marks + paper sheets + finished marks of people since deleted

Whoever takes raw answers away because their time is over (data/keeping.py) keeps how many sheets there were: a row of
`totals` with question SHEET and value "". Where finished marks go with their time too, a row with question MARKS and
value "" says how many they were. Whoever deletes a person adds their finished marks to `surveys.gone`; where their
sheet goes with them, it is accounted for by data.removals.note_removal. A pool has no marks of people: visits count,
and the closing notes how many of them sent answers (data/pools.py).
"""

from __future__ import annotations

from sqlalchemy import func, select

from conversations.counting import CountCheck
from data.answers import SHEET, count_sheets
from data.database import Tx
from data.removals import count_removals
from data.surveys import Survey, all_surveys
from data.tables import marks, surveys, totals
from data.totals import MARKS


async def count_check(tx: Tx, survey: Survey) -> CountCheck | None:
    """Both sides of the count; None for a survey whose answers nobody has counted: open, unopened or lost."""
    if survey.state != "closed":
        return None
    row = await tx.first(select(surveys.c.paper, surveys.c.gone, surveys.c.finished).where(surveys.c.id == survey.id))
    assert row
    finished = select(func.count()).where(marks.c.survey == survey.id, marks.c.finished.is_(True))
    return CountCheck(
        counted=await count_sheets(tx, survey.id) or await _total(tx, survey.id, SHEET),
        removed=await count_removals(tx, survey.id),
        took_part=row.finished if survey.pooled else int(await tx.value(finished)) + await _total(tx, survey.id, MARKS),
        paper=row.paper,
        gone=row.gone,
    )


async def _total(tx: Tx, survey: str, question: str) -> int:
    """What has become a total, where the rows themselves are gone."""
    n = select(func.coalesce(func.sum(totals.c.n), 0))
    return int(await tx.value(n.where(totals.c.survey == survey, totals.c.question == question)))


async def count_checks(tx: Tx) -> dict[str, CountCheck]:
    """The count of every closed survey, by its id, newest first."""
    found = {survey.id: await count_check(tx, survey) for survey in await all_surveys(tx, "closed")}
    return {id: check for id, check in found.items() if check}
