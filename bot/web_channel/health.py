"""/healthz and /readyz: for whoever watches the machine. One word, nothing a stranger could use."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.web_channel.channel import web_of
from data.database import DatabaseProblem
from data.moments import moment
from data.outbox import oldest_due

LATE = timedelta(minutes=5)


async def healthz(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """The database can be read and written, and letters go out."""
    web = web_of(request)
    try:
        async with web.db.transaction() as tx:
            oldest = await oldest_due(tx, web.now)
    except DatabaseProblem:
        return PlainTextResponse("not ready", 503)
    late = oldest is not None and web.now - moment(oldest) > LATE
    return PlainTextResponse("not ready" if late else "ready", 503 if late else 200)
