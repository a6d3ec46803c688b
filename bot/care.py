"""The reply to a disclosure, a wish to talk, or a call for help, and the queue item behind it (SAFE-4 to SAFE-7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.facts import House
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.words import Raised
from data.database import Tx
from data.queue import add_item
from scheduler.ladder import raise_alert, rungs_for
from scheduler.naming import readers

KINDS = {"help": "help", "talk": "talk"}  # what the queue calls it; everything the word screen finds is "flagged"


@dataclass(frozen=True)
class Told:
    """Who reads it: the one whose turn comes first, and whether an alert to them is on its way or due at opening."""

    reader: str
    alerted: bool


async def raise_concern(
    turn: PersonsTurn, raised: Raised, survey: str | None = None, anonymous: bool = False, pupil: bool = False
) -> Message:
    """Put it in the queue, start its ladder, and answer with care. `anonymous` keeps the person out of it."""
    kind = KINDS.get(raised.kind, "flagged")
    known = not anonymous or kind == "help"  # who asks for help wants to be found
    person, who = (turn.person.id, _who(turn)) if known else ("", "")
    told = await into_queue(turn.tx, turn.house, kind, turn.now, raised.text, person, who, survey)
    return Message(care_words(turn, kind, told, traced=known, pupil=pupil))


async def into_queue(
    tx: Tx,
    house: House,
    kind: str,
    now: datetime,
    text: str,
    person: str = "",
    who: str = "",
    survey: str | None = None,
) -> Told:
    """A new urgent item with its ladder; never to those whom the words name."""
    about = (await readers(tx, house.school)).named_in(text)
    item = await add_item(tx, kind, now, text, person, who, survey, about)
    alerted = await raise_alert(tx, house.school, item, now)
    return Told(reader_of(house, alerted or rungs_for(about)), bool(alerted))


def reader_of(house: House, roles: Iterable[str]) -> str:
    """The name of the first of these roles."""
    return house.staff_names[next(iter(roles))]


def care_words(turn: PersonsTurn, kind: str, told: Told, traced: bool, pupil: bool) -> str:
    """Thanks, what happens next, who can help now; out of hours it says that nobody is reading (SAFE-6)."""
    lines = next_steps(turn.house, turn.language, kind, told, turn.now)
    if not traced:
        lines.append(turn.phrase("care.no-trace"))
    lines += [turn.phrase("care.pupil-numbers")] if pupil else [turn.phrase("care.now"), turn.phrase("care.help")]
    return "\n\n".join(lines)


def next_steps(house: House, language: str, kind: str, told: Told, now: datetime) -> list[str]:
    """Thanks and what happens next, never more than is so: who is told, or that nobody could be."""
    prefix = "" if kind == "flagged" else f"{kind}-"
    when = "open" if house.school.is_open(now) else "closed"
    key = f"{prefix}next-{when}" if told.alerted else f"next-{when}-nobody"
    thanks, opens = house.say(language, f"care.{prefix}thanks"), house.opening(now, language)
    return [thanks, house.say(language, f"care.{key}", reader=told.reader, opens=opens)]


def go_on_button(turn: PersonsTurn, says: str) -> tuple[Button, ...]:
    return (turn.label("go-on", says),)


def _who(turn: PersonsTurn) -> str:
    roles = [turn.phrase(f"role.{role}") for role in sorted(turn.person.roles)]
    return ", ".join([*([turn.person.label] if turn.person.label else []), *roles])
