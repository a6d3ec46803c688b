"""The door of every page of staff: joined, allowed by role, a form of ours, and where names stand the second factor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web_channel.channel import root_of, web_of
from bot.web_channel.join_pages import ask_code
from bot.web_channel.second_factor import ask_factor, proved
from bot.web_channel.sessions import Visitor, genuine, read_form, visitor_of, visitor_or_demo
from bot.web_channel.staff_page import NOT_DONE, expired, refuse
from conversations.channel import Message
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
    page: str = "",
) -> tuple[Visitor, Form] | Response:
    """Who sent this form, and what stands in it; or the answer to somebody who may not.

    Where they must prove first who they are, they come back to the page (`page` where the form stands on another than
    its own address), which then says that nothing was done: nobody shall think that access is cut when it is not.
    """
    visitor, form = await visitor_of(request), await read(request)
    back = f"{page or _here(request)}?said={NOT_DONE}"
    if visitor is None:
        request.state.back = back
        return ask_code(request, 403, Message(web_of(request).say("en", "web.not-done-locked")))
    if not genuine(request, form, visitor.secret):
        return expired(request, visitor)
    if not may(visitor.person.roles, action):
        return refuse(request, visitor)
    if names and not await proved(request, visitor):
        return ask_factor(request, back)
    return visitor, form


def _here(request: Request) -> str:
    """The page to come back to: every form of ours is sent to the address of the page it stands on."""
    return request.url.path.removeprefix(root_of(request))


def to(request: Request, path: str) -> Response:
    return RedirectResponse(root_of(request) + path, 303)
