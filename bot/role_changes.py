"""A role given or taken by somebody else, or all access ended: browsers, menus, and alerts that waited for them.

`by` is who did it, for the audit log: a person's id, COMMAND_LINE, or None for the program itself.
"""

from __future__ import annotations

from datetime import datetime

from data.access import cut_access, take_role
from data.audit import note
from data.database import Tx
from data.moments import stamp
from data.outbox import post
from data.people import add_role
from data.school import load_school
from data.sessions import lock_sessions
from scheduler.ladder import RUNGS, hand_over


async def grant_role(tx: Tx, person: str, role: str, now: datetime, by: str | None = None) -> bool:
    """Give it, lock their browsers until they open them again, and tell them; whether it is new."""
    new = await add_role(tx, person, role)
    if new:
        await note(tx, "role.given", person, now, by, role=role)
        await lock_sessions(tx, person, now)
        await _tell(tx, person, role, now)
    return new


async def take_role_away(tx: Tx, person: str, role: str, now: datetime, by: str | None = None) -> bool:
    """Take it, sign their browsers out, and tell them; alerts that wait for them go on. Whether they held it."""
    held, school = await take_role(tx, person, role, now), await load_school(tx)
    if held:
        await note(tx, "role.taken", person, now, by, role=role)
        if school and role in RUNGS:
            await hand_over(tx, school, person, now)
        await _tell(tx, person, role, now)
    return held


async def end_access(tx: Tx, person: str, now: datetime, by: str | None = None, reason: str = "") -> None:
    """No chat, page, link or code of theirs opens anything from now on (PR-2); alerts that wait for them go on."""
    await note(tx, "access.ended", person, now, by, reason=reason)
    await cut_access(tx, person, now)
    school = await load_school(tx)
    if school:
        await hand_over(tx, school, person, now)


async def _tell(tx: Tx, person: str, role: str, now: datetime) -> None:
    await post(tx, "role", f"{role}:{stamp(now)}", [person], now)
