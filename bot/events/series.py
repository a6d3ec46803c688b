"""The days and hours of an event that repeats, and what staff type about them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from conversations.listening import parse_time
from conversations.texts import fold
from data.calendar import Calendar

EVERY = {"weekly": 7, "fortnightly": 14}  # days
DAY, WEEK = timedelta(days=1), timedelta(days=7)
LONGEST = timedelta(hours=12)  # of one time; more is a slip of the pen
MOST = 60  # times of one series
LONGEST_ADDRESS = 1000  # letters

_LENGTH = re.compile(r"(?:(\d{1,2})\s*(?:h|hours?|hrs?))?\s*(?:and\s+)?(?:(\d{1,3})\s*(?:m|mins?|minutes?))?")


def days_of(first: date, repeats: str, calendar: Calendar) -> list[date]:
    """The first day, and where it repeats the school days of its rhythm until the end of that term."""
    term = calendar.on(first, "term")
    ends = term.last + DAY if term else calendar.term(first)[1]
    later = [day for day in _rhythm(first, repeats, ends) if calendar.is_school_day(day)]
    return [first, *later][:MOST]


def _rhythm(first: date, repeats: str, ends: date) -> Iterator[date]:
    """Days after the first, before `ends`."""
    if repeats in EVERY:
        step = timedelta(days=EVERY[repeats])
        day = first + step
        while day < ends:
            yield day
            day += step
    elif repeats == "monthly":
        yield from (day for day in map(lambda n: _nth_weekday(first, n), range(1, 13)) if day < ends)


def _nth_weekday(first: date, months: int) -> date:
    """The same weekday of a later month: the second Tuesday stays the second, the fifth becomes the last."""
    years, month = divmod(first.month - 1 + months, 12)
    start = date(first.year + years, month + 1, 1)
    day = start + timedelta(days=(first.weekday() - start.weekday()) % 7) + (first.day - 1) // 7 * WEEK
    return day if day.month == start.month else day - WEEK


def at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """That day at HH:MM here, by way of UTC: a time that the clocks skip in March is told as it will be listed."""
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC).astimezone(zone)


def ends_at(starts: datetime, until: str) -> datetime | None:
    """The end of what begins then, from "10:30", "half 3", "90 minutes" or "1 hour"; None where it is none of these.

    It may lie before the beginning: whoever asks says so.
    """
    if length := read_length(until):
        return starts + length
    clock = parse_time(until)
    zone = starts.tzinfo
    assert isinstance(zone, ZoneInfo)
    return at(starts.date(), clock, zone) if clock else None


def is_address(words: str) -> bool:
    """Whether this is one whole address of a video meeting; those of some services have 300 letters."""
    return len(words) <= LONGEST_ADDRESS and re.fullmatch(r"https://\S+", words) is not None


def read_length(words: str) -> timedelta | None:
    """ "90 minutes", "1 hour", "1h 30m"; None for anything else, and for none or too long."""
    m = _LENGTH.fullmatch(fold(words))
    length = timedelta(hours=int(m[1] or 0), minutes=int(m[2] or 0)) if m else timedelta()
    return length if timedelta() < length <= LONGEST else None
