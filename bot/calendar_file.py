"""The school's calendar as a file: YAML, CSV or iCalendar (RFC 5545), read whole, with everything wrong at once."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from bot.events.table import decoded
from conversations.listening import parse_date
from conversations.texts import fold
from data.calendar import KINDS, Stretch

# What plain words mean, the first that fits: "Autumn half term" is no term, "Easter holiday" no festival.
GUESSES = (
    ("half-term", r"half[ -]?term|mid[ -]?term"),
    ("inset", r"\binset\b|training|in-?service|development day|\bcpd\b"),
    ("exams", r"\bexam|gcse|a[ -]levels?\b|\bsats\b|\bmocks?\b"),
    ("closed", r"\bclos(ed|ure)|polling|strike"),
    ("holiday", r"holiday|\bbreak\b|vacation|\bhols\b"),
    ("festival", r"\beid\b|diwali|deepavali|ramadan|han+uk+ah|chanukah|passover|pesach|yom kippur|rosh hashanah"),
    ("festival", r"vaisakhi|baisakhi|nowruz|navruz|guru nanak|lunar new year|chinese new year|holi\b|purim|festival"),
    ("term", r"\bterm\b|\bsemester\b"),
    ("holiday", r"christmas|easter"),
)
MOST_DAYS = {"term": 200, "holiday": 70}  # longer is a slip of the year
OTHERS_MOST = 45
LONGEST_BREAK = 120  # days between two terms; a summer has 75 at most
COLUMNS = {
    "kind": ("kind", "type", "category"),
    "name": ("name", "title", "event", "what", "description"),
    "from": ("from", "first", "start", "starts", "start date", "begins", "date", "on", "day"),
    "to": ("to", "last", "end", "ends", "end date", "until"),
}
FORMS = ".yaml, .csv or .ics"


class CalendarProblem(Exception):
    """A file that cannot be used; each line says where and what mends it."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class Row:
    """One entry as it stands in the file, in words. `last` is empty where it is one day."""

    line: int
    kind: str
    name: str
    first: str
    last: str


@dataclass(frozen=True)
class CalendarFile:
    """What a file says. `guessed` are the lines whose kind was taken from their words, with that kind."""

    stretches: tuple[Stretch, ...]
    guessed: tuple[str, ...] = ()


