"""/people/letter and /people/family: one letter or one family. A new letter, access cut, a letter taken back."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.invitations import Made, reissue
from bot.role_changes import end_access
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import Form, acting, looking, to
from bot.web_channel.letters_pages import new_once, print_letters
from bot.web_channel.pause_words import pause_words
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for, language_name
from bot.who_joined import Entry, entries
from conversations.roles import FAMILIES, STAFF_ROLES, may
from conversations.texts import long_date
from data.audit import note
from data.codes import Slip, find_slip, slips_of, take_back_code
from data.database import Tx
from data.looks import note_look
from data.pauses import Pause, pause_of
from data.people import Person, all_groups, find_person, groups_of

ACTION = "invite"
REASONS = ("left", "order", "wrong")  # why access is cut, for the audit log


async def show_letter(request: Request) -> Response:
    """A letter: whose it is, what became of it, and what can be done."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        slip = await _letter(tx, request)
        await note_look(tx, visitor.person.id, "letter", slip.hash, "", web.now)
        group = slip.invitation.group or ""
        entry = next(e for e in await entries(tx, group, web.now, web.house) if e.letter == slip.hash)
        barred = await _barred(tx, visitor.person, entry.person)
        pause = await pause_of(tx, entry.person, web.now)
        name = (await all_groups(tx))[group]
    return _page(request, visitor, entry, group, name, barred, pause)


async def show_family(request: Request) -> Response:
    """Somebody who joined without a letter."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        person = await _family(tx, request)
        await note_look(tx, visitor.person.id, "family", person.id, "", web.now)
        group = min(await groups_of(tx, person.id), default="")
        found = [e for e in await entries(tx, group, web.now, web.house) if e.person == person.id]
        if not found or found[0].letter:
            raise HTTPException(404)
        barred, name = await _barred(tx, visitor.person, person.id), (await all_groups(tx)).get(group, "")
        pause = await pause_of(tx, person.id, web.now)
    return _page(request, visitor, found[0], group, name, barred, pause)


def _page(
    request: Request, visitor: Visitor, entry: Entry, group: str, name: str, barred: str, pause: Pause | None
) -> Response:
    language = visitor.person.language
    speaks = language_name(entry.language, language)
    facts: dict[str, Any] = {"entry": entry, "group": group, "name": name, "barred": barred, "reasons": REASONS}
    facts |= {"pause": pause, "pause_words": pause_words(web_of(request), pause, language)}
    return draw_for(request, visitor, "letter.html", **facts, once=new_once(), date=long_date, speaks=speaks)


# --- what can be done ---------------------------------------------------------------------------------------------


async def act_on_letter(request: Request) -> Response:
    """A new letter, access cut, both, or the letter taken back."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    async with web.replies.of(visitor.key).lock:
        if web.papers.was_made(visitor.person.id, form.get("once", "")):
            return to(request, "/people/made")
        async with web.db.transaction() as tx:
            slip = await _letter(tx, request)
            if await _barred(tx, visitor.person, slip.person or ""):
                raise HTTPException(403)
            made = await _done(tx, web, visitor, slip, form)
    if made:
        return await print_letters(request, visitor, [made], form.get("once", ""))
    return to(request, f"/people/group/{slip.invitation.group}")


async def _done(tx: Tx, web: WebChannel, visitor: Visitor, slip: Slip, form: Form) -> Made | None:
    """The new letter, if the action makes one."""
    what, me = form.get("do", ""), visitor.person.id
    if what == "back" and slip.person is None:
        await note(tx, "letter.taken-back", slip.hash, web.now, me)
        await take_back_code(tx, slip.hash)
    if what in ("cut", "not-family") and slip.person:
        await end_access(tx, slip.person, web.now, me, _why(form) or what)
    if what == "not-family" or (what == "new" and not await _still_in(tx, slip)):
        return await reissue(tx, web.house, slip, me, web.now)
    return None


async def _still_in(tx: Tx, slip: Slip) -> bool:
    """Whether somebody uses the account of this letter: then a new one would be a second account."""
    person = await find_person(tx, slip.person) if slip.person else None
    return person is not None and bool(person.roles)


async def act_on_family(request: Request) -> Response:
    """Access cut."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    async with web.db.transaction() as tx:
        person = await _family(tx, request)
        if await _barred(tx, visitor.person, person.id):
            raise HTTPException(403)
        if form.get("do") == "cut":
            await end_access(tx, person.id, web.now, visitor.person.id, _why(form))
    return to(request, "/people")


def _why(form: Form) -> str:
    return form["reason"] if form.get("reason") in REASONS else ""


# --- whose --------------------------------------------------------------------------------------------------------


async def _letter(tx: Tx, request: Request) -> Slip:
    """The family's letter of this address; not one that was replaced, and no code of staff."""
    found = await find_slip(tx, request.path_params["id"])
    current = await slips_of(tx, found.invitation.group) if found and found.invitation.group else []
    slip = next((s for s in current if found and s.hash == found.hash and s.invitation.role in FAMILIES), None)
    if slip is None:
        raise HTTPException(404)
    return slip


async def _family(tx: Tx, request: Request) -> Person:
    person = await find_person(tx, request.path_params["id"])
    if person is None or not person.roles & FAMILIES:
        raise HTTPException(404)
    return person


async def _barred(tx: Tx, actor: Person, person: str) -> str:
    """Why this visitor must not cut this person's access: it is their own, or somebody's who works here too."""
    if person == actor.id:
        return "own"
    known = await find_person(tx, person) if person else None
    works_here = known is not None and known.roles & set(STAFF_ROLES)
    return "staff" if works_here and not may(actor.roles, "invite-staff") else ""
