"""What is planned, for whoever may change it: a list, and the way into a change."""

from __future__ import annotations

from bot.delivery import event_buttons
from bot.events.hosts import may_change
from bot.events.words import row_of
from bot.page_link import way_to_page
from bot.playing import begin_errand
from bot.said import ALTER, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from data.events import KINDS, Occasion, coming_occasions, find_occasion

MOST = 12  # times offered at once


async def show_planned(turn: PersonsTurn, what: str) -> None:
    """The next times of drop-ins or of other events, each with a button."""
    kinds = ("dropin",) if what == "dropin" else tuple(kind for kind in KINDS if kind != "dropin")
    coming = await coming_occasions(turn.tx, None, turn.now, kinds)
    mine = [o for o in coming if o.starts_at > turn.now and may_change(turn.person, o.event)][:MOST]
    if not mine:
        return turn.tell("planning.none-planned", turn.menu_button())
    rows = [row_of(turn.house, turn.language, o) for o in mine]
    lines = tuple(f"{n}. {row}" for n, row in enumerate(rows, 1))
    turn.says.append(await way_to_page(turn, turn.phrase("eventpages.page"), "events"))
    turn.says.append(Message(title=turn.phrase("planning.which"), listed=lines, buttons=_buttons(turn, mine, rows)))


def _buttons(turn: PersonsTurn, mine: list[Occasion], rows: list[str]) -> tuple[Button, ...]:
    found = (
        Button(f"{n}. {_short(row)}", asking(ALTER, o.id)) for n, (o, row) in enumerate(zip(mine, rows, strict=True), 1)
    )
    return (*found, turn.menu_button())


def _short(row: str) -> str:
    return row if len(row) <= 50 else row[:49].rstrip() + "…"


async def begin_change(turn: PersonsTurn, id: str) -> None:
    """The change of one of them, where it can still be changed by this person."""
    occasion = await find_occasion(turn.tx, id)
    if occasion is not None and not may_change(turn.person, occasion.event):
        return turn.tell("refused")
    if occasion is None or occasion.off or occasion.starts_at <= turn.now:
        return turn.tell("planning.gone", turn.menu_button())
    if far := await event_buttons(turn, occasion.event.id):
        turn.tell("delivery.about-event", *far)
    await begin_errand(turn, "event-change", occasion=occasion.id)
