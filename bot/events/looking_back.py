"""Numbers about drop-ins and events for staff: sign-ups per time, and what a term was like (S3.3, S15; SUP-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from bot.errands.room_notes import themes
from bot.facts import House
from conversations.form import said
from conversations.suppression import CELL_LEAST, hide_few
from data.bookings import CANNOT, COMING, WAITING, bookings_for
from data.calendar import load_calendar
from data.database import Tx
from data.events import Occasion, occasions_between, occasions_of
from data.room_notes import themes_in


@dataclass(frozen=True)
class SignUps:
    """One time: how many heads have a place, how many families wait for one, and how many said that they cannot."""

    occasion: Occasion
    coming: int
    waiting: int
    cannot: int

    @property
    def nobody(self) -> bool:
        """Whether people were asked and nobody could make it."""
        return self.cannot > 0 and self.coming == 0 and self.waiting == 0


@dataclass(frozen=True)
class Term:
    """`percent_missed` of those who had booked; None where numbers are too small to be shown. `themes` by count.

    A theme's count is that of the times at which it was named; None: fewer than CELL_LEAST.
    """

    first: date
    held: int
    walked_in: int | None
    percent_missed: int | None
    themes: tuple[tuple[str, int | None], ...]


async def sign_ups(tx: Tx, occasion: Occasion) -> SignUps:
    """The numbers of one time."""
    coming = sum(b.heads for b in await bookings_for(tx, occasion.id, COMING))
    waiting, cannot = [len(await bookings_for(tx, occasion.id, state)) for state in (WAITING, CANNOT)]
    return SignUps(occasion, coming, waiting, cannot)


async def sign_ups_of(tx: Tx, event: str) -> list[SignUps]:
    """Those of all times of an event that are not off, soonest first."""
    return [await sign_ups(tx, o) for o in await occasions_of(tx, event) if not o.off]


async def term_so_far(tx: Tx, house: House, language: str, now: datetime) -> Term:
    """The term of today, as far as its drop-ins and events are over."""
    school = house.school
    first = (await load_calendar(tx, school.nation)).term(now.astimezone(school.zone).date())[0]
    begin = datetime.combine(first, time(), school.zone)
    over = [o for o in await occasions_between(tx, begin, now) if not o.off and o.ends_at <= now]
    walked = sum(o.walked_in or 0 for o in over)
    named = await _themes(tx, language, over)
    return Term(first, len(over), walked if walked == 0 or walked >= CELL_LEAST else None, _missed(over), named)


def _missed(over: list[Occasion]) -> int | None:
    """In percent; None where few booked, or so few came or missed it that it would point at somebody."""
    line = {"came": sum(o.came or 0 for o in over), "missed": sum(o.missed or 0 for o in over)}
    hidden = hide_few(line, CELL_LEAST, 0)
    if hidden is None or hidden[0] or sum(line.values()) < CELL_LEAST:
        return None
    return round(100 * line["missed"] / sum(line.values()))


async def _themes(tx: Tx, language: str, over: list[Occasion]) -> tuple[tuple[str, int | None], ...]:
    counts = await themes_in(tx, (o.id for o in over))
    named = [(said(choice.label, language), counts[choice.id]) for choice in themes() if counts[choice.id]]
    ordered = sorted(named, key=lambda row: (-row[1] if row[1] >= CELL_LEAST else 0, row[0]))
    return tuple((label, n if n >= CELL_LEAST else None) for label, n in ordered)
