"""Letters about who is let in: a role that waits for a yes, a device that was added, a new menu, a chat logged out."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.approving import KIND as APPROVE
from bot.devices import ADDED, TRIED, facts_of
from bot.facts import House
from bot.menus import menu_of
from bot.said import COMMAND, WAITS, WAS_IT, asking
from conversations.channel import Button, Message
from conversations.texts import long_date
from data.codes import START, find_waiting
from data.database import Tx
from data.erasing import is_erased
from data.outbox import Letter
from data.people import Person

ROLE, ENDED = "role", "ended"
ACCESS_LETTERS = frozenset({APPROVE, ADDED, TRIED, ROLE, ENDED})


async def access_letter(tx: Tx, house: House, letter: Letter, person: Person, now: datetime) -> Message | None:
    """One neutral line each; None when it has become pointless."""
    say, language = house.say, person.language
    if letter.kind == ENDED:
        return await _goodbye(tx, house, person, language)
    button = Button(say(language, "label.open"), await _opens(tx, letter, now))
    if letter.kind == ROLE:
        return Message(say(language, "chat.new-menu"), buttons=(button,), menu=menu_of(house, person))
    if letter.kind == APPROVE:
        return Message(say(language, "approve.letter"), buttons=(button,)) if button.says else None
    facts = await facts_of(tx, house, person.id, _ref(letter), language)
    line = "device.added" if letter.kind == ADDED else "device.tried"
    return Message(say(language, line, **facts), buttons=(button,)) if facts else None


async def _goodbye(tx: Tx, house: House, person: Person, language: str) -> Message:
    """To a chat that is logged out; for somebody who deleted everything it is the last thing they read."""
    erased_at = await is_erased(tx, person.id)
    if erased_at is None:
        return Message(house.say(language, "chat.logged-out"))
    gone = erased_at.astimezone(house.school.zone) + timedelta(days=house.school.keeping.backups_days)
    return Message(house.say(language, "erase.goodbye", date=long_date(gone.date(), language)))


async def _opens(tx: Tx, letter: Letter, now: datetime) -> str:
    """What the button says; "" for a role that waits no longer."""
    if letter.kind == ROLE:
        return asking(COMMAND, "menu")
    if letter.kind in (ADDED, TRIED):
        return asking(WAS_IT, _ref(letter))
    ref = letter.ref[:START]
    return asking(WAITS, ref) if await find_waiting(tx, ref, now) else ""


def _ref(letter: Letter) -> str:
    """Without the place that need not be told."""
    return letter.ref.partition(":")[0]
