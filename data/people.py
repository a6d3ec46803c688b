"""People, their roles, groups and addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from data.database import AnyRow, Tx
from data.moments import new_id, stamp
from data.tables import addresses, groups, memberships, people, roles
from data.tombstones import ROLE, STOP, bury, role_ref, unbury

CONSENT_WORDING = 2  # grows when the joining screen's words change


@dataclass(frozen=True)
class Person:
    """Somebody who joined. `label` is what staff see: a name or a family label, often empty."""

    id: str
    language: str
    stopped: bool
    front: str | None
    roles: frozenset[str]
    label: str = field(default="", repr=False)


@dataclass(frozen=True)
class Address:
    """A way to reach a person; `where` is what the channel needs (a chat number)."""

    channel: str
    where: str = field(repr=False)


async def add_person(tx: Tx, language: str, label: str, now: datetime) -> str:
    """A new person who has just said yes to joining; the id."""
    id = new_id(16)
    sealed = tx.vault.seal("names", json.dumps({"label": label}).encode(), id)
    consent = {"consent_at": stamp(now), "consent_wording": CONSENT_WORDING, "consent_language": language}
    await tx.run(insert(people).values(id=id, sealed=sealed, language=language, stopped=False, **consent))
    return id


# Built once: every message and every tap asks these.
_PERSON = select(people, roles.c.role).outerjoin(roles, roles.c.person == people.c.id)
_BY_ID = _PERSON.where(people.c.id == bindparam("id"))
_BY_ADDRESS = _PERSON.join(addresses, addresses.c.person == people.c.id).where(
    addresses.c.channel == bindparam("channel"),
    addresses.c.hash.in_(bindparam("hashes", expanding=True)),
    addresses.c.ended.is_(False),
)


async def find_person(tx: Tx, id: str) -> Person | None:
    return _person(tx, await tx.all(_BY_ID, id=id))


async def person_at(tx: Tx, channel: str, where: str) -> Person | None:
    """The person who joined from this address."""
    return _person(tx, await tx.all(_BY_ADDRESS, channel=channel, hashes=address_hashes(tx, channel, where)))


def _person(tx: Tx, rows: Sequence[AnyRow]) -> Person | None:
    """One row for each role; one row without a role where there is none."""
    if not rows:
        return None
    row = rows[0]
    held = frozenset(r.role for r in rows if r.role)
    label = json.loads(tx.vault.open("names", row.sealed, row.id))["label"]
    return Person(row.id, row.language, bool(row.stopped), row.front, held, label)


def address_hash(tx: Tx, channel: str, where: str) -> str:
    return tx.vault.lookup("address", f"{channel}:{where}")


def address_hashes(tx: Tx, channel: str, where: str) -> tuple[str, ...]:
    """All hashes under which it may stand, today's first."""
    return tx.vault.lookups("address", f"{channel}:{where}")


