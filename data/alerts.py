"""The ladder of each urgent item: whose turn it is, when the next one's comes, who tapped, and every step (SAFE-5).

Also who on the ladder is away, and who wants alerts at any hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, update

from data.audit import entries, note
from data.database import AnyRow, Tx
from data.moments import moment, stamp
from data.tables import alerts, duties, queue

STEP = "alert."  # steps of ladders in the audit log begin with this
TO_SOMEBODY = ("alerted", "blocked", "nobody", "waits")  # what the program does; all other steps are done by somebody


@dataclass(frozen=True)
class Alert:
    """An alert nobody has tapped yet. `rung` counts the turns taken; `about` are the roles the item is about."""

    item: str
    rung: int
    climb_at: datetime
    about: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One thing that happened on a ladder: alerted, nobody, blocked, waits, acknowledged, routed-..."""

    at: datetime
    what: str
    role: str | None
    person: str | None


async def start_alert(tx: Tx, item: str, climb_at: datetime) -> None:
    await tx.run(insert(alerts).values(item=item, rung=0, climb_at=stamp(climb_at)))


async def find_alert(tx: Tx, item: str) -> Alert | None:
    """The alert of this item while nobody has tapped; None afterwards."""
    row = await tx.first(_open().where(alerts.c.item == item))
    return _alert(row) if row else None


async def alerts_due(tx: Tx, now: datetime) -> list[Alert]:
    """Alerts nobody has tapped and whose next step is due, the oldest first."""
    return _alerts(await tx.all(_open().where(alerts.c.climb_at <= stamp(now)).order_by(queue.c.came_at)))


async def open_alerts(tx: Tx) -> list[Alert]:
    """All alerts nobody has tapped, the oldest first."""
    return _alerts(await tx.all(_open().order_by(queue.c.came_at)))


async def move_alert(tx: Tx, item: str, rung: int, climb_at: datetime) -> None:
    await tx.run(update(alerts).where(alerts.c.item == item).values(rung=rung, climb_at=stamp(climb_at)))


async def acknowledge(tx: Tx, item: str, person: str, now: datetime) -> bool:
    """Somebody has seen it, so it climbs no further; False when somebody had, or when there is no alert."""
    unseen = update(alerts).where(alerts.c.item == item, alerts.c.acknowledged_at.is_(None))
    first = await tx.run(unseen.values(acknowledged_at=stamp(now), acknowledged_by=person)) == 1
    if first:
        await note_step(tx, item, now, "acknowledged", person=person)
    return first


async def note_step(
    tx: Tx, item: str, at: datetime, what: str, role: str | None = None, person: str | None = None
) -> None:
    """A row of the audit log; `person` is whom it happened to (alerted), or who did it (acknowledged)."""
    actor = None if what in TO_SOMEBODY else person
    await note(tx, STEP + what, item, at, actor, **{k: v for k, v in (("role", role), ("person", person)) if v})


async def steps_of(tx: Tx, item: str) -> list[Step]:
    """Everything that happened on this item's ladder, in order."""
    found = [e for e in await entries(tx, item) if e.what.startswith(STEP)]
    return [Step(e.at, e.what.removeprefix(STEP), e.detail.get("role"), e.detail.get("person")) for e in found]


def asked_last(steps: Iterable[Step]) -> set[str]:
    """Whom the alert went to last, all at once, without those whom it did not reach."""
    asked: dict[str, datetime] = {}
    for step in steps:
        if step.person and step.what == "alerted":
            asked[step.person] = step.at
        elif step.person and step.what == "blocked":
            asked.pop(step.person, None)
    return {person for person, at in asked.items() if at == max(asked.values())}


async def test_seen(tx: Tx, test: str, person: str, now: datetime) -> bool:
    """The tap on a monthly test alert, noted once; False where this person got no such test."""
    mine = [s.what for s in await steps_of(tx, test) if s.person == person] if test.startswith("test-") else []
    if "alerted" in mine and "acknowledged" not in mine:
        await note_step(tx, test, now, "acknowledged", person=person)
    return "alerted" in mine


def _open() -> Select[*tuple[Any, ...]]:
    joined = select(alerts, queue.c.about).join(queue, queue.c.id == alerts.c.item)
    return joined.where(alerts.c.acknowledged_at.is_(None))


def _alerts(rows: Sequence[AnyRow]) -> list[Alert]:
    return [_alert(r) for r in rows]


def _alert(r: AnyRow) -> Alert:
    return Alert(r.item, r.rung, moment(r.climb_at), tuple(r.about.split(",")) if r.about else ())


# --- duties -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Duty:
    """How one person on the ladder can be alerted. `any_hour` is None where they have not chosen."""

    away_until: datetime | None = None
    any_hour: bool | None = None

    def away(self, now: datetime) -> bool:
        return self.away_until is not None and self.away_until > now


async def duty_of(tx: Tx, person: str) -> Duty:
    row = await tx.first(select(duties).where(duties.c.person == person))
    return Duty(moment(row.away_until) if row.away_until else None, row.any_hour) if row else Duty()


async def set_away(tx: Tx, person: str, until: datetime | None) -> None:
    """Away until then; None: back now."""
    await _set(tx, person, away_until=stamp(until) if until else None)


async def set_any_hour(tx: Tx, person: str, any_hour: bool) -> None:
    await _set(tx, person, any_hour=any_hour)


async def _set(tx: Tx, person: str, **new: object) -> None:
    if not await tx.value(select(func.count()).select_from(duties).where(duties.c.person == person)):
        await tx.run(insert(duties).values(person=person))
    await tx.run(update(duties).where(duties.c.person == person).values(**new))
