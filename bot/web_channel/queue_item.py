"""The page of one item: its words, what to do with it now, and what has happened to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from bot.facts import House
from bot.item_record import Pairs, from_whom, happened, kind_of, lines_of, moment_words, survey_title
from bot.moderation import Moderated, moderated
from bot.reading import age
from bot.web_channel.channel import web_of
from bot.web_channel.queue_door import may_name, may_see, may_transfer
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from conversations.roles import may
from conversations.texts import long_date
from data.database import Tx
from data.looks import looks_at
from data.people import Person
from data.queue import CONCERNS, EMPTIED, ROUTES, URGENT, Item, waiting_items

READERS = ("dsl", "deputy", "senco")  # of whom an item may be, and who then stop seeing it
Draft = dict[str, str]  # what was typed into a form that could not be taken


@dataclass(frozen=True)
class Choice:
    """One thing to tick."""

    id: str
    label: str = field(repr=False)
    ticked: bool


@dataclass(frozen=True)
class Page:
    """All that the page of one item shows."""

    id: str
    kind: str
    age: str
    when: str
    survey: str
    words: tuple[str, ...] = field(repr=False)
    writer: str = field(repr=False)
    can_name: bool
    step: str
    meet: bool
    danger: bool
    route: str
    routes: tuple[Choice, ...]
    about: tuple[Choice, ...]
    drawn: str
    reason: str = field(repr=False)
    can_record: bool
    deleted_on: str
    comment: Moderated | None = field(repr=False)
    happened: Pairs = field(repr=False)
    next_id: str
    next_count: int


async def draw_item(
    request: Request,
    tx: Tx,
    visitor: Visitor,
    item: Item,
    status: int = 200,
    notice: str = "",
    draft: Draft | None = None,
) -> Response:
    """The page; with what was typed and why it was not taken, where a form could not be."""
    page = await _page(request, tx, visitor, item, draft or {})
    return draw_for(request, visitor, "queue_item.html", status, item=page, notice=notice)


async def next_step(tx: Tx, person: Person, item: Item) -> str:
    """What has to be done with a read item now, as the name of its phrase."""
    if item.kind == EMPTIED or item.done_at:
        return "gone" if item.kind == EMPTIED else "done"
    if item.route not in CONCERNS:
        return "comment" if item.kind == "words" else "nothing" if item.route else "route"
    if not may_transfer(person, item):
        return "theirs"
    return "confirm" if await copy_taken(tx, item) else "copy"


def state_of(item: Item) -> str:
    """A short mark of where it goes and who it is about, by which a form tells what it was drawn from."""
    said = (item.route, item.routed_by, sorted(item.about), item.reason)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


async def copy_taken(tx: Tx, item: Item) -> bool:
    return any(look.what == "copy" for look in await looks_at(tx, item.id))


def can_be_recorded(person: Person, item: Item) -> bool:
    """Words of surveys that are no concern need no place in the school's record."""
    return may_transfer(person, item) and item.kind != EMPTIED and (item.kind in URGENT or item.route in CONCERNS)


async def _page(request: Request, tx: Tx, visitor: Visitor, item: Item, draft: Draft) -> Page:
    web, person, language = web_of(request), visitor.person, visitor.person.language
    house = web.house
    others = [i for i in await waiting_items(tx) if may_see(person, i)]
    words_here = item.kind == "words" and may(person.roles, "queue-all")
    return Page(
        id=item.id,
        kind=kind_of(house, item, language),
        age=age(house, web.now - item.came_at, language),
        when=moment_words(house, item.came_at, language),
        survey=await survey_title(tx, item, language),
        words=lines_of(item.text),
        writer=await from_whom(tx, house, item, language),
        can_name=bool(item.person) and may_name(person, item),
        step=await next_step(tx, person, item),
        meet=item.kind in ("help", "talk") and bool(item.person) and item.route is None,
        danger=item.kind in URGENT and not item.done_at,
        route=house.say(language, f"queue.route-short.{item.route}") if item.route else "",
        routes=_routes(house, language, draft.get("route", item.route or "")),
        about=_about(house, language, draft, item),
        drawn=state_of(item),
        reason=draft.get("reason", item.reason),
        can_record=can_be_recorded(person, item),
        deleted_on=_deleted_on(house, language, item),
        comment=await moderated(tx, house, item, draft) if words_here else None,
        happened=await happened(tx, house, item, language),
        next_id=others[0].id if others else "",
        next_count=len(others),
    )


def _routes(house: House, language: str, chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(route, house.say(language, f"queue.route.{route}"), route == chosen) for route in ROUTES)


def _about(house: House, language: str, draft: Draft, item: Item) -> tuple[Choice, ...]:
    """Draft boxes count where a route was chosen; else who it is known to be about."""
    ticked = {role for role in READERS if draft.get(f"about-{role}")} if "route" in draft else set(item.about)
    names = {role: f"{house.staff_names[role]}, {house.say(language, f'role.{role}')}" for role in READERS}
    return tuple(Choice(role, name, role in ticked) for role, name in names.items())


def _deleted_on(house: House, language: str, item: Item) -> str:
    at = item.done_at and (item.done_at + timedelta(days=house.school.keeping.transferred_days)).astimezone(
        house.school.zone
    )
    return long_date(at.date(), language) if at else ""
