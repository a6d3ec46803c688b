"""Other times to keep, or another limit, for something planned: read from the answers, and in words (S15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.errands.dropin import WALK_IN
from bot.errands.errand import value
from bot.events import changing
from bot.turn import PersonsTurn
from conversations.engine import State
from data.events import Event

ROOM = ("slots", "limit")  # what a change of this sort is called


@dataclass(frozen=True)
class Room:
    """As in data.events.Event."""

    slot_minutes: int | None
    capacity: int | None


def room_of(state: State, event: Event) -> Room:
    """What was answered."""
    if value(state, "more") == "slots":
        slots = value(state, "slots")
        return Room(None, None) if slots == WALK_IN else Room(int(slots), int(value(state, "each")))
    return Room(event.slot_minutes, int(value(state, "places")) if value(state, "limit") == "some" else None)


def room_words(turn: PersonsTurn, room: Room) -> str:
    """ "A time of 15 minutes can be kept, by 1 family at a time." """
    if room.slot_minutes:
        return turn.phrase("planning.room-slots", minutes=room.slot_minutes, n=room.capacity or 1)
    return turn.phrase("planning.room-places", n=room.capacity) if room.capacity else turn.phrase("planning.room-none")


async def room_change(turn: PersonsTurn, state: State, event: Event) -> str:
    """From what to what."""
    old = room_words(turn, Room(event.slot_minutes, event.capacity))
    return turn.phrase("planning.from-to", old=old, new=room_words(turn, room_of(state, event)))


async def room_tells(turn: PersonsTurn, event: Event) -> str:
    """Who hears of it: those alone who wait and get a place."""
    n = await changing.waits_for(turn.tx, event, turn.now)
    return turn.phrase("planning.waiting-get", n=n) if n else turn.phrase("planning.tells-none-new")


async def room_problem(turn: PersonsTurn, state: State, event: Event) -> str:
    """Why it cannot be so: a slot longer than the whole, or somebody who would lose a place; "" where it can."""
    room = room_of(state, event)
    length = timedelta(minutes=room.slot_minutes or 0)
    if any(o.ends_at - o.starts_at < length for o in await changing.ahead_of(turn.tx, event, turn.now)):
        return turn.phrase("planning.too-short")
    n = await changing.too_many(turn.tx, event, turn.now, room.slot_minutes, room.capacity)
    if not n:
        return ""
    other = room.slot_minutes != event.slot_minutes
    return turn.phrase("planning.too-many-kept" if other else "planning.too-many-coming", n=n)
