"""Two years of random calendars and both clock changes: nothing outside the window, nothing twice, nothing skipped.

The rules are worked out here once more from their words: on the last school day before at 16:00, and one hour before;
one outside the window moves to the window's end before it, and is dropped where it is the same as the first.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from conversations.channel import Message
from data.bookings import COMING, Booking, book
from data.calendar import NO_SCHOOL, Calendar, Stretch, bank_holiday, save_calendar
from data.delivery import deliveries_about
from data.events import add_event, find_occasion, new_event, new_occasion
from data.forms import add_form
from data.moments import new_id
from data.outbox import outbox_counts
from data.pauses import pause_of, set_pause
from data.people import add_address, find_group, person_at, set_stopped
from data.school import check_school
from data.sendings import Planned, add_sending, coming_sendings
from data.surveys import find_survey
from scheduler.due import remind_due
from scheduler.plan import LAST_MINUTES, may_send_at, nudge_time, reminder_times
from scheduler.sending import Sender, send_due
from tests.school import ELMFIELD, Clock, School, opened
from tests.test_privacy_modes import ROOM, room

LONDON = ZoneInfo("Europe/London")
FIRST = date(2026, 9, 1)
OPENS, CLOSES = time(8), time(18)
WINDOW = "08:00-18:00 school days"
SCHOOL = check_school(ELMFIELD | {"send_window": WINDOW}, "school.yaml")


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Six terms in two years with half terms between, single days of all kinds; or none at all."""
    if draw(st.integers(0, 7)) == 0:
        return Calendar()
    found: list[Stretch] = []
    begins = FIRST
    for _ in range(6):
        ends = begins + timedelta(days=draw(st.integers(60, 105)))
        half = begins + timedelta(days=draw(st.integers(25, 45)))
        found += [Stretch("term", begins, ends), Stretch("half-term", half, half + timedelta(days=4))]
        begins = ends + timedelta(days=draw(st.integers(10, 45)))
    for _ in range(draw(st.integers(0, 8))):
        day = FIRST + timedelta(days=draw(st.integers(0, 730)))
        length = timedelta(days=draw(st.integers(0, 3)))
        found.append(Stretch(draw(st.sampled_from(["inset", "festival", "exams", "closed"])), day, day + length))
    return Calendar(tuple(found))


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Any quarter of an hour; the days around both clock changes more often."""
    changes = [date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31), date(2028, 3, 26)]
    near = [day + timedelta(days=n) for day in changes for n in range(-3, 4)]
    day = draw(st.one_of(st.sampled_from(near), st.dates(FIRST, date(2028, 8, 31))))
    minutes = draw(st.integers(0, 95)) * 15
    return datetime.combine(day, time(minutes // 60, minutes % 60), LONDON).astimezone(UTC)


def may_write(day: date, calendar: Calendar) -> bool:
    """6.9 in its own words: a school day, and none of the school's festivals."""
    shut = [s for s in calendar.stretches if s.kind in (*NO_SCHOOL, "festival") and s.first <= day <= s.last]
    return day.weekday() < 5 and not bank_holiday(day) and not shut and calendar.is_school_day(day)


def in_window(at: datetime, calendar: Calendar) -> bool:
    local = at.astimezone(LONDON)
    return may_write(local.date(), calendar) and OPENS <= local.time() < CLOSES


@settings(max_examples=300, deadline=None)
@given(calendars(), moments())
def test_the_window_opens_at_the_next_minute_it_may(calendar: Calendar, now: datetime) -> None:
    """6.9: never outside, and no school day is passed over."""
    at = may_send_at(now, SCHOOL, calendar)
    assert at >= now
    if at == now:
        assert in_window(now, calendar)
    elif at < now + timedelta(days=366):
        local = at.astimezone(LONDON)
        assert in_window(at, calendar)
        assert local.time() == OPENS
        between = [now.astimezone(LONDON).date() + timedelta(days=n) for n in range((local.date() - FIRST).days)]
        passed = [d for d in between if d < local.date() and may_write(d, calendar)]
        assert all(datetime.combine(d, OPENS, LONDON) <= now for d in passed)


@settings(max_examples=300, deadline=None)
@given(calendars(), moments())
def test_reminders_are_in_the_window_and_in_time(calendar: Calendar, starts: datetime) -> None:
    """The issue's rule; across the clock changes too: 16:00 is 16:00 on the wall."""
    first, hour = reminder_times(starts, SCHOOL, calendar)
    day = starts.astimezone(LONDON).date()
    earlier = [day - timedelta(days=n) for n in range(1, 365)]
    last_day = next((d for d in earlier if may_write(d, calendar)), None)
    assert last_day is not None
    assert first == datetime.combine(last_day, time(16), LONDON)
    wanted = starts - timedelta(hours=1)
    if in_window(wanted, calendar):
        assert hour == wanted
        return
    days = [day - timedelta(days=n) for n in range(365)]
    ends = [datetime.combine(d, CLOSES, LONDON) for d in days if may_write(d, calendar)]
    end = next(at for at in ends if at.astimezone(UTC) <= wanted) - LAST_MINUTES
    assert hour == (end if end > first else None)
    assert hour is None or (in_window(hour, calendar) and hour < starts)


