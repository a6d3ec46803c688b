"""Who is behind an item: with a second factor and a reason, and noted before it is shown (trust A4.2)."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.behind import behind
from bot.web_channel.channel import web_of
from bot.web_channel.door import acting, looking
from bot.web_channel.queue_door import may_name, read_item
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from data.database import Tx
from data.looks import note_look
from data.queue import EMPTIED, Item

LONGEST_REASON = 500


async def ask(request: Request) -> Response:
    """The question why; before it the second factor."""
    visitor = await looking(request, "queue", names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web_of(request).db.reading() as tx:
        item = await _named_item(tx, request, visitor)
    return draw_for(request, visitor, "queue_name.html", item=item.id, person=None, notice="")


async def show(request: Request) -> Response:
    """The name. Loading this page again asks the browser to send the form again, which is noted again."""
    entered = await acting(request, "queue", names=True)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    async with web.db.transaction() as tx:  # committed before anything of the person is shown
        item = await _named_item(tx, request, visitor)
        if reason:
            await note_look(tx, visitor.person.id, "name", item.id, reason, web.now)
    if not reason:
        notice = web.say(visitor.person.language, "queue.name-need")
        return draw_for(request, visitor, "queue_name.html", 400, item=item.id, person=None, notice=notice)
    async with web.db.reading() as tx:
        found = await behind(tx, web.house, item.person, visitor.person.language, item.who)
    return draw_for(request, visitor, "queue_name.html", item=item.id, person=found, notice="")


async def _named_item(tx: Tx, request: Request, visitor: Visitor) -> Item:
    item = await read_item(tx, request, visitor)
    if not item.person or item.kind == EMPTIED or not may_name(visitor.person, item):
        raise HTTPException(404)
    return item
