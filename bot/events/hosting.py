"""On the day and after it, in the host's chat: the list, who came, and what was said in the room (S15)."""

from __future__ import annotations

from datetime import datetime

from bot.events.changing import ahead_of
from bot.events.hosts import may_change
from bot.events.sheet import Sheet, helping, sheet_of
from bot.events.words import preview
from bot.facts import House
from bot.page_link import way_to_page
from bot.playing import begin_errand
from bot.said import CAME, LED, SHEET, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.roles import may
from data.database import Tx
from data.events import Occasion, find_occasion
from data.looks import note_look
from data.outbox import Letter
from data.people import Person

HOST_LETTERS = frozenset({"host-sheet", "host-notes", "host-changed"})


async def host_letter(tx: Tx, house: House, letter: Letter, person: Person, now: datetime) -> Message | None:
    """One neutral line and `Open`; None where it is off, over, or somebody else's by now (FAIL-7)."""
    occasion = await find_occasion(tx, letter.ref)
    if occasion is None or occasion.off:
        return None
    if letter.kind == "host-changed":
        return _other_host(house, occasion, person, now)
    if not may_change(person, occasion.event):
        return None
    if letter.kind == "host-sheet" and (occasion.ref != letter.ref or occasion.ends_at <= now):
        return None
    if letter.kind == "host-notes" and occasion.walked_in is not None:
        return None
    opens = asking(SHEET if letter.kind == "host-sheet" else CAME, occasion.id)
    button = Button(house.say(person.language, "label.open"), opens)
    key = "hosting.letter-sheet" if letter.kind == "host-sheet" else "hosting.letter-notes"
    return Message(house.say(person.language, key), buttons=(button,))


def _other_host(house: House, occasion: Occasion, person: Person, now: datetime) -> Message | None:
    """To whoever leads it from now on, and to whoever does no more; not where they may lead nothing, or it is over."""
    if occasion.ends_at <= now or not may(person.roles, "dropin"):
        return None
    key = "hosting.letter-leads" if occasion.event.host == person.id else "hosting.letter-no-longer"
    button = Button(house.say(person.language, "label.open"), asking(LED, occasion.id))
    return Message(house.say(person.language, key), buttons=(button,))


async def show_led(turn: PersonsTurn, id: str) -> None:
    """`Open` of that letter: which one it is, as families see it, and whether they lead it. No family's name."""
    occasion = await find_occasion(turn.tx, id)
    if not may_change_any(turn):
        return turn.tell("refused")
    if occasion is None or occasion.off or occasion.ends_at <= turn.now:
        return turn.tell("hosting.gone", turn.menu_button())
    times = [(o.starts_at, o.ends_at) for o in await ahead_of(turn.tx, occasion.event, turn.now) or [occasion]]
    text = await preview(turn.tx, turn.house, turn.language, occasion.event, times)
    leads = occasion.event.host == turn.person.id
    lists = Button(turn.phrase("hosting.list"), asking(SHEET, occasion.id))
    buttons = ([lists] if may_change(turn.person, occasion.event) else []) + [turn.menu_button()]
    title = turn.phrase("hosting.you-lead" if leads else "hosting.not-yours")
    turn.says.append(Message(text, title=title, buttons=tuple(buttons)))


async def show_sheet(turn: PersonsTurn, id: str) -> None:
    """The list, with names: noted. On paper there is a page; a file with names never goes into a chat."""
    occasion = await _mine(turn, id)
    if occasion is None:
        return
    await note_look(turn.tx, turn.person.id, "host-sheet", occasion.id, "", turn.now)
    sheet = await sheet_of(turn.tx, turn.house, turn.language, occasion)
    buttons = [] if occasion.starts_at > turn.now else [Button(turn.phrase("hosting.note"), asking(CAME, occasion.id))]
    lines = tuple(sheet_lines(turn.house, turn.language, sheet))
    text = "\n".join(part for part in (sheet.when, sheet.place) if part)
    turn.says.append(Message(text, title=sheet.title, listed=lines, buttons=(*buttons, turn.menu_button())))
    turn.says.append(await way_to_page(turn, turn.phrase("hosting.paper"), "events", occasion.id))


def sheet_lines(house: House, language: str, sheet: Sheet) -> list[str]:
    """A line for each family, then what is free and how many wait."""
    lines = [". ".join(part for part in (line.time, line.name, *line.facts) if part) for line in sheet.lines]
    lines = lines or [house.say(language, "hosting.nobody")]
    lines += [helping(house, language, sheet)] if sheet.helpers else []
    lines += [house.say(language, "hosting.free", words=", ".join(sheet.free))] if sheet.free else []
    return lines + ([house.say(language, "hosting.waiting", n=sheet.waiting)] if sheet.waiting else [])


async def begin_attendance(turn: PersonsTurn, id: str) -> None:
    """Who came: from the beginning of it on."""
    occasion = await _mine(turn, id)
    if occasion is not None and occasion.starts_at > turn.now:
        return turn.tell("hosting.too-early", turn.menu_button())
    if occasion is not None:
        await begin_errand(turn, "attendance", occasion=occasion.id)


async def begin_notes(turn: PersonsTurn, id: str) -> None:
    """What was said in the room."""
    occasion = await _mine(turn, id)
    if occasion is not None:
        await begin_errand(turn, "room-notes", occasion=occasion.id)


async def _mine(turn: PersonsTurn, id: str) -> Occasion | None:
    """It, where this person leads it or looks after all of them; says why not."""
    occasion = await find_occasion(turn.tx, id)
    if occasion is None or occasion.off:
        turn.tell("hosting.gone" if may_change_any(turn) else "refused", turn.menu_button())
        return None
    if not may_change(turn.person, occasion.event):
        turn.tell("refused")
        return None
    return occasion


def may_change_any(turn: PersonsTurn) -> bool:
    """Whether they plan events at all: nobody else learns whether there is one with this number."""
    return may(turn.person.roles, "dropin")
