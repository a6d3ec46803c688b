"""An event made: its times with their reminders, the row in the log, and the one message to those it is for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from data.audit import note
from data.calendar import Calendar, load_calendar
from data.database import Tx
from data.events import Event, Occasion, add_event, new_occasion
from data.outbox import post
from data.people import members
from data.school import School
from data.wishes import who_wishes
from scheduler.plan import reminder_times

Times = Sequence[tuple[datetime, datetime]]  # begins, ends


async def make(
    tx: Tx, school: School, event: Event, times: Times, now: datetime, by: str | None, announce: bool = True
) -> list[Occasion]:
    """The event with its times, in this transaction. Drop-ins stand in /dropins; all else is announced once (6.9).

    `by` is who made it, for the audit log. Without `announce`, whoever calls this tells people.
    """
    calendar = await load_calendar(tx, school.nation)
    made = [with_reminders(new_occasion(event, *time), school, calendar, now) for time in times]
    await note(tx, f"{word(event)}.made", event.group, now, by)
    await add_event(tx, event, made)
    if announce:
        await tell_hosts(tx, made[0], [event.host], by, now)
    if announce and event.kind != "dropin":
        await post(tx, "event", event.id, await hearers(tx, event), now)
    return made


async def tell_hosts(tx: Tx, occasion: Occasion, hosts: Iterable[str | None], by: str | None, now: datetime) -> None:
    """Whoever leads it from now on, or does no more, hears of it once; not whoever did that themselves."""
    await post(tx, "host-changed", occasion.ref, [host for host in hosts if host and host != by], now)


def word(event: Event) -> str:
    """What the log and the rights call it: dropin or event."""
    return "dropin" if event.kind == "dropin" else "event"


async def hearers(tx: Tx, event: Event) -> list[str]:
    """Who is told of it: the group; of charity and wellbeing those of it who chose to hear of them (MSG-2)."""
    return await (who_wishes(tx, event.group, event.kind) if event.opted else members(tx, event.group))


def with_reminders(occasion: Occasion, school: School, calendar: Calendar, now: datetime) -> Occasion:
    """The occasion with the times of its reminders: a first one that is late goes at once, a second one not at all."""
    first, hour = reminder_times(occasion.starts_at, school, calendar)
    return replace(occasion, first_at=first, hour_at=hour, hour_done=hour is None or hour <= now)
