"""The letter after an event: one neutral line, and `Open` leads to its questions (FAIL-7)."""

from __future__ import annotations

from bot.facts import House
from bot.said import OPEN, asking
from conversations.channel import Button, Message
from data.database import Tx
from data.events import find_occasion
from data.outbox import Letter
from data.pools import find_pool, questions_after
from data.runs import run_of

FOLLOW_UP_LETTERS = frozenset({"how-was-it"})  # their ref is the occasion


async def follow_up_letter(tx: Tx, house: House, letter: Letter, language: str) -> Message | None:
    """None when there is nothing to answer any more: the box is closed, or the booking was deleted."""
    occasion = await find_occasion(tx, letter.ref)
    pool = await find_pool(tx, await questions_after(tx, occasion.event)) if occasion else None
    if pool is None or await run_of(tx, letter.person, pool.id) is None:
        return None
    button = Button(house.say(language, "label.open"), asking(OPEN, pool.id))
    return Message(house.say(language, "after.how-was-it"), buttons=(button,))
