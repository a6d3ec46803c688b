"""What the school's calendar means today, for `yousaid calendar` and `yousaid doctor`."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.findings import LOOK, OK, Finding
from data.calendar import Calendar, bank_holiday, load_calendar
from data.database import Tx
from data.school import School

SOON = timedelta(weeks=6)
REMEDY = "yousaid calendar load FILE (docs/calendar.md)"
EVERY_WEEKDAY = "every weekday counts as a school day, except bank holidays"


async def look_at_calendar(tx: Tx, school: School, now: datetime) -> Finding:
    """Whether the bot knows when the school is shut: half terms and holidays come from the school alone."""
    calendar, today = await load_calendar(tx, school.nation), now.astimezone(school.zone).date()
    ends = calendar.ends_on()
    if ends is None:
        return Finding("calendar", LOOK, f"no terms are known: {EVERY_WEEKDAY}", REMEDY)
    if ends < today + SOON:
        return Finding("calendar", LOOK, f"it ends on {ends}; afterwards {EVERY_WEEKDAY}", REMEDY)
    return Finding("calendar", OK, f"to {ends}; {_today(calendar, today)}")


def calendar_words(calendar: Calendar, today: date) -> str:
    """What today is, and until when the calendar reaches."""
    ends = calendar.ends_on()
    reach = f"It reaches to {ends}" if ends else f"No terms are known: {EVERY_WEEKDAY}"
    return f"{reach}. {_today(calendar, today).capitalize()}."


def _today(calendar: Calendar, today: date) -> str:
    if calendar.may_write(today):
        return "today is a school day"
    found = calendar.on(today, "festival", "half-term", "inset", "holiday", "closed")
    why = bank_holiday(today, calendar.nation) or (found and (found.name or found.kind))
    return f"today the bot writes to nobody of its own accord ({why or 'no school'})"
