"""A pasted or read list of families -> one Family for each letter; every wrong line is named, and then none counts."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from babel import Locale

from bot.facts import House
from bot.papers.printable import printable
from conversations.texts import clean, fold, listed

COLUMNS = ("family", "group", "language", "children", "letters")
WITHOUT_HEADINGS = COLUMNS[:3]
MOST_FAMILIES, LONGEST_LABEL, MOST_CHILDREN, MOST_LETTERS = 1500, 60, 9, 4

# Whatever is shaped like one is refused: a letter and 12 digits, or for a temporary one 11 digits and a letter.
_UPN = re.compile(r"(?<![A-Z0-9])[A-Z](?:[ -]?[0-9]){11}[ -]?[A-Z0-9](?![A-Z0-9])", re.IGNORECASE)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    r"\b\d{1,2}\s?([./-])\s?\d{1,2}\s?\1\s?(?:\d{4}|\d{2})\b|\b\d{4}([./-])\d{1,2}\2\d{1,2}\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?[ -]{_MONTH}[ ,-]+(?:\d{{4}}|\d{{2}})\b"
    rf"|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Family:
    """Whom one letter is for: a label the office understands, the id of a group, and the language of the letter."""

    label: str = field(repr=False)
    group: str
    language: str
    children: int = 1


class FamiliesProblem(Exception):
    """A list that cannot be used: one line for each wrong line, repeating nothing of what was written there."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(" ".join(lines))
        self.lines = lines


def text_of(file: bytes, house: House) -> str:
    """The words of a file; FamiliesProblem when it is no text in UTF-8."""
    try:
        return file.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FamiliesProblem([house.say("en", "families.not-text")]) from None


def never_kept(words: str) -> str | None:
    """The phrase that says why these words are refused: a number of a pupil or a date of birth stands in them."""
    plain = unicodedata.normalize("NFKC", words)
    if _UPN.search(plain):
        return "families.upn"
    return "families.birth" if _DATE.search(plain) else None


def read_families(text: str, groups: dict[str, str], house: House) -> list[Family]:
    """One for each letter, in the order of the lines; `groups` are names by id. FamiliesProblem otherwise."""
    rows, known = _rows(text, house), _Known(house, groups)
    headed = bool(rows) and bool(set(map(fold, rows[0].cells)) & set(COLUMNS))
    names = [fold(cell) for cell in rows[0].cells] if headed else list(WITHOUT_HEADINGS)
    _check_length(len(rows) - headed, house)
    for row in rows:
        _refuse_what_is_never_kept(row, known)
    if headed and not _good_headings(rows[0], names, known):
        raise _problem(rows, known)  # below wrong headings every line would be wrong
    found = [family for row in rows[headed:] for family in _judged(row, names, known)]
    if any(row.wrong for row in rows):
        raise _problem(rows, known)
    return found


def _problem(rows: Sequence[_Row], known: _Known) -> FamiliesProblem:
    wrong = [row for row in rows if row.wrong]
    return FamiliesProblem([known.say("families.line", n=row.number, text=" ".join(row.wrong)) for row in wrong])


def _check_length(families: int, house: House) -> None:
    if families < 1:
        raise FamiliesProblem([house.say("en", "families.none")])
    if families > MOST_FAMILIES:
        raise FamiliesProblem([house.say("en", "families.many", n=families)])


# --- rows ---------------------------------------------------------------------------------------------------------


@dataclass
class _Row:
    """A row that says something: the number of its first line, its cells, and what is wrong with it."""

    number: int
    cells: list[str] = field(repr=False)
    wrong: list[str] = field(default_factory=list)


def _rows(text: str, house: House) -> list[_Row]:
    try:
        rows = list(_parsed(text.removeprefix("\ufeff")))
    except csv.Error:
        raise FamiliesProblem([house.say("en", "families.not-text")]) from None
    for row in rows:
        if any("\n" in cell for cell in row.cells):
            row.wrong.append(house.say("en", "families.broken"))
    return [row for row in rows if row.cells]


def _parsed(text: str) -> Iterator[_Row]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    number = 1
    for cells in lines:
        yield _Row(number, _plain(cells))
        number = lines.line_num + 1


