"""The safeguarding ladder (SAFE-5): DSL, deputy, head; each has 15 minutes of office hours to tap.

Inside office hours (on days when somebody is in, by the school's calendar) the first is alerted at once and the next
after each quarter of an hour without a tap; after the last it begins again, until somebody taps. In a half term or a
holiday the same goes on usual weekdays (scheduler/alert_hours.py). Outside, those who chose so are alerted at once and
nothing climbs: the ladder starts with the next such hours. Somebody who cannot be reached, is away or has not joined is
no rung at all: the next one's turn comes at once, at any hour. An item about somebody never goes to them (SAFE-7).

Every step is written in one transaction with the letter it causes, so a crash repeats a step or does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from conversations.roles import ROUTED_TO
from data.alerts import (
    Alert,
    alerts_due,
    asked_last,
    duty_of,
    find_alert,
    move_alert,
    note_step,
    open_alerts,
    start_alert,
    steps_of,
)
from data.calendar import load_calendar
from data.database import Database, Tx, read_fact, write_fact
from data.outbox import ALERT, post
from data.people import can_be_reached, find_person, people_with_role
from data.queue import Item, find_item, mark_reached
from data.school import School
from scheduler.alert_hours import next_alert_hours, takes_alerts

RUNGS = ("dsl", "deputy", "head")
STAND_INS = ("chair", "senco")  # for all the others, at any hour
PATIENCE = timedelta(minutes=15)
TESTED = "test-alert"  # the fact that holds the month of the last test


def rungs_for(about: Iterable[str]) -> tuple[str, ...]:
    """Whose turn comes in which order; where the item is about all of them the chair's, else the SENCO's."""
    named = set(about)
    left = tuple(role for role in RUNGS if role not in named)
    return left or tuple(role for role in STAND_INS if role not in named)[:1] or STAND_INS[:1]


async def raise_alert(tx: Tx, school: School, item: str, now: datetime) -> list[str]:
    """Start the ladder of a new urgent item with its first step; the roles alerted now, or when its hours begin."""
    await start_alert(tx, item, now)
    alert = await find_alert(tx, item)
    assert alert
    if await _climbs(tx, school, now):
        return await climb(tx, school, alert, now)
    return await _out_of_hours(tx, school, alert, now)


async def climb_due(db: Database, school: School, now: datetime) -> bool:
    """Take the steps that are due. Outside the hours for alerts they wait until these begin."""
    async with db.reading() as tx:
        if not await alerts_due(tx, now):
            return False
    async with db.transaction() as tx:
        for alert in await alerts_due(tx, now):
            if await _climbs(tx, school, now):
                await climb(tx, school, alert, now)
            else:
                await move_alert(tx, alert.item, alert.rung, await _climbs_next(tx, school, now))
    return True


async def is_open(tx: Tx, school: School, now: datetime) -> bool:
    """Whether somebody is in the office now, by its hours and the school's calendar (SAFE-5)."""
    return school.is_open(now, await load_calendar(tx, school.nation))


async def next_opening(tx: Tx, school: School, now: datetime) -> datetime:
    return school.next_opening(now, await load_calendar(tx, school.nation))


async def _climbs(tx: Tx, school: School, now: datetime) -> bool:
    return takes_alerts(now, school, await load_calendar(tx, school.nation))


async def _climbs_next(tx: Tx, school: School, now: datetime) -> datetime:
    return next_alert_hours(now, school, await load_calendar(tx, school.nation))


async def hurry(tx: Tx, school: School, now: datetime) -> None:
    """The calendar has changed: no alert waits longer than until its hours begin by the new one."""
    latest = now if await _climbs(tx, school, now) else await _climbs_next(tx, school, now)
    for alert in await open_alerts(tx):
        if alert.climb_at > latest + PATIENCE:
            await move_alert(tx, alert.item, alert.rung, latest)


async def climb(tx: Tx, school: School, alert: Alert, now: datetime) -> list[str]:
    """Alert the next rung that has somebody; rungs with nobody are noted and passed. The roles alerted."""
    rungs = rungs_for(alert.about)
    for turn in range(alert.rung, alert.rung + len(rungs)):
        role = rungs[turn % len(rungs)]
        if await _alert_role(tx, alert, role, await _here(tx, alert, role, now), now):
            await move_alert(tx, alert.item, turn + 1, await _next_step(tx, school, now))
            return [role]
    await move_alert(tx, alert.item, alert.rung, await _next_step(tx, school, now))
    return []


async def _next_step(tx: Tx, school: School, now: datetime) -> datetime:
    return now + PATIENCE if await _climbs(tx, school, now) else await _climbs_next(tx, school, now)


async def _alert_role(tx: Tx, alert: Alert, role: str, here: Sequence[str], now: datetime) -> bool:
    """Alert these people; whether one of them can be reached. For the others it waits on the page."""
    if not here:
        await note_step(tx, alert.item, now, "nobody", role)
        return False
    reached = [person for person in here if await _reachable(tx, alert, person, now)]
    await mark_reached(tx, alert.item, role)
    await post(tx, "alert", f"{alert.item}.{now:%Y%m%dT%H%M%S}", here, now, ALERT)
    for person in here:
        await note_step(tx, alert.item, now, "alerted" if person in reached else "blocked", role, person)
    return bool(reached)


