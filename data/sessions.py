"""Browsers that have joined: a secret in a cookie, of which only a keyed hash is kept (trust A4.5).

Parents stay for half a year. Staff are locked out after 15 minutes without use and after 8 hours: a browser that
joined with a code then waits to be opened again, one that came by a one-time link has simply ended.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select, update

from conversations.roles import STAFF_ROLES
from data.database import AnyRow, Tx
from data.moments import moment, stamp
from data.people import Person, find_person
from data.tables import sessions

SESSION_AGE = timedelta(days=180)  # of a browser that joined with a code
LINK_SESSION_AGE = timedelta(hours=8)  # of one that came by a one-time link
STAFF_IDLE = timedelta(minutes=15)
STAFF_AGE = timedelta(hours=8)
TOUCHED_EVERY = timedelta(minutes=1)  # use is noted no more often, so that looking stays cheap


@dataclass(frozen=True)
class Session:
    """Whose browser it is. `locked`: only to be opened again. `touch`: its use is to be noted now.

    `by_link`: it came by a one-time link, and ends where others lock.
    """

    person: Person
    locked: bool
    touch: bool
    by_link: bool


async def start_session(tx: Tx, person: str, now: datetime, age: timedelta = SESSION_AGE) -> str:
    """A fresh secret for a browser's cookie."""
    await tx.run(delete(sessions).where(sessions.c.ends_at <= stamp(now)))
    secret = secrets.token_urlsafe(32)
    row = {"hash": _hash(tx, secret), "person": person, "ends_at": stamp(now + age), **_open(now)}
    await tx.run(insert(sessions).values(**row))
    return secret


def _open(now: datetime) -> dict[str, str]:
    return {"idle_at": stamp(now + STAFF_IDLE), "locks_at": stamp(now + STAFF_AGE)}


def _hash(tx: Tx, secret: str) -> str:
    return tx.vault.lookup("session", secret)


def _here(tx: Tx, secret: str) -> ColumnElement[bool]:
    """It may stand under the hash of an earlier key."""
    return sessions.c.hash.in_(tx.vault.lookups("session", secret))


async def find_session(tx: Tx, secret: str, now: datetime) -> Session | None:
    """The session of this cookie; None when there is none, or none any more."""
    row = await tx.first(select(sessions).where(_here(tx, secret)))
    if not row or moment(row.ends_at) <= now:
        return None
    person, by_link = await find_person(tx, row.person), _by_link(row)
    if person is None or not person.roles & set(STAFF_ROLES):
        return Session(person, False, False, by_link) if person else None
    if not _locked(row, now):
        return Session(person, False, moment(row.idle_at) - now <= STAFF_IDLE - TOUCHED_EVERY, by_link)
    return None if by_link else Session(person, True, False, by_link)


def _locked(row: AnyRow, now: datetime) -> bool:
    """A session from before there were locks counts as locked."""
    return not row.idle_at or not row.locks_at or min(moment(row.idle_at), moment(row.locks_at)) <= now


def _by_link(row: AnyRow) -> bool:
    return bool(row.locks_at) and row.ends_at <= row.locks_at


async def person_of_session(tx: Tx, secret: str, now: datetime) -> Person | None:
    """Who may use this browser now."""
    found = await find_session(tx, secret, now)
    return found.person if found and not found.locked else None


async def touch_session(tx: Tx, secret: str, now: datetime) -> None:
    """It is in use: the quarter of an hour begins again."""
    here = update(sessions).where(_here(tx, secret))
    await tx.run(here.values(idle_at=stamp(now + STAFF_IDLE)))


async def renew_session(tx: Tx, secret: str, now: datetime, proved_until: datetime | None = None) -> str:
    """A fresh secret for the same browser, so that one seen or planted before opens nothing (fixation)."""
    fresh = secrets.token_urlsafe(32)
    new = {"hash": _hash(tx, fresh), "idle_at": stamp(now + STAFF_IDLE)}
    if proved_until:
        new["proved_until"] = stamp(proved_until)
    await tx.run(update(sessions).where(_here(tx, secret)).values(**new))
    return fresh


async def unlock_session(tx: Tx, secret: str, now: datetime, proved_until: datetime | None = None) -> str:
    """The same for a locked one: its person has come back, and it counts as new."""
    fresh = await renew_session(tx, secret, now, proved_until)
    new = {"ends_at": stamp(now + SESSION_AGE), **_open(now)}
    await tx.run(update(sessions).where(_here(tx, fresh)).values(**new))
    return fresh


async def is_proved(tx: Tx, secret: str, now: datetime) -> bool:
    """Whether this browser's second factor still counts."""
    until = await tx.value(select(sessions.c.proved_until).where(_here(tx, secret)))
    return until is not None and moment(until) > now


async def lock_session(tx: Tx, secret: str, now: datetime) -> None:
    """Its person goes away for a while: as after a quarter of an hour."""
    new = {"idle_at": stamp(now), "proved_until": None}
    await tx.run(update(sessions).where(_here(tx, secret)).values(**new))


async def lock_sessions(tx: Tx, person: str, now: datetime) -> None:
    """All browsers of this person must be opened again: their rights have grown."""
    await tx.run(update(sessions).where(sessions.c.person == person).values(idle_at=stamp(now), proved_until=None))


async def end_session(tx: Tx, secret: str) -> None:
    await tx.run(delete(sessions).where(_here(tx, secret)))
