"""/queue: what waits to be read, the urgent first; and one item after `Read`. Words are shown only here."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bot.gaps import gaps
from bot.item_record import kind_of, name_of, survey_title
from bot.reading import age
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import acting, looking, to
from bot.web_channel.queue_door import has_read, item_here, may_see
from bot.web_channel.queue_item import draw_item, next_step
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import NOT_DONE, draw_for
from conversations.roles import may
from data.alerts import acknowledge, steps_of
from data.audit import note
from data.calendar import Calendar, load_calendar
from data.comments import find_comment
from data.database import Tx
from data.queue import (
    URGENT,
    Item,
    finished_concerns,
    finished_items,
    mark_read,
    unfinished_items,
    waiting_items,
)
from scheduler.plan import one_school_day_after

NOTICES = {"passed-on": "queue.passed-on", "saved": "queue.saved"}  # what an address may ask the page to say


@dataclass(frozen=True)
class Row:
    """One line of the list: no words in it. `state` says who has seen it and what is to be done."""

    id: str
    kind: str
    age: str
    survey: str
    route: str
    state: str
    urgent: bool
    late: bool


async def show(request: Request) -> Response:
    """The three lists: waiting, read but not finished, finished."""
    visitor = await looking(request, "queue")
    if isinstance(visitor, Response):
        return visitor
    web = web_of(request)
    async with web.db.reading() as tx:
        lists = await _lists(tx, web, visitor)
        missing = await gaps(tx, web.house, visitor.person.language, web.now)
    leads = [page for page in ("names", "records") if may(visitor.person.roles, page)]
    shown = {"lists": lists, "gaps": missing, "notice": _notice(request, visitor), "leads": leads}
    return draw_for(request, visitor, "queue.html", 200, **shown)


async def read(request: Request) -> Response:
    """Note who read it first; its alert climbs no further."""
    entered = await acting(request, "queue", names=False)
    if isinstance(entered, Response):
        return entered
    web, (visitor, _) = web_of(request), entered
    async with web.db.transaction() as tx:
        item = await item_here(tx, request, visitor)
        await note(tx, "item.read", item.id, web.now, visitor.person.id)
        await mark_read(tx, item.id, visitor.person.id, web.now)
        await acknowledge(tx, item.id, visitor.person.id, web.now)
    return to(request, f"/queue/{item.id}")


async def show_item(request: Request) -> Response:
    """An item that this visitor has read. Before that its address shows the list: words only come after `Read`."""
    visitor = await looking(request, "queue")
    if isinstance(visitor, Response):
        return visitor
    async with web_of(request).db.reading() as tx:
        item = await item_here(tx, request, visitor)
        if not await has_read(tx, item, visitor):
            return to(request, "/queue")
        return await draw_item(request, tx, visitor, item, notice=_notice(request, visitor))


async def to_item(request: Request) -> Response:
    """The address of a form that was sent, opened again, after a pause for example, leads to its item."""
    visitor = await looking(request, "queue")
    said = f"?said={NOT_DONE}" if request.query_params.get("said") == NOT_DONE else ""
    return visitor if isinstance(visitor, Response) else to(request, f"/queue/{request.path_params['id']}{said}")


def _notice(request: Request, visitor: Visitor) -> str:
    key = NOTICES.get(request.query_params.get("said", ""))
    return web_of(request).say(visitor.person.language, key) if key else ""


@dataclass(frozen=True)
class Lists:
    """The rows of the page, and how long the oldest of those that wait has waited."""

    waiting: list[Row]
    unfinished: list[Row]
    finished: list[Row]
    oldest: str


async def _lists(tx: Tx, web: WebChannel, visitor: Visitor) -> Lists:
    person = visitor.person
    finished = finished_items if may(person.roles, "queue-all") else finished_concerns
    found = (await waiting_items(tx), await unfinished_items(tx), await finished(tx))
    waiting, unfinished, done = [[item for item in items if may_see(person, item)] for items in found]
    oldest = min((item.came_at for item in waiting), default=web.now)
    one_of_each = {item.survey: item for items in (waiting, unfinished, done) for item in items}
    titles = {survey: await survey_title(tx, item, person.language) for survey, item in one_of_each.items()}
    once = _Once(titles, await load_calendar(tx, web.house.school.nation))
    return Lists(
        [await _row(tx, web, visitor, item, once) for item in waiting],
        [await _row(tx, web, visitor, item, once) for item in unfinished],
        [await _row(tx, web, visitor, item, once) for item in done],
        age(web.house, web.now - oldest, person.language),
    )


@dataclass(frozen=True)
class _Once:
    """Looked up once for all rows. `titles` by the ids of surveys: a whole school's words come from few of them."""

    titles: dict[str | None, str]
    calendar: Calendar


async def _row(tx: Tx, web: WebChannel, visitor: Visitor, item: Item, once: _Once) -> Row:
    language, house = visitor.person.language, web.house
    waits = item.read_at is None
    return Row(
        item.id,
        kind_of(house, item, language),
        age(house, web.now - item.came_at, language),
        once.titles[item.survey],
        web.say(language, f"queue.route-short.{item.route}") if item.route else "",
        await (_seen if waits else _read)(tx, web, visitor, item),
        urgent=waits and item.kind in URGENT,
        late=waits and web.now > one_school_day_after(item.came_at, house.school, once.calendar),
    )


async def _seen(tx: Tx, web: WebChannel, visitor: Visitor, item: Item) -> str:
    """Whether somebody has tapped its alert. The words of surveys come without one."""
    if item.kind == "words":
        return ""
    language = visitor.person.language
    taps = [step for step in await steps_of(tx, item.id) if step.what == "acknowledged"]
    if taps:
        return web.say(language, "queue.seen", who=await name_of(tx, web.house, taps[0].person, language))
    return web.say(language, "queue.unseen") if item.kind in URGENT else ""


async def _read(tx: Tx, web: WebChannel, visitor: Visitor, item: Item) -> str:
    language = visitor.person.language
    who = await name_of(tx, web.house, item.read_by, language)
    step, comment = await next_step(tx, visitor.person, item), await find_comment(tx, item.id)
    key = f"queue.comment-short.{comment.state}" if step == "comment" and comment else f"queue.next-short.{step}"
    return f"{web.say(language, 'queue.was-read', who=who)}. {web.say(language, key)}"
