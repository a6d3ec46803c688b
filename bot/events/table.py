"""A term of drop-ins and events as a table or an iCalendar file: text in, its rows in words out. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.phrased import Phrased
from conversations.texts import fold

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
MOST = 400  # rows; a term has fewer


@dataclass(frozen=True)
class Row:
    """One line of the file in words, by the names of COLUMNS."""

    line: int
    said: dict[str, str] = field(repr=False)

    def get(self, name: str) -> str:
        return self.said.get(name, "")


def decoded(raw: bytes) -> str:
    """The text of a file, also as a spreadsheet on Windows saves it."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def rows_of(text: str, zone: ZoneInfo) -> list[Row]:
    """The rows of a CSV, of cells pasted from a spreadsheet, or of an iCalendar file; Phrased where it is neither."""
    calendar = text.lstrip().upper().startswith("BEGIN:VCALENDAR")
    rows = list(_ics_rows(text, zone) if calendar else _csv_rows(text))
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
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count))
    try:
        places = _places([fold(cell) for cell in next(lines, [])])
        for cells in lines:
            if any(cell.strip() for cell in cells):
                said = {name: cells[n].strip() for name, n in places.items() if n < len(cells)}
                yield Row(lines.line_num, said)
    except csv.Error:
        raise Phrased("import.no-table") from None


def _places(headings: list[str]) -> dict[str, int]:
    found = {name: headings.index(word) for name, words in COLUMNS.items() for word in words if word in headings}
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise Phrased("import.no-columns", columns=", ".join(missing))
    return found


def _ics_rows(text: str, zone: ZoneInfo) -> Iterator[Row]:
    """Its events that are not cancelled. What repeats has to be written out, so that nothing is guessed."""
    from icalendar import Calendar  # only who reads such a file waits for it

    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    try:
        events = Calendar.from_ical(text).walk("VEVENT")
    except (ValueError, IndexError, KeyError):
        raise Phrased("import.no-calendar") from None
    for line, event in zip(lines, events, strict=False):
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            yield Row(line, _ics_words(event, zone))


def _ics_words(event: Any, zone: ZoneInfo) -> dict[str, str]:
    """The same words as a table has; `repeats` and `whole-day` say what a time of ours cannot be."""
    said = {"title": str(event.get("SUMMARY", "")), "place": str(event.get("LOCATION", "")), "kind": _ics_kind(event)}
    said |= {"repeats": "yes"} if event.get("RRULE") else {}
    starts, ends = _ics_time(event, "DTSTART"), _ics_time(event, "DTEND")
    if not isinstance(starts, datetime):
        return said | {"date": starts.isoformat() if starts else "", "whole-day": "yes"}
    local = _local(starts, zone)
    said |= {"date": local.date().isoformat(), "starts": f"{local:%H:%M}"}
    if isinstance(ends, datetime):
        said["ends"] = f"{_local(ends, zone):%H:%M}"
    return said


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """A time without a zone is the school's."""
    return at.astimezone(zone) if at.tzinfo else at.replace(tzinfo=zone)


def _ics_time(event: Any, name: str) -> date | datetime | None:
    value = getattr(event.get(name), "dt", None)
    return value if isinstance(value, date) else None


def _ics_kind(event: Any) -> str:
    """From its categories, else from its name; "event" where neither tells."""
    categories = event.get("CATEGORIES")
    named = [str(c) for c in getattr(categories, "cats", [])] if categories is not None else []
    title = fold(str(event.get("SUMMARY", "")))
    found = [kind for kind in map(kind_of, named) if kind]
    found += [kind for kind, names in KINDS.items() if kind != "event" and any(name in title for name in names)]
    return found[0] if found else "event"
