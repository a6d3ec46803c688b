"""Papers that were just made: in memory only and for minutes, because the codes on them are kept nowhere."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

KEPT_FOR = timedelta(minutes=15)
MOST = 20  # papers; the oldest makes way


@dataclass(frozen=True)
class Paper:
    """A file to save. `once` is the form it came from, so that a double click makes it once."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)
    letters: int
    until: date
    once: str
    at: datetime


class Papers:
    """By person."""

    def __init__(self) -> None:
        self._papers: OrderedDict[str, Paper] = OrderedDict()

    def keep(self, person: str, paper: Paper) -> None:
        self._papers.pop(person, None)
        self._papers[person] = paper
        while len(self._papers) > MOST:
            self._papers.popitem(last=False)

    def of(self, person: str, now: datetime) -> Paper | None:
        """The last one, if it was just made."""
        paper = self._papers.get(person)
        if paper and now - paper.at > KEPT_FOR:
            self._papers.pop(person)
            return None
        return paper

    def was_made(self, person: str, once: str) -> bool:
        """Whether this form was carried out already: the second half of a double click."""
        paper = self._papers.get(person)
        return bool(once) and paper is not None and paper.once == once

    def throw_away(self, person: str) -> None:
        self._papers.pop(person, None)
