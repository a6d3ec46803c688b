"""/file/TOKEN: one-time links. The page shows one button; only pressing it spends the link."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web_channel.channel import root_of, web_of
from bot.web_channel.drawing import render
from bot.web_channel.sessions import (
    csrf_of,
    genuine_stranger,
    guard_stranger,
    read_form,
    remember,
    stranger_secret,
)
from data.links import find_link, spend_link
from data.sessions import LINK_SESSION_AGE, start_session

OPENS = {
    "queue": "/queue",
    "people": "/people",
    "results": "/results",
    "events": "/events",
    "names": "/names",
    "records": "/records",
    "mydata": "/mydata",
}  # kind of link -> where it leads


async def show(request: Request) -> Response:
    web, token = web_of(request), request.path_params["token"]
    async with web.db.reading() as tx:
        link = await find_link(tx, token, web.now)
    if link is None or link.kind not in OPENS:
        return _gone(request)
    return _page(request, 200, "")


async def open(request: Request) -> Response:
    """Spend the link: its person is signed in here and led on."""
    web, form = web_of(request), await read_form(request)
    if not genuine_stranger(request, form):
        return _page(request, 403, web.say("en", "web.expired"))
    async with web.db.transaction() as tx:
        found = await find_link(tx, request.path_params["token"], web.now)
        if found is None or found.kind not in OPENS:
            raise HTTPException(404, detail="link")
        link = await spend_link(tx, request.path_params["token"], web.now)
        secret = await start_session(tx, link.person, web.now, LINK_SESSION_AGE) if link else ""
    path = OPENS[found.kind] + (f"/{quote(found.ref, safe='')}" if found.ref else "")
    response = RedirectResponse(root_of(request) + path, 303)
    remember(request, response, secret)
    return response


def _page(request: Request, status: int, notice: str) -> Response:
    secret = stranger_secret(request)
    response = render(request, "link.html", status, csrf=csrf_of(web_of(request), secret), notice=notice)
    guard_stranger(request, response, secret)
    return response


def _gone(request: Request) -> Response:
    text = web_of(request).say("en", "web.file-gone")
    return render(request, "message.html", 404, title="file-title", text=text)
