"""A role given or taken by somebody else: the role itself, their browsers, and a letter that renews their menu."""

from __future__ import annotations

from datetime import datetime

from data.access import take_role
from data.database import Tx
from data.moments import stamp
from data.outbox import post
from data.people import add_role
from data.school import load_school
from data.sessions import lock_sessions
from scheduler.ladder import RUNGS, hand_over


async def grant_role(tx: Tx, person: str, role: str, now: datetime) -> bool:
    """Give it, lock their browsers until they open them again, and tell them; whether it is new."""
    new = await add_role(tx, person, role)
    if new:
        await lock_sessions(tx, person, now)
        await _tell(tx, person, role, now)
    return new


async def take_role_away(tx: Tx, person: str, role: str, now: datetime) -> bool:
    """Take it, sign their browsers out, and tell them; alerts that wait for them go on. Whether they held it."""
    held, school = await take_role(tx, person, role), await load_school(tx)
    if held:
        if school and role in RUNGS:
            await hand_over(tx, school, person, now)
        await _tell(tx, person, role, now)
    return held


async def _tell(tx: Tx, person: str, role: str, now: datetime) -> None:
    await post(tx, "role", f"{role}:{stamp(now)}", [person], now)
