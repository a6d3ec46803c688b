"""A term imported: every row checked, all that is wrong named at once, and nothing of it made unless all is right.

The same file twice changes nothing: what has the same kind, group and beginning as something planned is there already.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.errands.errand import FARTHEST
from bot.events.making import hearers, make, tell_hosts
from bot.events.repeating import MOST, Span
from bot.events.series import LONGEST, at, ends_at, is_address
from bot.events.table import Row, kind_of, rows_of
from bot.facts import House
from bot.phrased import Phrased
from conversations.listening import parse_date, parse_time
from conversations.roles import MAY
from conversations.secrecy import promises_secrecy
from data.calendar import load_calendar
from data.database import Tx
from data.events import ACCESS, WAYS, Event, new_event, starts_known
from data.outbox import post
from data.people import find_group, find_person, people_called

LONGEST_WORDS = 200
SLOTS = ("10", "15", "20", "30")
USUAL = timedelta(hours=1)
Time = tuple[datetime, datetime]


class Wrong(Exception):
    """A file that cannot be imported: every line that is wrong, each with its remedy."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(f"{len(lines)} wrong")
        self.lines = lines


@dataclass(frozen=True)
class Term:
    """What a file would make: events with their times. `known`: times that are there already; `left_out`: no school."""

    events: tuple[tuple[Event, tuple[Time, ...]], ...]
    known: int = 0
    left_out: int = 0

    @property
    def n(self) -> int:
        """How many times are new."""
        return sum(len(times) for _, times in self.events)

    @property
    def times(self) -> list[tuple[Event, Time]]:
        """Each new time with its event, soonest first."""
        found = [(event, time) for event, times in self.events for time in times]
        return sorted(found, key=lambda pair: pair[1])


@dataclass(frozen=True)
class Reader:
    """What rows are read against. `group` stands in where a row names none; `host` where nobody leads it."""

    tx: Tx
    house: House
    now: datetime
    group: str = ""
    host: str | None = None
    by: str | None = None
    language: str = field(default="en")

    @property
    def today(self) -> date:
        return self.now.astimezone(self.house.school.zone).date()


async def read_term(reader: Reader, text: str) -> Term:
    """What this file would make; Wrong names everything that keeps it from being made."""
    try:
        calendar = await load_calendar(reader.tx, reader.house.school.nation)
        rows = rows_of(text, Span(reader.now, calendar, reader.house.school.zone))
    except Phrased as problem:
        raise Wrong([reader.house.say(reader.language, problem.key, **problem.facts)]) from None
    found: list[tuple[Event, Time]] = []
    wrong: list[str] = []
    for row in rows:
        try:
            found.append(await _read(reader, row))
        except Phrased as problem:
            says = reader.house.say(reader.language, problem.key, **problem.facts)
            wrong.append(reader.house.say(reader.language, "import.line", n=row.line, text=says))
    if wrong:
        raise Wrong(list(dict.fromkeys(wrong)))  # what is wrong with an entry that repeats is said once
    term = await _new_of(reader.tx, found)
    return replace(term, left_out=sum(row.left_out for row in rows))


async def import_term(reader: Reader, term: Term) -> int:
    """Make it all, in this transaction; how many times are new. Each person hears of it in one message (6.9).

    A colleague who leads several of them hears that once too.
    """
    told: set[str] = set()
    hosts: set[str | None] = set()
    for event, times in sorted(term.events, key=lambda e: e[1][0]):
        made = await make(reader.tx, reader.house.school, event, times, reader.now, reader.by, announce=False)
        await tell_hosts(reader.tx, made[0], {event.host} - hosts, reader.host, reader.now)
        hosts.add(event.host)
        if event.kind != "dropin":
            new = [person for person in await hearers(reader.tx, event) if person not in told]
            await post(reader.tx, "event", event.id, new, reader.now)
            told |= set(new)
    return term.n


async def _new_of(tx: Tx, found: list[tuple[Event, Time]]) -> Term:
    """Without what is planned already; rows that differ in their time alone are one event."""
    events: dict[Event, tuple[Event, list[Time]]] = {}
    known, seen = 0, set[tuple[Event, datetime]]()
    for event, time in found:
        alike = replace(event, id="", access=frozenset(event.access.items()))  # type: ignore[arg-type]
        key = (alike, time[0])  # two rooms at the same hour are two rows of one file, and none of them is lost
        if key in seen or await starts_known(tx, event.kind, event.group, time[0]):
            known += 1
            continue
        seen.add(key)
        events.setdefault(alike, (event, []))[1].append(time)
    return Term(tuple((event, tuple(sorted(times))) for event, times in events.values()), known)


