"""Pupils who asked to talk with an adult (S15). A row goes when the adult has been with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from data.database import AnyRow, Tx
from data.moments import moment, new_id, stamp
from data.people import people_with_role
from data.tables import requests

TALKS = ("senco", "dsl", "deputy", "head")  # who talks with a pupil whose own adult has gone


@dataclass(frozen=True)
class Request:
    """`person` is the pupil; `seen_at` is when an adult opened it first, None until then."""

    id: str
    person: str
    adult: str
    asked_at: datetime
    seen_at: datetime | None = None


async def ask_to_talk(tx: Tx, person: str, adult: str, now: datetime) -> Request | None:
    """The new request; None where this pupil waits already, so that a second tap changes nothing."""
    if await request_by(tx, person):
        return None
    asked = Request(new_id(), person, adult, now)
    await tx.run(insert(requests).values(id=asked.id, person=person, adult=adult, asked_at=stamp(now)))
    return asked


async def request_by(tx: Tx, person: str) -> Request | None:
    """What this pupil waits for."""
    row = await tx.first(select(requests).where(requests.c.person == person))
    return _request(row) if row else None


async def find_request(tx: Tx, id: str) -> Request | None:
    row = await tx.first(select(requests).where(requests.c.id == id))
    return _request(row) if row else None


async def open_requests(tx: Tx, adult: str | None = None) -> list[Request]:
    """Those that wait, for this adult or for anybody, the oldest first."""
    query = select(requests).order_by(requests.c.asked_at, requests.c.id)
    query = query.where(requests.c.adult == adult) if adult else query
    return [_request(row) for row in await tx.all(query)]


async def unseen_requests(tx: Tx) -> list[Request]:
    """Those that no adult has opened, the oldest first."""
    return [request for request in await open_requests(tx) if request.seen_at is None]


async def see_request(tx: Tx, id: str, adult: str, now: datetime) -> bool:
    """This adult has opened it and is the one who knows from now on; False when one had already."""
    new = update(requests).where(requests.c.id == id, requests.c.seen_at.is_(None))
    return await tx.run(new.values(seen_at=stamp(now), adult=adult)) == 1


async def pass_on_requests(tx: Tx, adult: str) -> None:
    """Pupils who asked for this adult wait for another one, who has not seen it yet; without any they can ask anew."""
    others = [p for p in await people_with_role(tx, *TALKS) if p != adult]
    mine = requests.c.adult == adult
    if others:
        await tx.run(update(requests).where(mine).values(adult=others[0], seen_at=None))
    else:
        await tx.run(delete(requests).where(mine))


async def end_request(tx: Tx, id: str) -> bool:
    """The adult has been with them; False when it had ended already."""
    return await tx.run(delete(requests).where(requests.c.id == id)) == 1


def _request(r: AnyRow) -> Request:
    return Request(r.id, r.person, r.adult, moment(r.asked_at), moment(r.seen_at) if r.seen_at else None)
