"""The conversation at /me: drawn from state by GET, heard by POST, with a redirect between the two."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot.said import KEY_LIMIT, Reply, Said, Tap, Text
from bot.web_channel.channel import NAME, WebChannel, root_of, web_of
from bot.web_channel.join_pages import ask_code, code_typed
from bot.web_channel.lock_pages import signed_out
from bot.web_channel.me_page import draw
from bot.web_channel.replies import Last
from bot.web_channel.scene import scene_of
from bot.web_channel.sessions import (
    Visitor,
    genuine,
    locked_here,
    read_form,
    remember,
    renew,
    visitor_of,
    visitor_or_demo,
)
from conversations.channel import Message
from conversations.screening import screen
from data.outbox import seen_on_page

DOUBLE = timedelta(seconds=10)  # the same words within this time are a double click


def see_other(request: Request, path: str) -> Response:
    return RedirectResponse(root_of(request) + path, 303)


async def home(request: Request) -> Response:
    return see_other(request, "/me")


async def me(request: Request) -> Response:
    visitor = await visitor_or_demo(request)
    if visitor is None:
        return ask_code(request)
    response = await draw(request, visitor)
    if visitor.new:
        remember(request, response, visitor.secret)
    return response


async def act(request: Request) -> Response:
    """A tap or words; then the page again."""
    web, visitor, form = web_of(request), await visitor_of(request), await read_form(request)
    if visitor is None:
        return await code_typed(request, form)
    if not genuine(request, form, visitor.secret):
        return await draw(request, visitor, 403, Message(web.say(visitor.person.language, "web.expired")))
    last = web.replies.of(visitor.key)
    async with last.lock:
        reply = await _hear(web, visitor, form, last)
    await asyncio.sleep(reply.wait)
    if reply.logged_out:
        return signed_out(request, [m.text for m in reply.messages], visitor.person.language)
    response = see_other(request, "/me")
    if reply.roles_changed:
        await renew(request, response, visitor)
    return response


async def _hear(web: WebChannel, visitor: Visitor, form: dict[str, str], last: Last) -> Reply:
    """What the dialogue says to this form; kept for the next look at the page."""
    said = _said(form)
    typed = _Typed(form.get("at", ""), said.words, web.now) if isinstance(said, Text) else None
    if typed and (elsewhere := await _not_for_here(web, visitor, typed, last)):
        return elsewhere
    reply = await web.dialogue.hear_person(visitor.person.id, said, NAME, visitor.secret) if said else Reply()
    last.typed = (typed.mark, typed.hash, web.now) if typed else None  # only now: what failed may be sent again
    if not reply.stale:
        web.replies.keep(visitor.key, reply.messages, web.now)
    await _seen(web, visitor, form.get("up-to", ""))
    return reply


def _said(form: dict[str, str]) -> Said | None:
    if says := form.get("say"):
        return Tap(says) if len(says) <= KEY_LIMIT else Tap("-")
    words = form.get("words", "").replace("\r\n", "\n").strip()
    return Text(words) if words else None  # whole, for the screen; an answer is cut where it is kept


@dataclass(frozen=True)
class _Typed:
    """Words, and the mark of the screen they were typed at."""

    mark: str
    words: str = field(repr=False)
    at: datetime

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.words.encode()).hexdigest()

    def repeats(self, last: Last) -> bool:
        """Whether a double click sent them a second time."""
        if last.typed is None or last.typed[:2] != (self.mark, self.hash):
            return False
        return self.at - last.typed[2] < DOUBLE


async def _not_for_here(web: WebChannel, visitor: Visitor, typed: _Typed, last: Last) -> Reply | None:
    """A reply where words must not be heard: sent twice by a double click, or typed for a question that has gone.

    Words that need a human reader are heard wherever they come from (SAFE-12), commands too.
    """
    if typed.words.startswith("/"):
        return None
    if typed.repeats(last):
        return Reply(stale=True)
    language = visitor.person.language
    if screen(typed.words, language) or typed.mark == (await scene_of(web, visitor)).mark:
        return None
    moved = Reply([Message(web.say(language, "moved-on"))])
    web.replies.keep(visitor.key, moved.messages, web.now)
    return moved


async def _seen(web: WebChannel, visitor: Visitor, up_to: str) -> None:
    """Letters the page showed have been seen."""
    if up_to.isascii() and up_to.isdigit() and 0 < int(up_to) < 2**53:
        async with web.db.transaction() as tx:
            await seen_on_page(tx, visitor.person.id, int(up_to))


async def version(request: Request) -> Response:
    """A short hash of what the page shows, for the script that looks for news."""
    visitor = await visitor_of(request, used=False)
    scene = await scene_of(web_of(request), visitor) if visitor else None
    locked = "locked" if locked_here(request) else ""
    return JSONResponse({"version": scene.version if scene else locked})


async def picture(request: Request) -> Response:
    message = await _said_at(request)
    if message.picture is None:
        raise HTTPException(404)
    return Response(message.picture.png, media_type="image/png")


async def file(request: Request) -> Response:
    message = await _said_at(request)
    if message.file is None:
        raise HTTPException(404)
    name = f"attachment; filename*=UTF-8''{quote(message.file.name)}"
    return Response(message.file.content, media_type="application/octet-stream", headers={"content-disposition": name})


async def _said_at(request: Request) -> Message:
    """The message with this number in this browser's last reply; 404 otherwise."""
    web, visitor = web_of(request), await visitor_of(request)
    said = web.replies.messages(visitor.key, web.now) if visitor else []
    number: int = request.path_params["number"]
    if number >= len(said):
        raise HTTPException(404)
    return said[number]
