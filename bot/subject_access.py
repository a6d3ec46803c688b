"""A subject access request: everything about one person, with every passage of free text to be weighed by a human.

`gather` puts a token where words of people stand, and suggests what to do with each; `filled` puts in their place what
somebody decided. Names of others, and what is about somebody's safety, are never let out without a human's decision
(UK GDPR 15(4); DPA 2018 Schedules 2 and 3: other people, serious harm, child abuse data).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bot.facts import House
from bot.item_record import kind_of, moment_words
from conversations.identifying import telling
from data.database import Tx
from data.held import held, looked_at
from data.looks import looks_at
from data.people import labels
from data.periods import months_after
from data.queue import Item, about_safety, all_items

KEEP, HIDE, ASK = "keep", "hide", "ask-dsl"
DECISIONS = (KEEP, HIDE)
BLACK = "▇▇▇▇▇"  # of one length, so that it does not tell how long a name is
SHORTEST = 3  # letters of a label by which somebody is searched in the words of others
RECORD_DAYS = 15  # school days for the educational record of a maintained school (Pupil Information Regulations)
_TOKEN = re.compile(r"\[\[(P\d{3,})\]\]")


class NotKnown(Exception):
    """Nobody to gather anything about."""


@dataclass(frozen=True)
class Passage:
    """Words of people: where they stand, what is suggested and why, and the names in them to be blacked out."""

    id: str
    where: str
    text: str = field(repr=False)
    suggestion: str
    why: str
    names: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Decision:
    """What somebody decided about a passage; `black` are the words in it to be blacked out."""

    what: str
    black: tuple[str, ...] = field(default=(), repr=False)


@dataclass
class Gathered:
    """`values` are plain JSON with tokens such as [[P001]] in place of the passages."""

    values: dict[str, Any] = field(repr=False)
    passages: list[Passage] = field(default_factory=list, repr=False)


async def gather(tx: Tx, house: House, person: str, now: datetime) -> Gathered:
    """What /mydata has and what staff hold. Open ballot boxes are not opened. Note the look before."""
    found = await held(tx, person, now, "en", boxes=False)
    if found is None:
        raise NotKnown
    work = _Work(house, found.values, await _others(tx, house, person, found.values))
    work.answers()
    items = await all_items(tx)
    work.values["words"] = [work.word(item) for item in items if item.person == person]
    label = str(found.values["account"]["name"]).strip()
    named = [i for i in items if i.person != person and _names(i.text, label)]
    work.values["staff"] = [
        *[note for item in items if item.person == person for note in work.route(item)],
        *[work.by_others(item) for item in named],
        *[note for ref in await looked_at(tx, person) for note in await work.looks(tx, ref, found.values, items)],
    ]
    return work.gathered


async def _others(tx: Tx, house: House, person: str, values: Mapping[str, Any]) -> list[str]:
    """The names of everybody else that the school's bot knows; one's own name and children are no others."""
    own = {str(values["account"]["name"]).casefold(), *(name.casefold() for name in values["children"])}
    known = [label for id, label in await labels(tx) if id != person and label]
    return [name for name in (*house.staff_names.values(), *known) if name.casefold() not in own]


def _names(text: str, label: str) -> bool:
    whole = rf"(?<!\w){re.escape(label)}(?!\w)"
    return len(label) >= SHORTEST and re.search(whole, text, re.IGNORECASE) is not None


class _Work:
    """Passages numbered as they are found."""

    def __init__(self, house: House, values: dict[str, Any], others: list[str]) -> None:
        self.house = house
        self.values = values
        self.others = others
        self.gathered = Gathered(values)

    def passage(self, where: str, text: str, suggestion: str = KEEP, why: str = "") -> str:
        """The token that stands for these words from now on."""
        told = telling(text, self.others)
        names = (*told.surely, *told.maybe)
        if names and not why:
            why = "May name somebody else. Black out who it is, unless they agree."
        id = f"P{len(self.gathered.passages) + 1:03}"
        self.gathered.passages.append(Passage(id, where, text, suggestion, why, names))
        return f"[[{id}]]"

    def answers(self) -> None:
        """Answers in words of their own."""
        for survey in (*self.values["open_questions"], *self.values["answers_with_your_name"]):
            for answer in survey["answers"]:
                if answer["kind"] == "text":
                    token = self.passage(f"Answer to: {answer['asked']}", answer["answer"])
                    answer["answer"], answer["values"] = token, [token]

    def word(self, item: Item) -> dict[str, Any]:
        where = f"Their own words, {self._when(item)} ({kind_of(self.house, item, 'en')})"
        what = item.text or kind_of(self.house, item, "en")  # a call without words
        text = self.passage(where, what, *_about_safety(item))
        came = item.came_at.isoformat(timespec="minutes")
        facts = {"kind": item.kind, "title": None, "read": item.read_at is not None, "note_of_staff": bool(item.reason)}
        return {"came": came, "text": text, **facts}

    def route(self, item: Item) -> list[dict[str, str]]:
        """Where readers sent it, and what they wrote."""
        if not item.route:
            return []
        what = self.house.say("en", f"queue.route-short.{item.route}")
        safety = _about_safety(item)
        token = self.passage(f"What a reader wrote, {self._when(item)}", item.reason, *safety) if item.reason else ""
        if safety:  # where it went tells as much as the words
            what = self.passage(f"Where readers sent it, {self._when(item)}", what, *safety)
        return [{"at": item.came_at.isoformat(timespec="minutes"), "what": what, "text": token}]

    def by_others(self, item: Item) -> dict[str, str]:
        """Somebody else's words that name them: hardly ever theirs to have, and never without a decision."""
        why = "Somebody else wrote this, and it names them."
        suggestion, reason = _about_safety(item) or (HIDE, why)
        token = self.passage(f"Words of somebody else, {self._when(item)}", item.text, suggestion, reason)
        return {"at": item.came_at.isoformat(timespec="minutes"), "what": "", "text": token}

    async def looks(self, tx: Tx, ref: str, values: Mapping[str, Any], items: Iterable[Item]) -> list[dict[str, str]]:
        """Reasons that staff gave for looking; that they looked at all tells as much, where it was about safety."""
        safety = next((_about_safety(item) for item in items if item.id == ref), ())
        since = str(values["consent"]["at"])[:10]
        found = [look for look in await looks_at(tx, ref) if look.reason and look.at.date().isoformat() >= since]
        where = [f"Why staff looked, {moment_words(self.house, look.at, 'en')}" for look in found]
        tokens = [self.passage(place, look.reason, *safety) for place, look in zip(where, found, strict=True)]
        whats = [self.passage(p, k.what, *safety) if safety else k.what for p, k in zip(where, found, strict=True)]
        rows = zip(found, whats, tokens, strict=True)
        return [{"at": k.at.isoformat(timespec="minutes"), "what": w, "text": t} for k, w, t in rows]

    def _when(self, item: Item) -> str:
        return moment_words(self.house, item.came_at, "en")


