"""The reply to a disclosure, a wish to talk, or a call for help, and the queue item behind it (SAFE-4 to SAFE-7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.facts import House
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.words import Raised
from data.alerts import steps_of
from data.database import Tx
from data.queue import add_item
from scheduler.ladder import is_open, next_opening, raise_alert, rungs_for
from scheduler.naming import readers

KINDS = {"help": "help", "talk": "talk"}  # what the queue calls it; everything the word screen finds is "flagged"


@dataclass(frozen=True)
class Told:
    """Who reads it, and how they learn of it.

    "alert": a message is on its way or due at opening; "page": they see it when they look; "nobody": none has joined.
    `opens`: when the office opens next; None: it is open now.
    """

    reader: str
    how: Literal["alert", "page", "nobody"]
    opens: datetime | None


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
    opens = None if await is_open(tx, house.school, now) else await next_opening(tx, house.school, now)
    if alerted:
        return Told(reader_of(house, alerted), "alert", opens)
    seen = {step.role for step in await steps_of(tx, item) if step.what == "blocked"}
    on_page = [role for role in rungs_for(about) if role in seen]
    return Told(reader_of(house, on_page or rungs_for(about)), "page" if on_page else "nobody", opens)


def reader_of(house: House, roles: Iterable[str]) -> str:
    """The name of the first of these roles."""
    return house.staff_names[next(iter(roles))]


def care_words(turn: PersonsTurn, kind: str, told: Told, traced: bool, pupil: bool) -> str:
    """Thanks, what happens next, who can help now; out of hours it says that nobody is reading (SAFE-6)."""
    lines = next_steps(turn.house, turn.language, kind, told, pupil)
    if not traced:
        lines.append(turn.phrase("care.no-trace"))
    lines += [turn.phrase("care.pupil-numbers")] if pupil else [turn.phrase("care.now"), turn.phrase("care.help")]
    return "\n\n".join(lines)


def next_steps(house: House, language: str, kind: str, told: Told, pupil: bool = False) -> list[str]:
    """Thanks and what happens next, never more than is so; where nobody gets a message, whom to tell too."""
    prefix = "" if kind == "flagged" else f"{kind}-"
    when = "closed" if told.opens else "open"
    key = f"{prefix}next-{when}" if told.how == "alert" else f"next-{when}-{told.how}"
    thanks = house.say(language, f"care.{prefix}thanks")
    opens = house.opening(told.opens, language) if told.opens else ""
    lines = [thanks, house.say(language, f"care.{key}", reader=told.reader, opens=opens)]
    too = "care.pupil-tell-too" if pupil else "care.call-too"
    return lines if told.how == "alert" else [*lines, house.say(language, too)]


def go_on_button(turn: PersonsTurn, says: str) -> tuple[Button, ...]:
    return (turn.label("go-on", says),)


def _who(turn: PersonsTurn) -> str:
    roles = [turn.phrase(f"role.{role}") for role in sorted(turn.person.roles)]
    return ", ".join([*([turn.person.label] if turn.person.label else []), *roles])
