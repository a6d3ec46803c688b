"""How often people were asked: consultations opened in a half term, open ones by runs, closed ones by marks (6.9)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from data.database import Tx
from data.tables import marks, runs, surveys

MOST_ASKED = 2  # consultations in a half term


async def times_asked(tx: Tx, first: date, before: date) -> dict[str, int]:
    """Person -> in how many consultations of these days (`before` not among them); boxes for visits do not count."""
    opened = select(surveys.c.id).where(
        surveys.c.pooled.is_(False),
        surveys.c.opened_on >= first.isoformat(),
        surveys.c.opened_on < before.isoformat(),
    )
    found: dict[str, int] = {}
    for table in (runs, marks):
        rows = select(table.c.person, func.count()).where(table.c.survey.in_(opened), table.c.person.is_not(None))
        for person, n in await tx.all(rows.group_by(table.c.person)):
            found[person] = found.get(person, 0) + n
    return found
