"""One's own place as a calendar file, for whoever this browser belongs to: no token in the address."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.booking.calendar_file import MEDIA, NAME, calendar_file
from bot.web_channel.channel import web_of
from bot.web_channel.join_pages import ask_code
from bot.web_channel.sessions import visitor_or_demo
from data.bookings import booking_of
from data.events import find_occasion


async def file(request: Request) -> Response:
    """The file; 404 where this person never said that they come."""
    visitor = await visitor_or_demo(request)
    if visitor is None:
        return ask_code(request)
    web = web_of(request)
    async with web.db.reading() as tx:
        occasion = await find_occasion(tx, request.path_params["id"])
        mine = await booking_of(tx, occasion.id, visitor.person.id) if occasion else None
    if occasion is None or mine is None:
        raise HTTPException(404)
    how = {"content-disposition": f'attachment; filename="{NAME}"'}
    content = calendar_file(web.house, occasion, mine, web.now, visitor.person.language)
    return Response(content, headers=how | {"content-type": MEDIA})
