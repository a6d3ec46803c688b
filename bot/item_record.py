"""An item of the queue in words: what happened to it, and its copy for the school's own record (SAFE-8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from unicodedata import category, name

from bot.facts import House
from conversations.form import said
from conversations.roles import FAMILIES
from conversations.texts import clock_time, day_and_date, long_date
from data.alerts import Step, steps_of
from data.database import Tx
from data.looks import looks_at
from data.people import find_person
from data.queue import Item
from data.surveys import find_survey

ANSWERED_WITHIN = timedelta(days=30)  # a complaint about data (Data (Use and Access) Act 2025)
SENT_ON = "routed-"  # steps that begin so name a route

ARROWS = 0x2190  # from here on signs are pictures
JOINERS = "\ufe0e\ufe0f\u200d\u20e3"  # glue between parts of one picture

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Record:
    """The copy. `facts` are (what, value), `steps` are (when, what)."""

    titles: tuple[str, str, str]
    facts: Pairs = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    steps: Pairs = field(repr=False)

    def as_text(self) -> str:
        """Plain text, to be pasted into any record."""
        title, words_title, steps_title = self.titles
        facts = "\n".join([title, *(f"{what}: {value}" for what, value in self.facts)])
        words = "\n".join([f"{words_title}:", *self.words])
        steps = "\n".join([f"{steps_title}:", *(f"{when}: {what}" for when, what in self.steps)])
        return "\n\n".join([facts, words, steps])

    def as_values(self, language: str) -> dict[str, object]:
        """For the paper, on which pictures in the words are named."""
        words = [pictures_named(line) for line in self.words]
        facts = [(what, pictures_named(value)) for what, value in self.facts]
        return {"titles": self.titles, "facts": facts, "words": words, "steps": self.steps, "lang": language}


async def record_of(tx: Tx, house: House, item: Item, language: str, person: str, now: datetime) -> Record:
    """The copy that this person takes now."""
    titles = (house.say(language, key) for key in ("queue.record-title", "queue.words", "queue.happened"))
    facts = await _facts(tx, house, item, language)
    made = f"{moment_words(house, now, language)}, {await name_of(tx, house, person, language)}"
    return Record(
        titles=tuple(titles),  # type: ignore[arg-type]
        facts=(*facts, (house.say(language, "queue.made"), made)),
        words=lines_of(item.text) or (house.say(language, "web.queue-no-words"),),
        steps=await happened(tx, house, item, language),
    )


async def _facts(tx: Tx, house: House, item: Item, language: str) -> Pairs:
    say = house.say
    found = [
        (say(language, "queue.school"), house.school.name),
        (say(language, "queue.what"), kind_of(house, item, language)),
        (say(language, "queue.came"), moment_words(house, item.came_at, language)),
        (say(language, "queue.from"), await from_whom(tx, house, item, language)),
        (say(language, "queue.survey"), await survey_title(tx, item, language)),
        (say(language, "queue.goes-to"), say(language, f"queue.route-short.{item.route}") if item.route else ""),
        (say(language, "queue.reason"), item.reason),
    ]
    return tuple((what, value) for what, value in found if value)


# --- its parts ----------------------------------------------------------------------------------------------------


def kind_of(house: House, item: Item, language: str) -> str:
    key = f"web.kind.{item.kind}"
    answered = (item.came_at + ANSWERED_WITHIN).astimezone(house.school.zone).date()
    return house.say(language, key if house.texts.has(key) else "web.kind.new", date=long_date(answered, language))


async def survey_title(tx: Tx, item: Item, language: str) -> str:
    """The questions it came from."""
    survey = await find_survey(tx, item.survey) if item.survey else None
    return f"{said(survey.form.title, language)} ({survey.id})" if survey else ""


async def from_whom(tx: Tx, house: House, item: Item, language: str) -> str:
    """The role only. Of staff not even that: there may be one SENCO."""
    if not item.person:
        return house.say(language, "queue.nobody-knows")
    person = await find_person(tx, item.person)
    roles = person.roles if person else frozenset()
    families = [house.say(language, f"role.{role}") for role in sorted(roles & FAMILIES)]
    return ", ".join(families) or house.say(language, "queue.staff-member" if roles else "queue.somebody")


def lines_of(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip())


def pictures_named(words: str) -> str:
    """The words with each picture as its name, "[crying face]": fonts for print have none."""
    return "".join(f"[{name(c, '?').lower()}]" if _is_picture(c) else c for c in words if c not in JOINERS)


def _is_picture(c: str) -> bool:
    return ord(c) >= ARROWS and category(c) in ("So", "Sk", "Sm", "Cn", "Co")


def moment_words(house: House, at: datetime, language: str) -> str:
    """ "Friday 6 November 2026, 17:59", local time."""
    local = at.astimezone(house.school.zone)
    return f"{day_and_date(local.date(), language)} {local.year}, {clock_time(local, language)}"


async def name_of(tx: Tx, house: House, person: str | None, language: str, role: str | None = None) -> str:
    """A member of staff as others know them: by label, by the name that school.yaml gives the role, or by role."""
    found = await find_person(tx, person) if person else None
    if found and found.label:
        return found.label
    roles = [role] if role else sorted(found.roles) if found else []
    names = [f"{house.staff_names[r]} ({_role(house, language, r)})" for r in roles if r in house.staff_names]
    return ", ".join(names or [_role(house, language, r) for r in roles]) or house.say(language, "queue.somebody")


def _role(house: House, language: str, role: str) -> str:
    return house.say(language, f"role.{role}")


# --- what happened ------------------------------------------------------------------------------------------------


async def happened(tx: Tx, house: House, item: Item, language: str) -> Pairs:
    """From its coming to now, as (when, what): the ladder, who read it, where it went, who looked at a name."""
    found = [(item.came_at, house.say(language, "queue.step.came"))]
    if item.read_at:
        who = await name_of(tx, house, item.read_by, language)
        found.append((item.read_at, house.say(language, "queue.step.read", who=who)))
    for look in await looks_at(tx, item.id):
        who = await name_of(tx, house, look.person, language)
        found.append((look.at, house.say(language, f"queue.step.{look.what}", who=who)))
    found += [(step.at, await _step(tx, house, step, language)) for step in await steps_of(tx, item.id)]
    in_order = sorted(found, key=lambda pair: pair[0])
    return tuple((moment_words(house, at, language), what) for at, what in in_order)


async def _step(tx: Tx, house: House, step: Step, language: str) -> str:
    what = "routed" if step.what.startswith(SENT_ON) else step.what
    who = await name_of(tx, house, step.person, language, step.role)
    if what == "routed":
        label = house.say(language, f"queue.route-short.{step.what.removeprefix(SENT_ON)}")
        return house.say(language, "queue.step.routed", who=who, label=label)
    key = f"queue.step.{what}"
    return house.say(language, key if house.texts.has(key) else "queue.step.something", who=who, label=step.what)
