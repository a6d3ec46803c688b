"""Letters of what is asked after an event: to those who came, and to staff when its box was opened (FAIL-7)."""

from __future__ import annotations

from bot.facts import House
from bot.said import OPEN, asking
from conversations.channel import Button, Message
from conversations.roles import may
from data.database import Tx
from data.events import find_occasion
from data.outbox import Letter
from data.people import Person
from data.pools import find_pool, questions_after
from data.runs import run_of
from data.wishes import wishes_of

OPENED = "box-opened"  # its ref is the pool
FOLLOW_UP_LETTERS = frozenset({"how-was-it", OPENED})


async def follow_up_letter(tx: Tx, house: House, letter: Letter, person: Person | None) -> Message | None:
    """None when there is nothing to answer any more (the box is closed, or the booking was deleted) or to be seen."""
    if person is None:
        return None
    opens = _results(letter, person) if letter.kind == OPENED else await _questions(tx, letter)
    if opens is None:
        return None
    button = Button(house.say(person.language, "label.open"), asking(OPEN, opens))
    return Message(house.say(person.language, f"after.{letter.kind}"), buttons=(button,))


def _results(letter: Letter, person: Person) -> str | None:
    return letter.ref if may(person.roles, "summary") else None


async def _questions(tx: Tx, letter: Letter) -> str | None:
    """The pool in which this person can say how it was; the letter is about one time of an event."""
    occasion = await find_occasion(tx, letter.ref)
    if occasion and occasion.event.opted and occasion.event.kind not in await wishes_of(tx, letter.person):
        return None  # stopped in the meantime (MSG-2)
    pool = await find_pool(tx, await questions_after(tx, occasion.event)) if occasion else None
    return pool.id if pool and await run_of(tx, letter.person, pool.id) else None
