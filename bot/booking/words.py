"""How one time of a drop-in or event reads: everything stands in the message itself (field.md, item 30)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.facts import House
from bot.turn import PersonsTurn
from conversations.form import said
from conversations.library import errand
from conversations.texts import clock_time, day_and_date, listed, long_date
from data.bookings import CANNOT, COMING, WAITING, Booking
from data.database import Tx
from data.events import ACCESS, Event, Occasion
from data.people import find_person

Times = Sequence[tuple[datetime, datetime]]  # begins, ends
SHOWN = 5  # times of a series in one message
HELPS = "help"  # stands where a drop-in's topic would: this family helps at the event


def day_of(house: House, at: datetime, language: str) -> str:
    """ "Tuesday 3 November" """
    return day_and_date(at.astimezone(house.school.zone).date(), language)


def time_of(house: House, at: datetime, language: str) -> str:
    """ "9:15" """
    return clock_time(at.astimezone(house.school.zone), language)


def begins(occasion: Occasion, mine: Booking | None) -> datetime:
    """When it begins for this person: their slot, else the whole."""
    slot = mine.slot if mine and mine.state == COMING else None
    return occasion.starts_at if slot is None else occasion.slot_starts(slot)


def own_time_ahead(occasion: Occasion, mine: Booking | None, now: datetime) -> bool:
    """Whether this person keeps a time that is still to come, of something that may have begun."""
    keeps = mine is not None and mine.state == COMING and mine.slot is not None
    return keeps and not occasion.off and begins(occasion, mine) > now


def short_when(turn: PersonsTurn, at: datetime) -> str:
    """ "Tuesday 3 November, 9:15" """
    return f"{day_of(turn.house, at, turn.language)}, {time_of(turn.house, at, turn.language)}"


def title_of(house: House, event: Event, language: str) -> str:
    """Its own title, or the name of its kind."""
    return event.title or house.say(language, f"events.kind-{event.kind}")


def when(house: House, language: str, starts: datetime, ends: datetime) -> str:
    """ "Tuesday 10 November, 9:00 to 10:00", in the school's time."""
    times = {"time": time_of(house, starts, language), "ends": time_of(house, ends, language)}
    return house.say(language, "booking.when", day=day_of(house, starts, language), **times)


def ways_words(house: House, event: Event, language: str) -> str:
    """ "In person or by phone" """
    words = listed([house.say(language, f"booking.way-{way}") for way in event.ways], language, "or")
    return capital(words)


def capital(words: str) -> str:
    """As at the beginning of a line."""
    return words[:1].upper() + words[1:]


def row(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> str:
    """What a list says of it: what, when, where, how, and whether one has a place."""
    event = occasion.event
    facts = {"day": day_of(turn.house, occasion.starts_at, turn.language), "place": event.place}
    line = turn.phrase("dropins.row", time=time_of(turn.house, occasion.starts_at, turn.language), **facts)
    head = [] if event.kind == "dropin" else [title_of(turn.house, event, turn.language)]
    return "\n".join([*head, line, ways_words(turn.house, event, turn.language), *state_line(turn, occasion, mine)])


def state_line(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> list[str]:
    """What this person has said about it; nothing where they said nothing yet."""
    if mine is None:
        return []
    if mine.state == COMING and mine.slot is not None:
        return [turn.phrase("booking.has-slot", time=time_of(turn.house, begins(occasion, mine), turn.language))]
    if mine.state == COMING and occasion.event.kind != "dropin":
        return [turn.phrase("booking.has-heads", n=mine.heads)]
    return [turn.phrase({COMING: "booking.comes", WAITING: "booking.waits", CANNOT: "booking.cannot"}[mine.state])]


async def details(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> str:
    """All that is to know before one decides, and what one has said."""
    time = (occasion.starts_at, occasion.ends_at)
    open_yet = mine is None or mine.state != COMING
    seen = await card(turn.tx, turn.house, turn.language, occasion.event, [time], room=open_yet)
    own = [*state_line(turn, occasion, mine), *_told(turn, occasion, mine)]
    return "\n\n".join(filter(None, [seen, "\n".join(own)]))


async def card(tx: Tx, house: House, language: str, event: Event, times: Times, room: bool = True) -> str:
    """When, where, how, with whom, and what it is like: what families see, and staff before they send it (S3).

    Without `room`, nothing of what places there are: for those who have one.
    """
    lines = [*_whens(house, language, times), event.place, ways_words(house, event, language)]
    if host := await adult_name(tx, house, event.host, language):
        lines.append(house.say(language, "booking.host", who=host))
    lines.append(_places(house, language, event) if room else "")
    known = [key for key in ACCESS if event.access.get(key)]
    lines += [house.say(language, f"events.access-{key}", text=event.access[key]) for key in known]
    return "\n".join(filter(None, lines))


def _whens(house: House, language: str, times: Times) -> list[str]:
    lines = [when(house, language, *time) for time in times[:SHOWN]]
    if more := times[SHOWN:]:
        last = long_date(more[-1][0].astimezone(house.school.zone).date(), language)
        lines.append(house.say(language, "booking.more-times", n=len(more), date=last))
    return lines


def _places(house: House, language: str, event: Event) -> str:
    """That a place can be kept, and need not be (S15)."""
    if event.slot_minutes:
        return house.say(language, "booking.slots", minutes=event.slot_minutes)
    return house.say(language, "booking.places", n=event.capacity) if event.capacity else ""


def _told(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> list[str]:
    """What the host is told, so that one can check it; the address of a video meeting, once one has a place there."""
    if mine is None or mine.state == CANNOT:
        return []
    lines = []
    if len(occasion.event.ways) > 1 or mine.way == "video":
        lines.append(turn.phrase("booking.told-way", text=turn.phrase(f"booking.way-{mine.way}")))
    if mine.way == "video" and mine.state == COMING and occasion.event.online:
        lines.append(turn.phrase("booking.online", address=occasion.event.online))
    if mine.needs.topic == HELPS:
        lines.append(turn.phrase("booking.told-help"))
    elif mine.needs.topic:
        lines.append(turn.phrase("booking.told-topic", text=topic_words(mine.needs.topic, turn.language)))
    if mine.needs.interpreter:
        lines.append(turn.phrase("booking.told-interpreter", text=interpreter_words(turn, mine.needs.interpreter)))
    return lines + ([turn.phrase("booking.told-access", text=mine.needs.access)] if mine.needs.access else [])


def topic_words(topic: str, language: str) -> str:
    """The topic as the list calls it; "" for none."""
    question = errand("book").question("topic")
    choice = question.choice(topic) if question else None
    return said(choice.label, language) if choice else ""


def interpreter_words(turn: PersonsTurn, interpreter: str) -> str:
    return turn.phrase("booking.bsl") if interpreter == "bsl" else interpreter


async def adult_name(tx: Tx, house: House, person: str | None, language: str) -> str:
    """What families call a member of staff: the name in school.yaml, else their label, else their role."""
    found = await find_person(tx, person) if person else None
    if found is None:
        return ""
    named = [house.staff_names[role] for role in sorted(found.roles) if role in house.staff_names]
    if named and not found.label:
        return named[0]
    return found.label or (house.say(language, f"role.{min(found.roles)}") if found.roles else "")
