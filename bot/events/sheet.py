"""The list of whoever leads an event: when who comes, how, and what helps them. Names, so every look is noted (S15)."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.booking.words import HELPS, begins, title_of, topic_words, when
from bot.facts import House
from conversations.texts import clock_time
from data.bookings import COMING, WAITING, Booking, bookings_for
from data.database import Tx
from data.events import Occasion
from data.people import find_person


@dataclass(frozen=True)
class Line:
    """One family: its time ("" where people just come), its name, and what the host should know, in short phrases."""

    time: str
    name: str = field(repr=False)
    facts: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Sheet:
    """What stands on the list; `free` are the times that nobody has kept, `helpers` the names of who helps there."""

    title: str
    when: str
    place: str
    lines: tuple[Line, ...]
    waiting: int
    free: tuple[str, ...]
    helpers: tuple[str, ...] = field(default=(), repr=False)


async def sheet_of(tx: Tx, house: House, language: str, occasion: Occasion) -> Sheet:
    """The list as it is now."""
    coming = await bookings_for(tx, occasion.id, COMING)
    waiting = len(await bookings_for(tx, occasion.id, WAITING))
    taken = {booking.slot for booking in coming}
    free = [n for n in range(occasion.slots) if n not in taken]
    helpers = [await family_name(tx, house, language, b.person) for b in coming if b.needs.topic == HELPS]
    return Sheet(
        title_of(house, occasion.event, language),
        when(house, language, occasion.starts_at, occasion.ends_at),
        occasion.event.place,
        tuple([await _line(tx, house, language, occasion, booking) for booking in coming]),
        waiting,
        tuple(_time(house, language, occasion, n) for n in free),
        tuple(helpers),
    )


def helping(house: House, language: str, sheet: Sheet) -> str:
    """Who offered to help, apart from what families come for."""
    return house.say(language, "hosting.helping", words="; ".join(sheet.helpers))


async def _line(tx: Tx, house: House, language: str, occasion: Occasion, booking: Booking) -> Line:
    at = begins(occasion, booking)
    time = clock_time(at.astimezone(house.school.zone), language) if booking.slot is not None else ""
    return Line(time, await family_name(tx, house, language, booking.person), tuple(_facts(house, language, booking)))


async def family_name(tx: Tx, house: House, language: str, person: str) -> str:
    """The label that staff gave them; without one, that there is none."""
    found = await find_person(tx, person)
    return (found.label if found else "") or house.say(language, "hosting.no-name")


def _facts(house: House, language: str, booking: Booking) -> list[str]:
    """How they come, how many, what about, and what helps: only what is not the usual."""
    needs = booking.needs
    facts = [house.say(language, f"booking.way-{booking.way}")] if booking.way != "in-person" else []
    facts += [house.say(language, "hosting.heads", n=booking.heads)] if booking.heads > 1 else []
    facts += [topic_words(needs.topic, language)] if needs.topic not in ("", HELPS) else []
    if needs.interpreter:
        words = house.say(language, "booking.bsl") if needs.interpreter == "bsl" else needs.interpreter
        facts.append(house.say(language, "hosting.interpreter", words=words))
    return facts + ([house.say(language, "hosting.needs", words=needs.access)] if needs.access else [])


def _time(house: House, language: str, occasion: Occasion, slot: int) -> str:
    return clock_time(occasion.slot_starts(slot).astimezone(house.school.zone), language)
