"""Rows of "you said, we did": written by one member of staff, seen by another, published, later replaced."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import and_, insert, select, update

from data.database import AnyRow, Tx
from data.moments import new_id
from data.pools import invited_in
from data.surveys import Survey, all_surveys
from data.tables import marks, surveys, wedid

ANSWERS = ("did", "doing", "already", "cannot")
DRAFT, PUBLISHED, REPLACED = "draft", "published", "replaced"


@dataclass(frozen=True)
class Row:
    """One point people made, and the school's answer. `how_many` None: nobody counted. `who` is a role, not a name.

    A published row is never changed: a newer one names it in `replaces` (S11.3).
    """

    id: str
    survey: str
    said: str = field(repr=False)
    answer: str = ""
    words: str = field(default="", repr=False)
    who: str = field(default="", repr=False)
    how_many: int | None = None
    by_when: date | None = None
    state: str = DRAFT
    written_by: str | None = None
    seen_by: str | None = None
    published_on: date | None = None
    replaces: str | None = None


def new_row(survey: str, said: str, **more: object) -> Row:
    return Row(new_id(), survey, said, **more)  # type: ignore[arg-type]


async def add_row(tx: Tx, row: Row) -> None:
    await tx.run(
        insert(wedid).values(
            id=row.id,
            survey=row.survey,
            said=row.said,
            how_many=row.how_many,
            answer=row.answer,
            words=row.words,
            who=row.who,
            by_when=row.by_when.isoformat() if row.by_when else None,
            state=row.state,
            written_by=row.written_by,
            replaces=row.replaces,
        )
    )


async def find_row(tx: Tx, id: str) -> Row | None:
    row = await tx.first(select(wedid).where(wedid.c.id == id))
    return _row(row) if row else None


async def rows_of(tx: Tx, survey: str, state: str = PUBLISHED) -> list[Row]:
    """Of one survey, in the order of their ids, which tells nothing."""
    query = select(wedid).where(wedid.c.survey == survey, wedid.c.state == state).order_by(wedid.c.id)
    return [_row(r) for r in await tx.all(query)]


async def drafts(tx: Tx) -> list[Row]:
    """What waits for a colleague's look."""
    return [_row(r) for r in await tx.all(select(wedid).where(wedid.c.state == DRAFT).order_by(wedid.c.id))]


async def publish(tx: Tx, row: Row, seen_by: str, on: date) -> bool:
    """Once, by somebody who did not write it; False when it was published, or taken back, already."""
    mine = update(wedid).where(wedid.c.id == row.id, wedid.c.state == DRAFT)
    if await tx.run(mine.values(state=PUBLISHED, seen_by=seen_by, published_on=on.isoformat())) == 0:
        return False
    if row.replaces:
        await tx.run(update(wedid).where(wedid.c.id == row.replaces).values(state=REPLACED))
    return True


async def take_back(tx: Tx, id: str) -> bool:
    """A draft that a colleague would not publish; False when it is none any more."""
    return await tx.run(update(wedid).where(wedid.c.id == id, wedid.c.state == DRAFT).values(state=REPLACED)) == 1


async def everyone_asked(tx: Tx, survey: str) -> list[str]:
    """Whoever was asked in a closed survey, in the order of their ids: the answer goes to all, answered or not.

    Who visited is not known for so long: what was asked after visits is answered to all who were invited to them.
    """
    if invited := await invited_in(tx, survey):
        return invited
    asked = select(marks.c.person).where(marks.c.survey == survey).order_by(marks.c.person)
    return [r.person for r in await tx.all(asked)]


async def answered_surveys(tx: Tx, most: int) -> list[Survey]:
    """The surveys that have published rows, those published last first."""
    rows = await tx.all(select(wedid.c.survey, wedid.c.published_on).where(wedid.c.state == PUBLISHED))
    newest: dict[str, str] = {}
    for r in rows:
        newest[r.survey] = max(newest.get(r.survey, ""), r.published_on)
    shown = sorted(newest, key=lambda id: (newest[id], id), reverse=True)[:most]
    found = {s.id: s for s in await all_surveys(tx, "closed")}
    return [found[id] for id in shown if id in found]


async def unanswered(tx: Tx, since: date, today: date) -> list[Survey]:
    """Closed surveys whose answer date has passed, not before `since`, and that have no published row (LUNDY-1)."""
    told = select(wedid.c.survey).where(wedid.c.state == PUBLISHED)
    due = and_(surveys.c.answer_by < today.isoformat(), surveys.c.answer_by >= since.isoformat())
    query = select(surveys.c.id).where(surveys.c.state == "closed", due, surveys.c.id.not_in(told))
    ids = {r.id for r in await tx.all(query)}
    return [s for s in await all_surveys(tx, "closed") if s.id in ids]


def _row(r: AnyRow) -> Row:
    return Row(
        r.id,
        r.survey,
        r.said,
        r.answer,
        r.words,
        r.who,
        r.how_many,
        date.fromisoformat(r.by_when) if r.by_when else None,
        r.state,
        r.written_by,
        r.seen_by,
        date.fromisoformat(r.published_on) if r.published_on else None,
        r.replaces,
    )