def _separator(text: str) -> str:
    """A tab or a semicolon where the first line has one outside quotation marks, else a comma."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return next((sign for sign in "\t;" if sign in bare), ",")


def _plain(cells: list[str]) -> list[str]:
    """The cells without invisible characters and spaces around; empty ones at the end are left out."""
    plain = [re.sub(r"[^\S\n]+", " ", clean(unicodedata.normalize("NFC", cell))) for cell in cells]
    while plain and not plain[-1]:
        plain.pop()
    return plain


# --- what a row says ----------------------------------------------------------------------------------------------


class _Known:
    """What a row may name, and which families were named before."""

    def __init__(self, house: House, groups: Mapping[str, str]) -> None:
        offered = house.school.languages
        self.house = house
        self.groups = {fold(name): id for id, name in groups.items()}
        self.group_names = list(groups.values())
        self.languages = _language_names({*offered, *house.texts.languages})
        self.offered = [*offered]
        self.seen: dict[tuple[str, str], int] = {}

    def say(self, key: str, **facts: object) -> str:
        return self.house.say("en", key, **facts)


def _language_names(codes: set[str]) -> dict[str, str]:
    """Codes and English names, folded -> code."""
    english = Locale("en").languages
    return {fold(english.get(code, code)): code for code in codes} | {code: code for code in codes}


def _good_headings(row: _Row, names: Sequence[str], known: _Known) -> bool:
    if set(names) - set(COLUMNS):
        row.wrong.append(known.say("families.headings"))
    elif len(set(names)) < len(names):
        row.wrong.append(known.say("families.heading-twice"))
    elif "family" not in names:
        row.wrong.append(known.say("families.heading-missing"))
    return not row.wrong


def _judged(row: _Row, names: Sequence[str], known: _Known) -> list[Family]:
    """The letters of this row; none when something is wrong with it."""
    if len(row.cells) > len(names):
        row.wrong.append(known.say("families.columns"))
        return []
    cell = dict(zip(names, row.cells, strict=False))
    label, group = _label(row, cell.get("family", ""), known), _group(row, cell.get("group", ""), known)
    language = _language(row, cell.get("language", ""), known)
    children = _number(row, cell.get("children", ""), MOST_CHILDREN, known.say("families.children"))
    letters = _number(row, cell.get("letters", ""), MOST_LETTERS, known.say("families.letters"))
    _refuse_a_repeat(row, label, group, known)
    return [] if row.wrong else [Family(label, group, language, children)] * letters


def _refuse_what_is_never_kept(row: _Row, known: _Known) -> None:
    """In whatever column, so that a copied list of pupils cannot slip in; a group may be named after a date."""
    keys = {never_kept(cell) for cell in row.cells if fold(cell) not in known.groups}
    row.wrong += [known.say(key) for key in sorted(filter(None, keys))]


def _label(row: _Row, cell: str, known: _Known) -> str:
    if not cell:
        row.wrong.append(known.say("families.no-label"))
    elif len(cell) > LONGEST_LABEL:
        row.wrong.append(known.say("families.long"))
    elif not printable(cell):
        row.wrong.append(known.say("families.not-printable"))
    return cell


def _group(row: _Row, cell: str, known: _Known) -> str:
    if not cell and len(known.groups) == 1:
        return next(iter(known.groups.values()))
    if (found := known.groups.get(fold(cell))) is not None:
        return found
    if near := get_close_matches(fold(cell), known.groups, 1, 0.5):
        name = next(name for name in known.group_names if fold(name) == near[0])
        row.wrong.append(known.say("families.group-near", group=name))
        return ""
    key = "families.group" if cell else "families.no-group"
    row.wrong.append(known.say(key, group=listed(known.group_names, "en", "or")))
    return ""


def _language(row: _Row, cell: str, known: _Known) -> str:
    if not cell and len(known.offered) == 1:
        return known.offered[0]
    if (found := known.languages.get(fold(cell))) is not None:
        return found
    key = "families.language" if cell else "families.no-language"
    row.wrong.append(known.say(key, text=listed(known.offered, "en", "or")))
    return ""


def _number(row: _Row, cell: str, most: int, wrong: str) -> int:
    """The number in this cell, 1 for an empty one."""
    if cell and not (cell.isascii() and cell.isdigit() and 1 <= int(cell[:3]) <= most):
        row.wrong.append(wrong)
        return 1
    return int(cell or 1)


def _refuse_a_repeat(row: _Row, label: str, group: str, known: _Known) -> None:
    if not (label and group):
        return
    first = known.seen.setdefault((fold(label), group), row.number)
    if first != row.number:
        row.wrong.append(known.say("families.again", n=first))
