"""A calendar entry that repeats, as its dates within the school year (RFC 5545: RRULE, RDATE, EXDATE). Pure.

Dates that a rule makes on days without school are left out: who writes "every Tuesday" means in term. Days that
somebody wrote down, the first one and those of RDATE, stay as they are; so do weekends where the rule names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from bot.phrased import Phrased
from data.calendar import Calendar

MOST = 100  # dates of one entry; every school day of a term is fewer
FAR = 6000  # dates of a rule that are looked at: one may have begun years ago
BY = frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"})
PARTS = BY | {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
FREQUENCIES = {
    "DAILY": BY - {"BYSETPOS"}, "WEEKLY": frozenset({"BYDAY", "BYMONTH"}), "MONTHLY": BY, "YEARLY": BY,
}  # fmt: skip
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Span:
    """What dates are read against: what is over, which days have no school, and the school's time zone."""

    now: datetime
    calendar: Calendar
    zone: ZoneInfo

    @property
    def last(self) -> date:
        """The last day of the school year: of the terms that are known, else the next 31 August."""
        today = self.now.astimezone(self.zone).date()
        known = self.calendar.ends_on()
        return known if known and known >= today else date(today.year + (today.month > 8), 8, 31)


@dataclass(frozen=True)
class Dates:
    """Beginnings in the school's time, soonest first; and how many were left out, as there is no school then."""

    starts: tuple[datetime, ...]
    left_out: int = 0


def dates_of(event: Any, span: Span, moved: Iterable[datetime] = ()) -> Dates:
    """When this VEVENT begins; of one that repeats only what is still to come, and without `moved` (RECURRENCE-ID).

    Phrased where its rule cannot be read, makes more than MOST dates, or leaves none. Its DTSTART must have a time.
    """
    start: datetime = event["DTSTART"].dt
    zone = start.tzinfo or span.zone
    if not event.get("RRULE") and not event.get("RDATE"):
        return Dates((_school_time(start, zone, span),))
    first = start.replace(tzinfo=None)
    written = {first, *_written(event.get("RDATE"), zone, first)}
    gone = {*_written(event.get("EXDATE"), zone, first), *(_wall(at, zone) for at in moved)}
    ruled = {at for rule in _listed(event.get("RRULE")) for at in _by_rule(rule, first, zone, span)}
    coming = {at for at in (written | ruled) - gone if span.now < _school_time(at, zone, span)}
    kept = {at for at in coming if at in written or _has_school(at, event, span)}
    if not kept or len(kept) > MOST:
        raise Phrased("import.rule-none" if not kept else "import.rule-long", n=MOST)
    return Dates(tuple(sorted(_school_time(at, zone, span) for at in kept)), len(coming) - len(kept))


def _by_rule(rule: Any, first: datetime, zone: tzinfo, span: Span) -> Iterator[datetime]:
    """The dates of one RRULE to the end of the school year, as clocks show them where the entry was written."""
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # only who reads such a file waits for it

    _check(rule)
    until = [_until(value, zone) for value in rule.get("UNTIL", [])]
    ends = min([*until, datetime.combine(span.last, time.max)])
    words = ";".join(part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL"))
    try:
        found = takewhile(lambda at: at <= ends, rrulestr(words, dtstart=first))
        yield from islice(found, FAR)
    except (ValueError, OverflowError):
        raise Phrased("import.rule") from None


def _check(rule: Any) -> None:
    """That it can be read, and that looking for its next date comes to an end: not the 31st of February."""
    if is_broken(rule) or set(rule) - PARTS:
        raise Phrased("import.rule")
    frequency, steps, counts = str(rule.get("FREQ", [""])[0]), rule.get("INTERVAL", [1]), rule.get("COUNT", [1])
    by = BY & set(rule)
    daily = frequency == "DAILY" and steps != [1] and by
    if frequency not in FREQUENCIES or by - FREQUENCIES[frequency] or daily or min(*steps, *counts) < 1:
        raise Phrased("import.rule")
    days, months = rule.get("BYMONTHDAY", [1]), rule.get("BYMONTH", range(1, 13))
    if not any(abs(int(day)) <= LONGEST_MONTHS[int(month) - 1] for day in days for month in months):
        raise Phrased("import.rule")


def _has_school(at: datetime, event: Any, span: Span) -> bool:
    """Whether there is school on a day that a rule made; a weekend counts where the rule means it, and in term."""
    day = at.date()
    if day.weekday() < 5 or not any(_means_weekends(rule, event) for rule in _listed(event.get("RRULE"))):
        return span.calendar.is_school_day(day)
    return span.calendar.is_staffed(day) and span.calendar.on(day, "inset") is None


def _means_weekends(rule: Any, event: Any) -> bool:
    named = [str(day)[-2:] for day in rule.get("BYDAY", [])]
    weekly = rule["FREQ"] == ["WEEKLY"] and not named and event["DTSTART"].dt.weekday() >= 5
    return weekly or bool({"SA", "SU"} & set(named))


# --- values -------------------------------------------------------------------------------------------------------


def _listed(value: Any) -> list[Any]:
    """A property that may stand there once, several times or not at all."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _written(value: Any, zone: tzinfo, first: datetime) -> Iterator[datetime]:
    """The dates of RDATE or EXDATE; a day without a time means the usual one."""
    for line in _listed(value):
        for each in _dates_in(line):
            at = each.dt[0] if isinstance(each.dt, tuple) else each.dt  # a period begins at its first part
            yield _wall(at, zone) if isinstance(at, datetime) else datetime.combine(at, first.time())


def _dates_in(line: Any) -> list[Any]:
    if is_broken(line):
        raise Phrased("import.rule")
    return list(line.dts)


def is_broken(value: Any) -> bool:
    """Whether icalendar could not read this property."""
    from icalendar.prop import vBroken

    return isinstance(value, vBroken)


def _until(value: date | datetime, zone: tzinfo) -> datetime:
    """The last moment; a day counts whole."""
    return _wall(value, zone) if isinstance(value, datetime) else datetime.combine(value, time.max)


def _wall(at: datetime, zone: tzinfo) -> datetime:
    """What clocks show then in this zone."""
    return at.astimezone(zone).replace(tzinfo=None) if at.tzinfo else at


def _school_time(at: datetime, zone: tzinfo, span: Span) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(span.zone)
