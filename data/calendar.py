"""The school's calendar: terms, half terms, INSET days, holidays, festivals, exam weeks; and what follows from it.

Bank holidays come from the `holidays` library. Where no term is known, every weekday that is no bank holiday counts as
a school day, so that a school without a calendar file is still written to on sensible days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from data.database import Tx
from data.tables import calendar

if TYPE_CHECKING:
    from holidays import HolidayBase

KINDS = ("term", "half-term", "inset", "holiday", "festival", "exams", "closed")
NO_SCHOOL = frozenset({"half-term", "inset", "holiday", "closed"})
NOBODY_IN = NO_SCHOOL - {"inset"}
NATIONS = {"england": "ENG", "wales": "WLS", "scotland": "SCT", "northern-ireland": "NIR"}
DAY = timedelta(days=1)
# Halves of terms where no calendar is known: day and month at which each begins.
USUAL_HALVES = ((1, 1), (16, 2), (6, 4), (1, 6), (1, 9), (28, 10))


@dataclass(frozen=True)
class Stretch:
    """Days from `first` to `last`, both included. `kind` is one of KINDS."""

    kind: str
    first: date
    last: date
    name: str = ""

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Calendar:
    """What the school's calendar file said, and the nation whose bank holidays count."""

    stretches: tuple[Stretch, ...] = ()
    nation: str = "england"

    @property
    def terms(self) -> list[Stretch]:
        """By date."""
        return sorted((s for s in self.stretches if s.kind == "term"), key=lambda s: s.first)

    def ends_on(self) -> date | None:
        """The last day of the last term that is known."""
        return max((t.last for t in self.terms), default=None)

    def on(self, day: date, *kinds: str) -> Stretch | None:
        """A stretch of one of these kinds that holds this day."""
        return next((s for s in self.stretches if s.kind in kinds and s.holds(day)), None)

    def is_school_day(self, day: date) -> bool:
        """Whether pupils are in school."""
        if day.weekday() >= 5 or bank_holiday(day, self.nation) or self.on(day, *NO_SCHOOL):
            return False
        return not self._knows(day) or self.on(day, "term") is not None

    def is_staffed(self, day: date) -> bool:
        """Whether somebody of the school is in, on a weekday of its office hours; INSET days are such days (SAFE-5)."""
        if bank_holiday(day, self.nation):
            return False
        if self.on(day, "inset"):
            return True
        return not self.on(day, *NOBODY_IN) and (not self._knows(day) or self.on(day, "term") is not None)

    def may_write(self, day: date) -> bool:
        """Whether the bot may write of its own accord: a school day, and none of the school's festivals (6.9)."""
        return self.is_school_day(day) and not self.on(day, "festival")

    def school_day_before(self, day: date) -> date:
        """The last day before this one on which the bot may write; the day before where a whole year has none."""
        earlier = (day - n * DAY for n in range(1, 366))
        return next((d for d in earlier if self.may_write(d)), day - DAY)

    def half_term(self, day: date) -> tuple[date, date]:
        """The half of a term this day counts to: its first day, and the first day after it.

        A break counts to the half before it.
        """
        starts = self._halves(day)
        after = next(n for n, start in enumerate(starts) if start > day)
        return starts[after - 1], starts[after]

    def term(self, day: date) -> tuple[date, date]:
        """The term this day counts to: its first day and the first day after it; a holiday counts to the one before."""
        starts = self._term_starts(day)
        after = next(n for n, start in enumerate(starts) if start > day)
        return starts[after - 1], starts[after]

    def _knows(self, day: date) -> bool:
        """Whether terms around this day are known; the break after the last counts to it."""
        terms = self.terms
        return bool(terms) and terms[0].first <= day <= _known_until(terms[-1].last)

    def _halves(self, day: date) -> list[date]:
        starts = self._term_starts(day)
        breaks = [s.last + DAY for s in self.stretches if s.kind == "half-term"]
        usual = [] if self._knows(day) else [d for d in _usual(day) if not self._knows(d)]
        return sorted({*starts, *breaks, *usual})

    def _term_starts(self, day: date) -> list[date]:
        usual = [d for d in _usual(day)[::2] if not self._knows(d)]
        return sorted({*(t.first for t in self.terms), *usual})


def _known_until(last: date) -> date:
    """The break after the last known day of a term: a summer to 31 August, any other at most three weeks.

    Who forgets to load the next term must not silence the bot, and the safeguarding ladder, for the rest of the year.
    """
    summer = 5 <= last.month <= 8
    return date(last.year, 8, 31) if summer else last + 21 * DAY


def _usual(day: date) -> list[date]:
    return [date(year, month, first) for year in range(day.year - 1, day.year + 3) for first, month in USUAL_HALVES]


@lru_cache(maxsize=8)
def _bank_holidays(nation: str) -> HolidayBase:
    import holidays  # only when a day is asked about: a start need not wait for it

    return holidays.country_holidays("GB", subdiv=NATIONS[nation])


def bank_holiday(day: date, nation: str = "england") -> str:
    """The name of the bank holiday on this day; empty where it is none."""
    return str(_bank_holidays(nation).get(day) or "")


async def load_calendar(tx: Tx, nation: str = "england") -> Calendar:
    rows = await tx.all(select(calendar).order_by(calendar.c.id))
    found = (Stretch(r.kind, date.fromisoformat(r.first), date.fromisoformat(r.last), r.name) for r in rows)
    return Calendar(tuple(found), nation)


async def save_calendar(tx: Tx, stretches: Sequence[Stretch] | Iterable[Stretch]) -> None:
    """The calendar from now on; the one before is forgotten."""
    await tx.run(delete(calendar))
    rows = [(s.kind, s.first.isoformat(), s.last.isoformat(), s.name) for s in stretches]
    names = ("kind", "first", "last", "name")
    await tx.run(insert(calendar), [dict(zip(names, row, strict=True)) for row in rows])
