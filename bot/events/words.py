"""An event in words: what it is called, when and where, and what helps people to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.facts import House
from conversations.texts import clock_time, day_and_date, listed, long_date
from data.events import ACCESS, Event, Occasion

SHOWN = 5  # times of a series in one message


def name_of(house: House, language: str, event: Event) -> str:
    """Its title; without one, what kind it is."""
    return event.title or house.say(language, f"planning.kind-{event.kind}")


def when(house: House, language: str, starts: datetime, ends: datetime) -> str:
    """ "Tuesday 10 November, 9:00 to 10:00", in the school's time."""
    begins, over = (at.astimezone(house.school.zone) for at in (starts, ends))
    times = {"time": clock_time(begins, language), "until": clock_time(over, language)}
    return house.say(language, "planning.when", day=day_and_date(begins.date(), language), **times)


def card(house: House, language: str, event: Event, times: Sequence[tuple[datetime, datetime]]) -> str:
    """What it is, when, where, how, and access facts: all in the text itself (field 30)."""
    lines = [name_of(house, language, event), *_whens(house, language, times)]
    lines += [event.place] if event.place else []
    lines += [_ways(house, language, event), _places(house, language, event)]
    lines += [
        house.say(language, f"planning.fact-{fact}", words=event.access[fact])
        for fact in ACCESS
        if event.access.get(fact)
    ]
    return "\n".join(line for line in lines if line)


def _whens(house: House, language: str, times: Sequence[tuple[datetime, datetime]]) -> list[str]:
    lines = [when(house, language, *time) for time in times[:SHOWN]]
    more = times[SHOWN:]
    if more:
        last = long_date(more[-1][0].astimezone(house.school.zone).date(), language)
        lines.append(house.say(language, "planning.more-times", n=len(more), date=last))
    return lines


def _ways(house: House, language: str, event: Event) -> str:
    if event.ways == ("in-person",):
        return ""
    ways = listed([house.say(language, f"planning.way-{way}") for way in event.ways], language, "or")
    line = house.say(language, "planning.ways", ways=ways)
    return f"{line} {event.online}" if event.online else line


def _places(house: House, language: str, event: Event) -> str:
    """That a place can be kept, and need not be (S15)."""
    if event.slot_minutes:
        return house.say(language, "planning.slots", minutes=event.slot_minutes)
    return house.say(language, "planning.places", n=event.capacity) if event.capacity else ""


def row_of(house: House, language: str, occasion: Occasion) -> str:
    """One line of a list: what, when, where."""
    event = occasion.event
    parts = [name_of(house, language, event), when(house, language, occasion.starts_at, occasion.ends_at), event.place]
    return ". ".join(part for part in parts if part)