def read_calendar(path: Path) -> CalendarFile:
    """The calendar in this file; CalendarProblem names all lines that are wrong, and then nothing of it counts."""
    readers = {".yaml": _yaml_rows, ".yml": _yaml_rows, ".csv": _csv_rows, ".ics": _ics_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise CalendarProblem([f"{path.name}: a calendar is a file that ends in {FORMS}."])
    try:
        return _checked(list(reader(_text(path))), path.name)
    except CalendarProblem as problem:
        raise CalendarProblem([f"{path.name}: {line}" for line in problem.lines]) from None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CalendarProblem([f"it cannot be read: {error.strerror}."]) from None
    text = decoded(raw)
    if "\0" in text:
        raise CalendarProblem(["it is no text. In the spreadsheet, save it as CSV (UTF-8)."])
    return text


# --- what the rows mean -------------------------------------------------------------------------------------------


def _checked(rows: list[Row], name: str) -> CalendarFile:
    wrong: list[tuple[int, str]] = []
    found: list[tuple[Row, Stretch]] = []
    guessed = []
    for row in rows:
        kind, was_guessed = _kind(row)
        problems = [] if kind else [_no_kind(row)]
        first, last = _day(row.first, problems), _day(row.last or row.first, problems)
        if first and last and kind:
            stretch = Stretch(kind, first, last, "" if row.name == kind else row.name)
            problems += _wrong_with(stretch)
            found.append((row, stretch))
            guessed += [f'line {row.line}: "{row.name}" counts as {kind}'] if was_guessed else []
        wrong += [(row.line, problem) for problem in dict.fromkeys(problems)]
    wrong += [*_overlapping_terms(found), *_terms_far_apart(found)]
    if wrong or not rows:
        lines = [f"line {line}: {problem}" for line, problem in sorted(wrong)]
        raise CalendarProblem(lines or ["it holds no days. Write one entry for each term, half term and holiday."])
    return CalendarFile(tuple(stretch for _, stretch in found), tuple(guessed))


def _kind(row: Row) -> tuple[str, bool]:
    """The kind, and whether it was guessed; an empty one where that cannot be done."""
    kind = fold(row.kind).replace(" ", "-").replace("_", "-")
    if kind in KINDS:
        return kind, False
    return ("", False) if row.kind else (guess(row.name), True)


def guess(name: str) -> str:
    """The kind that plain words such as "Autumn half term" name; empty where they name none."""
    words = fold(name)
    if re.search(r"\bterm (starts|begins|ends|finishes)|(first|last|start|end)( day)? of (the )?\w* ?term", words):
        return ""  # a day at the edge of a term is not the term
    return next((kind for kind, pattern in GUESSES if re.search(pattern, words)), "")


def _no_kind(row: Row) -> str:
    kinds = ", ".join(KINDS)
    if row.kind:
        return f'"{row.kind}" is no kind of day. The kinds are: {kinds}.'
    if re.search(r"\bterm\b", fold(row.name)):
        return f'"{row.name}" is one day. Write a term as one entry, from its first to its last day.'
    if not row.name:
        return f"it has no kind. The kinds are: {kinds}."
    return f'what "{row.name}" is cannot be guessed. Add its kind, or take it out: {kinds}.'


def _day(words: str, problems: list[str]) -> date | None:
    """A day with its year, else one problem more."""
    if not words:
        problems.append("its first day is missing.")
        return None
    day = parse_date(words, date.min.replace(year=2000))
    year = re.search(r"\d{4}|\d\D+(\d{2}|\w+)\D+\d{2}$", words)
    if day is None or not year:
        why = "has no year" if day else "is not a day there is"
        problems.append(f"{words} {why}. Write it like 26 October 2026 or 2026-10-26.")
        return None
    return day


def _wrong_with(s: Stretch) -> list[str]:
    if s.last < s.first:
        return [f"it ends on {s.last}, before it begins on {s.first}. Swap the days, or mend one."]
    days, most = (s.last - s.first).days + 1, MOST_DAYS.get(s.kind, OTHERS_MOST)
    return [f"{days} days are too many for {s.kind}. Look at the years."] if days > most else []


def _overlapping_terms(found: Iterable[tuple[Row, Stretch]]) -> list[tuple[int, str]]:
    terms = sorted(((r, s) for r, s in found if s.kind == "term" and s.first <= s.last), key=lambda t: t[1].first)
    wrong, latest = [], terms[:1]
    for row, term in terms[1:]:
        before, other = latest[0]
        if term.first <= other.last:
            wrong.append((row.line, f"this term begins before the term of line {before.line} is over. Mend its days."))
        latest = [(row, term)] if term.last > other.last else latest
    return wrong


def _terms_far_apart(found: Iterable[tuple[Row, Stretch]]) -> Iterator[tuple[int, str]]:
    """A term whose year is a slip: till then every day would count as a holiday, and nobody would be written to."""
    terms = sorted(((s.first, s.last, r.line) for r, s in found if s.kind == "term" and s.first <= s.last))
    for (_, last, line), (first, _, later) in pairwise(terms):
        if (first - last).days > LONGEST_BREAK:
            says = f"this term and the one of line {line} lie {(first - last).days} days apart. Look at the years."
            yield later, says


# --- the three forms ----------------------------------------------------------------------------------------------


def _yaml_rows(text: str) -> Iterator[Row]:
    """A list with one line for each entry: `- {kind: term, name: Autumn, from: 1 September 2026, to: ...}`."""
    try:
        tree = yaml.compose(text, yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CalendarProblem([f"line {mark.line + 1 if mark else 1}: check indents, colons and brackets."]) from None
    if not isinstance(tree, yaml.SequenceNode):
        raise CalendarProblem(["it must be a list, such as: - {kind: term, from: 2026-09-01, to: 2026-12-18}"])
    wrong: list[str] = []
    rows = [row for entry in tree.value if (row := _yaml_row(entry, wrong))]
    if wrong:
        raise CalendarProblem(wrong)
    yield from rows


def _yaml_row(entry: yaml.Node, wrong: list[str]) -> Row | None:
    line = entry.start_mark.line + 1
    pairs = entry.value if isinstance(entry, yaml.MappingNode) else []
    values = {str(k.value): str(v.value) for k, v in pairs if isinstance(v, yaml.ScalarNode)}
    unknown = [key for key in values if key not in ("kind", "name", "from", "to", "on")]
    if not values or unknown:
        what = f"`{unknown[0]}` is not known here" if unknown else "this is no entry"
        wrong.append(f"line {line}: {what}. Use kind, name, and from and to, or on.")
        return None
    first = values.get("from") or values.get("on", "")
    return Row(line, values.get("kind", ""), values.get("name", ""), first, values.get("to", ""))


def _csv_rows(text: str) -> Iterator[Row]:
    """A table with a line of headings, such as: kind, name, from, to. Commas, semicolons or tabs."""
    heading = text.split("\n", 1)[0]
    lines = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=heading.count))
    places = _columns([fold(cell) for cell in next(lines, [])])
    for cells in lines:
        if any(cell.strip() for cell in cells):
            said = {key: cells[n].strip() if n < len(cells) else "" for key, n in places.items()}
            values = (said.get(key, "") for key in ("kind", "name", "from", "to"))
            yield Row(lines.line_num, *values)