@settings(max_examples=200, deadline=None)
@given(calendars(), moments(), st.integers(0, 40))
def test_a_consultation_is_reminded_of_three_school_days_before(
    calendar: Calendar, opened_at: datetime, n: int
) -> None:
    """6.9: at 16:00; none where it is open for fewer than four school days."""
    first = opened_at.astimezone(LONDON).date()
    closes_at = datetime.combine(first + timedelta(days=n), CLOSES, LONDON)
    at = nudge_time(opened_at, closes_at, SCHOOL, calendar)
    days = [d for d in (first + timedelta(days=i) for i in range(n)) if may_write(d, calendar)]
    if len(days) < 4:
        assert at is None
    else:
        assert at == datetime.combine(days[-3], time(16), LONDON)
        assert opened_at < at < closes_at


class Phones:
    """The network edge: what was sent when."""

    name = "telegram"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.got: list[datetime] = []

    async def send(self, address: str, message: Message) -> None:
        self.got.append(self.clock.now)


@settings(max_examples=12, deadline=None)
@given(calendars(), moments(), st.lists(st.integers(0, 60), max_size=2))
@example(Calendar((), "england"), datetime(2027, 3, 26, tzinfo=UTC), [25])  # back an hour before it, outside the window
def test_each_reminder_goes_once_or_is_dropped_for_a_reason(
    calendar: Calendar, starts: datetime, off: list[int]
) -> None:
    """Must hold of the issue: also with the bot off for a day here and there; nothing about what is past."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_played(Path(folder), calendar, starts, off))


async def _played(folder: Path, calendar: Calendar, starts: datetime, off: list[int]) -> None:
    """The hours before an event, one by one; `off` are hours before it from which the bot is off for 24 hours."""
    first, hour = reminder_times(starts, SCHOOL, calendar)
    clock = Clock(first - timedelta(hours=2))
    async with opened(folder, clock, send_window=WINDOW) as school:
        phones = Phones(clock)
        occasion = await _dropin(school, calendar, starts, first, hour)
        near = (first, hour or first, starts, *(starts - timedelta(hours=h - 24) for h in off))  # and when it is back
        times = {at + timedelta(hours=n) for at in near for n in (-2, 0, 1, 15, 24)}
        dark = [(starts - timedelta(hours=h), starts - timedelta(hours=h - 24)) for h in off]
        sender = Sender(school.db, SCHOOL, school.letters.compose, {"telegram": phones}, school.owner)
        for at in sorted(times):
            if not any(begin <= at < end for begin, end in dark):
                clock.set(at)
                await remind_due(school.db, at)
                await send_due(sender, at)
        assert all(in_window(at, calendar) and at < starts for at in phones.got)
        wanted = {first} | ({hour} if hour else set())
        assert len(phones.got) <= len(wanted)
        if not dark:
            assert set(phones.got) == wanted
        async with school.db.reading() as tx:
            found, counts = await find_occasion(tx, occasion), await outbox_counts(tx)
        assert found
        assert counts.get("waiting", 0) == counts.get("failed", 0) == 0 or clock.now < starts
        assert counts.get("sent", 0) == len(phones.got)


async def _dropin(school: School, calendar: Calendar, starts: datetime, first: datetime, hour: datetime | None) -> str:
    """A drop-in that one family has booked with both reminders; its id."""
    person = await school.person("parent")
    async with school.db.transaction() as tx:
        await save_calendar(tx, calendar.stretches)
        await add_address(tx, person, "telegram", "phone")
        group = await find_group(tx, "SEND parents") or ""
        event = new_event("dropin", group, place="Library", made_at=first - timedelta(days=1))
        times = {"first_at": first, "hour_at": hour, "hour_done": hour is None}
        occasion = new_occasion(event, starts, starts + timedelta(hours=1), **times)
        await add_event(tx, event, [occasion])
        await book(tx, occasion, Booking(new_id(), occasion.id, person, COMING, made_at=school.clock.now))
    return occasion.id


# --- questions, their reminder, pauses and STOP -------------------------------------------------------------------

SAYS = {"has 3 questions": "invitation", "Your questions wait": "nudge", "questions have closed": "told"}


class Mailboxes(Phones):
    """The same, apart for each person and kind of letter."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.by: dict[tuple[str, str], list[datetime]] = {}

    async def send(self, address: str, message: Message) -> None:
        await super().send(address, message)
        kind = next((kind for words, kind in SAYS.items() if words in message.text), "other")
        self.by.setdefault((kind, address), []).append(self.clock.now)

    def of(self, kind: str) -> dict[str, list[datetime]]:
        return {address: times for (its, address), times in self.by.items() if its == kind}


