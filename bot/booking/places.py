"""Taking a place and giving it back: one transaction each, so that a place has one family and a free one the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.booking import card
from bot.booking.calendar_file import calendar_message
from bot.booking.words import HELPS, time_of
from bot.turn import PersonsTurn
from data.bookings import (
    CANNOT,
    COMING,
    WAITING,
    Booking,
    book,
    booking_of,
    cannot_come,
    fill_places,
    free_slots,
    has_room,
    save_booking,
)
from data.events import Occasion
from data.moments import new_id
from data.outbox import post


async def take_slot(turn: PersonsTurn, occasion: Occasion, slot: int) -> None:
    """This time, if it is still free; else the next free ones are offered, and nothing changes."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if mine and mine.state == COMING and mine.slot == slot:
        return await card.show(turn, occasion)
    free = await free_slots(turn.tx, occasion)
    if slot not in free or occasion.slot_starts(slot) <= turn.now:
        ahead = sum(n < slot for n in free)  # the next one after it comes first
        return await card.show(turn, occasion, turn.phrase("booking.gone"), ahead if ahead < len(free) else 0)
    at = time_of(turn.house, occasion.slot_starts(slot), turn.language)
    await _come(turn, occasion, mine, slot=slot, said=turn.phrase("booking.done-slot", time=at))


async def just_come(turn: PersonsTurn, occasion: Occasion, heads: int = 1) -> None:
    """Without a time, so many of the family; where the room is full nothing changes."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if mine and mine.state == COMING and mine.slot is None and mine.heads == heads:
        return await card.show(turn, occasion)
    if not occasion.slots and not await has_room(turn.tx, occasion, mine, heads):
        said = turn.phrase("booking.gone" if heads == 1 else "booking.no-room")
        return await card.show(turn, occasion, said)
    await _come(turn, occasion, mine, heads=heads, said=turn.phrase("booking.done"))


async def come_or_wait(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> None:
    """One of several times that were marked: a place, or where there is none any more a place on its waiting list."""
    room = occasion.slots or await has_room(turn.tx, occasion, mine, 1)
    await (just_come if room else wait)(turn, occasion)


async def _come(
    turn: PersonsTurn, occasion: Occasion, mine: Booking | None, said: str, slot: int | None = None, heads: int = 1
) -> None:
    """Booked; a place given up goes to whoever waits. A calendar file that is out already is sent anew."""
    wanted = replace(_fresh(turn, occasion, mine), state=COMING, slot=slot, seat=None, heads=heads)
    await book(turn.tx, occasion, wanted)
    await tell_moved_up(turn, await fill_places(turn.tx, occasion, turn.now))
    await card.show(turn, occasion, said)
    if mine and mine.state == COMING and mine.slot != slot:
        turn.says.append(await calendar_message(turn, occasion))


def _fresh(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> Booking:
    """A new booking that keeps what was said with the one before."""
    new = Booking(new_id(), occasion.id, turn.person.id, COMING, way=occasion.event.ways[0], made_at=turn.now)
    kept = mine if mine and mine.state != CANNOT else None
    return replace(new, way=kept.way, remind=kept.remind, needs=kept.needs) if kept else new


async def wait(turn: PersonsTurn, occasion: Occasion) -> None:
    """Wait for a place; one that is free in this moment is had at once."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if mine and mine.state in (WAITING, COMING):
        return await card.show(turn, occasion)
    await book(turn.tx, occasion, replace(_fresh(turn, occasion, mine), state=WAITING))
    moved = await fill_places(turn.tx, occasion, turn.now)
    mine_too = [b for b in moved if b.person == turn.person.id]
    await tell_moved_up(turn, [b for b in moved if b not in mine_too])
    await card.show(turn, occasion, turn.phrase("booking.done" if mine_too else "booking.done-wait"))


async def cannot(turn: PersonsTurn, occasion: Occasion) -> None:
    """ "I can't come": the place goes to whoever waits longest, and they are told."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if mine and mine.state == CANNOT:
        return await card.show(turn, occasion)
    await tell_moved_up(turn, await cannot_come(turn.tx, occasion, turn.person.id, turn.now))
    begun = occasion.starts_at <= turn.now
    await card.show(turn, occasion, turn.phrase("booking.noted" if begun else "booking.done-cannot"))
    if mine and mine.state == COMING:
        turn.says.append(await calendar_message(turn, occasion))


async def tell_moved_up(turn: PersonsTurn, moved_up: Iterable[Booking]) -> None:
    """Those who waited and now have a place hear of it."""
    for booking in moved_up:
        await post(turn.tx, "place-free", booking.id, [booking.person], turn.now)


async def help_there(turn: PersonsTurn, occasion: Occasion, helps: bool) -> None:
    """ "I can help at this event": it takes a place too; taking it back keeps the place."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if helps and (mine is None or mine.state != COMING) and await has_room(turn.tx, occasion, mine, 1):
        mine = await book(turn.tx, occasion, _fresh(turn, occasion, mine))
    if mine is None or mine.state != COMING:
        return await card.show(turn, occasion)
    await change_needs(turn, mine, topic=HELPS if helps else "")
    await card.show(turn, occasion, turn.phrase("booking.done-help" if helps else "booking.done"))


async def change_needs(turn: PersonsTurn, mine: Booking, **needs: str) -> None:
    """What the host should know, as it is now."""
    await save_booking(turn.tx, replace(mine, needs=replace(mine.needs, **needs)))