# --- one row ------------------------------------------------------------------------------------------------------


async def _read(reader: Reader, row: Row) -> tuple[Event, Time]:
    """The event and time of this row; Phrased says the first thing that is wrong with it."""
    if row.get("wrong"):
        raise Phrased(row.get("wrong"), n=MOST)
    kind = kind_of(row.get("kind") or "dropin")
    if kind is None:
        raise Phrased("import.kind", words=row.get("kind"))
    for name in ("title", "place", *ACCESS):
        _check_words(row.get(name))
    time = _time(reader, row)
    event = await _event(reader, row, kind, time)
    # What is past and was planned stands in a file that is imported again in the middle of a term.
    if time[0] <= reader.now and not await starts_known(reader.tx, kind, event.group, time[0]):
        raise Phrased("import.past", words=row.get("date"))
    return event, time


async def _event(reader: Reader, row: Row, kind: str, time: Time) -> Event:
    title = row.get("title") if kind != "dropin" else ""
    if kind != "dropin" and not title:
        raise Phrased("import.title")
    slots, places = row.get("slots"), row.get("places")
    if slots and slots not in SLOTS:
        raise Phrased("import.slots", words=slots)
    if slots and time[1] - time[0] < timedelta(minutes=int(slots)):
        raise Phrased("planning.too-short")
    if places and not (places.isascii() and places.isdigit() and 1 <= int(places) <= 5000):
        raise Phrased("import.places", words=places)
    capacity = int(places) if places else 1 if slots else None
    facts: dict[str, object] = {"title": title, "place": row.get("place"), "capacity": capacity}
    facts |= {"ways": _ways(row), "online": _online(row), "slot_minutes": int(slots) if slots else None}
    facts |= {"access": {fact: row.get(fact) for fact in ACCESS if row.get(fact)}, "host": await _host(reader, row)}
    made_by = reader.host
    return new_event(kind, await _group(reader, row), made_by=made_by, made_at=reader.now, **facts)


def _time(reader: Reader, row: Row) -> Time:
    day, clock = parse_date(row.get("date"), reader.today), parse_time(row.get("starts"))
    if day is None:
        raise Phrased("import.date", words=row.get("date"))
    if clock is None:
        raise Phrased("import.time", words=row.get("starts"))
    if day > reader.today + FARTHEST:
        raise Phrased("import.far", words=row.get("date"))
    starts = at(day, clock, reader.house.school.zone)
    ends = ends_at(starts, row.get("ends")) if row.get("ends") else starts + USUAL
    if ends is None:
        raise Phrased("import.time", words=row.get("ends"))
    if not timedelta() < ends - starts <= LONGEST:
        raise Phrased("import.ends-first")
    return starts, ends


def _check_words(words: str) -> None:
    """Families see them (SAFE-2)."""
    if len(words) > LONGEST_WORDS:
        raise Phrased("works.errand-short")
    if promises_secrecy(words):
        raise Phrased("planning.works-secret")


def _ways(row: Row) -> tuple[str, ...]:
    said = [word.strip().casefold().replace(" ", "-") for word in row.get("ways").replace("/", ",").split(",")]
    ways = [way.removeprefix("by-") for way in said if way]
    if unknown := [way for way in ways if way not in WAYS]:
        raise Phrased("import.ways", words=unknown[0])
    return tuple(way for way in WAYS if way in ways) or ("in-person",)


def _online(row: Row) -> str:
    address = row.get("online")
    if address and not is_address(address):
        raise Phrased("planning.works-online")
    return address


async def _group(reader: Reader, row: Row) -> str:
    named = row.get("group") or reader.group
    if not named:
        raise Phrased("import.no-group")
    found = await find_group(reader.tx, named)
    if found is None:
        raise Phrased("import.group", words=named)
    return found


async def _host(reader: Reader, row: Row) -> str | None:
    """Whoever has this name among those who may lead one; without a name, whoever imports."""
    if not row.get("host"):
        return reader.host
    known = [await find_person(reader.tx, id) for id in await people_called(reader.tx, row.get("host"))]
    fits = [person.id for person in known if person and person.roles & MAY["dropin"]]
    if len(fits) != 1:
        raise Phrased("import.host", words=row.get("host"))
    return fits[0]
