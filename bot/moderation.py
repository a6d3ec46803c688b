"""The words of a survey on their way to others: what readers may decide, and what keeps them from it (FAIL-14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.facts import House
from conversations.identifying import Telling, telling
from conversations.roles import STAFF_ROLES
from conversations.texts import clean
from data.audit import note
from data.comments import HELD, KEPT_BACK, QUOTE, STATES, THEME, Comment, find_comment, known_themes, save_comment
from data.database import Tx
from data.people import find_person, people_with_role
from data.queue import Item

THEMES = ("theme-1", "theme-2", "theme-3")  # fields of the form
LONGEST_THEME = 40


@dataclass(frozen=True)
class Moderated:
    """What the form shows: the decision so far, the words and themes, and what in them still tells who it is."""

    state: str
    words: str = field(repr=False)
    themes: tuple[str, ...] = field(repr=False)
    known: tuple[str, ...] = field(repr=False)
    telling: Telling = field(repr=False)
    may_quote: bool
    concern: bool
    decided: bool

    @property
    def listed(self) -> str:
        return ", ".join(theme for theme in self.themes if theme)


async def moderated(tx: Tx, house: House, item: Item, draft: Mapping[str, str]) -> Moderated:
    """The form of an item with words; what was typed goes before what is kept."""
    before = await find_comment(tx, item.id)
    kept = before or Comment(item.id, item.survey or "", HELD, item.text)
    words = draft.get("words", kept.words)
    themes = tuple(draft.get(name, old) for name, old in zip(THEMES, (*kept.themes, "", "", ""), strict=False))
    known = await known_themes(tx, item.survey or "")
    found = telling("\n".join((words, *themes)), await _names(tx, house, item))
    concern = item.route in KEPT_BACK
    return Moderated(kept.state, words, themes, tuple(known), found, item.quote, concern, before is not None)


async def decide(tx: Tx, house: House, item: Item, form: Mapping[str, str], by: str, now: datetime) -> str:
    """Keep what a reader decided; the key of why not, where that cannot be."""
    state = form.get("say", HELD)
    words = clean(form.get("words", ""))
    themes = _themes(form, await known_themes(tx, item.survey or ""))
    wrong = await _refused(tx, house, item, state, words, themes)
    if not wrong:
        state = state if state in STATES else HELD
        await note(tx, f"comment.{state}", item.id, now, by)
        await save_comment(tx, Comment(item.id, item.survey or "", state, words, themes))
    return wrong


async def _refused(tx: Tx, house: House, item: Item, state: str, words: str, themes: tuple[str, ...]) -> str:
    """Holding is always possible; nothing may be quoted without the author's yes, and nothing that names somebody."""
    if item.kind != "words" or item.route in KEPT_BACK:
        return "queue.comment.concern"
    if state == QUOTE and not item.quote:
        return "queue.comment.no-yes"
    if state == QUOTE and not words:
        return "queue.comment.no-words"
    if state == THEME and not themes:
        return "queue.comment.need-theme"
    shown = [*themes, *([words] if state == QUOTE else [])]
    names = await _names(tx, house, item)
    return "queue.comment.no-names" if state != HELD and telling("\n".join(shown), names).surely else ""


def _themes(form: Mapping[str, str], known: list[str]) -> tuple[str, ...]:
    """Short, each once, spelt as before where it was given before."""
    spelt = {theme.casefold(): theme for theme in known}
    found: dict[str, str] = {}
    typed = (" ".join(clean(form.get(name, "")).split())[:LONGEST_THEME].strip(" ,;.") for name in THEMES)
    for theme in filter(None, typed):
        found.setdefault(theme.casefold(), spelt.get(theme.casefold(), theme))
    return tuple(found.values())


async def _names(tx: Tx, house: House, item: Item) -> list[str]:
    """Whom a text may not name: staff, and its author."""
    return [*await names_of_staff(tx, house), item.who]


async def names_of_staff(tx: Tx, house: House) -> list[str]:
    """The school's people and all staff who joined: nothing that goes out may point to one of them (FAIL-14)."""
    staff = [await find_person(tx, person) for person in await people_with_role(tx, *STAFF_ROLES)]
    return [*house.staff_names.values(), *(person.label for person in staff if person)]
