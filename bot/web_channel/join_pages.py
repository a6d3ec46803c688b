"""/join/CODE: the first screen for everybody with a code. A GET spends nothing."""

from __future__ import annotations

from asyncio import sleep
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.devices import warn_user
from bot.joining import invitation_of, join, join_screen, refusal, stranger, wait_after_wrong, welcome
from bot.proof import proof_words
from bot.said import JOIN, Tap, Text, asking
from bot.web_channel.channel import NAME, WebChannel, root_of, web_of
from bot.web_channel.drawing import card, render
from bot.web_channel.locked_page import draw_locked, opens
from bot.web_channel.me_page import draw
from bot.web_channel.sessions import (
    Visitor,
    csrf_of,
    genuine,
    genuine_stranger,
    guard_stranger,
    locked_here,
    read_form,
    remember,
    renew,
    stranger_secret,
    visitor_of,
)
from conversations.channel import Message
from conversations.screening import screen
from data.codes import Invitation, find_invitation, read_code, shown, used_by
from data.people import Address
from data.sessions import start_session

FREE_TRIES = 50  # wrong codes an hour from one address before answers come slower: a whole school may share one


async def show(request: Request) -> Response:
    """The question whether to join; the neutral sentence for a code that opens nothing."""
    web, visitor = web_of(request), await visitor_of(request)
    code = read_code(request.path_params["code"]) or ""
    if await _used_here(web, visitor, code):
        return _to(request, "/me")
    if (locked := locked_here(request)) and await opens(web, locked, code):
        return draw_locked(request, locked, 200, code=shown(code))
    invitation = await _invitation(web, code, visitor)
    if invitation is None:
        return await _refused(request, visitor, code)
    words = proof_words(web.house, web.db.vault, code, invitation.language, invitation.hash)
    device = invitation.device_of is not None
    first = join_screen(web.house, _language(web, visitor, invitation), NAME, words, device)
    return _page(request, first, visitor, invitation.language)


async def answer(request: Request) -> Response:
    """Yes or no. The first thing here that changes anything."""
    web, visitor, form = web_of(request), await visitor_of(request), await read_form(request)
    code = read_code(request.path_params["code"]) or ""
    if not (genuine(request, form, visitor.secret) if visitor else genuine_stranger(request, form)):
        expired = Message(web.say("en", "web.expired"))
        return await draw(request, visitor, 403, expired) if visitor else _ask(request, 403, expired)
    if await _used_here(web, visitor, code):
        return _to(request, "/me")
    if form.get("say") not in (asking(JOIN, "yes"), asking(JOIN, "no")):
        return await show(request)
    if visitor:
        return await _known(request, web, visitor, code, form["say"])
    return await _new(request, web, code, form["say"])


async def _known(request: Request, web: WebChannel, visitor: Visitor, code: str, says: str) -> Response:
    """Somebody who joined opens a further code: the dialogue's own way, so that it adds its role."""
    if await _invitation(web, code, visitor) is None:
        return await _refused(request, visitor, code)
    await web.dialogue.hear_person(visitor.person.id, Text(f"/start {code}"), NAME)
    reply = await web.dialogue.hear_person(visitor.person.id, Tap(says), NAME)
    web.replies.keep(visitor.key, reply.messages, web.now)
    response = _to(request, "/me")
    if reply.roles_changed:
        await renew(request, response, visitor)
    return response


async def _new(request: Request, web: WebChannel, code: str, says: str) -> Response:
    invitation = await _invitation(web, code)
    if invitation is None:
        return await _refused(request, code=code)
    if says != asking(JOIN, "yes"):
        return _page(request, Message(web.say(_language(web, None, invitation), "join.declined")), None)
    async with web.db.transaction() as tx:
        person = await join(tx, web.house, code, web.now, invitation.language)
        secret = await start_session(tx, person, web.now) if person else ""
    if not person:
        return await _refused(request, code=code)
    key = web.db.vault.lookup("replies", secret)
    web.replies.keep(key, [welcome(web.house, _language(web, None, invitation), invitation)], web.now)
    response = _to(request, "/me")
    remember(request, response, secret)
    return response


# --- people without a code ----------------------------------------------------------------------------------------


def ask_code(request: Request, status: int = 200, *notices: Message) -> Response:
    """The page with a field for a code."""
    return _ask(request, status, *notices)


async def code_typed(request: Request, form: dict[str, str]) -> Response:
    """A code goes on to its page; other words are answered like a stranger's in a chat (AGE-3, SAFE-12)."""
    web, typed = web_of(request), form.get("code", "").strip().removeprefix("/start ")
    if not genuine_stranger(request, form):
        return _ask(request, 403, Message(web.say("en", "web.expired")))
    if (code := read_code(typed)) and not screen(typed, "en"):  # ten letters can be a cry for help too
        return _to(request, f"/join/{quote(code)}")
    if not typed:
        return _to(request, "/me")
    async with web.db.transaction() as tx:
        wait = await wait_after_wrong(tx, _here(request, web), web.now, FREE_TRIES)
        reply = await stranger(tx, web.house, Address(NAME, _client(request)), Text(typed), web.now, "en")
    await sleep(wait)
    return _ask(request, 200, *reply.messages)


async def _refused(request: Request, visitor: Visitor | None = None, code: str = "") -> Response:
    """The one neutral sentence; later and later for those who guess. Who used the code is asked about it (B4)."""
    web = web_of(request)
    async with web.db.transaction() as tx:
        await warn_user(tx, web.house, code, web.now)
        wait = await wait_after_wrong(tx, _here(request, web), web.now, FREE_TRIES)
    await sleep(wait)
    said = refusal(web.house, "en")
    return await draw(request, visitor, 404, said) if visitor else _ask(request, 404, said)


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _here(request: Request, web: WebChannel) -> str:
    return web.db.vault.lookup("address", f"{NAME}:{_client(request)}")


async def _invitation(web: WebChannel, code: str, visitor: Visitor | None = None) -> Invitation | None:
    """What the code opens here: one for a further device nothing in a browser that belongs to somebody."""
    async with web.db.reading() as tx:
        found = await invitation_of(tx, web.house, code, web.now)
    return None if found and found.device_of and visitor else found


async def _used_here(web: WebChannel, visitor: Visitor | None, code: str) -> bool:
    """Whether the person of this browser used this code before, or made it for another device."""
    if visitor is None or not code:
        return False
    async with web.db.reading() as tx:
        found = await find_invitation(tx, code, web.now)
        mine = found is not None and found.device_of == visitor.person.id
        return mine or await used_by(tx, code, visitor.person.id)


def _language(web: WebChannel, visitor: Visitor | None, invitation: Invitation) -> str:
    wanted = visitor.person.language if visitor else invitation.language
    return wanted if wanted in web.house.texts.languages else "en"


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(root_of(request) + path, 303)


def _page(request: Request, message: Message, visitor: Visitor | None, language: str = "en") -> HTMLResponse:
    web = web_of(request)
    secret = visitor.secret if visitor else stranger_secret(request)
    language = language if language in web.house.texts.languages else "en"
    response = render(request, "join.html", 200, language, csrf=csrf_of(web, secret), screen=card(message))
    if visitor is None:
        guard_stranger(request, response, secret)
    return response


def _ask(request: Request, status: int, *notices: Message) -> HTMLResponse:
    if locked := locked_here(request):
        return draw_locked(request, locked, status, *notices)
    secret = stranger_secret(request)
    csrf = csrf_of(web_of(request), secret)
    response = render(request, "code.html", status, csrf=csrf, notices=[card(m) for m in notices])
    guard_stranger(request, response, secret)
    return response
