"""An event in words for staff: what families will see of it, and one line of a list."""

from __future__ import annotations

from bot.booking.words import Times, card, title_of, when
from bot.facts import House
from data.database import Tx
from data.events import Event, Occasion


async def preview(tx: Tx, house: House, language: str, event: Event, times: Times) -> str:
    """The card that families see, below its name; and what only those who have a place will see."""
    lines = [title_of(house, event, language), await card(tx, house, language, event, times)]
    lines += [house.say(language, "planning.online", address=event.online)] if event.online else []
    return "\n".join(lines)


def row_of(house: House, language: str, occasion: Occasion) -> str:
    """One line of a list: what, when, where."""
    event = occasion.event
    parts = [title_of(house, event, language), when(house, language, occasion.starts_at, occasion.ends_at), event.place]
    return ". ".join(part for part in parts if part)