async def _here(tx: Tx, alert: Alert, role: str, now: datetime) -> list[str]:
    """Those in this role who can take it now: not away, and neither its author nor one whom it is about."""
    item = await find_item(tx, alert.item)
    author = item.person if item else ""
    people = [person for person in await people_with_role(tx, role) if person != author]
    return [person for person in people if await _can_take(tx, alert, person, now)]


async def _can_take(tx: Tx, alert: Alert, person: str, now: datetime) -> bool:
    found = await find_person(tx, person)
    if found is None or found.roles & set(alert.about):
        return False
    return not (await duty_of(tx, person)).away(now)


async def _reachable(tx: Tx, alert: Alert, person: str, now: datetime) -> bool:
    """Whether messages reach this person, as far as is known; one that has just failed is not tried again at once."""
    steps = await steps_of(tx, alert.item)
    failed = any(s.person == person and s.what == "blocked" and now - s.at < PATIENCE for s in steps)
    return not failed and await can_be_reached(tx, person)


async def _out_of_hours(tx: Tx, school: School, alert: Alert, now: datetime) -> list[str]:
    """Those who are alerted at any hour, at once; the ladder itself begins with the next hours for alerts.

    Where nobody has chosen that and the safeguarding lead is not there to choose, the next one's turn comes at once.
    """
    alerted, asleep = [], False
    for role in rungs_for(alert.about):
        here = [p for p in await _here(tx, alert, role, now) if await _reachable(tx, alert, p, now)]
        awake = [p for p in here if await wants_any_hour(tx, school, role, p)]
        asleep = asleep or (role == RUNGS[0] and bool(here) and not awake)
        if awake and await _alert_role(tx, alert, role, awake, now):
            alerted.append(role)
    if alerted or asleep:
        await move_alert(tx, alert.item, 0, await _climbs_next(tx, school, now))
        return alerted or [RUNGS[0]]
    return await climb(tx, school, alert, now)


async def wants_any_hour(tx: Tx, school: School, role: str, person: str) -> bool:
    """What the person chose; else what the school did for the role. Who stands in for all others is always wanted."""
    chosen = (await duty_of(tx, person)).any_hour
    return chosen if chosen is not None else role in (*school.alerts_at_any_hour, *STAND_INS)


# --- who cannot take it -------------------------------------------------------------------------------------------


async def climb_past(tx: Tx, school: School, item: str, person: str, now: datetime) -> None:
    """This person cannot be reached: where nobody else was asked with them, the next one's turn comes at once."""
    steps = await steps_of(tx, item)
    mine = [s for s in steps if s.person == person]
    if not mine or mine[-1].what != "alerted":
        return
    await note_step(tx, item, now, "blocked", person=person)
    alert, asked = await find_alert(tx, item), asked_last(steps)
    if alert and asked == {person}:
        await climb(tx, school, replace(alert, rung=_turn_after(alert, mine[-1].role)), now)


def _turn_after(alert: Alert, role: str | None) -> int:
    """The next turn; where the ladder has not begun yet, the one after this role's."""
    rungs = rungs_for(alert.about)
    return alert.rung or (rungs.index(role) + 1 if role in rungs else 0)


async def hand_over(tx: Tx, school: School, person: str, now: datetime) -> None:
    """This person goes away: what waits for their tap goes to the next one at once."""
    for alert in await open_alerts(tx):
        await climb_past(tx, school, alert.item, person, now)


def item_of(ref: str) -> str:
    """The item that an alert letter's ref names."""
    return ref.partition(".")[0]


async def alert_routed(tx: Tx, item: Item, route: str, now: datetime) -> list[str]:
    """A reader sent it to the head or the chair: they are told at once. Ids of those who were; often one, or none."""
    role = ROUTED_TO.get(route)
    people = await people_with_role(tx, role) if role else []
    await post(tx, "routed", f"{item.id}.{now:%Y%m%dT%H%M%S}", people, now, ALERT)
    for person in people:
        await note_step(tx, item.id, now, "alerted", role, person)
    if role and not people:
        await note_step(tx, item.id, now, "nobody", role)
    return people


# --- the monthly test (SAFE-9) ------------------------------------------------------------------------------------


async def test_alert_due(db: Database, school: School, now: datetime) -> bool:
    """In the first office hours of a month, a test alert to everybody on the ladder; whether it was posted."""
    month = now.astimezone(school.zone).strftime("%Y-%m")
    async with db.reading() as tx:
        if await read_fact(tx, TESTED) == month.encode() or not await is_open(tx, school, now):
            return False
    async with db.transaction() as tx:
        await write_fact(tx, TESTED, month.encode())
        people = await people_with_role(tx, *RUNGS)
        await post(tx, "test-alert", f"test-{month}", people, now, ALERT)
        for person in people:
            await note_step(tx, f"test-{month}", now, "alerted", person=person)
    return True
