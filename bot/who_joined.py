"""Who has joined and who has not, letter by letter and in numbers: what staff see on /people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.facts import House
from conversations.roles import FAMILIES, STAFF_ROLES
from data.codes import Slip, slips_of
from data.database import Tx
from data.people import Person, all_groups, find_person, members, people_with_role
from data.standing import Standing, standings, with_factor

WAITING = ("waiting", "expired")  # states of a letter that nobody joined with
BLOCKED = ("stopped", "unreachable")
TO_CALL = (*WAITING, "unreachable")


@dataclass(frozen=True)
class Entry:
    """A letter and what became of it, or (without `letter`) somebody who joined with a code of another kind."""

    letter: str
    person: str
    label: str = field(repr=False)
    number: int | None
    language: str
    state: str  # joined, waiting, expired, stopped, unreachable, ended
    on: date | None


@dataclass(frozen=True)
class Count:
    """A group in numbers."""

    group: str
    name: str
    joined: int
    waiting: int
    blocked: int


@dataclass(frozen=True)
class Colleague:
    """A member of staff: who they are, and whether they have a second factor."""

    person: Person
    has_app: bool
    state: str


async def counts(tx: Tx, now: datetime, house: House) -> list[Count]:
    """All groups by name. `blocked` are among those who joined."""
    return [_count(id, name, await entries(tx, id, now, house)) for id, name in (await all_groups(tx)).items()]


def _count(id: str, name: str, found: Sequence[Entry]) -> Count:
    of = [entry.state for entry in found]
    blocked = sum(state in BLOCKED for state in of)
    return Count(id, name, of.count("joined") + blocked, sum(state in WAITING for state in of), blocked)


async def entries(tx: Tx, group: str, now: datetime, house: House) -> list[Entry]:
    """The letters of a group in the order of their numbers, and then who joined without one."""
    standing, slips = await standings(tx), [s for s in await slips_of(tx, group) if s.invitation.role in FAMILIES]
    found = [_of_letter(slip, standing, now, house) for slip in slips]
    held = {slip.person for slip in slips}
    others = [await find_person(tx, id) for id in await members(tx, group) if id not in held]
    mine = [p for p in others if p and p.roles & FAMILIES]
    return [*found, *(_without_letter(p, standing[p.id]) for p in sorted(mine, key=lambda p: (p.label, p.id)))]


def _of_letter(slip: Slip, standing: dict[str, Standing], now: datetime, house: House) -> Entry:
    made = slip.invitation
    state, at = _state(slip, standing.get(slip.person or ""), now)
    at = at - timedelta(seconds=1) if at and state in WAITING else at  # a code ends at midnight: its last day counts
    on = at.astimezone(house.school.zone).date() if at else None
    return Entry(slip.hash, slip.person or "", made.label, made.slip, made.language, state, on)


def _state(slip: Slip, standing: Standing | None, now: datetime) -> tuple[str, datetime | None]:
    """The state, and since or until when."""
    if standing is None:
        return ("waiting" if slip.open_at(now) else "expired"), slip.expires_at
    if standing.ended_at:
        return "ended", standing.ended_at
    return _reached(standing), slip.used_at


def _without_letter(person: Person, standing: Standing) -> Entry:
    return Entry("", person.id, person.label, None, person.language, _reached(standing), None)


def _reached(standing: Standing) -> str:
    if standing.stopped:
        return "stopped"
    return "unreachable" if standing.unreachable else "joined"


async def colleagues(tx: Tx) -> list[Colleague]:
    """Everybody who holds a role of staff, by label."""
    standing, apps = await standings(tx), await with_factor(tx)
    found = [await find_person(tx, id) for id in await people_with_role(tx, *STAFF_ROLES)]
    known = sorted((p for p in found if p), key=lambda p: (p.label.casefold(), sorted(p.roles), p.id))
    return [Colleague(p, p.id in apps, _reached(standing[p.id])) for p in known]
