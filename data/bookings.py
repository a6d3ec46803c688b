"""Who comes to an event: places taken, people waiting for one, and those who said that they cannot come.

Transactions follow one another, so that whoever looks for a free place has it when the transaction commits; the unique
(occasion, slot, seat) would refuse a second one. A place that becomes free goes to whoever waits longest.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from data.database import AnyRow, Tx
from data.events import Occasion, find_occasion
from data.moments import moment, new_id, stamp
from data.outbox import post
from data.pauses import pause_of
from data.people import askable
from data.tables import bookings
from data.tombstones import BOOKING, booking_ref, bury, unbury
from data.wishes import who_wishes

COMING, WAITING, CANNOT = "coming", "waiting", "cannot"
REMINDS = ("both", "day", "hour", "none")


@dataclass(frozen=True)
class Needs:
    """What the host should know: a topic from the list or none, help with language, and access in own words."""

    topic: str = field(default="", repr=False)
    interpreter: str = field(default="", repr=False)  # a language, or bsl
    access: str = field(default="", repr=False)


@dataclass(frozen=True)
class Booking:
    """`slot` from 0, None where there are none or while waiting; `seat` within it, None where nothing limits them."""

    id: str
    occasion: str
    person: str
    state: str
    slot: int | None = None
    seat: int | None = None
    heads: int = 1
    way: str = "in-person"
    remind: str = "both"
    needs: Needs = field(default=Needs(), repr=False)
    came: bool | None = None
    made_at: datetime = datetime.min


async def booking_of(tx: Tx, occasion: str, person: str) -> Booking | None:
    row = await tx.first(select(bookings).where(bookings.c.occasion == occasion, bookings.c.person == person))
    return _booking(tx, row) if row else None


async def find_booking(tx: Tx, id: str) -> Booking | None:
    row = await tx.first(select(bookings).where(bookings.c.id == id))
    return _booking(tx, row) if row else None


async def bookings_of(tx: Tx, person: str) -> list[Booking]:
    rows = await tx.all(select(bookings).where(bookings.c.person == person))
    return [_booking(tx, row) for row in rows]


async def all_places(tx: Tx) -> list[str]:
    """The refs of all who come or wait, for the deletions after a restore."""
    rows = await tx.all(select(bookings.c.occasion, bookings.c.person).where(bookings.c.state != CANNOT))
    return [booking_ref(r.occasion, r.person) for r in rows]


async def bookings_for(tx: Tx, occasion: str, *states: str) -> list[Booking]:
    """In these states (all when none is named), by slot and then by when they were made."""
    query = select(bookings).where(bookings.c.occasion == occasion)
    query = query.where(bookings.c.state.in_(states)) if states else query
    found = [_booking(tx, row) for row in await tx.all(query)]
    return sorted(found, key=lambda b: (b.slot is None, b.slot or 0, b.made_at, b.id))


async def free_slots(tx: Tx, occasion: Occasion) -> list[int]:
    """Slots with a place left, in order."""
    taken = Counter(b.slot for b in await bookings_for(tx, occasion.id, COMING))
    return [n for n in range(occasion.slots) if taken[n] < (occasion.event.capacity or 1)]


async def places_left(tx: Tx, occasion: Occasion) -> int | None:
    """How many heads still fit where there are no slots; None where nothing limits them."""
    if occasion.event.capacity is None:
        return None
    taken = sum(b.heads for b in await bookings_for(tx, occasion.id, COMING))
    return max(0, occasion.event.capacity - taken)


async def has_room(tx: Tx, occasion: Occasion, mine: Booking | None, heads: int) -> bool:
    """Whether so many of this person's family fit where there are no slots; their own places count as free."""
    left = await places_left(tx, occasion)
    own = mine.heads if mine and mine.state == COMING else 0
    return left is None or heads <= left + own


async def book(tx: Tx, occasion: Occasion, wanted: Booking) -> Booking:
    """The booking as it could be made: coming, or waiting where its place has gone. It replaces the person's earlier.

    A slot that has gone in the meantime gives nobody another one unasked: who asked for it then waits. Who comes
    without naming a slot just comes, as booking is never required (S15).
    """
    await tx.run(delete(bookings).where(bookings.c.occasion == occasion.id, bookings.c.person == wanted.person))
    await unbury(tx, BOOKING, booking_ref(occasion.id, wanted.person))
    made = await _placed(tx, occasion, wanted)
    await tx.run(insert(bookings).values(**_row(tx, made)))
    return made


