"""/queue: what waits to be read, oldest first. Words are shown only here, after `Read`."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.reading import age
from bot.web_channel.channel import WebChannel, root_of, web_of
from bot.web_channel.drawing import render
from bot.web_channel.join_pages import ask_code
from bot.web_channel.sessions import Visitor, csrf_of, genuine, read_form, remember, visitor_of, visitor_or_demo
from conversations.form import said
from conversations.roles import may
from data.database import Tx
from data.people import find_person
from data.queue import URGENT, Item, find_item, mark_read, read_items, waiting_items
from data.surveys import find_survey


@dataclass(frozen=True)
class Row:
    """One line of the list: no words in it."""

    id: str
    kind: str
    age: str
    about: str
    urgent: bool


@dataclass(frozen=True)
class Opened:
    """An item with its words."""

    kind: str
    age: str
    about: str
    words: tuple[str, ...]
    who: str
    read_by: str


async def show(request: Request) -> Response:
    """The two lists: waiting, and read before."""
    visitor = await visitor_or_demo(request)
    if visitor is None:
        return ask_code(request)
    response = await _list(request, visitor)
    if visitor.new:
        remember(request, response, visitor.secret)
    return response


async def read(request: Request) -> Response:
    """Note who read it first, then show it."""
    web, visitor, form = web_of(request), await visitor_of(request), await read_form(request)
    if visitor is None:
        return ask_code(request, 403)
    if not genuine(request, form, visitor.secret):
        return await _list(request, visitor, 403, web.say(visitor.person.language, "web.expired"))
    if not may(visitor.person.roles, "queue"):
        return _refused(request, visitor)
    async with web.db.transaction() as tx:
        item = await find_item(tx, request.path_params["id"])
        if item is None or not _may_see(visitor, item):
            raise HTTPException(404)
        await mark_read(tx, item.id, visitor.person.id, web.now)
        item = await find_item(tx, item.id)
        opened = await _opened(tx, web, visitor.person.language, item) if item else None
    return _render(request, visitor, "queue_item.html", item=opened)


async def to_list(request: Request) -> Response:
    """An item's address opened by itself shows the list: words only come after `Read`."""
    return RedirectResponse(root_of(request) + "/queue", 303)


async def _list(request: Request, visitor: Visitor, status: int = 200, notice: str = "") -> Response:
    web, language = web_of(request), visitor.person.language
    if not may(visitor.person.roles, "queue"):
        return _refused(request, visitor)
    async with web.db.reading() as tx:
        waiting = [await _row(tx, web, language, i) for i in await waiting_items(tx) if _may_see(visitor, i)]
        done = [await _row(tx, web, language, i) for i in await read_items(tx) if _may_see(visitor, i)]
    return _render(request, visitor, "queue.html", status, waiting=waiting, done=done, notice=notice)


def _refused(request: Request, visitor: Visitor) -> Response:
    text = web_of(request).say(visitor.person.language, "refused")
    return _render(request, visitor, "message.html", 403, title="forbidden-title", text=text)


def _render(request: Request, visitor: Visitor, template: str, status: int = 200, **facts: object) -> Response:
    csrf = csrf_of(web_of(request), visitor.secret)
    return render(request, template, status, visitor.person.language, csrf=csrf, joined=True, **facts)


def _may_see(visitor: Visitor, item: Item) -> bool:
    """Head and chair see only what is routed to them (nothing yet); nobody sees an item of their own."""
    return may(visitor.person.roles, "queue-all") and item.person != visitor.person.id


async def _row(tx: Tx, web: WebChannel, language: str, item: Item) -> Row:
    urgent = item.kind in URGENT and item.read_at is None
    kind, waited = _kind(web, language, item), _age(web, language, item)
    return Row(item.id, kind, waited, await _about(tx, language, item), urgent)


async def _opened(tx: Tx, web: WebChannel, language: str, item: Item) -> Opened:
    reader = await find_person(tx, item.read_by) if item.read_by else None
    roles = ", ".join(web.say(language, f"role.{r}") for r in sorted(reader.roles)) if reader else ""
    who = item.who or web.say(language, "web.queue-unknown")
    return Opened(
        _kind(web, language, item),
        _age(web, language, item),
        await _about(tx, language, item),
        tuple(line for line in item.text.splitlines() if line.strip()),
        who,
        (reader.label or roles) if reader else "",
    )


def _kind(web: WebChannel, language: str, item: Item) -> str:
    key = f"web.kind.{item.kind}"
    return web.say(language, key if web.house.texts.has(key) else "web.kind.new")


def _age(web: WebChannel, language: str, item: Item) -> str:
    return age(web.house, web.now - item.came_at, language)


async def _about(tx: Tx, language: str, item: Item) -> str:
    """The survey it came from, by its title."""
    survey = await find_survey(tx, item.survey) if item.survey else None
    return f"{said(survey.form.title, language)} ({survey.id})" if survey else ""
