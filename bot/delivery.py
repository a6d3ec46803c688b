"""How far a sending is, in words; and the buttons to pause it, let it go on, or stop it (field 20)."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.facts import House
from bot.said import FAR, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.roles import may
from conversations.texts import clock_time, long_date
from data.database import Tx
from data.delivery import (
    PAUSED,
    Delivery,
    deliveries_about,
    delivery_of,
    pause_sending,
    resume_sending,
    stop_sending,
)

A_SECOND = 28  # letters; what the limiter lets through (bot/telegram_channel/limiter.py)
LOOK, HOLD, ON, ASK, OFF = "l", "h", "g", "a", "s"  # what a button asks for
COUNTS = ("sent", "page", "held", "family", "stopped", "blocked", "called_off", "late", "over")
ACTION = "send"


def takes(house: House, language: str, people: int) -> str:
    """How long it takes to send this to so many people, beforehand."""
    seconds = max(1, math.ceil(people / A_SECOND))
    if seconds < 90:
        return house.say(language, "delivery.seconds", n=seconds)
    return house.say(language, "delivery.minutes", n=round(seconds / 60))


def how_far_button(house: House, language: str, kind: str, ref: str) -> Button:
    return Button(house.say(language, "delivery.how-far"), asking(FAR, f"{LOOK}:{kind}:{ref}"))


def report_lines(house: House, language: str, delivery: Delivery, now: datetime) -> list[str]:
    """One line for each count that is not nothing; what the letters are comes first."""
    lines = [house.say(language, f"delivery.kind.{delivery.kind}", survey=delivery.ref)]
    lines += _waiting(house, language, delivery, now)
    for name in COUNTS:
        if n := getattr(delivery, name):
            lines.append(house.say(language, f"delivery.{name.replace('_', '-')}", n=n))
    lines += [house.say(language, "delivery.failed", n=n, reason=why) for why, n in sorted(delivery.failed.items())]
    return lines


def _waiting(house: House, language: str, delivery: Delivery, now: datetime) -> list[str]:
    if not delivery.waiting:
        return []
    if delivery.next_at is None or delivery.next_at <= now:
        return [house.say(language, "delivery.on-its-way", n=delivery.waiting)]
    at = delivery.next_at.astimezone(house.school.zone)
    when = {"date": long_date(at.date(), language), "time": clock_time(at, language)}
    return [house.say(language, "delivery.waiting", n=delivery.waiting, **when)]


async def lines_about(tx: Tx, house: House, language: str, ref: str, now: datetime) -> list[str]:
    """The reports of all sendings about a survey or an occasion."""
    found = await deliveries_about(tx, ref)
    return [line for delivery in found for line in report_lines(house, language, delivery, now)]


# --- in chat ------------------------------------------------------------------------------------------------------


async def tapped(turn: PersonsTurn, what: str) -> None:
    """A button of a report; what is not there any more, or was forged, finds nothing."""
    if not may(turn.person.roles, ACTION):
        return turn.tell("refused")
    act, _, about = what.partition(":")
    kind, _, ref = about.partition(":")
    if await delivery_of(turn.tx, kind, ref) is None:
        return turn.tell("closed-now")
    does: dict[str, Callable[[PersonsTurn, str, str], Awaitable[None]]]
    does = {LOOK: show, HOLD: _hold, ON: _go_on, ASK: _ask, OFF: _stop}
    await does.get(act, show)(turn, kind, ref)


async def show(turn: PersonsTurn, kind: str, ref: str) -> None:
    """The counts now, and what can be done about it; below, what else goes out about the same, such as reminders."""
    delivery = await delivery_of(turn.tx, kind, ref)
    if delivery is None:
        return turn.tell("closed-now")
    lines = report_lines(turn.house, turn.language, delivery, turn.now)
    others = [other for other in await deliveries_about(turn.tx, ref) if (other.kind, other.ref) != (kind, ref)]
    for other in others:
        lines += ["", *report_lines(turn.house, turn.language, other, turn.now)]
    if (delivery.blocked or delivery.page or delivery.failed) and may(turn.person.roles, "invite"):
        lines.append(turn.phrase("delivery.calls"))
    looks = [_look_button(turn, other) for other in others if other.under_way]
    turn.says.append(Message("\n".join(lines), buttons=(*_buttons(turn, delivery), *looks)))


def _look_button(turn: PersonsTurn, delivery: Delivery) -> Button:
    label = turn.phrase(f"delivery.kind.{delivery.kind}", survey=delivery.ref)
    return Button(label, asking(FAR, f"{LOOK}:{delivery.kind}:{delivery.ref}"))


def _buttons(turn: PersonsTurn, delivery: Delivery) -> list[Button]:
    if not delivery.under_way:
        return []
    acts = [("go-on", ON)] if delivery.decision == PAUSED else [("how-far", LOOK), ("hold", HOLD)]
    what = f"{delivery.kind}:{delivery.ref}"
    every = (*acts, ("call-off", ASK))
    return [Button(turn.phrase(f"delivery.{key}"), asking(FAR, f"{act}:{what}")) for key, act in every]


async def _hold(turn: PersonsTurn, kind: str, ref: str) -> None:
    if await pause_sending(turn.tx, kind, ref, turn.now, turn.person.id):
        turn.tell("delivery.is-held")
    await show(turn, kind, ref)


async def _go_on(turn: PersonsTurn, kind: str, ref: str) -> None:
    if await resume_sending(turn.tx, kind, ref, turn.now, turn.person.id):
        turn.tell("delivery.goes-on")
    await show(turn, kind, ref)


async def _ask(turn: PersonsTurn, kind: str, ref: str) -> None:
    """It cannot be taken back, so it is asked once more."""
    delivery = await delivery_of(turn.tx, kind, ref)
    left = delivery.waiting + delivery.held + delivery.family if delivery else 0
    stop = Button(turn.phrase("delivery.call-off-now"), asking(FAR, f"{OFF}:{kind}:{ref}"))
    text = turn.phrase("delivery.ask-off", n=left)
    turn.says.append(Message(text, buttons=(stop, how_far_button(turn.house, turn.language, kind, ref))))


async def _stop(turn: PersonsTurn, kind: str, ref: str) -> None:
    if await stop_sending(turn.tx, kind, ref, turn.now, turn.person.id):
        turn.tell("delivery.is-off")
    await show(turn, kind, ref)
