"""The queue of what waits to be read, in a chat: counts and ages, and alerts seen. Words stand only on the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.duties import duty_buttons
from bot.facts import House
from bot.gaps import gaps
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.roles import may, may_read
from data.alerts import acknowledge, test_seen
from data.database import Tx
from data.links import make_link
from data.people import Person
from data.queue import Item, find_item, waiting_items

WEB = "web"


async def queue(turn: PersonsTurn) -> None:
    """How many wait and how long; the way to the page; and who on the ladder cannot be alerted now."""
    lines = [
        _counts(turn, await readable(turn.tx, turn.person)),
        *await gaps(turn.tx, turn.house, turn.language, turn.now),
    ]
    buttons = await duty_buttons(turn)
    if turn.channel == WEB:
        return _say(turn, lines, (Button(turn.phrase("label.open"), opens="queue"), *buttons))
    lines += await _way_to_page(turn)
    _say(turn, lines, buttons)


def _say(turn: PersonsTurn, lines: Sequence[str], buttons: Sequence[Button]) -> None:
    turn.says.append(Message("\n".join(lines), buttons=tuple(buttons)))


async def readable(tx: Tx, person: Person) -> list[Item]:
    """What waits and this person may read."""
    return [item for item in await waiting_items(tx) if _may_see(person, item)]


def _may_see(person: Person, item: Item) -> bool:
    """Nobody reads, or takes the alert of, what is about them or what they wrote."""
    return may_read(person.roles, item.route, item.about, item.reached) and item.person != person.id


def _counts(turn: PersonsTurn, waiting: Sequence[Item]) -> str:
    if not waiting:
        return turn.phrase("staff.queue-empty")
    oldest = min(item.came_at for item in waiting)
    return turn.phrase("staff.queue-counts", n=len(waiting), age=age(turn.house, turn.now - oldest, turn.language))


async def _way_to_page(turn: PersonsTurn) -> list[str]:
    """A one-time link, since this chat is not the page itself."""
    secret = await make_link(turn.tx, turn.person.id, "queue", "", turn.now)
    local = [] if turn.house.public else [turn.phrase("staff.local-link")]
    return [turn.phrase("staff.queue-link"), *local, f"{turn.house.web_address}/file/{secret}"]


def age(house: House, waited: timedelta, language: str) -> str:
    """ "3 hours", in whole minutes, hours or days."""
    minutes = max(0, int(waited.total_seconds() // 60))
    if minutes < 90:
        return house.texts.say(language, "age.minutes", n=minutes)
    if minutes < 48 * 60:
        return house.texts.say(language, "age.hours", n=minutes // 60)
    return house.texts.say(language, "age.days", n=minutes // (24 * 60))


async def alert_seen(turn: PersonsTurn, item_id: str) -> None:
    """`Open` of an alert: it climbs no further, and the way to the page follows."""
    if not may(turn.person.roles, "queue"):
        return turn.tell("refused")
    if await test_seen(turn.tx, item_id, turn.person.id, turn.now):
        return turn.tell("staff.test-seen", turn.menu_button())
    item = await find_item(turn.tx, item_id)
    if item and _may_see(turn.person, item):
        await acknowledge(turn.tx, item_id, turn.person.id, turn.now)
    await queue(turn)
