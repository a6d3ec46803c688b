"""What readers do with an item: send it on, say that the school's own record has it, decide about a comment."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.moderation import decide
from bot.web_channel.channel import web_of
from bot.web_channel.door import Form, acting, to
from bot.web_channel.queue_door import may_see, may_transfer, read_item
from bot.web_channel.queue_item import READERS, can_be_recorded, copy_taken, draw_item, state_of
from bot.web_channel.sessions import Visitor
from data.alerts import note_step
from data.database import Tx
from data.people import find_person, people_with_role
from data.queue import EMPTIED, ROUTES, Item, find_item, mark_transferred, route_item, take_transfer_back
from scheduler.ladder import alert_routed

LONGEST_REASON = 1000


async def send_on(request: Request) -> Response:
    """Where it goes (SAFE-7). Whoever it is about stops seeing it with this answer."""
    entered = await acting(request, "queue", names=False)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    async with web.db.transaction() as tx:
        item = await read_item(tx, request, visitor)
        if form.get("drawn", state_of(item)) != state_of(item):  # a colleague was quicker: what is ticked is not theirs
            return await _again(request, tx, visitor, item, "queue.sent-meanwhile", {})
        if wrong := _cannot_send(item, form):
            return await _again(request, tx, visitor, item, wrong, form)
        await _send_on(request, tx, visitor, item, form)
        item = await find_item(tx, item.id) or item
    return to(request, f"/queue/{item.id}?said=saved" if may_see(visitor.person, item) else "/queue?said=passed-on")


def _cannot_send(item: Item, form: Form) -> str:
    if item.kind == EMPTIED or item.done_at:
        raise HTTPException(404)
    if form.get("route") not in ROUTES:
        return "queue.choose-route"
    return "queue.say-why" if form["route"] == "none" and not _reason(form) else ""


async def _send_on(request: Request, tx: Tx, visitor: Visitor, item: Item, form: Form) -> None:
    web, about = web_of(request), _about(item, form)
    route = "head" if form["route"] == "staff" and await _is_about_head(tx, about) else form["route"]
    about |= {"head"} if route == "head" else set()
    await route_item(tx, item, route, about, _reason(form), visitor.person.id, web.now)
    await note_step(tx, item.id, web.now, f"routed-{route}", person=visitor.person.id)
    await alert_routed(tx, item, route, web.now)


def _reason(form: Form) -> str:
    return form.get("reason", "").strip()[:LONGEST_REASON]


def _about(item: Item, form: Form) -> set[str]:
    """Who it is about now: the ticked ones, and whom the reader was not asked about."""
    kept = set(item.about) - set(READERS)
    if form["route"] == "staff" or item.route == "head":
        kept -= {"head"}  # said by a reader who knows better, or taken back with the route that said so
    return kept | {role for role in READERS if form.get(f"about-{role}")}


async def _is_about_head(tx: Tx, about: set[str]) -> bool:
    """In a small school the head may be the safeguarding lead too: then it goes to the chair."""
    heads = [await find_person(tx, person) for person in await people_with_role(tx, "head")]
    return any(person and person.roles & about for person in heads)


async def record(request: Request) -> Response:
    """The school's own record has it, or has it not after all (SAFE-8)."""
    entered = await acting(request, "queue", names=False)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    async with web.db.transaction() as tx:
        item = await read_item(tx, request, visitor)
        if not may_transfer(visitor.person, item):
            raise HTTPException(404)
        if form.get("say") == "undo":
            await _undo(request, tx, visitor, item)
        elif wrong := await _cannot_record(tx, visitor, item, form):
            return await _again(request, tx, visitor, item, wrong, {})
        elif await mark_transferred(tx, item.id, visitor.person.id, web.now):
            await note_step(tx, item.id, web.now, "in-record", person=visitor.person.id)
    return to(request, f"/queue/{item.id}?said=saved")


async def _undo(request: Request, tx: Tx, visitor: Visitor, item: Item) -> None:
    if await take_transfer_back(tx, item.id):
        await note_step(tx, item.id, web_of(request).now, "not-in-record", person=visitor.person.id)


async def _cannot_record(tx: Tx, visitor: Visitor, item: Item, form: Form) -> str:
    if not can_be_recorded(visitor.person, item):
        raise HTTPException(404)
    if item.route is None:
        return "queue.record-first-route"
    if not await copy_taken(tx, item):
        return "queue.record-first-copy"
    return "" if form.get("checked") == "yes" else "queue.record-tick"


async def comment(request: Request) -> Response:
    """Hold words, count them as a theme, or let them be quoted."""
    entered = await acting(request, "queue-all", names=False)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    async with web.db.transaction() as tx:
        item = await read_item(tx, request, visitor)
        if item.kind != "words":
            raise HTTPException(404)
        if wrong := await decide(tx, web.house, item, form, visitor.person.id, web.now):
            return await _again(request, tx, visitor, item, wrong, form)
    return to(request, f"/queue/{item.id}?said=saved")


async def _again(request: Request, tx: Tx, visitor: Visitor, item: Item, why: str, form: Form) -> Response:
    """The page once more, with what was typed; nothing was changed."""
    notice = web_of(request).say(visitor.person.language, why)
    return await draw_item(request, tx, visitor, item, 400, notice, form)
