"""A term of drop-ins and events as a table or an iCalendar file: text in, its rows in words out. Pure."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bot.events.repeating import Span, dates_of, is_broken
from bot.phrased import Phrased
from conversations.texts import clean, fold

COLUMNS = {  # what a heading may be called
    "kind": ("kind", "type", "category"),
    "title": ("title", "name", "event", "what"),
    "date": ("date", "day", "on"),
    "starts": ("starts", "start", "from", "time", "begins"),
    "ends": ("ends", "end", "until", "to"),
    "place": ("place", "where", "location", "room"),
    "group": ("group", "for", "who", "invited"),
    "host": ("host", "led by", "leads it"),
    "slots": ("slots", "slot", "minutes", "slot minutes"),
    "places": ("places", "capacity", "limit"),
    "ways": ("ways", "how"),
    "online": ("online", "video", "link"),
    "noise": ("noise",),
    "crowds": ("crowds",),
    "toilets": ("toilets",),
    "quiet": ("quiet room", "quiet"),
    "cost": ("cost", "price"),
    "wear": ("what to wear", "wear"),
}
NEEDED = ("date", "starts")
KINDS = {  # how people call them -> data.events.KINDS
    "dropin": ("dropin", "drop-in", "drop in", "surgery"),
    "coffee": ("coffee", "coffee morning"),
    "event": ("event", "school event"),
    "charity": ("charity", "charity event"),
    "wellbeing": ("wellbeing", "well-being", "wellbeing event"),
}
DAY = timedelta(days=1)
MOST = 400  # rows; a term has fewer


@dataclass(frozen=True)
class Row:
    """One line of the file in words, by the names of COLUMNS."""

    line: int
    said: dict[str, str] = field(repr=False)
    left_out: int = 0  # dates of a rule, as there is no school then; at its first row

    def get(self, name: str) -> str:
        return self.said.get(name, "")


def decoded(raw: bytes) -> str:
    """The text of a file, also as a spreadsheet on Windows saves it."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def rows_of(text: str, span: Span) -> list[Row]:
    """The rows of a CSV, of cells pasted from a spreadsheet, or of an iCalendar file; Phrased where it is neither."""
    if "\0" in text:  # a workbook, or something else that is no text
        raise Phrased("import.no-table")
    calendar = text.lstrip().upper().startswith("BEGIN:VCALENDAR")
    rows = list(_ics_rows(text, span) if calendar else _csv_rows(text))
    if not rows:
        raise Phrased("import.nothing")
    if len(rows) > MOST:
        raise Phrased("import.too-many", n=MOST)
    return rows


def kind_of(words: str) -> str | None:
    """The kind that a word means, whatever its case."""
    return next((kind for kind, names in KINDS.items() if fold(words) in names), None)


def _csv_rows(text: str) -> Iterator[Row]:
    heading = text.split("\n", 1)[0]
    # Strict: a quotation mark that is never closed would take all lines after it into one cell.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count), strict=True)
    try:
        places = _places([fold(cell) for cell in next(lines, [])])
        for cells in lines:
            if any(cell.strip() for cell in cells):
                said = {name: clean(cells[n]) for name, n in places.items() if n < len(cells)}
                yield Row(lines.line_num, said)
    except csv.Error:
        raise Phrased("import.no-table") from None


def _places(headings: list[str]) -> dict[str, int]:
    found = {name: headings.index(word) for name, words in COLUMNS.items() for word in words if word in headings}
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise Phrased("import.no-columns", columns=", ".join(missing))
    return found


def _ics_rows(text: str, span: Span) -> Iterator[Row]:
    """Its events that are not cancelled, one row for each date of those that repeat."""
    from icalendar import Calendar  # only who reads such a file waits for it

    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    try:
        events = Calendar.from_ical(text).walk("VEVENT")
    except (ValueError, IndexError, KeyError):
        raise Phrased("import.no-calendar") from None
    for line, event in zip(lines, events, strict=False):
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            yield from _ics_event(line, event, span, _moved(event, events))


def _ics_event(line: int, event: Any, span: Span, moved: list[datetime]) -> Iterator[Row]:
    """Its rows in the words of a table; `wrong` is the phrase that says what a time of ours cannot be."""
    said = {"title": _ics_words(event, "SUMMARY"), "place": _ics_words(event, "LOCATION"), "kind": _ics_kind(event)}
    starts = _ics_time(event, "DTSTART")
    if not isinstance(starts, datetime):
        yield Row(line, said | {"date": starts.isoformat() if starts else "", "wrong": "import.whole-day"})
        return
    try:
        dates = dates_of(event, span, moved)
    except Phrased as problem:
        yield Row(line, said | {"wrong": problem.key})
        return
    for n, at in enumerate(dates.starts):
        if not (event.get("RECURRENCE-ID") and at <= span.now):  # one of a series that was moved, and is over
            yield Row(line, said | _ics_times(event, starts, at), 0 if n else dates.left_out)


def _ics_times(event: Any, first: datetime, at: datetime) -> dict[str, str]:
    """When it begins and ends in words, as long as the first one."""
    said = {"date": at.date().isoformat(), "starts": f"{at:%H:%M}"}
    last, lasts = _ics_time(event, "DTEND"), _value(event.get("DURATION"))
    length = last - _alike(first, last) if isinstance(last, datetime) else lasts
    if not isinstance(length, timedelta):
        return said
    if length > DAY:
        return said | {"wrong": "import.ends-first"}
    ends = at + length
    return said | ({"ends": f"{ends:%H:%M}"} if ends.date() == at.date() else {"wrong": "import.ends-first"})


def _alike(first: datetime, last: datetime) -> datetime:
    """A beginning that can be taken from this end, where one of the two has a zone."""
    return first if bool(first.tzinfo) == bool(last.tzinfo) else first.replace(tzinfo=last.tzinfo)


def _moved(event: Any, events: list[Any]) -> list[datetime]:
    """Which dates of a series have an entry of their own: moved, changed or cancelled."""
    if event.get("RECURRENCE-ID"):
        return []
    others = (e.get("RECURRENCE-ID") for e in events if e.get("UID") and e.get("UID") == event.get("UID"))
    days = map(_value, others)
    return [day for day in days if isinstance(day, datetime)]


def _ics_words(event: Any, name: str) -> str:
    """What it says; the first where a calendar wrote it twice."""
    value = event.get(name, "")
    return clean(str(value[0] if isinstance(value, list) else value))


def _ics_time(event: Any, name: str) -> date | datetime | None:
    value = _value(event.get(name))
    return value if isinstance(value, date) else None


def _value(property: Any) -> Any:
    """What it says; None where it is not there or cannot be read."""
    return None if is_broken(property) else getattr(property, "dt", None)


def _ics_kind(event: Any) -> str:
    """From its categories, else from its name; "event" where neither tells."""
    categories = event.get("CATEGORIES")
    named = [str(c) for c in getattr(categories, "cats", [])] if categories is not None else []
    title = fold(_ics_words(event, "SUMMARY"))
    found = [kind for kind in map(kind_of, named) if kind]
    found += [kind for kind, names in KINDS.items() if kind != "event" and any(name in title for name in names)]
    return found[0] if found else "event"
