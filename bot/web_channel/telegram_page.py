"""/telegram, in front of all pages: where Telegram brings updates in webhook mode. Its secret lets it in, no session.

What the pages need around them (a guard, the look-up of the page, headers for browsers) would be work for every tap.
"""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.telegram_channel.webhook import AGAIN, PATH, Answer, Webhook
from bot.web_channel.guard import line_of, read_body

log = logging.getLogger(__name__)

HEADER = b"x-telegram-bot-api-secret-token"
JSON = b"application/json"  # what Telegram sends
MOST = 1024 * 1024  # bytes of one update
TOO_LONG, NOT_JSON = 413, 415


class TelegramPage:
    """ASGI. While there is no webhook here the pages behind answer, and say that there is no such page."""

    def __init__(self, behind: ASGIApp) -> None:
        self.behind = behind
        self.webhook: Webhook | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.webhook is None or scope["path"] != PATH or scope.get("method") != "POST":
            return await self.behind(scope, receive, send)
        try:
            answer = await _taken(self.webhook, scope, receive)
        except ClientDisconnect:
            return
        await JSONResponse(answer.call or {}, answer.status)(scope, receive, send)


async def _taken(webhook: Webhook, scope: Scope, receive: Receive) -> Answer:
    """200 once what the update means is committed; 503 where something failed, so that Telegram comes again."""
    body, headers = await read_body(scope, receive, MOST), dict(scope["headers"])
    if body is None:
        return Answer(TOO_LONG)
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != JSON:
        return Answer(NOT_JSON)
    secret = headers.get(HEADER, b"").decode("latin-1")
    try:
        return await webhook.take(secret, body)
    except Exception as error:
        log.error("Telegram's page: %s at %s", type(error).__name__, line_of(error))
        return Answer(AGAIN)
