"""/factor: the page that asks for the second factor, and on which it is set up the first time."""

from __future__ import annotations

from math import ceil

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web_channel.channel import web_of
from bot.web_channel.join_pages import ask_code
from bot.web_channel.second_factor import (
    ask_factor,
    in_groups,
    let_through,
    offered_secret,
    own_path,
    picture_of,
    step_of,
    take_digits,
)
from bot.web_channel.sessions import Visitor, genuine, read_form, visitor_of, visitor_or_demo
from bot.web_channel.staff_page import draw_for, expired, refuse
from conversations.roles import may
from data.audit import note
from data.database import Tx
from data.factors import Factor, add_factor, find_factor
from data.moments import new_id
from data.outbox import post

ACTION = "second-factor"


async def show(request: Request) -> Response:
    """The field for six digits; the first time with the picture to scan."""
    visitor = await visitor_or_demo(request)
    if visitor is None:
        return ask_code(request)
    if not may(visitor.person.roles, ACTION):
        return refuse(request, visitor)
    factor = await _factor(request, visitor)
    back, wrong = own_path(request.query_params.get("back", "")), request.query_params.get("said") == "wrong"
    if factor is None:
        letters = in_groups(offered_secret(web_of(request), visitor))
        return draw_for(request, visitor, "factor_new.html", letters=letters, back=back, wrong=wrong)
    return draw_for(request, visitor, "factor.html", back=back, wrong=wrong, minutes=_minutes_to_wait(request, factor))


async def picture(request: Request) -> Response:
    """The picture to scan, only until it has been set up."""
    visitor = await visitor_of(request)
    if visitor is None or not may(visitor.person.roles, ACTION) or await _factor(request, visitor):
        raise HTTPException(404)
    web = web_of(request)
    return Response(picture_of(web, offered_secret(web, visitor)), media_type="image/svg+xml")


async def answer(request: Request) -> Response:
    """Six digits: on to where the person came from, or the same page once more."""
    web, visitor, form = web_of(request), await visitor_of(request), await read_form(request)
    if visitor is None:
        return ask_code(request, 403)
    if not genuine(request, form, visitor.secret):
        return expired(request, visitor)
    if not may(visitor.person.roles, ACTION):
        return refuse(request, visitor)
    async with web.db.transaction() as tx:
        if await _right(request, tx, visitor, form.get("digits", "")):
            return await let_through(request, tx, visitor)
    again = ask_factor(request, request.query_params.get("back", ""))
    return RedirectResponse(again.headers["location"] + "&said=wrong", 303)


async def _right(request: Request, tx: Tx, visitor: Visitor, typed: str) -> bool:
    factor = await find_factor(tx, visitor.person.id)
    if factor:
        return await take_digits(tx, visitor.person.id, factor, typed, web_of(request).now)
    return await _set_up(request, tx, visitor, typed)


async def _set_up(request: Request, tx: Tx, visitor: Visitor, typed: str) -> bool:
    """The first right digits make it theirs. The person hears of it in their chat, in case it was somebody else."""
    web = web_of(request)
    secret = offered_secret(web, visitor)
    step = step_of(secret, typed, web.now)
    if step is None:
        return False
    await note(tx, "factor.set", visitor.person.id, web.now, visitor.person.id)
    await add_factor(tx, visitor.person.id, secret, step)
    await post(tx, "factor", new_id(), [visitor.person.id], web.now)
    return True


async def _factor(request: Request, visitor: Visitor) -> Factor | None:
    async with web_of(request).db.reading() as tx:
        return await find_factor(tx, visitor.person.id)


def _minutes_to_wait(request: Request, factor: Factor) -> int:
    """How long too many wrong digits make everybody wait; 0 when not."""
    now = web_of(request).now
    return ceil((factor.waits_until - now).total_seconds() / 60) if factor.waits_until and factor.waits(now) else 0
