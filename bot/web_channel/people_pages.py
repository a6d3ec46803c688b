"""/people: who has joined, group by group, and whom to call. Labels need a second factor."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.invitations import reissue
from bot.web_channel.channel import web_of
from bot.web_channel.door import acting, looking, to
from bot.web_channel.letters_pages import new_once, print_letters
from bot.web_channel.staff_page import draw_for, language_name
from bot.who_joined import TO_CALL, WAITING, Entry, counts, entries
from conversations.roles import may
from conversations.texts import long_date
from data.codes import slips_of
from data.looks import note_look
from data.people import all_groups

ACTION = "invite"


async def show(request: Request) -> Response:
    """Each group in numbers. No label stands here."""
    web, visitor = web_of(request), await looking(request, ACTION)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.reading() as tx:
        found = await counts(tx, web.now, web.house)
    staff = may(visitor.person.roles, "invite-staff")
    return draw_for(request, visitor, "people.html", groups=found, staff=staff)


async def group(request: Request) -> Response:
    """The letters of one group."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    id = request.path_params["id"]
    async with web.db.transaction() as tx:
        name = (await all_groups(tx)).get(id)
        if name is None:
            raise HTTPException(404)
        await note_look(tx, visitor.person.id, "labels", id, "", web.now)
        found = await entries(tx, id, web.now, web.house)
    facts: dict[str, Any] = {
        "name": name,
        "id": id,
        "entries": found,
        "again": sum(entry.state in WAITING for entry in found),
    }
    return draw_for(request, visitor, "people_group.html", once=new_once(), **facts, **_words())


async def again(request: Request) -> Response:
    """New letters for everybody of the group who has not joined: their old codes are dead."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    (visitor, form), id = let_in, request.path_params["id"]
    async with web.replies.of(visitor.key).lock:
        if web.papers.was_made(visitor.person.id, form.get("once", "")):
            return to(request, "/people/made")
        async with web.db.transaction() as tx:
            waiting = [slip for slip in await slips_of(tx, id) if slip.person is None]
            made = [await reissue(tx, web.house, slip, visitor.person.id, web.now) for slip in waiting]
        return await print_letters(request, visitor, made, form.get("once", ""))


async def calls(request: Request) -> Response:
    """Whom to call: those who have not joined, and those who cannot be reached. Made to be printed."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        await note_look(tx, visitor.person.id, "call-list", "all", "", web.now)
        found = {name: await entries(tx, id, web.now, web.house) for id, name in (await all_groups(tx)).items()}
    to_call = {name: [e for e in rows if e.state in TO_CALL] for name, rows in found.items()}
    day = long_date(web.now.astimezone(web.house.school.zone).date(), visitor.person.language)
    shown = {name: rows for name, rows in to_call.items() if rows}
    return draw_for(request, visitor, "people_calls.html", groups=shown, day=day, **_words())


def _words() -> dict[str, Any]:
    """How templates say a language and a date."""
    return {"language_name": language_name, "date": long_date, "address": address_of}


def address_of(entry: Entry) -> str:
    """The page of this letter, or of somebody who joined without one."""
    return f"/people/letter/{entry.letter}" if entry.letter else f"/people/family/{entry.person}"
