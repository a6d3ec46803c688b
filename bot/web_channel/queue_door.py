"""Who may come to one item of the queue, and do what with it: every page of an item asks here (SAFE-7)."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.web_channel.sessions import Visitor
from conversations.roles import ROUTED_TO, may, may_read
from data.audit import entries
from data.database import Tx
from data.people import Person
from data.queue import Item, find_item

READ = "item.read"


async def item_here(tx: Tx, request: Request, visitor: Visitor) -> Item:
    """The item of this address; one that is not for this visitor is answered like one that does not exist."""
    item = await find_item(tx, request.path_params["id"])
    if item is None or not may_see(visitor.person, item):
        raise HTTPException(404)
    return item


async def read_item(tx: Tx, request: Request, visitor: Visitor) -> Item:
    """The same, for whatever needs that this visitor pressed `Read` before."""
    item = await item_here(tx, request, visitor)
    if not await has_read(tx, item, visitor):
        raise HTTPException(404)
    return item


async def has_read(tx: Tx, item: Item, visitor: Visitor) -> bool:
    """Whether the audit log says that this visitor pressed `Read`: everybody who sees words is noted, not the first."""
    return item.read_at is not None and visitor.person.id in {e.actor for e in await entries(tx, item.id, READ)}


def may_see(person: Person, item: Item) -> bool:
    """Nobody sees what is about them, or what they wrote."""
    return may_read(person.roles, item.route, item.about, item.reached) and item.person != person.id


def may_name(person: Person, item: Item) -> bool:
    """Who of those who see it may be shown who wrote it: the readers, and whoever was called to it."""
    return may(person.roles, "names") or _sent_to(person.roles, item) or bool(person.roles & set(item.reached))


def may_transfer(person: Person, item: Item) -> bool:
    """Who may say that the school's own record has it; for what was sent to head or chair, they too."""
    return may(person.roles, "transfer") or _sent_to(person.roles, item)


def _sent_to(roles: Iterable[str], item: Item) -> bool:
    return ROUTED_TO.get(item.route or "") in set(roles)
