"""Buttons of drop-ins and events (e=act.about.more). What is past, changed or somebody else's is answered kindly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.booking import card, lists, places
from bot.booking.buttons import MOST, button
from bot.booking.calendar_file import calendar_message
from bot.booking.wishing import stop_hearing
from bot.booking.words import own_time_ahead
from bot.playing import begin_errand
from bot.turn import PersonsTurn
from conversations.roles import may
from data.bookings import CANNOT, COMING, REMINDS, booking_of, save_booking
from data.events import Occasion, find_event, find_occasion, occasions_of
from data.people import groups_of
from data.wishes import wishes_of

QUESTIONS = ("way", "topic", "interpreter", "easier", "times")  # of the errand "book"
ALWAYS = ("open", "news", "file")  # may be looked at when it is over or off


async def tapped(turn: PersonsTurn, what: str) -> None:
    """Do what this button says, as far as it still can be done."""
    act, _, rest = what.partition(".")
    about, _, more = rest.partition(".")
    if not may(turn.person.roles, "book"):
        return turn.tell("refused")
    lists_of = {"dropins": lists.dropins, "events": lists.events}
    if act == "sooner":
        return await lists.sooner(turn)
    if act in lists_of:
        return await lists_of[act](turn, int(about) if about.isdecimal() else 0)
    if act == "unwish":
        return await stop_hearing(turn, about)
    occasion = await _theirs(turn, about)
    if occasion is None:
        return turn.tell("booking.not-there", turn.menu_button())
    if act in ALWAYS or await _can_change(turn, act, occasion):
        return await _act(turn, act, occasion, more)
    await card.show(turn, occasion)


async def _can_change(turn: PersonsTurn, act: str, occasion: Occasion) -> bool:
    """Nothing when it is off; once it has begun, who keeps a later time can still say that they cannot come."""
    if occasion.off or occasion.starts_at > turn.now:
        return not occasion.off
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    return act == "cannot" and own_time_ahead(occasion, mine, turn.now)


async def _theirs(turn: PersonsTurn, about: str) -> Occasion | None:
    """The time of this id, or the next one of the event of this id, if it is one for this person."""
    occasion = await find_occasion(turn.tx, about) or await _next_of(turn, about)
    if occasion is None:
        return None
    if await booking_of(turn.tx, occasion.id, turn.person.id):
        return occasion
    if occasion.event.opted and occasion.event.kind not in await wishes_of(turn.tx, turn.person.id):
        return None
    return occasion if occasion.event.group in await groups_of(turn.tx, turn.person.id) else None


async def _next_of(turn: PersonsTurn, event: str) -> Occasion | None:
    """The first time of an event that is still to come, else its last one."""
    times = await occasions_of(turn.tx, event) if await find_event(turn.tx, event) else []
    coming = [o for o in times if o.starts_at > turn.now and o.cancelled_at is None]
    return next(iter(coming or times[-1:]), None)


async def _act(turn: PersonsTurn, act: str, occasion: Occasion, more: str) -> None:
    number = int(more) if more.isdecimal() and len(more) < 4 else None
    does: dict[str, Callable[[], Awaitable[None]]] = {
        "open": lambda: card.show(turn, occasion),
        "news": lambda: _news(turn, occasion),
        "later": lambda: _slots(turn, occasion, number or 0),
        "earlier": lambda: _slots(turn, occasion, number or 0),
        "move": lambda: _slots(turn, occasion, 0),
        "slot": lambda: places.take_slot(turn, occasion, -1 if number is None else number),
        "walk": lambda: places.just_come(turn, occasion),
        "come": lambda: _come(turn, occasion),
        "heads": lambda: _heads(turn, occasion, number),
        "wait": lambda: places.wait(turn, occasion),
        "cannot": lambda: places.cannot(turn, occasion),
        "help": lambda: places.help_there(turn, occasion, True),
        "help-no": lambda: places.help_there(turn, occasion, False),
        "remind": lambda: _remind(turn, occasion, more),
        "file": lambda: _file(turn, occasion),
        **{name: lambda name=name: _ask(turn, name, occasion) for name in QUESTIONS},  # type: ignore[misc]
    }
    await does.get(act, does["open"])()


async def _slots(turn: PersonsTurn, occasion: Occasion, first: int) -> None:
    """Only the times: the rest stands above already. Who comes or waits is not offered to wait."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    buttons = await card.slot_buttons(turn, occasion, first, waits=bool(mine and mine.state != CANNOT))
    turn.tell("booking.which-time", *buttons, button(turn, "back", occasion.id))


async def _come(turn: PersonsTurn, occasion: Occasion) -> None:
    """ "We are coming": one is put down at once, and how many can be said next."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    await places.just_come(turn, occasion, mine.heads if mine and mine.state != CANNOT else 1)


async def _heads(turn: PersonsTurn, occasion: Occasion, number: int | None) -> None:
    if occasion.event.kind == "dropin":
        return await card.show(turn, occasion)
    if number is None or not 1 <= number <= MOST:
        return card.heads(turn, occasion)
    await places.just_come(turn, occasion, number)


async def _remind(turn: PersonsTurn, occasion: Occasion, choice: str) -> None:
    """The choice for this one, or which there are."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if mine is None or mine.state == CANNOT:
        return await card.show(turn, occasion)
    if choice not in REMINDS:
        return await card.reminders(turn, occasion, mine)
    await save_booking(turn.tx, replace(mine, remind=choice))
    await card.show(turn, occasion, turn.phrase(f"booking.reminds-{choice}"))


async def _file(turn: PersonsTurn, occasion: Occasion) -> None:
    turn.says.append(await calendar_message(turn, occasion))


async def _news(turn: PersonsTurn, occasion: Occasion) -> None:
    """`Open` of a change: how it is now, and the calendar file anew for those who have a place."""
    await card.show(turn, occasion)
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if mine and mine.state == COMING and occasion.starts_at > turn.now:
        turn.says.append(await calendar_message(turn, occasion))


async def _ask(turn: PersonsTurn, question: str, occasion: Occasion) -> None:
    """One question of the errand "book"; the others count as answered before."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if question != "times" and (mine is None or mine.state == CANNOT):
        return await card.show(turn, occasion)
    kept = {name: "kept" for name in QUESTIONS if name != question}
    await begin_errand(turn, "book", occasion=occasion.id, **kept)