def _here(tx: Tx, channel: str, where: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (addresses.c.channel == channel, addresses.c.hash.in_(address_hashes(tx, channel, where)))


async def add_address(tx: Tx, person: str, channel: str, where: str) -> None:
    """This chat is theirs from now on; whoever was logged out of it before is forgotten."""
    hashed = address_hash(tx, channel, where)
    await tx.run(delete(addresses).where(*_here(tx, channel, where), addresses.c.ended.is_(True)))
    sealed = tx.vault.seal("addresses", where.encode(), hashed)
    await tx.run(
        insert(addresses).values(channel=channel, hash=hashed, person=person, sealed=sealed, unreachable=False)
    )


async def addresses_of(tx: Tx, person: str) -> list[Address]:
    """Where this person can be written to now."""
    mine = select(addresses).where(addresses.c.person == person, addresses.c.ended.is_(False))
    query = mine.where(addresses.c.unreachable.is_(False))
    opened = [(r.channel, tx.vault.open("addresses", r.sealed, r.hash).decode()) for r in await tx.all(query)]
    return [Address(channel, where) for channel, where in opened]


async def has_people(tx: Tx) -> bool:
    """Whether anybody has ever joined, and was not deleted to the last trace."""
    return await tx.first(select(people.c.id).limit(1)) is not None


async def can_be_reached(tx: Tx, person: str) -> bool:
    """Whether messages of the bot's own accord reach this person, as far as is known."""
    found = await find_person(tx, person)
    return found is not None and not found.stopped and bool(await addresses_of(tx, person))


async def mark_unreachable(tx: Tx, channel: str, where: str, unreachable: bool) -> None:
    await tx.run(update(addresses).where(*_here(tx, channel, where)).values(unreachable=unreachable))


async def people_called(tx: Tx, label: str) -> list[str]:
    """Ids of everybody with this label, in any case and also where their access has ended."""
    wanted = label.strip().casefold()
    return sorted(id for id, name in await labels(tx) if name.strip().casefold() == wanted)


async def labels(tx: Tx) -> list[tuple[str, str]]:
    """(id, label) of everybody who is not deleted; many labels are empty."""
    rows = await tx.all(select(people.c.id, people.c.sealed).where(people.c.erased_at.is_(None)))
    return [(r.id, json.loads(tx.vault.open("names", r.sealed, r.id))["label"]) for r in rows]


async def add_role(tx: Tx, person: str, role: str) -> bool:
    """Give a role; whether it is new."""
    if await tx.first(select(roles).where(roles.c.person == person, roles.c.role == role)):
        return False
    await tx.run(insert(roles).values(person=person, role=role))
    await unbury(tx, ROLE, role_ref(person, role))
    return True


async def people_with_role(tx: Tx, *wanted: str) -> list[str]:
    """Ids of the people who hold one of these roles."""
    query = select(roles.c.person).where(roles.c.role.in_(wanted)).distinct()
    return [r.person for r in await tx.all(query)]


async def set_language(tx: Tx, person: str, language: str) -> None:
    await tx.run(update(people).where(people.c.id == person).values(language=language))


async def set_stopped(tx: Tx, person: str, stopped: bool, now: datetime) -> None:
    """Whether messages of the bot's own accord go to them; a STOP holds through a restore too."""
    await tx.run(update(people).where(people.c.id == person).values(stopped=stopped))
    if stopped:
        await bury(tx, STOP, person, now)
    else:
        await unbury(tx, STOP, person)


async def set_front(tx: Tx, person: str, run: str | None) -> None:
    """Which run is in front of the person."""
    await tx.run(update(people).where(people.c.id == person).values(front=run))


# --- groups -------------------------------------------------------------------------------------------------------


async def save_groups(tx: Tx, names: list[str]) -> None:
    """Add the groups that are new."""
    known = {r.name for r in await tx.all(select(groups.c.name))}
    await tx.run(insert(groups), [{"id": new_id(8), "name": n} for n in names if n not in known])


async def all_groups(tx: Tx) -> dict[str, str]:
    """Group names by id, in alphabetical order, without those of pools, which nobody joins."""
    shown = select(groups).where(groups.c.hidden.is_(False)).order_by(groups.c.name)
    return {r.id: r.name for r in await tx.all(shown)}


async def find_group(tx: Tx, name: str) -> str | None:
    """The id of the group with this name, in any case."""
    called = func.lower(groups.c.name) == name.strip().lower()
    id: str | None = await tx.value(select(groups.c.id).where(called, groups.c.hidden.is_(False)))
    return id


async def join_group(tx: Tx, person: str, group: str) -> bool:
    """Put somebody into a group; whether that is new."""
    if await tx.first(select(memberships).where(memberships.c.person == person, memberships.c.group_id == group)):
        return False
    await tx.run(insert(memberships).values(person=person, group_id=group))
    return True


async def members(tx: Tx, group: str) -> list[str]:
    """Ids of the people in this group, in random (id) order."""
    query = select(memberships.c.person).where(memberships.c.group_id == group).order_by(memberships.c.person)
    return [r.person for r in await tx.all(query)]


async def askable(tx: Tx, ids: Iterable[str]) -> list[str]:
    """Those of these people who can be expected to hear of questions: not stopped, not ended, not blocked everywhere.

    Whoever uses the web page only has no address here, and counts: they see it there.
    """
    wanted = list(ids)
    here = select(people.c.id).where(
        people.c.id.in_(wanted), people.c.stopped.is_(False), people.c.ended_at.is_(None), people.c.erased_at.is_(None)
    )
    places = select(addresses.c.person, addresses.c.unreachable).where(addresses.c.person.in_(wanted))
    places = places.where(addresses.c.ended.is_(False))
    open_to: dict[str, bool] = {}
    for r in await tx.all(places):
        open_to[r.person] = open_to.get(r.person, False) or not r.unreachable
    return [r.id for r in await tx.all(here) if open_to.get(r.id, True)]


async def groups_of(tx: Tx, person: str) -> set[str]:
    return {r.group_id for r in await tx.all(select(memberships.c.group_id).where(memberships.c.person == person))}
