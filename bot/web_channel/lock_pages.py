"""/unlock and /sign-out: coming back to a locked browser, and leaving one."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web_channel.channel import root_of, web_of
from bot.web_channel.drawing import render
from bot.web_channel.join_pages import ask_code
from bot.web_channel.locked_page import draw_locked, opens
from bot.web_channel.second_factor import COUNTS_FOR, own_path, take_digits
from bot.web_channel.sessions import Locked, forget, genuine, locked_here, read_form, remember, visitor_of
from bot.web_channel.staff_page import expired
from conversations.channel import Message
from data.access import end_sessions
from data.codes import read_code
from data.factors import find_factor
from data.sessions import end_session, lock_session, unlock_session


async def unlock(request: Request) -> Response:
    """Six digits of the app, or the code this browser came in with, open it again with a fresh secret."""
    form, visitor = await read_form(request), await visitor_of(request)
    locked = locked_here(request)
    if visitor or locked is None:
        return _to(request, "/me")
    if not genuine(request, form, locked.secret):
        return _again(request, locked, form, "web.expired")
    if "digits" in form:
        return await _by_digits(request, locked, form)
    code = read_code(form.get("code", ""))
    if code is None:
        return _again(request, locked, form, "web.locked.wrong")
    if await opens(web_of(request), locked, code):
        return await _opened(request, locked, form)
    return _to(request, f"/join/{code}")  # another code: asked about or refused there


async def _by_digits(request: Request, locked: Locked, form: dict[str, str]) -> Response:
    web = web_of(request)
    async with web.db.transaction() as tx:
        factor = await find_factor(tx, locked.person.id)
        waits = bool(factor and factor.waits(web.now))
        right = factor is not None and await take_digits(tx, locked.person.id, factor, form.get("digits", ""), web.now)
    if right:
        return await _opened(request, locked, form, proved=True)
    return _again(request, locked, form, "web.locked.waits" if waits else "web.locked.wrong")


async def _opened(request: Request, locked: Locked, form: dict[str, str], proved: bool = False) -> Response:
    web = web_of(request)
    async with web.db.transaction() as tx:
        until = web.now + COUNTS_FOR if proved else None
        secret = await unlock_session(tx, locked.secret, web.now, until)
    response = _to(request, own_path(form.get("back", "")))
    remember(request, response, secret)
    return response


def _again(request: Request, locked: Locked, form: dict[str, str], key: str) -> Response:
    text = web_of(request).say(locked.person.language, key)
    return draw_locked(request, locked, 403, Message(text), back=form.get("back", ""))


# --- leaving ------------------------------------------------------------------------------------------------------


async def sign_out(request: Request) -> Response:
    """This browser, or all of this person's browsers, are signed out; or this one is only locked."""
    web, form, visitor = web_of(request), await read_form(request), await visitor_of(request)
    who = visitor or locked_here(request)
    if who is None:
        return _to(request, "/me")
    if not genuine(request, form, who.secret):
        return expired(request, visitor) if visitor else ask_code(request, 403)
    async with web.db.transaction() as tx:
        if form.get("where") == "lock":
            await lock_session(tx, who.secret, web.now)
            return _to(request, "/me")
        if form.get("where") == "everywhere":
            await end_sessions(tx, who.person.id)
        else:
            await end_session(tx, who.secret)
    web.papers.throw_away(who.person.id)
    return signed_out(request)


def signed_out(request: Request, last_words: Sequence[str] = (), language: str = "en") -> Response:
    """To the page that asks for a code; the browser forgets what it kept of ours.

    With last words they are the page: no redirect could carry them to somebody who is not known any more.
    """
    text = "\n\n".join(last_words)
    said = render(request, "message.html", 200, language, title="web.done-title", text=text) if text else None
    response = said or _to(request, "/me")
    forget(request, response)
    return response


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(root_of(request) + path, 303)
