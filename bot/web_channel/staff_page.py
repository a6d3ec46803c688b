"""What all pages of staff share: the one refusal, and drawing a page for somebody who has joined."""

from __future__ import annotations

from babel import Locale
from starlette.requests import Request
from starlette.responses import Response

from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.drawing import render
from bot.web_channel.sessions import Visitor, csrf_of, remember
from conversations.roles import STAFF_ROLES
from data.sessions import STAFF_IDLE

NOT_DONE = "not-done"  # what an address may ask the page to say: a form was sent, and did nothing yet


def draw_for(request: Request, visitor: Visitor, template: str, status: int = 200, **facts: object) -> Response:
    """A page of this visitor; in the demo their cookie goes out with it."""
    web = web_of(request)
    locks = {"locks": _locks(web, visitor), "can_lock": visitor.can_lock}
    signed: dict[str, object] = {"csrf": csrf_of(web, visitor.secret), "joined": True, **locks}
    signed["not_done"] = request.method == "GET" and request.query_params.get("said") == NOT_DONE
    response = render(request, template, status, visitor.person.language, **signed, **facts)
    if visitor.new:
        remember(request, response, visitor.secret)
    return response


def _locks(web: WebChannel, visitor: Visitor) -> int:
    """After how many seconds without use a member of staff's page must not show anything any more."""
    staff = web.demo is None and visitor.person.roles & set(STAFF_ROLES)
    return int(STAFF_IDLE.total_seconds()) if staff else 0


def refuse(request: Request, visitor: Visitor) -> Response:
    """The one sentence for a page that is not for this role."""
    text = web_of(request).say(visitor.person.language, "refused")
    return draw_for(request, visitor, "message.html", 403, title="forbidden-title", text=text)


def expired(request: Request, visitor: Visitor) -> Response:
    """A form that is too old or was not ours."""
    text = web_of(request).say(visitor.person.language, "web.expired-go-back")
    return draw_for(request, visitor, "message.html", 403, title="sorry-title", text=text)


def language_name(code: str, language: str) -> str:
    """ "Polish" for pl."""
    return str(Locale.parse(language).languages.get(code, code))
