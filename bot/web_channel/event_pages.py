"""/events: what is planned, sign-ups per time, the term in numbers, and the list of a day on paper (S3.3, S15)."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.booking.words import card, title_of, when
from bot.events.hosts import may_change
from bot.events.looking_back import SignUps, sign_ups, sign_ups_of, term_so_far
from bot.events.paper import TEMPLATE, as_values
from bot.events.sheet import sheet_of
from bot.papers.typesetting import NotPrintable, pdf
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import acting, looking
from bot.web_channel.staff_page import draw_for
from conversations.texts import long_date
from data.database import Tx
from data.events import Occasion, coming_occasions, find_occasion
from data.looks import note_look
from data.people import all_groups

ACTION = "dropin"
MOST = 60  # times on the page


async def show(request: Request) -> Response:
    """What is coming, with its numbers, and what the term was like so far. No name."""
    web, visitor = web_of(request), await looking(request, ACTION)
    if isinstance(visitor, Response):
        return visitor
    language = visitor.person.language
    async with web.db.reading() as tx:
        groups = await all_groups(tx)
        coming = (await coming_occasions(tx, None, web.now))[:MOST]
        rows = [_row(web, language, groups, await sign_ups(tx, occasion)) for occasion in coming]
        term = await term_so_far(tx, web.house, language, web.now)
    since = long_date(term.first, language)
    return draw_for(request, visitor, "events.html", rows=rows, term=term, since=since)


async def show_one(request: Request, status: int = 200, remark: str = "") -> Response:
    """One event as families see it, and the sign-ups of each of its times."""
    web, visitor = web_of(request), await looking(request, ACTION)
    if isinstance(visitor, Response):
        return visitor
    language = visitor.person.language
    async with web.db.reading() as tx:
        occasion = await _occasion(tx, request)
        groups = await all_groups(tx)
        times = [_row(web, language, groups, found) for found in await sign_ups_of(tx, occasion.event.id)]
        seen = await card(tx, web.house, language, occasion.event, [(occasion.starts_at, occasion.ends_at)])
    title = title_of(web.house, occasion.event, language)
    facts: dict[str, Any] = {"title": title, "lines": seen.split("\n"), "times": times}
    facts |= {
        "group": groups.get(occasion.event.group, ""),
        "id": occasion.id,
        "sheet": may_change(visitor.person, occasion.event),
        "remark": remark,
    }
    return draw_for(request, visitor, "event.html", status, **facts)


async def save_sheet(request: Request) -> Response:
    """The list of names as a PDF. That it was taken is noted before it goes out."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    visitor, _ = let_in
    async with web.db.transaction() as tx:
        occasion = await _occasion(tx, request)
        if not may_change(visitor.person, occasion.event) or occasion.off:
            raise HTTPException(404)
        await note_look(tx, visitor.person.id, "host-sheet", occasion.id, "", web.now)
        sheet = await sheet_of(tx, web.house, visitor.person.language, occasion)
    values = as_values(web.house, visitor.person.language, sheet, web.now)
    try:
        content = await asyncio.to_thread(pdf, TEMPLATE, values)
    except NotPrintable:
        return await show_one(request, 422, web.say(visitor.person.language, "hosting.not-printable"))
    how = {"content-disposition": f'attachment; filename="list-{_day(web, occasion)}.pdf"'}
    return Response(content, media_type="application/pdf", headers=how)


def _day(web: WebChannel, occasion: Occasion) -> str:
    return occasion.starts_at.astimezone(web.house.school.zone).date().isoformat()


def _row(web: WebChannel, language: str, groups: dict[str, str], found: SignUps) -> dict[str, object]:
    """What a list says of one time."""
    occasion, say = found.occasion, web.house.say
    numbers = [say(language, "hosting.coming", n=found.coming)] if found.coming else []
    numbers += [say(language, "hosting.waiting", n=found.waiting)] if found.waiting else []
    numbers += [say(language, "hosting.nobody-can")] if found.nobody else []
    return {
        "id": occasion.id,
        "name": title_of(web.house, occasion.event, language),
        "when": when(web.house, language, occasion.starts_at, occasion.ends_at),
        "where": ". ".join(part for part in (occasion.event.place, groups.get(occasion.event.group, "")) if part),
        "numbers": " ".join(numbers) or say(language, "hosting.no-answers"),
    }


async def _occasion(tx: Tx, request: Request) -> Occasion:
    occasion = await find_occasion(tx, request.path_params["id"])
    if occasion is None or occasion.id != request.path_params["id"]:
        raise HTTPException(404)
    return occasion
