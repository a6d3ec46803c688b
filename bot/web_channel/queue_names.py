"""Who is behind an item: with a second factor and a reason, and noted before it is shown (trust A4.2)."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.web_channel.channel import web_of
from bot.web_channel.door import acting, looking
from bot.web_channel.queue_door import may_name, read_item
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from data.codes import slips_of
from data.database import Tx
from data.looks import note_look
from data.people import all_groups, find_person, groups_of
from data.queue import EMPTIED, Item

LONGEST_REASON = 500


async def ask(request: Request) -> Response:
    """The question why; before it the second factor."""
    visitor = await looking(request, "queue", names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web_of(request).db.reading() as tx:
        item = await _named_item(tx, request, visitor)
    return draw_for(request, visitor, "queue_name.html", item=item.id, person=None, notice="")


async def show(request: Request) -> Response:
    """The name. Loading this page again asks the browser to send the form again, which is noted again."""
    entered = await acting(request, "queue", names=True)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    async with web.db.transaction() as tx:  # committed before anything of the person is shown
        item = await _named_item(tx, request, visitor)
        if reason:
            await note_look(tx, visitor.person.id, "name", item.id, reason, web.now)
    if not reason:
        notice = web.say(visitor.person.language, "queue.name-need")
        return draw_for(request, visitor, "queue_name.html", 400, item=item.id, person=None, notice=notice)
    async with web.db.reading() as tx:
        found = await _found(tx, request, visitor, item)
    return draw_for(request, visitor, "queue_name.html", item=item.id, person=found, notice="")


async def _named_item(tx: Tx, request: Request, visitor: Visitor) -> Item:
    item = await read_item(tx, request, visitor)
    if not item.person or item.kind == EMPTIED or not may_name(visitor.person, item):
        raise HTTPException(404)
    return item


async def _found(tx: Tx, request: Request, visitor: Visitor, item: Item) -> list[tuple[str, str]]:
    """What is known of the person, as (what, value). A name need not have been given."""
    web, language = web_of(request), visitor.person.language
    person = await find_person(tx, item.person)
    roles = [web.say(language, f"role.{role}") for role in sorted(person.roles)] if person else []
    names = await all_groups(tx)
    groups = sorted(names[group] for group in await groups_of(tx, item.person))
    label = person.label if person else item.who
    found = [
        ("queue.name", label or web.say(language, "queue.name-none")),
        ("queue.role", ", ".join(roles)),
        ("queue.groups", ", ".join(groups)),
        ("queue.letter", await _letter(tx, item.person)),
    ]
    return [(web.say(language, key), value) for key, value in found if value]


async def _letter(tx: Tx, person: str) -> str:
    """The number of the letter they joined with, by which the office finds a family that it gave no name for."""
    numbers = {slip.invitation.slip for slip in await slips_of(tx) if slip.person == person}
    return ", ".join(str(number) for number in sorted(n for n in numbers if n))