def _columns(headings: list[str]) -> dict[str, int]:
    named = {key: next((headings.index(w) for w in words if w in headings), -1) for key, words in COLUMNS.items()}
    places = {key: n for key, n in named.items() if n >= 0}
    if "from" not in places or not {"kind", "name"} & set(places):
        raise CalendarProblem(["line 1: the headings must be: kind, name, from, to."])
    return places


def _ics_rows(text: str) -> Iterator[Row]:
    """The events of an iCalendar file; those that were cancelled do not count."""
    from icalendar import Calendar  # only who reads such a file waits for it

    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    try:
        events = Calendar.from_ical(text).walk("VEVENT")
    except (ValueError, IndexError, KeyError):
        raise CalendarProblem(["it is no iCalendar file. Export it again from the school's calendar."]) from None
    numbered = list(zip(lines, events, strict=False))
    if wrong := [f"line {line}: it repeats. Write each of its days." for line, e in numbered if e.get("RRULE")]:
        raise CalendarProblem(wrong)
    for line, event in numbered:
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            yield _ics_row(line, event)


def _ics_row(line: int, event: Any) -> Row:
    said = fold(event.get("CATEGORIES").to_ical().decode()) if event.get("CATEGORIES") else ""
    times = ("DTSTART", "DTEND", "DURATION")
    broken = next((str(event[key]) for key, _ in event.errors if key in times), "")
    broken = broken or next((f"a second {key}" for key in times if isinstance(event.get(key), list)), "")
    first, last = (broken, "") if broken else _ics_days(event)
    return Row(line, said if said in KINDS else "", str(event.get("SUMMARY", "")).strip(), first, last)


def _ics_days(event: Any) -> tuple[str, str]:
    """The first and the last day; by RFC 5545 an end is no part of what it ends."""
    if event.get("DTSTART") is None:
        return "", ""
    begins = event["DTSTART"].dt
    if event.get("DTEND") is not None:
        ends = event["DTEND"].dt
    else:
        length = event["DURATION"].dt if event.get("DURATION") else timedelta()
        ends = begins + min(length, timedelta(days=1000))  # what is longer is too long for any kind
    if type(ends) is type(begins) and ends > begins:
        ends -= timedelta(seconds=1) if isinstance(ends, datetime) else timedelta(days=1)
    return f"{begins:%Y-%m-%d}", f"{ends:%Y-%m-%d}"
