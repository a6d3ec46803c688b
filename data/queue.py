"""What waits for a human reader: flagged words, calls for help, and the words of surveys (SAFE-3, SAFE-12)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, insert, select, update

from data.database import AnyRow, Tx
from data.moments import moment, new_id, stamp
from data.tables import queue

URGENT = ("flagged", "help", "talk")  # come with an alert; "words" are read at reading times


@dataclass(frozen=True)
class Item:
    """One thing to read. `person` and `who` are empty where the answers are kept without names."""

    id: str
    kind: str
    came_at: datetime
    survey: str | None
    read_at: datetime | None = None
    read_by: str | None = None
    text: str = field(default="", repr=False)
    person: str = field(default="", repr=False)
    who: str = field(default="", repr=False)


async def add_item(
    tx: Tx,
    kind: str,
    now: datetime,
    text: str = "",
    person: str = "",
    who: str = "",
    survey: str | None = None,
) -> str:
    """Put something in the queue; its id."""
    id = new_id()
    sealed = tx.vault.seal("words", json.dumps({"text": text, "person": person, "who": who}).encode(), id)
    await tx.run(insert(queue).values(id=id, kind=kind, sealed=sealed, survey=survey, came_at=stamp(now)))
    return id


async def add_words(tx: Tx, texts: list[tuple[str, str, str]], survey: str, now: datetime) -> list[str]:
    """Words of a survey as (text, person, who), in the order given (shuffle them first); the items' ids."""
    return [await add_item(tx, "words", now, text, person, who, survey) for text, person, who in texts]


async def waiting_items(tx: Tx) -> list[Item]:
    """Unread items: urgent ones before the words of surveys (SAFE-3), each oldest first."""
    unread = select(queue).where(queue.c.read_at.is_(None))
    query = unread.order_by(queue.c.kind == "words", queue.c.came_at, queue.c.id)
    return [_item(tx, row) for row in await tx.all(query)]


async def read_items(tx: Tx, limit: int = 50) -> list[Item]:
    """Items read before, newest first."""
    query = select(queue).where(queue.c.read_at.is_not(None)).order_by(queue.c.read_at.desc()).limit(limit)
    return [_item(tx, row) for row in await tx.all(query)]


async def find_item(tx: Tx, id: str) -> Item | None:
    row = await tx.first(select(queue).where(queue.c.id == id))
    return _item(tx, row) if row else None


async def mark_read(tx: Tx, id: str, person: str, now: datetime) -> bool:
    """Note who read it first; False when somebody had."""
    unread = update(queue).where(queue.c.id == id, queue.c.read_at.is_(None))
    return await tx.run(unread.values(read_at=stamp(now), read_by=person)) == 1


async def queue_size(tx: Tx) -> tuple[int, datetime | None]:
    """How many wait, and since when the oldest does."""
    unread = queue.c.read_at.is_(None)
    size = await tx.value(select(func.count()).where(unread))
    oldest = await tx.value(select(func.min(queue.c.came_at)).where(unread))
    return int(size), moment(oldest) if oldest else None


def _item(tx: Tx, row: AnyRow) -> Item:
    inside = json.loads(tx.vault.open("words", row.sealed, row.id))
    read_at = moment(row.read_at) if row.read_at else None
    return Item(row.id, row.kind, moment(row.came_at), row.survey, read_at, row.read_by, **inside)
