"""The door of every page of staff: joined, allowed by role, a form of ours, and where names stand the second factor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web_channel.channel import root_of
from bot.web_channel.join_pages import ask_code
from bot.web_channel.second_factor import ask_factor, proved
from bot.web_channel.sessions import Visitor, genuine, read_form, visitor_of, visitor_or_demo
from bot.web_channel.staff_page import expired, refuse
from conversations.roles import may

Form = dict[str, str]


async def looking(request: Request, action: str, names: bool = False) -> Visitor | Response:
    """Who asks for this page; or the answer to somebody who may not. `names`: only after the second factor."""
    visitor = await visitor_or_demo(request)
    if visitor is None:
        return ask_code(request)
    if not may(visitor.person.roles, action):
        return refuse(request, visitor)
    if names and not await proved(request, visitor):
        return ask_factor(request, _here(request))
    return visitor


async def acting(
    request: Request,
    action: str,
    names: bool = True,
    read: Callable[[Request], Awaitable[Form]] = read_form,
) -> tuple[Visitor, Form] | Response:
    """Who sent this form, and what stands in it; or the answer to somebody who may not."""
    visitor, form = await visitor_of(request), await read(request)
    if visitor is None:
        return ask_code(request, 403)
    if not genuine(request, form, visitor.secret):
        return expired(request, visitor)
    if not may(visitor.person.roles, action):
        return refuse(request, visitor)
    if names and not await proved(request, visitor):
        return ask_factor(request, _here(request))
    return visitor, form


def _here(request: Request) -> str:
    """The page to come back to: every form of ours is sent to the address of the page it stands on."""
    return request.url.path.removeprefix(root_of(request))


def to(request: Request, path: str) -> Response:
    return RedirectResponse(root_of(request) + path, 303)
