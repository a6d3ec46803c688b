"""/mydata: what is linked to whoever this browser belongs to, on a page and as a file."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bot.my_data import FILE, Page, Values, as_json
from bot.web_channel.channel import web_of
from bot.web_channel.join_pages import ask_code
from bot.web_channel.sessions import Visitor, visitor_or_demo
from bot.web_channel.staff_page import draw_for
from data.held import held


async def show(request: Request) -> Response:
    """The page, made to be read and printed."""
    visitor = await visitor_or_demo(request)
    if visitor is None:
        return ask_code(request)
    language = visitor.person.language
    page = Page(web_of(request).house, language, await _values(request, visitor))
    return draw_for(request, visitor, "my_data.html", sections=page.sections())


async def file(request: Request) -> Response:
    """The same as JSON."""
    visitor = await visitor_or_demo(request)
    if visitor is None:
        return ask_code(request)
    how = {"content-disposition": f'attachment; filename="{FILE}"'}
    return Response(as_json(await _values(request, visitor)), media_type="application/json", headers=how)


async def _values(request: Request, visitor: Visitor) -> Values:
    web = web_of(request)
    async with web.db.reading() as tx:
        found = await held(tx, visitor.person.id, web.now, visitor.person.language)
    return found.values if found else {}
