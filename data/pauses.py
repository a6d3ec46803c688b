"""Pauses: for a while, or for good, the bot writes nothing of its own accord to a family (FAIL-18).

A pause belongs to a person who gets messages, not to a child: the same message would reach them for the other child
too. Why it was set is sealed, and shown only to those who may set one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from data.audit import note
from data.database import Tx
from data.moments import moment, stamp
from data.tables import outbox, pauses, people
from data.tombstones import PAUSE, bury, unbury

REASONS = ("bereavement", "exclusion", "left", "other")
HELD = "paused"  # why a message waits
APART = timedelta(days=1)  # after a pause one held message a day, so that they do not come all at once


@dataclass(frozen=True)
class Pause:
    """`until` is the moment from which messages go again; None: until somebody ends it."""

    person: str
    since: datetime
    until: datetime | None
    reason: str = field(repr=False)
    by: str = ""


async def set_pause(tx: Tx, person: str, reason: str, until: datetime | None, by: str, now: datetime) -> None:
    """From this moment; in place of an earlier one. Somebody who left gets nothing for good."""
    if reason not in REASONS:
        raise ValueError("not a reason for a pause")
    await tx.run(delete(pauses).where(pauses.c.person == person))
    sealed = tx.vault.seal("names", json.dumps({"reason": reason, "by": by}).encode(), f"pause/{person}")
    end = None if until is None or reason == "left" else stamp(until)
    await tx.run(insert(pauses).values(person=person, since=stamp(now), until=end, sealed=sealed))
    await tx.run(update(outbox).where(*_held(person)).values(due_at=stamp(now)))  # to be placed anew
    await bury(tx, PAUSE, person, now)
    await note(tx, "pause.set", person, now, by or None, reason=reason)


async def end_pause(tx: Tx, person: str, by: str, now: datetime) -> bool:
    """Messages go again; what was held comes one a day, reminders first. False when there was no pause."""
    if not await tx.run(delete(pauses).where(pauses.c.person == person)):
        return False
    await unbury(tx, PAUSE, person)
    await note(tx, "pause.ended", person, now, by)
    held = select(outbox.c.id).where(*_held(person)).order_by(outbox.c.kind != "reminder", outbox.c.id)
    for days, row in enumerate(await tx.all(held)):
        due = stamp(now + days * APART)
        await tx.run(update(outbox).where(outbox.c.id == row.id).values(due_at=due, why=None))
    return True


async def forget_pauses(tx: Tx, now: datetime) -> list[Pause]:
    """Those that are over go; what they were."""
    over = select(pauses.c.person).where(pauses.c.until <= stamp(now)).order_by(pauses.c.since)
    gone = [pause for r in await tx.all(over) if (pause := await _find(tx, pauses.c.person == r.person))]
    for pause in gone:
        await tx.run(delete(pauses).where(pauses.c.person == pause.person))
        await unbury(tx, PAUSE, pause.person)
    return gone


async def not_paused(tx: Tx) -> list[str]:
    return [r.id for r in await tx.all(select(people.c.id).where(people.c.id.not_in(select(pauses.c.person))))]


async def pause_again(tx: Tx, person: str, now: datetime) -> None:
    """After a restore: somebody had paused them since, and the reason is not known any more."""
    await set_pause(tx, person, "other", None, "", now)


async def pause_of(tx: Tx, person: str, now: datetime) -> Pause | None:
    """The pause that holds now."""
    return await _find(tx, (pauses.c.person == person) & _holds(now))


async def _find(tx: Tx, which: ColumnElement[bool]) -> Pause | None:
    row = await tx.first(select(pauses).where(which))
    if row is None:
        return None
    inside = json.loads(tx.vault.open("names", row.sealed, f"pause/{row.person}"))
    until = moment(row.until) if row.until else None
    return Pause(row.person, moment(row.since), until, inside["reason"], inside["by"])


async def paused_among(tx: Tx, people: Iterable[str], now: datetime) -> int:
    """How many of these get no messages now."""
    rows = await tx.all(select(pauses.c.person).where(_holds(now)))
    return len({r.person for r in rows} & set(people))


async def next_place(tx: Tx, pause: Pause, now: datetime) -> datetime:
    """When a message that is held now is looked at again: after the pause, a day after the one held before it."""
    if pause.until is None:
        return now + APART
    mine = [r.due_at for r in await tx.all(select(outbox.c.due_at).where(*_held(pause.person)))]
    after = [moment(due) for due in mine if due >= stamp(pause.until)]
    return max(after) + APART if after else pause.until


def _held(person: str) -> tuple[ColumnElement[bool], ...]:
    return (outbox.c.person == person, outbox.c.state == "waiting", outbox.c.why == HELD)


def _holds(now: datetime) -> ColumnElement[bool]:
    return or_(pauses.c.until.is_(None), pauses.c.until > stamp(now))


async def forget_setter(tx: Tx, person: str) -> None:
    """A member of staff is deleted: their pauses hold on, without who set them."""
    for r in await tx.all(select(pauses.c.person)):
        found = await _find(tx, pauses.c.person == r.person)
        if found and found.by == person:
            inside = json.dumps({"reason": found.reason, "by": ""}).encode()
            sealed = tx.vault.seal("names", inside, f"pause/{r.person}")
            await tx.run(update(pauses).where(pauses.c.person == r.person).values(sealed=sealed))
