"""/people/staff: who works here with which roles, roles that wait for a yes, and what a colleague may change."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.approving import approve, deny, may_decide
from bot.role_changes import end_access, grant_role, take_role_away
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import acting, looking, to
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from bot.who_joined import Colleague, colleagues
from conversations.roles import STAFF_ROLES
from data.access import end_sessions
from data.audit import note
from data.codes import Slip, find_waiting, waiting_slips
from data.database import Tx
from data.factors import remove_factor
from data.looks import note_look
from data.people import Person, find_person

ACTION = "invite-staff"


@dataclass(frozen=True)
class Waiting:
    """A role that waits for a yes. `mine`: this visitor made or used its code, so somebody else decides."""

    ref: str = field(repr=False)
    role: str
    label: str = field(repr=False)
    maker: str = field(repr=False)
    used: bool
    mine: bool


async def show(request: Request) -> Response:
    """Everybody who works here."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        await note_look(tx, visitor.person.id, "labels", "staff", "", web.now)
        found = await colleagues(tx)
        waiting = [await _waiting(tx, web, visitor, slip) for slip in await waiting_slips(tx, web.now)]
    return draw_for(request, visitor, "staff.html", people=found, waiting=waiting, me=visitor.person.id)


async def _waiting(tx: Tx, web: WebChannel, visitor: Visitor, slip: Slip) -> Waiting:
    made = slip.invitation
    maker = await find_person(tx, made.made_by) if made.made_by else None
    mine = not may_decide(visitor.person, slip)
    return Waiting(slip.hash, made.role, made.label, maker.label if maker else "", slip.person is not None, mine)


async def decide(request: Request) -> Response:
    """A yes or a no to a role that waits."""
    web, let_in = web_of(request), await acting(request, ACTION, page="/people/staff")
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    async with web.db.transaction() as tx:
        slip = await find_waiting(tx, request.path_params["id"], web.now)
        if slip is None:
            return to(request, "/people/staff")
        if not may_decide(visitor.person, slip):
            raise HTTPException(403)
        if form.get("do") in ("yes", "no"):
            await (approve if form["do"] == "yes" else deny)(tx, slip, web.now, visitor.person.id)
    return to(request, "/people/staff")


# --- one colleague ------------------------------------------------------------------------------------------------


async def show_one(request: Request) -> Response:
    """One colleague, and what can be changed. Nobody changes their own."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        colleague = await _colleague(tx, request)
        await note_look(tx, visitor.person.id, "colleague", colleague.person.id, "", web.now)
    held = [role for role in STAFF_ROLES if role in colleague.person.roles]
    free = [role for role in STAFF_ROLES if role not in colleague.person.roles]
    own = colleague.person.id == visitor.person.id
    return draw_for(request, visitor, "colleague.html", who=colleague, held=held, free=free, own=own)


async def change(request: Request) -> Response:
    """A role given or taken, the second factor reset, browsers signed out, access cut."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    async with web.db.transaction() as tx:
        person = (await _colleague(tx, request)).person
        if person.id == visitor.person.id:
            raise HTTPException(403)
        await _changed(tx, web, visitor, person, form.get("do", ""), form.get("role", ""))
        after = await find_person(tx, person.id)
    still = after is not None and after.roles & set(STAFF_ROLES)
    return to(request, f"/people/staff/{person.id}" if still else "/people/staff")


async def _changed(tx: Tx, web: WebChannel, visitor: Visitor, person: Person, what: str, role: str) -> None:
    me = visitor.person.id
    if what in ("give", "take") and role in STAFF_ROLES:
        await (grant_role if what == "give" else take_role_away)(tx, person.id, role, web.now, me)
    elif what == "reset":
        await note(tx, "factor.reset", person.id, web.now, me)
        await remove_factor(tx, person.id)
        await end_sessions(tx, person.id)
    elif what == "sign-out":
        await note(tx, "signed-out", person.id, web.now, me)
        await end_sessions(tx, person.id)
    elif what == "cut":
        await end_access(tx, person.id, web.now, me)


async def _colleague(tx: Tx, request: Request) -> Colleague:
    found = next((c for c in await colleagues(tx) if c.person.id == request.path_params["id"]), None)
    if found is None:
        raise HTTPException(404)
    return found