@settings(max_examples=4, deadline=None)
@given(calendars(), moments(), st.integers(2, 25), st.sets(st.integers(0, 30), max_size=2))
def test_planned_questions_and_their_reminder_go_once_and_only_in_the_window(
    calendar: Calendar, planned_for: datetime, days: int, off: set[int]
) -> None:
    """Must hold of the issue for /send on a day, nudges, pauses and STOP; on the days `off` the bot is off."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_asked(Path(folder), calendar, planned_for, days, off))


async def _asked(folder: Path, calendar: Calendar, planned_for: datetime, days: int, off: set[int]) -> None:
    """Planned the day before it goes; each day is played at the hours at which something could go."""
    clock = Clock(planned_for - timedelta(days=1))
    closes = planned_for.astimezone(LONDON).date() + timedelta(days=days)
    async with opened(folder, clock, send_window=WINDOW) as school:
        phones = Mailboxes(clock)
        await _families(school, calendar)
        await _plan(school, planned_for, closes)
        hours = list(_hours(planned_for, days + 12, off))
        for at in hours:
            clock.set(at)
            await school.rounds({"telegram": phones})
            await _happens(school, phones, at - planned_for)
        _in_time(phones, calendar, planned_for)
        await _complete(school, phones, calendar, hours)


def _hours(begin: datetime, days: int, off: set[int]) -> list[datetime]:
    """Four times of each day on which the bot is on, on the wall."""
    first = begin.astimezone(LONDON).date()
    on = [first + timedelta(days=n) for n in range(days) if n not in off]
    times = [datetime.combine(day, at, LONDON) for day in on for at in (OPENS, time(12), time(16), time(17, 50))]
    return [at.astimezone(UTC) for at in times if at >= begin]


async def _families(school: School, calendar: Calendar) -> None:
    """One of each kind: they answer at once, stop after a day, are paused after a day, or do nothing."""
    await school.readers()
    async with school.db.transaction() as tx:
        await save_calendar(tx, calendar.stretches)
        await add_form(tx, room("CONF"), ROOM)
    for who in ("answers", "stops", "pauses", "waits"):
        person = await school.person("parent")
        async with school.db.transaction() as tx:
            await add_address(tx, person, "telegram", who)


async def _plan(school: School, at: datetime, closes: date) -> None:
    senco = await school.person("senco")
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        days = (closes, closes + timedelta(days=14))
        await add_sending(tx, Planned(new_id(), "calm-room", group, "the room", "Mrs Ahmed", *days, at, senco))


async def _happens(school: School, phones: Mailboxes, since: timedelta) -> None:
    async with school.db.transaction() as tx:
        people = {who: await person_at(tx, "telegram", who) for who in ("answers", "stops", "pauses")}
        stops, pauses = people["stops"], people["pauses"]
        assert stops
        assert pauses
        if since >= timedelta(days=1) and not stops.stopped:
            await set_stopped(tx, stops.id, True, school.clock.now)
        if since >= timedelta(days=1) and await pause_of(tx, pauses.id, school.clock.now) is None:
            await set_pause(tx, pauses.id, "other", None, "", school.clock.now)
    answers = people["answers"]
    if answers and phones.by.pop(("invitation", "answers"), None):
        phones.by["done", "answers"] = [school.clock.now]
        talk = school.on(answers.id, "telegram")
        talk.reply = await talk.forges("o=calm-room-1")
        await talk.taps("Yes, start", "Skip", "Skip", "Skip", "Send my answers")


def _in_time(phones: Mailboxes, calendar: Calendar, planned_for: datetime) -> None:
    """6.9: in the window, once; nothing after a STOP or in a pause."""
    assert all(in_window(at, calendar) and at >= planned_for for at in phones.got)
    assert all(len(times) == 1 for times in phones.by.values())
    day = planned_for + timedelta(days=1, hours=18)  # what happens at the end of an hour counts from the next on
    silent = [at for (_, who), times in phones.by.items() if who in ("stops", "pauses") for at in times]
    assert all(at < day for at in silent)


async def _complete(school: School, phones: Mailboxes, calendar: Calendar, hours: list[datetime]) -> None:
    """Nothing skipped: what went is in the report, with what did not go and why; what was refused is told."""
    async with school.db.reading() as tx:
        survey, letters = await find_survey(tx, "calm-room-1"), await deliveries_about(tx, "calm-room-1")
        coming = await coming_sendings(tx)
    may = [at for at in hours if in_window(at, calendar)]
    if survey is None:
        assert not phones.by
        assert bool(coming) == (not may)  # it waits for the window; else it was refused: closed before it went
        return
    sent = {d.kind: d for d in letters}
    assert sent["invitation"].letters == survey.asked == 4
    opened_at = may[0]
    assert phones.by.get(("invitation", "waits")) in ([opened_at], None)
    assert sent["invitation"].sent + sent["invitation"].stopped + sent["invitation"].over >= 2
    nudge = nudge_time(opened_at, survey.closes_at, SCHOOL, calendar)
    late = [at for at in may if nudge and nudge <= at < survey.closes_at]
    assert phones.by.get(("nudge", "waits")) == ([late[0]] if late else None)
    assert ("nudge", "answers") not in phones.by
    assert not any(d.failed for d in letters)
