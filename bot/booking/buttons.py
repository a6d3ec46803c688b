"""What the buttons under drop-ins and events say: e=act.about.more, well inside Telegram's 64 bytes."""

from __future__ import annotations

from bot.said import EVENT, asking
from bot.turn import PersonsTurn
from conversations.channel import Button

MOST = 6  # of one sort at once on a small screen


def says(act: str, about: str = "", more: object = "") -> str:
    """What a button says that does this."""
    return asking(EVENT, ".".join(part for part in (act, about, str(more)) if part))


def button(turn: PersonsTurn, act: str, about: str = "", more: object = "", **facts: object) -> Button:
    """A button named by the phrase booking.do-ACT."""
    return Button(turn.phrase(f"booking.do-{act}", **facts), says(act, about, more))
