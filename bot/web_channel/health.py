"""/healthz and /readyz: for whoever watches the machine. One word, nothing a stranger could use."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.web_channel.channel import web_of
from data.database import DatabaseProblem
from data.outbox import stuck_since


async def healthz(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """The database can be read and written, and letters go out."""
    web = web_of(request)
    try:
        async with web.db.transaction() as tx:
            stuck = await stuck_since(tx, web.now)
    except DatabaseProblem:
        return PlainTextResponse("not ready", 503)
    return PlainTextResponse("not ready" if stuck else "ready", 503 if stuck else 200)
