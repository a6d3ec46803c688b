"""What typed words mean at a question: a control, a choice, a number, a date, or free words."""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date, timedelta

from conversations.answers import Answer, chosen
from conversations.form import Question
from conversations.texts import clean, fold

LONGEST = 4096  # what one message can hold

_SPLIT = re.compile(r"\s*(?:,|;|\+|&|\n|\band\b)\s*|\s+(?=\d)")
_MONTHS = tuple(calendar.month_name[i].lower() for i in range(1, 13))
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_NUMBER_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_NUMBER_WORDS)})\b")


def answer_from(question: Question, typed: str, today: date) -> Answer | None:
    """The answer these words give to this question; None when they fit nothing."""
    words = clean(typed)
    if question.type == "text":
        return Answer("text", (words[:LONGEST],)) if words else None
    if question.type == "number":
        return _number(question, words)
    if question.type == "date":
        day = parse_date(words, today)
        return Answer("date", (day.isoformat(),)) if day else None
    if question.type == "few":
        return _few(question, words)
    choice = _choice(question, words)
    return chosen(choice) if choice else None


def parse_date(words: str, today: date) -> date | None:
    """The day meant by 5/12/2026, 5 December, 5-Dec-26, 2026-12-05, tomorrow or next Tuesday; None for anything else.

    Without a year it is the next such day. A weekday is the next one after today; with "next" it is next week's.
    """
    text = fold(words).replace(",", " ").removeprefix("on ").strip()
    if near := _near(text, today):
        return near
    text = re.sub(rf"^({_WEEKDAY})\s+(?:the\s+)?", "", text)
    text = re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", text)
    if m := re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text):
        return _day(int(m[1]), int(m[2]), int(m[3]))
    if m := re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})(?:[/. -](\d{4}|\d{2}))?", text):
        return _with_year(int(m[1]), int(m[2]), m[3], today)
    if m := re.fullmatch(r"(\d{1,2})[\s-]+(?:of\s+)?([a-z]{3,9})(?:[\s-]+(\d{4}|\d{2}))?", text):
        month = next((i for i, name in enumerate(_MONTHS, 1) if name.startswith(m[2])), None)
        return _with_year(int(m[1]), month, m[3], today) if month else None
    return None


def _near(text: str, today: date) -> date | None:
    """Today, tomorrow, and days of the week."""
    if text in ("today", "tomorrow"):
        return today + timedelta(days=text == "tomorrow")
    m = re.fullmatch(rf"(?:(this|next)\s+)?({_WEEKDAY})(\s+week)?", text)
    if not m:
        return None
    ahead = (_WEEKDAYS.index(m[2][:3]) - today.weekday() - 1) % 7 + 1
    if m[1] == "next" and today.weekday() + ahead < 7:  # this week's would be called just by its name
        ahead += 7
    return today + timedelta(days=ahead + 7 * bool(m[3]))


def parse_time(words: str) -> str | None:
    """The time meant by 9, 9am, 9:30, 14.30, 2.30pm, half 3, quarter to four or noon, as HH:MM.

    From 1 to 6 without more it is the afternoon, as schools speak; 03:30 with its nought is the night. Spreadsheets
    add seconds: 15:30:00.
    """
    text = fold(words).removeprefix("at ").replace("o'clock", " ").replace(".m", "m").strip()
    text = _NUMBER_WORD.sub(lambda m: str(_NUMBER_WORDS.index(m[0]) + 1), text)
    if text in ("noon", "midday"):
        return "12:00"
    if m := re.fullmatch(r"(?:(half|quarter|\d{1,2})(?:\s+(past|to))?\s+)(\d{1,2})\s*(am|pm)?", text):
        return _spoken(m[1], m[2], int(m[3]), m[4])
    m = re.fullmatch(r"(\d{1,2})(?:[:.h](\d{2})(?::00)?)?\s*(am|pm)?", text)
    return _clock(int(m[1]), int(m[2] or 0), m[3], m[1].startswith("0")) if m else None


