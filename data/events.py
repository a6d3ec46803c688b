"""Events and their times (occasions): drop-ins, coffee mornings, charity and wellbeing events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, and_, insert, or_, select, update

from data.database import AnyRow, Tx
from data.moments import moment, new_id, stamp
from data.tables import events, occasions
from data.tombstones import OFF, bury

KINDS = ("dropin", "coffee", "event", "charity", "wellbeing")
OPTED = frozenset({"charity", "wellbeing"})  # only for those who chose to hear of them (MSG-2)
WAYS = ("in-person", "phone", "video")
ACCESS = ("noise", "crowds", "toilets", "quiet", "cost", "wear")  # what every notice says where the host knows it
REPEATS = ("", "weekly", "fortnightly", "monthly")
Which = Literal["first", "hour"]


@dataclass(frozen=True)
class Event:
    """What is the same each time. `host` is a person's id; `title` is empty where the kind is name enough.

    `slot_minutes` None: people just come. `capacity` is of each slot, else of each time; None: no limit.
    `access` maps ACCESS to words; `next_time` is what B6e offers for next time.
    """

    id: str
    kind: str
    group: str
    host: str | None = None
    title: str = ""
    place: str = ""
    online: str = field(default="", repr=False)  # the address of a video meeting
    ways: tuple[str, ...] = ("in-person",)
    slot_minutes: int | None = None
    capacity: int | None = None
    access: dict[str, str] = field(default_factory=dict)
    next_time: tuple[str, ...] = ()
    repeats: str = ""
    made_by: str | None = None
    made_at: datetime | None = None
    cancelled_at: datetime | None = None
    reason: str | None = None  # why it is off, as families are told

    @property
    def opted(self) -> bool:
        """Whether only those hear of it who chose to (MSG-2)."""
        return self.kind in OPTED


@dataclass(frozen=True)
class Occasion:
    """One time of an event. `first_at` and `hour_at`: when its reminders are due; None: there is none."""

    id: str
    event: Event
    starts_at: datetime
    ends_at: datetime
    sequence: int = 0
    cancelled_at: datetime | None = None
    reason: str | None = None
    first_at: datetime | None = None
    hour_at: datetime | None = None
    first_done: bool = False
    hour_done: bool = False
    followed_up: bool = False
    came: int | None = None
    missed: int | None = None
    walked_in: int | None = None

    @property
    def off(self) -> bool:
        """Cancelled, alone or with its event."""
        return self.cancelled_at is not None or self.event.cancelled_at is not None

    @property
    def why_off(self) -> str:
        """Why it is off, in the words of whoever cancelled it; "" where they gave none."""
        return self.reason or self.event.reason or ""

    @property
    def ref(self) -> str:
        """What letters about it name: another one after each change, so that a change is told once."""
        return f"{self.id}.{self.sequence}" if self.sequence else self.id

    @property
    def slots(self) -> int:
        """How many slots there are; 0 where people just come."""
        minutes = self.event.slot_minutes
        return int((self.ends_at - self.starts_at) / timedelta(minutes=minutes)) if minutes else 0

    def slot_starts(self, slot: int) -> datetime:
        """When this slot (from 0) begins."""
        return self.starts_at + timedelta(minutes=slot * (self.event.slot_minutes or 0))


def new_event(kind: str, group: str, **more: object) -> Event:
    return Event(new_id(), kind, group, **more)  # type: ignore[arg-type]


def new_occasion(event: Event, starts_at: datetime, ends_at: datetime, **more: object) -> Occasion:
    return Occasion(new_id(), event, starts_at, ends_at, **more)  # type: ignore[arg-type]


async def add_event(tx: Tx, event: Event, times: Sequence[Occasion]) -> None:
    """The event with all its times, in this transaction."""
    await tx.run(insert(events).values(**_event_row(event)))
    await tx.run(insert(occasions), [_occasion_row(o) for o in times])


async def save_event(tx: Tx, event: Event) -> None:
    """The event as it is now; its times stay."""
    await tx.run(update(events).where(events.c.id == event.id).values(**_event_row(event)))


async def save_occasion(tx: Tx, occasion: Occasion) -> None:
    await tx.run(update(occasions).where(occasions.c.id == occasion.id).values(**_occasion_row(occasion)))


async def add_occasions(tx: Tx, times: Sequence[Occasion]) -> None:
    await tx.run(insert(occasions), [_occasion_row(o) for o in times])


async def moved(tx: Tx, occasion: Occasion, **changes: object) -> Occasion:
    """The occasion with other times, one change further; reminders whose time is new are due again.

    `hour_done` among the changes: the time of the second reminder has passed, so that there is none.
    """
    new = replace(occasion, sequence=occasion.sequence + 1, **changes)  # type: ignore[arg-type]
    kept = occasion.hour_done and new.hour_at == occasion.hour_at
    new = replace(
        new,
        first_done=occasion.first_done and new.first_at == occasion.first_at,
        hour_done=kept or bool(changes.get("hour_done")),
    )
    await save_occasion(tx, new)
    return new


async def cancel_occasion(tx: Tx, occasion: Occasion, now: datetime, reason: str = "") -> bool:
    """Once; False when it was cancelled already."""
    mine = update(occasions).where(occasions.c.id == occasion.id, occasions.c.cancelled_at.is_(None))
    new = {"cancelled_at": stamp(now), "sequence": occasion.sequence + 1, "reason": reason or None}
    if await tx.run(mine.values(**new)) == 0:
        return False
    await bury(tx, OFF, occasion.id, now)
    return True


async def cancel_event(tx: Tx, event: str, now: datetime, reason: str = "") -> bool:
    """Once; False when it was cancelled already. All its times that have not begun go with it."""
    mine = update(events).where(events.c.id == event, events.c.cancelled_at.is_(None))
    if await tx.run(mine.values(cancelled_at=stamp(now), reason=reason or None)) == 0:
        return False
    await bury(tx, OFF, event, now)
    ahead = update(occasions).where(occasions.c.event == event, occasions.c.starts_at > stamp(now))
    await tx.run(ahead.values(sequence=occasions.c.sequence + 1))
    return True


async def all_on(tx: Tx) -> list[str]:
    """The ids of all events and times that are not off, for what must be off again after a restore."""
    found = [select(table.c.id).where(table.c.cancelled_at.is_(None)) for table in (events, occasions)]
    return [r.id for query in found for r in await tx.all(query)]


async def call_off(tx: Tx, id: str, now: datetime) -> None:
    """An event, or one of its times: whichever has this id."""
    if not await cancel_event(tx, id, now) and (occasion := await find_occasion(tx, id)):
        await cancel_occasion(tx, occasion, now)


async def find_event(tx: Tx, id: str) -> Event | None:
    row = await tx.first(select(events).where(events.c.id == id))
    return _event(row) if row else None


async def find_occasion(tx: Tx, id: str) -> Occasion | None:
    """By its id, or by the ref of a letter about it."""
    row = await tx.first(_BOTH.where(occasions.c.id == id.partition(".")[0]))
    return _occasion(row) if row else None


async def occasions_of(tx: Tx, event: str) -> list[Occasion]:
    """All times of an event, soonest first, cancelled ones too."""
    rows = await tx.all(_BOTH.where(occasions.c.event == event).order_by(occasions.c.starts_at))
    return [_occasion(r) for r in rows]


async def starts_known(tx: Tx, kind: str, group: str, starts: datetime) -> bool:
    """Whether something of this kind for this group begins then, be it off or not: the natural key of a time."""
    query = _BOTH.where(events.c.kind == kind, events.c.group_id == group, occasions.c.starts_at == stamp(starts))
    return await tx.first(query.limit(1)) is not None


async def coming_occasions(
    tx: Tx, groups: Iterable[str] | None, now: datetime, kinds: Iterable[str] = KINDS
) -> list[Occasion]:
    """What has not ended, soonest first, without what is off. `groups` None: of all groups."""
    query = _BOTH.where(_ON, occasions.c.ends_at > stamp(now), events.c.kind.in_(list(kinds)))
    if groups is not None:
        query = query.where(events.c.group_id.in_(list(groups)))
    return [_occasion(r) for r in await tx.all(query.order_by(occasions.c.starts_at, occasions.c.id))]


async def occasions_between(tx: Tx, first: datetime, last: datetime) -> list[Occasion]:
    """What begins from `first` to before `last`, soonest first, cancelled ones too."""
    query = _BOTH.where(occasions.c.starts_at >= stamp(first), occasions.c.starts_at < stamp(last))
    return [_occasion(r) for r in await tx.all(query.order_by(occasions.c.starts_at, occasions.c.id))]


async def occasions_to_remind(tx: Tx, now: datetime) -> list[tuple[Occasion, Which]]:
    """Those of which a reminder is due and that are still to come, with which one.

    Where both are due (nothing ran for a day) only the later counts: the first is marked as done with it.
    """
    first = and_(occasions.c.first_done.is_(False), occasions.c.first_at <= stamp(now))
    hour = and_(occasions.c.hour_done.is_(False), occasions.c.hour_at <= stamp(now))
    query = _BOTH.where(_ON, or_(first, hour), occasions.c.starts_at > stamp(now)).order_by(occasions.c.id)
    found = map(_occasion, await tx.all(query))
    return [(o, "hour" if not o.hour_done and o.hour_at and o.hour_at <= now else "first") for o in found]


async def occasions_missed(tx: Tx, now: datetime) -> list[tuple[Occasion, Which]]:
    """Those that have begun without a reminder whose time came before: nothing ran then. With which one it was."""
    first = and_(occasions.c.first_done.is_(False), occasions.c.first_at < occasions.c.starts_at)
    hour = and_(occasions.c.hour_done.is_(False), occasions.c.hour_at < occasions.c.starts_at)
    query = _BOTH.where(_ON, or_(first, hour), occasions.c.starts_at <= stamp(now)).order_by(occasions.c.id)
    found = map(_occasion, await tx.all(query))
    return [(o, "hour" if o.first_done or not o.first_at else "first") for o in found]


async def mark_reminded(tx: Tx, occasion: str, which: Which) -> bool:
    """Once; False when it was done."""
    done = occasions.c.first_done if which == "first" else occasions.c.hour_done
    new = update(occasions).where(occasions.c.id == occasion, done.is_(False))
    return await tx.run(new.values({occasions.c.first_done: True, done: True})) == 1


async def occasions_over(tx: Tx, now: datetime) -> list[Occasion]:
    """Those that have ended and whose people were not asked yet how it was."""
    query = _BOTH.where(_ON, occasions.c.followed_up.is_(False), occasions.c.ends_at <= stamp(now))
    return [_occasion(r) for r in await tx.all(query.order_by(occasions.c.ends_at, occasions.c.id))]


async def mark_followed_up(tx: Tx, occasion: str) -> bool:
    """Once; False when it was done."""
    new = update(occasions).where(occasions.c.id == occasion, occasions.c.followed_up.is_(False))
    return await tx.run(new.values(followed_up=True)) == 1


# --- rows ---------------------------------------------------------------------------------------------------------

_EVENT_COLUMNS = [c.label(f"event_{c.name}") for c in events.c]
_BOTH: Select[AnyRow] = select(occasions, *_EVENT_COLUMNS).join(events, events.c.id == occasions.c.event)
_ON = and_(occasions.c.cancelled_at.is_(None), events.c.cancelled_at.is_(None))


def _event_row(e: Event) -> dict[str, object]:
    return {
        "id": e.id, "kind": e.kind, "group_id": e.group, "host": e.host, "title": e.title, "place": e.place,
        "online": e.online, "ways": ",".join(e.ways), "slot_minutes": e.slot_minutes, "capacity": e.capacity,
        "access": json.dumps(e.access, ensure_ascii=False), "next_time": json.dumps(e.next_time, ensure_ascii=False),
        "repeats": e.repeats, "made_by": e.made_by, "made_at": _stamped(e.made_at) or "",
        "cancelled_at": _stamped(e.cancelled_at), "reason": e.reason,
    }  # fmt: skip


def _occasion_row(o: Occasion) -> dict[str, object]:
    return {
        "id": o.id, "event": o.event.id, "starts_at": stamp(o.starts_at), "ends_at": stamp(o.ends_at),
        "sequence": o.sequence, "cancelled_at": _stamped(o.cancelled_at), "reason": o.reason,
        "first_at": _stamped(o.first_at), "hour_at": _stamped(o.hour_at),
        "first_done": o.first_done, "hour_done": o.hour_done,
        "followed_up": o.followed_up, "came": o.came, "missed": o.missed, "walked_in": o.walked_in,
    }  # fmt: skip


def _event(r: AnyRow, prefix: str = "") -> Event:
    row = {c.name: getattr(r, f"{prefix}{c.name}") for c in events.c}
    row["group"] = row.pop("group_id")
    row["ways"] = tuple(row["ways"].split(","))
    row["access"], row["next_time"] = json.loads(row["access"]), tuple(json.loads(row["next_time"]))
    row["made_at"], row["cancelled_at"] = _moment(row["made_at"]), _moment(row["cancelled_at"])
    return Event(**row)


def _occasion(r: AnyRow) -> Occasion:
    times = ("starts_at", "ends_at", "cancelled_at", "first_at", "hour_at")
    row: dict[str, Any] = {
        c.name: _moment(getattr(r, c.name)) if c.name in times else getattr(r, c.name) for c in occasions.c
    }
    return Occasion(**{**row, "event": _event(r, "event_")})


def _stamped(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def _moment(stored: str | None) -> datetime | None:
    return moment(stored) if stored else None