async def cannot_come(tx: Tx, occasion: Occasion, person: str, now: datetime) -> list[Booking]:
    """ "I can't come", also after a restore: the place is free; those who now have one of those they waited for.

    Nobody, once it has begun: they would hardly hear of it in time.
    """
    await tx.run(delete(bookings).where(bookings.c.occasion == occasion.id, bookings.c.person == person))
    await bury(tx, BOOKING, booking_ref(occasion.id, person), now)
    said = Booking(new_id(), occasion.id, person, CANNOT, remind="none", made_at=now)
    await tx.run(insert(bookings).values(**_row(tx, said)))
    return await fill_places(tx, occasion, now) if occasion.starts_at > now else []


async def give_back_all(tx: Tx, person: str, now: datetime) -> None:
    """Every place of this person at what is still to come, also those they wait for; whoever gets one is told."""
    for mine in await bookings_of(tx, person):
        occasion = await find_occasion(tx, mine.occasion)
        if mine.state != CANNOT and occasion and not occasion.off and occasion.starts_at > now:
            for next_one in await cannot_come(tx, occasion, person, now):
                await post(tx, "place-free", next_one.id, [next_one.person], now)


async def fill_places(tx: Tx, occasion: Occasion, now: datetime) -> list[Booking]:
    """Give free places to those who wait and can be told, longest first; who has got one."""
    moved_up = []
    waiting = await _can_be_told(tx, occasion, await bookings_for(tx, occasion.id, WAITING), now)
    for waits in sorted(waiting, key=lambda b: (b.made_at, b.id)):
        placed = await _placed(tx, occasion, waits, any_slot=True)
        if placed.state == COMING:
            await save_booking(tx, placed)
            moved_up.append(placed)
    return moved_up


async def _can_be_told(tx: Tx, occasion: Occasion, waiting: list[Booking], now: datetime) -> list[Booking]:
    """A place that somebody does not know of stays empty: not for who stopped messages, or those about this kind.

    Nor for a family that the school lets rest (FAIL-18).
    """
    hear = set(await askable(tx, [b.person for b in waiting]))
    if occasion.event.opted:
        hear &= set(await who_wishes(tx, occasion.event.group, occasion.event.kind))
    return [b for b in waiting if b.person in hear and not await pause_of(tx, b.person, now)]


async def save_booking(tx: Tx, booking: Booking) -> None:
    await tx.run(update(bookings).where(bookings.c.id == booking.id).values(**_row(tx, booking)))


async def _placed(tx: Tx, occasion: Occasion, wanted: Booking, any_slot: bool = False) -> Booking:
    if occasion.slots:
        if wanted.slot is None and wanted.state == COMING:
            return replace(wanted, seat=None)
        free = await free_slots(tx, occasion)
        slot = wanted.slot if wanted.slot in free else next(iter(free), None) if any_slot else None
        if slot is None:
            return replace(wanted, state=WAITING, slot=None, seat=None)
        return replace(wanted, state=COMING, slot=slot, seat=await _seat(tx, occasion, slot))
    left = await places_left(tx, occasion)
    fits = left is None or wanted.heads <= left
    return replace(wanted, state=COMING if fits else WAITING, slot=None, seat=None)


async def _seat(tx: Tx, occasion: Occasion, slot: int) -> int:
    taken = {b.seat for b in await bookings_for(tx, occasion.id, COMING) if b.slot == slot}
    return next(n for n in range(len(taken) + 1) if n not in taken)


def _row(tx: Tx, b: Booking) -> dict[str, object]:
    sealed = None
    if b.needs != Needs():
        plain = json.dumps([b.needs.topic, b.needs.interpreter, b.needs.access], ensure_ascii=False).encode()
        sealed = tx.vault.seal("bookings", plain, b.id)
    return {
        "id": b.id, "occasion": b.occasion, "person": b.person, "state": b.state, "slot": b.slot, "seat": b.seat,
        "heads": b.heads, "way": b.way, "remind": b.remind, "sealed": sealed, "came": b.came,
        "made_at": stamp(b.made_at),
    }  # fmt: skip


def _booking(tx: Tx, r: AnyRow) -> Booking:
    needs = Needs(*json.loads(tx.vault.open("bookings", r.sealed, r.id))) if r.sealed else Needs()
    return Booking(
        r.id, r.occasion, r.person, r.state, r.slot, r.seat, r.heads, r.way, r.remind, needs, r.came, moment(r.made_at)
    )
