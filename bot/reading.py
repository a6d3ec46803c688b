"""The queue of what waits to be read: counts and ages in a chat, words only on the web page."""

from __future__ import annotations

from datetime import timedelta

from bot.facts import House
from bot.turn import PersonsTurn
from conversations.channel import Button
from conversations.roles import may
from data.links import make_link
from data.queue import queue_size


async def queue(turn: PersonsTurn) -> None:
    """How many wait and how long; and the way to the page, by a one-time link where the chat is not the page itself."""
    size, oldest = await queue_size(turn.tx) if may(turn.person.roles, "queue-all") else (0, None)
    text = turn.phrase("staff.queue-empty")
    if size and oldest:
        text = turn.phrase("staff.queue-counts", n=size, age=age(turn.house, turn.now - oldest, turn.language))
    if turn.channel == "web":
        button = Button(turn.phrase("label.open"), opens="queue")
        return turn.tell("plain", button, text=text)
    secret = await make_link(turn.tx, turn.person.id, "queue", "", turn.now)
    address = f"{turn.house.web_address}/file/{secret}"
    note = "" if turn.house.public else f"\n{turn.phrase('staff.local-link')}"
    turn.tell("plain", text=f"{text}\n{turn.phrase('staff.queue-link')}{note}\n{address}")


def age(house: House, waited: timedelta, language: str) -> str:
    """ "3 hours", in whole minutes, hours or days."""
    minutes = max(0, int(waited.total_seconds() // 60))
    if minutes < 90:
        return house.texts.say(language, "age.minutes", n=minutes)
    if minutes < 48 * 60:
        return house.texts.say(language, "age.hours", n=minutes // 60)
    return house.texts.say(language, "age.days", n=minutes // (24 * 60))
