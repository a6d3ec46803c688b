"""When alerts climb (SAFE-5): in office hours; and in a long break on its weekdays too, for nothing may wait six weeks.

A weekend, a bank holiday weekend or a single day off waits for the next opening, as whoever chose "school hours only"
expects. A half term or a holiday does not: there the hours of a usual weekday count, except on bank holidays.
"""

from __future__ import annotations

from datetime import date, datetime

from data.calendar import DAY, Calendar, bank_holiday
from data.school import School

LONG = 4  # days shut in a row that may pass in silence: Good Friday to Easter Monday


def takes_alerts(now: datetime, school: School, calendar: Calendar) -> bool:
    """Whether the next person is alerted now who wants alerts in school hours only."""
    local = now.astimezone(school.zone)
    return school.hours.opens <= local.time() < school.hours.closes and _counts(local.date(), school, calendar)


def next_alert_hours(now: datetime, school: School, calendar: Calendar) -> datetime:
    """When that begins next; it is no later than the next opening of the office."""
    local = now.astimezone(school.zone)
    days = (local.date() + n * DAY for n in range(366))
    openings = (
        datetime.combine(day, school.hours.opens, school.zone) for day in days if _counts(day, school, calendar)
    )
    return next((at for at in openings if at > local), None) or school.next_opening(now, calendar)


def _counts(day: date, school: School, calendar: Calendar) -> bool:
    if school.works_on(day, calendar):
        return True
    usual = day.weekday() in school.hours.days and not bank_holiday(day, school.nation)
    return usual and _is_long(day, school, calendar)


def _is_long(day: date, school: School, calendar: Calendar) -> bool:
    """Whether the office stays shut for more than LONG days in a row around this one."""
    shut = 1
    for step in (-DAY, DAY):
        other = day + step
        while shut <= LONG and not school.works_on(other, calendar):
            shut, other = shut + 1, other + step
    return shut > LONG