def _spoken(part: str, way: str | None, hour: int, half: str | None) -> str | None:
    """Half 3 is half past three; a quarter and minutes need their "past" or "to"."""
    if part != "half" and way is None:
        return None
    minutes = {"half": 30, "quarter": 15}.get(part) or (int(part) if part.isdigit() else 60)
    if not 1 <= hour <= 12 or minutes >= 60 or (part == "half" and way == "to"):
        return None
    if way == "to":
        at = _clock(hour, 0, half, False)
        hours = (int(at[:2]) - 1) % 24 if at else 0
        return f"{hours:02}:{60 - minutes:02}" if at else None
    return _clock(hour, minutes, half, False)


def _clock(hour: int, minute: int, half: str | None, exact: bool) -> str | None:
    if half and not 1 <= hour <= 12:
        return None
    if hour < 12 and (half == "pm" or (half is None and not exact and 1 <= hour <= 6)):
        hour += 12
    if half == "am" and hour == 12:
        hour = 0
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def parse_when(words: str, today: date) -> tuple[date, str | None] | None:
    """A day and, where one is named, a time as HH:MM: "next Tuesday half 3", "5 December at 15:30", "tomorrow".

    A time alone is today's. None where it is neither.
    """
    text = fold(words).replace(",", " ")
    if m := re.fullmatch(r"(\d{4}-\d{1,2}-\d{1,2})t(\d{2}:\d{2})", text):
        text = f"{m[1]} {m[2]}"
    if day := parse_date(text, today):
        return day, None
    parts = text.split()
    for n in range(1, len(parts)):
        # From the left the shortest day whose rest is a time: "5 december 9" is nine o'clock, no year.
        day, at = parse_date(" ".join(parts[:n]), today), parse_time(" ".join(parts[n:]))
        if day and at:
            return day, at
        at, day = parse_time(" ".join(parts[:n])), parse_date(" ".join(parts[n:]), today)
        if day and at:
            return day, at
    at = parse_time(text) if re.search(r"[:.]|am|pm|half|quarter|noon|midday|o'clock", text) else None
    return (today, at) if at else None


def _with_year(day: int, month: int, year: str | None, today: date) -> date | None:
    if year:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, day)
    this_year = _day(today.year, month, day)
    return this_year if this_year and this_year >= today else _day(today.year + 1, month, day)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(question: Question, words: str) -> Answer | None:
    # Digits of any script count, so that a number typed on an Arabic or Bengali keyboard works.
    text = "".join(str(unicodedata.decimal(c, c)) for c in words.strip())
    if re.fullmatch(r"-?[1-9]\d{0,2}(,\d{3})+", text):
        text = text.replace(",", "")  # a thousand as English writes it
    if not re.fullmatch(r"-?\d{1,9}([.,]\d{1,4})?", text):
        return None
    value = float(text.replace(",", "."))
    if question.least is not None and value < question.least:
        return None
    if question.most is not None and value > question.most:
        return None
    return Answer("number", (f"{value:.10g}",))


def _few(question: Question, words: str) -> Answer | None:
    whole = _choice(question, words)
    parts = [whole] if whole else [_choice(question, part) for part in _SPLIT.split(words) if part.strip()]
    ids = list(dict.fromkeys(p for p in parts if p))
    if not ids or None in parts or len(ids) > (question.max or len(question.choices)):
        return None
    return chosen(*ids)


def _choice(question: Question, words: str) -> str | None:
    typed = fold(words)
    if number := _position(typed):
        return question.choices[number - 1].id if number <= len(question.choices) else None
    for choice in question.choices:
        if typed in (choice.id, *(fold(label) for label in choice.label.values())):
            return choice.id
    return None


def _position(typed: str) -> int | None:
    digits = "".join(str(unicodedata.decimal(c, c)) for c in typed)
    return int(digits) if re.fullmatch(r"[1-9]\d?", digits) else None
