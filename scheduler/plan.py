"""When next: closing times, reminders, reading times, the window for sending. Pure; local time goes in and out."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from data.school import ALWAYS, School, parse_window

CLOSES_AT = time(18)  # of the closing date, so that people can answer on it and hear at a civil hour
REMINDS_AT = time(16)  # of the day before
KEEPS_AT = time(3)  # of every night: what was kept long enough is deleted
READING_TIMES = (time(8), time(15))  # on weekdays: when words that nothing flagged reach their readers (SAFE-12)
OPEN_FOR = timedelta(days=14)
ANSWERS_AFTER = timedelta(days=14)


def closing_time(day: date, zone: ZoneInfo) -> datetime:
    """When a survey with this closing date closes."""
    return datetime.combine(day, CLOSES_AT, zone)


def reminder_time(starts_at: datetime, zone: ZoneInfo) -> datetime:
    """16:00 local time on the day before."""
    return datetime.combine(starts_at.astimezone(zone).date() - timedelta(days=1), REMINDS_AT, zone)


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


def one_school_day_after(at: datetime, school: School) -> datetime:
    """When one school day's office hours have passed: Friday 15:30 -> Monday 15:30, 17:59 -> Monday's closing."""
    zone, days = school.zone, school.hours.days
    if not school.is_open(at):
        return datetime.combine(school.next_opening(at).date(), school.hours.closes, zone)
    local = at.astimezone(zone)
    ahead = next(n for n in range(1, 8) if (local.weekday() + n) % 7 in days)
    return datetime.combine(local.date() + timedelta(days=ahead), local.time(), zone)


def may_send_at(now: datetime, window: str, zone: ZoneInfo) -> datetime:
    """`now` if messages may go out, else the next minute at which they may."""
    if window == ALWAYS:
        return now
    opens, closes = parse_window(window)
    local = now.astimezone(zone)
    if local.weekday() < 5 and opens <= local.time() < closes:
        return now
    for ahead in range(8):
        day = local.date() + timedelta(days=ahead)
        opening = datetime.combine(day, opens, zone)
        if day.weekday() < 5 and opening > local:
            return opening
    raise AssertionError("a week has weekdays")
