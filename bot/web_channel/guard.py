"""Around every request: headers on every answer, a limit on what is sent to us, and errors as a kind page."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web_channel.headers import add_headers, security_headers
from data.database import DatabaseProblem

log = logging.getLogger(__name__)

MOST = 64 * 1024  # bytes of one form
LONGER = {"/people/letters": 256 * 1024}  # at the address that takes a list of families

Failed = Callable[[Request, int], Awaitable[Response]]


class Guard:
    """ASGI middleware. `failed` draws the page for an error's status."""

    def __init__(self, app: ASGIApp, https: bool, demo: bool, failed: Failed) -> None:
        self.app = app
        self.security = security_headers(https, demo)
        self.failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return  # no websockets here: the handshake is refused
        answer = _Answer(send, self.security)
        try:
            body = await read_body(scope, receive, _most(scope["path"]))
        except ClientDisconnect:
            return  # half a form is no form
        if body is None:
            return await self._fail(413, scope, answer)
        try:
            await self.app(scope, _replay(body, receive), answer)
        except DatabaseProblem as problem:
            log.error("web: %s", problem)
            await self._fail(503, scope, answer)
        except Exception as error:
            log.error("web: %s at %s", type(error).__name__, line_of(error))
            await self._fail(500, scope, answer)

    async def _fail(self, status: int, scope: Scope, answer: _Answer) -> None:
        if not answer.begun:
            response = await self.failed(Request(scope), status)
            await response(scope, _nothing, answer)


class _Answer:
    """Sends on, with the headers; knows whether an answer has begun."""

    def __init__(self, send: Send, security: dict[str, str]) -> None:
        self.send = send
        self.security = security
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            add_headers(MutableHeaders(scope=message), self.security)
        await self.send(message)


def _most(path: str) -> int:
    return next((most for end, most in LONGER.items() if path.endswith(end)), MOST)


async def read_body(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """The whole body; None when it has more than so many bytes. ClientDisconnect when it breaks off."""
    told = dict(scope["headers"]).get(b"content-length", b"0")
    if not told.isdigit() or int(told) > most:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def line_of(error: Exception) -> str:
    """File and line, without a word of what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
