"""When next: closing times, reminders, reading times, the window for sending. Pure; local time goes in and out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from data.calendar import Calendar
from data.school import ALWAYS, School, parse_window

CLOSES_AT = time(18)  # of the closing date, so that people can answer on it and hear at a civil hour
REMINDS_AT = time(16)  # of the last school day before
LAST_MINUTES = timedelta(minutes=15)  # of the window: what is moved there has time to go out
KEEPS_AT = time(3)  # of every night: what was kept long enough is deleted
READING_TIMES = (time(8), time(15))  # on weekdays: when words that nothing flagged reach their readers (SAFE-12)
OPEN_FOR = timedelta(days=14)
ANSWERS_AFTER = timedelta(days=14)


def closing_time(day: date, zone: ZoneInfo) -> datetime:
    """When a survey with this closing date closes."""
    return datetime.combine(day, CLOSES_AT, zone)


def reminder_times(starts_at: datetime, school: School, calendar: Calendar) -> tuple[datetime, datetime | None]:
    """When to remind of something that begins then: on the last school day before at 16:00, and an hour before.

    A time outside the window moves to the window's last minutes before it; the second is None where that leaves
    nothing between it and the first.
    """
    day = calendar.school_day_before(starts_at.astimezone(school.zone).date())
    first = _inside(datetime.combine(day, REMINDS_AT, school.zone), school, calendar)
    hour = _inside(starts_at - timedelta(hours=1), school, calendar)
    return first, hour if hour > first else None


def nudge_time(opened_at: datetime, closes_at: datetime, school: School, calendar: Calendar) -> datetime | None:
    """When to remind of a consultation: three school days before it closes, at 16:00 (6.9).

    None where it is open for less than four school days: then the invitation is enough.
    """
    opened, closes = (at.astimezone(school.zone).date() for at in (opened_at, closes_at))
    days = [opened + timedelta(days=n) for n in range((closes - opened).days)]
    written = [day for day in days if calendar.may_write(day)]
    if len(written) < 4:
        return None
    at = _inside(datetime.combine(written[-3], REMINDS_AT, school.zone), school, calendar)
    return at if at > opened_at else None


def _inside(at: datetime, school: School, calendar: Calendar) -> datetime:
    """This time where messages may go out then, else the last minutes before it in which they may."""
    if may_send_at(at, school, calendar) == at:
        return at
    opens, closes = parse_window(school.send_window)
    local = at.astimezone(school.zone)
    today = calendar.may_write(local.date()) and local.time() >= closes
    day = local.date() if today else calendar.school_day_before(local.date())
    end = datetime.combine(day, closes, school.zone).astimezone(UTC) - LAST_MINUTES
    return max(end, datetime.combine(day, opens, school.zone)).astimezone(school.zone)


def last_reading_time(now: datetime, zone: ZoneInfo) -> datetime:
    """The latest reading time that is not after `now`."""
    local = now.astimezone(zone)
    for ago in range(8):
        day = local.date() - timedelta(days=ago)
        for at in reversed(READING_TIMES):
            reading = datetime.combine(day, at, zone)
            if day.weekday() < 5 and reading <= local:
                return reading
    raise AssertionError("a week has weekdays")


def last_keeping_time(now: datetime, zone: ZoneInfo) -> datetime:
    """The latest 03:00 local time that is not after `now`."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), KEEPS_AT, zone)
    return today if today <= local else datetime.combine(local.date() - timedelta(days=1), KEEPS_AT, zone)


def one_school_day_after(at: datetime, school: School, calendar: Calendar) -> datetime:
    """When one school day's office hours have passed: Friday 15:30 -> Monday 15:30, 17:59 -> Monday's closing."""
    opens = school.next_opening(at, calendar)  # of the next day too where the office is open now
    if not school.is_open(at, calendar):
        return datetime.combine(opens.date(), school.hours.closes, school.zone)
    return datetime.combine(opens.date(), at.astimezone(school.zone).time(), school.zone)


def may_send_at(now: datetime, school: School, calendar: Calendar) -> datetime:
    """`now` if messages may go out, else the next minute at which they may."""
    if school.send_window == ALWAYS:
        return now
    opens, closes = parse_window(school.send_window)
    local = now.astimezone(school.zone)
    if calendar.may_write(local.date()) and opens <= local.time() < closes:
        return now
    days = (local.date() + timedelta(days=n) for n in range(366))
    openings = (datetime.combine(day, opens, school.zone) for day in days if calendar.may_write(day))
    return next((at for at in openings if at > local), now + timedelta(days=366))
