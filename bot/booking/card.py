"""One time of a drop-in or event, as this person sees it: the details, and what they can do about it."""

from __future__ import annotations

from bot.booking.buttons import MOST, button, says
from bot.booking.words import HELPS, details, own_time_ahead, short_when, time_of, title_of
from bot.said import COMMAND, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from data.bookings import CANNOT, REMINDS, WAITING, Booking, booking_of, free_slots, places_left
from data.events import Occasion, occasions_of


async def show(turn: PersonsTurn, occasion: Occasion, said: str = "", first: int = 0) -> None:
    """Its card, with what has just happened above it; `first` is the first of the free slots shown."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    lines = [said, await details(turn, occasion, mine)]
    if occasion.off or occasion.starts_at <= turn.now:
        ahead = own_time_ahead(occasion, mine, turn.now)
        lines.append(turn.phrase("booking.is-off" if occasion.off else "booking.begun" if ahead else "booking.over"))
        lines += [occasion.why_off] if occasion.off and occasion.why_off else []
        buttons = [*([button(turn, "cannot", occasion.id)] if ahead else []), to_list(turn, occasion)]
    elif mine is None or mine.state == CANNOT:
        buttons = [*await _places(turn, occasion, first), *await _other(turn, occasion, mine)]
        lines += [] if await _open(turn, occasion) else [turn.phrase("booking.full")]
    elif mine.state == WAITING:
        buttons = [*await _places(turn, occasion, first, waits=True), button(turn, "cannot", occasion.id)]
    else:
        buttons = await _changes(turn, occasion, mine)
    lines += [turn.phrase("booking.stopped")] if _is_not_told(turn, occasion, mine) else []
    title = title_of(turn.house, occasion.event, turn.language)
    text = "\n\n".join(filter(None, lines))
    turn.says.append(Message(text, title=title, buttons=(*buttons, *_stops(turn, occasion))))


def _is_not_told(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> bool:
    """Whether somebody who stopped messages counts on one: a reminder, a change, or the place they wait for."""
    counts_on_us = mine is not None and mine.state != CANNOT and not occasion.off and occasion.starts_at > turn.now
    return turn.person.stopped and counts_on_us


def to_list(turn: PersonsTurn, occasion: Occasion) -> Button:
    """Back to where it stands with others."""
    name = "dropins" if occasion.event.kind == "dropin" else "events"
    return Button(turn.phrase(f"command.{name}"), asking(COMMAND, name))


async def _open(turn: PersonsTurn, occasion: Occasion) -> bool:
    """Whether there is a place left."""
    if occasion.slots:
        return bool(await free_slots(turn.tx, occasion))
    return await places_left(turn.tx, occasion) != 0


async def _places(turn: PersonsTurn, occasion: Occasion, first: int, waits: bool = False) -> list[Button]:
    """What can be taken now; where nothing is left, waiting for it."""
    if occasion.slots:
        return await slot_buttons(turn, occasion, first, waits)
    if not await _open(turn, occasion):
        return [] if waits else [button(turn, "wait", occasion.id)]
    return [button(turn, "come", occasion.id)]


async def slot_buttons(turn: PersonsTurn, occasion: Occasion, first: int, waits: bool = False) -> list[Button]:
    """Free times, a handful at once; then coming without one. Where none is free: waiting for one."""
    free = [n for n in await free_slots(turn.tx, occasion) if occasion.slot_starts(n) > turn.now]
    at = [(n, time_of(turn.house, occasion.slot_starts(n), turn.language)) for n in free]
    buttons = [Button(time, says("slot", occasion.id, n)) for n, time in at[first : first + MOST]]
    if first + MOST < len(free):
        buttons.append(button(turn, "later", occasion.id, first + MOST))
    if first:
        buttons.append(button(turn, "earlier", occasion.id, max(0, first - MOST)))
    wait = [] if free or waits else [button(turn, "wait", occasion.id)]
    return [*buttons, *wait, button(turn, "walk", occasion.id)]


async def _other(turn: PersonsTurn, occasion: Occasion, mine: Booking | None) -> list[Button]:
    """Besides taking a place: helping, other times, saying no, talking sooner."""
    buttons = [] if mine else [button(turn, "cannot", occasion.id)]
    if occasion.event.kind == "dropin":
        return [*buttons, button(turn, "sooner")]
    if await _open(turn, occasion):
        buttons.insert(0, button(turn, "help", occasion.id))
    return await _times(turn, occasion) + buttons


async def _times(turn: PersonsTurn, occasion: Occasion) -> list[Button]:
    """ "Which could you make?", where there are several to come."""
    coming = [o for o in await occasions_of(turn.tx, occasion.event.id) if not o.off and o.starts_at > turn.now]
    return [button(turn, "times", occasion.id)] if len(coming) > 1 else []


async def _changes(turn: PersonsTurn, occasion: Occasion, mine: Booking) -> list[Button]:
    """All that can be changed afterwards: none of it had to be answered before."""
    event = occasion.event
    acts = ["move"] if occasion.slots else []
    if event.kind == "dropin":
        acts += [*(["way"] if len(event.ways) > 1 else []), "topic", "interpreter"]
    else:
        acts += ["heads", "help-no" if mine.needs.topic == HELPS else "help", "interpreter"]
    buttons = [button(turn, act, occasion.id) for act in (*acts, "easier", "remind")]
    return [*buttons, _calendar(turn, occasion), button(turn, "cannot", occasion.id)]


def _calendar(turn: PersonsTurn, occasion: Occasion) -> Button:
    """A page opens the file itself, as phones then offer to take it; a chat gets it as a document."""
    if turn.channel == "web":
        return Button(turn.phrase("booking.do-file"), opens=f"calendar/{occasion.id}")
    return button(turn, "file", occasion.id)


def _stops(turn: PersonsTurn, occasion: Occasion) -> list[Button]:
    """Under all that people chose to hear of there is the way to hear no more of it (MSG-2)."""
    kind = occasion.event.kind
    return [stop_kind(turn.phrase("wish.stop"), kind)] if occasion.event.opted else []


def stop_kind(label: str, kind: str) -> Button:
    return Button(label, says("unwish", kind))


async def reminders(turn: PersonsTurn, occasion: Occasion, mine: Booking) -> None:
    """ "Reminders for this one", with the choice made now."""
    labels = [(kind, turn.phrase(f"booking.remind-{kind}")) for kind in REMINDS]
    marked = [(kind, f"{label} ✓" if mine.remind == kind else label) for kind, label in labels]
    buttons = tuple(Button(label, says("remind", occasion.id, kind)) for kind, label in marked)
    when = short_when(turn, occasion.starts_at)
    turn.says.append(Message(when, title=turn.phrase("booking.remind"), buttons=buttons))


def heads(turn: PersonsTurn, occasion: Occasion) -> None:
    """How many of the family come."""
    buttons = tuple(Button(str(n), says("heads", occasion.id, n)) for n in range(1, MOST + 1))
    turn.says.append(Message(title=turn.phrase("booking.how-many"), buttons=buttons))
