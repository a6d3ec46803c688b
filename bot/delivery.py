"""How far a sending is, in words; and the buttons to pause it, let it go on, or stop it (field 20)."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.booking.words import day_of, title_of
from bot.events.hosts import may_change
from bot.facts import House
from bot.page_link import way_to_page
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
from data.events import find_event, find_occasion, occasions_of

A_SECOND = 28  # letters; what the limiter lets through (bot/telegram_channel/limiter.py)
LOOK, HOLD, ON, ASK, OFF = "l", "h", "g", "a", "s"  # what a button asks for
COUNTS = ("sent", "page", "held", "family", "stopped", "blocked", "called_off", "late", "over")
NEWEST = 5  # sendings about an event that are shown though they are done
ACTION = "send"


def takes(house: House, language: str, people: int) -> str:
    """How long it takes to send this to so many people, beforehand."""
    seconds = max(1, math.ceil(people / A_SECOND))
    if seconds < 90:
        return house.say(language, "delivery.seconds", n=seconds)
    return house.say(language, "delivery.minutes", n=round(seconds / 60))


def how_far_button(house: House, language: str, kind: str, ref: str) -> Button:
    return Button(house.say(language, "delivery.how-far"), asking(FAR, f"{LOOK}:{kind}:{ref}"))


async def report_lines(tx: Tx, house: House, language: str, delivery: Delivery, now: datetime) -> list[str]:
    """One line for each count that is not nothing; what the letters are comes first."""
    lines = [await _name(tx, house, language, delivery), *_counts(house, language, delivery, now)]
    return [*lines, *(house.say(language, "delivery.failed", n=n, reason=why) for why, n in _failed(delivery))]


async def _name(tx: Tx, house: House, language: str, delivery: Delivery) -> str:
    """What these letters are: of a survey by its id, of an event by its title, and its day."""
    occasion, event = await find_occasion(tx, delivery.ref), await find_event(tx, delivery.ref)
    about = delivery.ref
    if occasion:
        about = f"{title_of(house, occasion.event, language)}, {day_of(house, occasion.starts_at, language)}"
    elif event:
        about = title_of(house, event, language)
    return house.say(language, f"delivery.kind.{delivery.kind}", survey=about)


def _failed(delivery: Delivery) -> list[tuple[str, int]]:
    return sorted(delivery.failed.items())


def _counts(house: House, language: str, delivery: Delivery, now: datetime) -> list[str]:
    lines = _waiting(house, language, delivery, now)
    for name in COUNTS:
        if n := getattr(delivery, name):
            lines.append(house.say(language, f"delivery.{name.replace('_', '-')}", n=n))
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
    """The reports of all sendings about a survey, or an event or one of its times."""
    found = await all_about(tx, ref)
    return [line for delivery in found for line in await report_lines(tx, house, language, delivery, now)]


async def all_about(tx: Tx, ref: str) -> list[Delivery]:
    """The sendings about the same; of an event that repeats all that are under way, and the newest others."""
    occasion = await find_occasion(tx, ref)
    event = occasion.event if occasion else await find_event(tx, ref)
    if event is None:
        return await deliveries_about(tx, ref)
    times = [o.id for o in await occasions_of(tx, event.id)]
    found = await deliveries_about(tx, event.id, *times)
    order = {time: n for n, time in enumerate(times, 1)}
    found.sort(key=lambda one: order.get(one.ref.partition(".")[0], 0))
    newest = [one for one in found if not one.under_way][-NEWEST:]
    return [one for one in found if one.under_way or one in newest]


async def event_buttons(turn: PersonsTurn, event: str) -> tuple[Button, ...]:
    """The way to the report, where anything went out about the event."""
    found = await all_about(turn.tx, event)
    return (how_far_button(turn.house, turn.language, found[-1].kind, found[-1].ref),) if found else ()


# --- in chat ------------------------------------------------------------------------------------------------------


async def tapped(turn: PersonsTurn, what: str) -> None:
    """A button of a report; what is not there any more, or was forged, finds nothing."""
    act, _, about = what.partition(":")
    kind, _, ref = about.partition(":")
    if not await _may(turn, ref):
        return turn.tell("refused")
    if await delivery_of(turn.tx, kind, ref) is None:
        return turn.tell("closed-now")
    does: dict[str, Callable[[PersonsTurn, str, str], Awaitable[None]]]
    does = {LOOK: show, HOLD: _hold, ON: _go_on, ASK: _ask, OFF: _stop}
    await does.get(act, show)(turn, kind, ref)


async def _may(turn: PersonsTurn, ref: str) -> bool:
    """Whoever may send; and of an event, whoever may change it."""
    occasion = await find_occasion(turn.tx, ref)
    event = occasion.event if occasion else await find_event(turn.tx, ref)
    return may(turn.person.roles, ACTION) or (event is not None and may_change(turn.person, event))


async def show(turn: PersonsTurn, kind: str, ref: str) -> None:
    """The counts now, and what can be done about it; below, what else goes out about the same, such as reminders."""
    delivery = await delivery_of(turn.tx, kind, ref)
    if delivery is None:
        return turn.tell("closed-now")
    lines = await report_lines(turn.tx, turn.house, turn.language, delivery, turn.now)
    others = [other for other in await all_about(turn.tx, ref) if (other.kind, other.ref) != (kind, ref)]
    for other in others:
        lines += ["", *await report_lines(turn.tx, turn.house, turn.language, other, turn.now)]
    looks = [await _look_button(turn, other) for other in others if other.under_way]
    turn.says.append(Message("\n".join(lines), buttons=(*_buttons(turn, delivery), *looks)))
    if any(one.blocked or one.page or one.failed for one in (delivery, *others)) and may(turn.person.roles, "invite"):
        turn.says.append(await way_to_page(turn, turn.phrase("delivery.calls"), "people", "calls"))


async def _look_button(turn: PersonsTurn, delivery: Delivery) -> Button:
    label = await _name(turn.tx, turn.house, turn.language, delivery)
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
