"""What waits for a human reader: flagged words, calls for help, and the words of surveys (SAFE-3, SAFE-12)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, true, update

from data.comments import forget_words
from data.database import AnyRow, Tx
from data.moments import moment, new_id, stamp
from data.tables import queue
from data.tombstones import ITEM, bury

EMPTIED = "emptied"  # its words are no longer here: in the school's own record, or kept long enough
COMPLAINT = "complaint"  # about how the school handles somebody's data; comes with its route
URGENT = ("flagged", "help", "talk")  # come with an alert; "words" are read at reading times
ROUTES = ("welfare", "staff", "head", "complaint", "none")  # where a reader may send it (SAFE-7)
CONCERNS = ROUTES[:-1]  # these belong into the school's own record (SAFE-8)


@dataclass(frozen=True)
class Item:
    """One thing to read. `person` and `who` are empty where the answers are kept without names.

    `about` are the roles it is about, whose holders never see it; `reached` those to which its ladder has climbed;
    `quote`: its author allowed quoting it.
    """

    id: str
    kind: str
    came_at: datetime
    survey: str | None
    read_at: datetime | None = None
    read_by: str | None = None
    about: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    route: str | None = None
    routed_by: str | None = None
    done_at: datetime | None = None
    done_by: str | None = None
    reason: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    person: str = field(default="", repr=False)
    who: str = field(default="", repr=False)
    quote: bool = False


def about_safety(item: Item) -> bool:
    """A call for help, words that sounded like danger, or a concern for somebody: the law may hold these back."""
    return item.kind in URGENT or item.route in CONCERNS[:3]


async def add_item(
    tx: Tx,
    kind: str,
    now: datetime,
    text: str = "",
    person: str = "",
    who: str = "",
    survey: str | None = None,
    about: Iterable[str] = (),
    quote: bool = False,
) -> str:
    """Put something in the queue; its id."""
    id = new_id()
    inside = {"text": text, "person": person, "who": who, "quote": quote}
    sealed = tx.vault.seal("words", json.dumps(inside).encode(), id)
    row = {"kind": kind, "survey": survey, "came_at": stamp(now), "about": ",".join(sorted(about)) or None}
    await tx.run(insert(queue).values(id=id, sealed=sealed, **row))
    return id


async def add_complaint(tx: Tx, text: str, person: str, who: str, about: Iterable[str], to: str, now: datetime) -> str:
    """A complaint about data, sent on to this role beside the readers; its id. It stays until the school has it."""
    id = await add_item(tx, COMPLAINT, now, text, person, who, None, about)
    await tx.run(update(queue).where(queue.c.id == id).values(route=COMPLAINT, reached=to))
    return id


@dataclass(frozen=True)
class Words:
    """Words of a survey on their way to the readers."""

    text: str = field(repr=False)
    person: str = field(default="", repr=False)
    who: str = field(default="", repr=False)
    about: tuple[str, ...] = ()
    quote: bool = False


async def add_words(tx: Tx, found: Iterable[Words], survey: str, now: datetime) -> list[str]:
    """In the order given (shuffle them first); the items' ids."""
    return [await add_item(tx, "words", now, w.text, w.person, w.who, survey, w.about, w.quote) for w in found]


async def waiting_items(tx: Tx) -> list[Item]:
    """Unread items: urgent ones before the words of surveys (SAFE-3), each oldest first."""
    unread = select(queue).where(queue.c.read_at.is_(None))
    query = unread.order_by(queue.c.kind == "words", queue.c.came_at, queue.c.id)
    return [_item(tx, row) for row in await tx.all(query)]


async def unfinished_items(tx: Tx) -> list[Item]:
    """Items that were read and still need something, oldest first: a route, or a place in the school's record."""
    query = select(queue).where(queue.c.read_at.is_not(None), _UNFINISHED).order_by(queue.c.came_at, queue.c.id)
    return [_item(tx, row) for row in await tx.all(query)]


async def finished_items(tx: Tx, limit: int = 50) -> list[Item]:
    """Items that were read and need nothing more, newest first."""
    return await _finished(tx, true(), limit)


async def finished_concerns(tx: Tx, limit: int = 50) -> list[Item]:
    """The same without the many words of surveys that nobody sent anywhere: what head and chair may have seen."""
    return await _finished(tx, or_(queue.c.kind != "words", queue.c.route.is_not(None)), limit)


async def _finished(tx: Tx, which: ColumnElement[bool], limit: int) -> list[Item]:
    read = select(queue).where(queue.c.read_at.is_not(None), ~_UNFINISHED, which)
    return [_item(tx, row) for row in await tx.all(read.order_by(queue.c.read_at.desc()).limit(limit))]


async def find_item(tx: Tx, id: str) -> Item | None:
    row = await tx.first(select(queue).where(queue.c.id == id))
    return _item(tx, row) if row else None


