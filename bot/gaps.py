"""Who of those that must be alerted cannot be: not joined, away, or out of reach (SAFE-5, SAFE-9)."""

from __future__ import annotations

from datetime import datetime

from bot.facts import House
from conversations.texts import day_and_date
from data.alerts import duty_of
from data.database import Tx
from data.people import Person, can_be_reached, people_with_role
from scheduler.ladder import RUNGS


async def gaps(tx: Tx, house: House, language: str, now: datetime) -> list[str]:
    """A line for each of DSL, deputy, head and chair who has not joined, is away or cannot be reached (SAFE-9)."""
    found = [await gap(tx, house, language, role, now) for role in (*RUNGS, "chair")]
    return [line for line in found if line]


async def gap(tx: Tx, house: House, language: str, role: str, now: datetime) -> str:
    """What keeps alerts from this role; "" where somebody in it gets them."""
    holders = await people_with_role(tx, role)
    states = [await _state(tx, person, house, language, now) for person in holders]
    if "" in states:
        return ""
    who = f"{house.staff_names[role]} ({house.say(language, f'role.{role}')})"
    return states[0].format(who=who) if states else house.say(language, "staff.gap-not-joined", who=who)


async def roles_left_empty(tx: Tx, person: Person) -> list[str]:
    """The roles of those who are called that nobody would hold if this person went."""
    mine = [role for role in (*RUNGS, "chair") if role in person.roles]
    return [role for role in mine if await people_with_role(tx, role) == [person.id]]


async def _state(tx: Tx, person: str, house: House, language: str, now: datetime) -> str:
    duty = await duty_of(tx, person)
    if duty.away_until and duty.away(now):
        back = day_and_date(duty.away_until.astimezone(house.school.zone).date(), language)
        return house.say(language, "staff.gap-away", who="{who}", date=back)
    if not await can_be_reached(tx, person):
        return house.say(language, "staff.gap-unreachable", who="{who}")
    return ""
