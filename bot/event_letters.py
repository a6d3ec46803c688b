"""Letters about drop-ins and events, and of a pupil who asks to talk: one neutral line and `Open` (FAIL-7, S15)."""

from __future__ import annotations

from datetime import datetime

from bot.booking.buttons import says
from bot.booking.card import stop_kind
from bot.booking.words import begins, day_of, time_of
from bot.facts import House
from bot.said import TALK, asking
from conversations.channel import Button, Message
from data.bookings import CANNOT, COMING, WAITING, Booking, booking_of, find_booking
from data.database import Tx
from data.events import Occasion, find_event, find_occasion, occasions_of
from data.outbox import Letter
from data.people import Person, groups_of
from data.requests import find_request
from data.wishes import wishes_of

NEWS = {
    "event": "event.new", "event-changed": "event.changed", "event-details": "event.details",
    "event-cancelled": "event.cancelled",
}  # fmt: skip
REMINDERS = ("reminder", "reminder-hour")
EVENT_LETTERS = frozenset({*NEWS, *REMINDERS, "place-free", "asked-to-talk"})


async def event_letter(tx: Tx, house: House, letter: Letter, person: Person | None, now: datetime) -> Message | None:
    """The message, or None where it has become pointless: over, off, stopped, or not for this person any more."""
    if person is None:
        return None
    if letter.kind == "asked-to-talk":
        return await _asked_to_talk(tx, house, letter, person)
    if letter.kind == "place-free":
        return await _place_free(tx, house, letter, person, now)
    occasion = await find_occasion(tx, letter.ref) or await _next_of(tx, letter.ref, person, now)
    if occasion is None or occasion.starts_at <= now or not await _hears(tx, occasion, person):
        return None
    mine = await booking_of(tx, occasion.id, person.id)
    if letter.kind in REMINDERS:
        return _reminder(house, letter, occasion, mine, person, now)
    return _news(house, letter, occasion, mine, person)


async def _next_of(tx: Tx, event: str, person: Person, now: datetime) -> Occasion | None:
    """The first time to come of an event: one this person said yes to before any other."""
    times = await occasions_of(tx, event) if await find_event(tx, event) else []
    ahead = [o for o in times if o.starts_at > now]
    booked = [o for o in ahead if _counts(await booking_of(tx, o.id, person.id))]
    return next(iter(booked or ahead), None)


def _counts(mine: Booking | None) -> bool:
    return mine is not None and mine.state != CANNOT


async def _hears(tx: Tx, occasion: Occasion, person: Person) -> bool:
    """Still in its group or down for it; and of what people choose to hear of, only who still chooses it (MSG-2)."""
    event = occasion.event
    if event.opted and event.kind not in await wishes_of(tx, person.id):
        return False
    return event.group in await groups_of(tx, person.id) or _counts(await booking_of(tx, occasion.id, person.id))


def _reminder(
    house: House, letter: Letter, occasion: Occasion, mine: Booking | None, person: Person, now: datetime
) -> Message | None:
    """Not for who cannot come, waits for a place or wants none; with the time of their own slot.

    Who has not said yet whether they come has no appointment, and is not told that they had one.
    """
    choices = {"reminder": ("both", "day"), "reminder-hour": ("both", "hour", "day")}[letter.kind]
    if occasion.off or (mine and (mine.state != COMING or mine.remind not in choices)):
        return None
    at = begins(occasion, mine)
    days = (at.astimezone(house.school.zone).date() - now.astimezone(house.school.zone).date()).days
    key = ("reminder." if mine else "reminder.date-") + {0: "today", 1: "tomorrow"}.get(days, "day")
    return _message(house, occasion, person, key, "open", at)


def _news(house: House, letter: Letter, occasion: Occasion, mine: Booking | None, person: Person) -> Message | None:
    """A new date, a changed one, one that is off. Who has said that they cannot come hears of a changed day only."""
    gone = letter.kind == "event-cancelled"
    if occasion.off != gone or (gone and mine and mine.state == CANNOT):
        return None
    act = "open" if letter.kind == "event" else "news"
    return _message(house, occasion, person, NEWS[letter.kind], act, begins(occasion, mine))


async def _place_free(tx: Tx, house: House, letter: Letter, person: Person, now: datetime) -> Message | None:
    mine = await find_booking(tx, letter.ref)
    occasion = await find_occasion(tx, mine.occasion) if mine else None
    if mine is None or occasion is None or mine.person != person.id or mine.state in (WAITING, CANNOT):
        return None
    if occasion.off or begins(occasion, mine) <= now or not await _hears(tx, occasion, person):
        return None
    return _message(house, occasion, person, "event.place-free", "open", begins(occasion, mine))


async def _asked_to_talk(tx: Tx, house: House, letter: Letter, person: Person) -> Message | None:
    """Nothing of who: the name stands behind the tap, which is noted. Not for who comes too late to be needed."""
    request = await find_request(tx, letter.ref)
    if request is None or (request.seen_at and request.adult != person.id):
        return None
    opens = Button(house.say(person.language, "label.open"), asking(TALK, f"see.{request.id}"))
    return Message(house.say(person.language, "event.asked-to-talk"), buttons=(opens,))


def _message(house: House, occasion: Occasion, person: Person, key: str, act: str, at: datetime) -> Message:
    """One neutral line. Under what people chose to hear of stands its own stop button too (S13)."""
    facts = {"day": day_of(house, at, person.language), "time": time_of(house, at, person.language)}
    buttons = [Button(house.say(person.language, "label.open"), says(act, occasion.id))]
    if occasion.event.opted:
        buttons.append(stop_kind(house.say(person.language, "wish.stop"), occasion.event.kind))
    return Message(house.say(person.language, key, **facts), buttons=tuple(buttons))