def _about_safety(item: Item) -> tuple[str, str] | tuple[()]:
    """Child abuse data and serious harm: only the safeguarding lead can say whether it may go out."""
    if about_safety(item):
        return (ASK, "About somebody's safety. Ask the safeguarding lead: the law may hold it back.")
    return ()


# --- after the decisions ------------------------------------------------------------------------------------------


def filled(values: Any, passages: Mapping[str, str], decisions: Mapping[str, Decision]) -> Any:
    """The same values with each token replaced by the words that may go out."""
    if isinstance(values, dict):
        return {key: filled(value, passages, decisions) for key, value in values.items()}
    if isinstance(values, list):
        return [filled(value, passages, decisions) for value in values]
    if not isinstance(values, str):
        return values
    return _TOKEN.sub(lambda found: shown(passages[found[1]], decisions[found[1]]), values)


def shown(text: str, decision: Decision) -> str:
    """A passage as it goes out."""
    if decision.what == HIDE:
        return BLACK
    for words in sorted(decision.black, key=len, reverse=True):
        text = re.sub(re.escape(words), BLACK, text, flags=re.IGNORECASE)
    return text


def without_hidden(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those of which nothing may go out: a day beside a black bar tells that there was something."""
    return [row for row in rows if set(_parts(row)) != {BLACK}]


def _parts(row: Mapping[str, Any]) -> list[str]:
    return [part for part in (row.get("what", ""), row["text"]) if part]


def held_back(decisions: Iterable[Decision]) -> tuple[int, int]:
    """(passages left out, passages with words blacked out)."""
    found = list(decisions)
    return sum(d.what == HIDE for d in found), sum(d.what == KEEP and bool(d.black) for d in found)


def due_dates(received: date) -> tuple[date, date]:
    """(one month later, 15 school days later): weekdays are counted, so holidays make the second later."""
    day, left = received, RECORD_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return months_after(received, 1), day
