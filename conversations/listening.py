"""What typed words mean at a question: a control, a choice, a number, a date, or free words."""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date

from conversations.answers import Answer, chosen
from conversations.form import Question
from conversations.texts import clean, fold

LONGEST = 4096  # what one message can hold

_SPLIT = re.compile(r"\s*(?:,|;|\+|&|\n|\band\b)\s*|\s+(?=\d)")
_MONTHS = tuple(calendar.month_name[i].lower() for i in range(1, 13))


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
    """The day meant by 5/12/2026, 5 December, 5 Dec 2026 or 2026-12-05; without a year, the next such day."""
    text = fold(words).replace(",", " ")
    text = re.sub(r"^(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?\s+", "", text)
    text = re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", text)
    if m := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        return _day(int(m[1]), int(m[2]), int(m[3]))
    if m := re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})(?:[/. -](\d{4}|\d{2}))?", text):
        return _with_year(int(m[1]), int(m[2]), m[3], today)
    if m := re.fullmatch(r"(\d{1,2})\s+(?:of\s+)?([a-z]{3,9})(?:\s+(\d{4}|\d{2}))?", text):
        month = next((i for i, name in enumerate(_MONTHS, 1) if name.startswith(m[2])), None)
        return _with_year(int(m[1]), month, m[3], today) if month else None
    return None


def parse_time(words: str) -> str | None:
    """The time meant by 9, 9am, 9:30, 14.30 or 2.30pm, as HH:MM."""
    m = re.fullmatch(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm)?", fold(words).replace(" o'clock", ""))
    if not m:
        return None
    hour, minute = int(m[1]), int(m[2] or 0)
    if m[3] and not 1 <= hour <= 12:
        return None
    if m[3] == "pm" and hour < 12:
        hour += 12
    if m[3] == "am" and hour == 12:
        hour = 0
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


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
    if not re.fullmatch(r"-?\d{1,9}([.,]\d{1,4})?", text):
        return None
    value = float(text.replace(",", "."))
    if question.least is not None and value < question.least:
        return None
    if question.most is not None and value > question.most:
        return None
    return Answer("number", (f"{value:g}",))


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