async def all_items(tx: Tx) -> list[Item]:
    """Everything that still has its words, oldest first."""
    rows = await tx.all(select(queue).where(queue.c.kind != EMPTIED).order_by(queue.c.came_at, queue.c.id))
    return [_item(tx, row) for row in rows]


async def items_of(tx: Tx, survey: str) -> list[Item]:
    """What came out of this survey, also where the words have gone by now."""
    return [_item(tx, row) for row in await tx.all(select(queue).where(queue.c.survey == survey))]


async def mark_read(tx: Tx, id: str, person: str, now: datetime) -> bool:
    """Note who read it first; False when somebody had."""
    unread = update(queue).where(queue.c.id == id, queue.c.read_at.is_(None))
    return await tx.run(unread.values(read_at=stamp(now), read_by=person)) == 1


async def mark_reached(tx: Tx, id: str, role: str) -> None:
    """Its ladder has climbed to this role, which may read it from now on."""
    row = await tx.first(select(queue.c.reached).where(queue.c.id == id))
    reached = set(row.reached.split(",") if row and row.reached else ()) | {role}
    await tx.run(update(queue).where(queue.c.id == id).values(reached=",".join(sorted(reached))))


async def route_item(
    tx: Tx, item: Item, route: str, about: Iterable[str], reason: str, person: str, now: datetime
) -> None:
    """Where a reader sends it, and why where that must be said; the last choice holds (SAFE-7)."""
    sealed = tx.vault.seal("words", reason.encode(), f"{item.id}.reason") if reason else None
    chosen = {"route": route, "about": ",".join(sorted(set(about))) or None, "reason": sealed}
    where = update(queue).where(queue.c.id == item.id)
    await tx.run(where.values(routed_at=stamp(now), routed_by=person, **chosen))


async def mark_transferred(tx: Tx, id: str, person: str, now: datetime) -> bool:
    """The school's own record has it: the words go some days later (SAFE-8). False when it was done."""
    undone = update(queue).where(queue.c.id == id, queue.c.done_at.is_(None))
    return await tx.run(undone.values(done_at=stamp(now), done_by=person)) == 1


async def take_transfer_back(tx: Tx, id: str) -> bool:
    """It was a slip of the finger: the words stay. False when it was not done, or they are gone."""
    done = update(queue).where(queue.c.id == id, queue.c.done_at.is_not(None), queue.c.kind != EMPTIED)
    return await tx.run(done.values(done_at=None, done_by=None)) == 1


async def transferred_items(tx: Tx, now: datetime, days: int) -> list[str]:
    """Ids of the items whose words have been in the school's own record for so many days, oldest first."""
    old = select(queue.c.id).where(queue.c.done_at <= stamp(now - timedelta(days=days)), queue.c.kind != EMPTIED)
    return [r.id for r in await tx.all(old.order_by(queue.c.done_at, queue.c.id))]


async def empty_item(tx: Tx, id: str, now: datetime) -> None:
    """Its words, whose they are, and why it was no concern go for good; that something came and was done stays."""
    sealed = tx.vault.seal("words", json.dumps({"text": "", "person": "", "who": ""}).encode(), id)
    await tx.run(update(queue).where(queue.c.id == id).values(sealed=sealed, reason=None, kind=EMPTIED))
    await forget_words(tx, id)
    await bury(tx, ITEM, id, now)


async def queue_size(tx: Tx) -> tuple[int, datetime | None]:
    """How many wait, and since when the oldest does."""
    unread = queue.c.read_at.is_(None)
    size = await tx.value(select(func.count()).where(unread))
    oldest = await tx.value(select(func.min(queue.c.came_at)).where(unread))
    return int(size), moment(oldest) if oldest else None


_UNROUTED = and_(queue.c.route.is_(None), queue.c.kind.in_(URGENT))
_CONCERN = and_(queue.c.route.is_not(None), queue.c.route.in_(CONCERNS))  # never unknown, so that it can be negated
_UNFINISHED = and_(queue.c.done_at.is_(None), or_(_UNROUTED, _CONCERN))


def _item(tx: Tx, row: AnyRow) -> Item:
    inside = json.loads(tx.vault.open("words", row.sealed, row.id))
    reason = tx.vault.open("words", row.reason, f"{row.id}.reason").decode() if row.reason else ""
    return Item(
        row.id,
        row.kind,
        moment(row.came_at),
        row.survey,
        read_at=moment(row.read_at) if row.read_at else None,
        read_by=row.read_by,
        about=tuple(row.about.split(",")) if row.about else (),
        reached=tuple(row.reached.split(",")) if row.reached else (),
        route=row.route,
        routed_by=row.routed_by,
        done_at=moment(row.done_at) if row.done_at else None,
        done_by=row.done_by,
        reason=reason,
        **inside,
    )
