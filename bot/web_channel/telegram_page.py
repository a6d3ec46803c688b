"""/telegram: where Telegram brings updates in webhook mode. No session, no form: its secret lets it in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

HEADER = "x-telegram-bot-api-secret-token"
WORDS = {200: "ok", 403: "no", 404: "not here", 503: "again"}


async def take(request: Request) -> Response:
    """200 once what the update means is committed; 404 while nobody takes updates here."""
    hook = getattr(request.app.state, "webhook", None)
    status = await hook.take(request.headers.get(HEADER, ""), await request.body()) if hook else 404
    return PlainTextResponse(WORDS[status], status)
