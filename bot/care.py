"""The reply to a disclosure, a wish to talk, or a call for help, and the queue item behind it (SAFE-4 to SAFE-6)."""

from __future__ import annotations

from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.words import Raised
from data.outbox import ALERT, post
from data.people import people_with_role
from data.queue import add_item
from scheduler.closing import READERS

KINDS = {"help": "help", "talk": "talk"}  # what the queue calls it; everything the word screen finds is "flagged"


async def raise_concern(
    turn: PersonsTurn, raised: Raised, survey: str | None = None, anonymous: bool = False, pupil: bool = False
) -> Message:
    """Put it in the queue, alert DSL and deputy, and answer with care. `anonymous` keeps the person out of it."""
    kind = KINDS.get(raised.kind, "flagged")
    known = not anonymous or kind == "help"  # who asks for help wants to be found
    person, who = (turn.person.id, _who(turn)) if known else ("", "")
    item = await add_item(turn.tx, kind, turn.now, raised.text, person, who, survey)
    await alert_readers(turn, item)
    return Message(care_words(turn, kind, traced=known, pupil=pupil))


async def alert_readers(turn: PersonsTurn, item: str) -> None:
    await post(turn.tx, "alert", item, await people_with_role(turn.tx, *READERS), turn.now, ALERT)


def care_words(turn: PersonsTurn, kind: str, traced: bool, pupil: bool) -> str:
    """Thanks, what happens next, who can help now; out of hours it says that nobody is reading (SAFE-6)."""
    prefix = "" if kind == "flagged" else f"{kind}-"
    is_open = turn.house.school.is_open(turn.now)
    when = "open" if is_open else "closed"
    opens = turn.house.opening(turn.now, turn.language)
    lines = [turn.phrase(f"care.{prefix}thanks"), turn.phrase(f"care.{prefix}next-{when}", opens=opens)]
    if not traced:
        lines.append(turn.phrase("care.no-trace"))
    lines += [turn.phrase("care.pupil-numbers")] if pupil else [turn.phrase("care.now"), turn.phrase("care.help")]
    return "\n\n".join(lines)


def go_on_button(turn: PersonsTurn, says: str) -> tuple[Button, ...]:
    return (turn.label("go-on", says),)


def _who(turn: PersonsTurn) -> str:
    roles = [turn.phrase(f"role.{role}") for role in sorted(turn.person.roles)]
    return ", ".join([*([turn.person.label] if turn.person.label else []), *roles])
