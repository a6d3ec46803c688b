"""Forged buttons (trust B1) in a school in the middle of its day; used by a test and by `make bench`.

Victims of every role are everywhere a person can be; attackers of every role send buttons that nobody showed them.
Nothing may change but what is an attacker's own: their own language, their own screen in front, their own stop.
"""

from __future__ import annotations

import hashlib
import random
import re
import string
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from bot import said
from bot.errands.send import default_sending, send_survey
from bot.said import Tap, Text
from conversations.commands import COMMANDS
from conversations.form import Form, read_form
from conversations.library import bundled_forms
from conversations.roles import FAMILIES, MAY, ROLES, STAFF_ROLES, may
from conversations.texts import load_texts
from data.events import coming_occasions
from data.people import Address, find_group
from data.tables import metadata
from data.tombstones import CHANGED, STOP
from tests.event_days import add_meeting, add_slots
from tests.school import School, Talk

# Every kind of button that opens something, read from the code, so that a new one is forged from its first day.
KINDS = tuple(re.match(r"\(([^()]+)\)=", said._ASKED.pattern)[1].split("|"))  # type: ignore[index]
POWERS = [action for action in MAY if not MAY[action] & FAMILIES and MAY[action] != frozenset(STAFF_ROLES)]
EVERY_TYPE = """
id: every-type
version: 1
mode: CONF
audience: parents
title: {en: All sorts}
intro: {en: All sorts of questions}
questions:
  - {id: e.1, type: one, text: {en: One?}, choices: [{id: a, label: {en: A}}, {id: b, label: {en: B}}]}
  - {id: e.2, type: few, text: {en: Few?}, choices: [{id: a, label: {en: A}}, {id: b, label: {en: B}}]}
  - {id: e.3, type: scale, text: {en: How?}, choices: [{id: a, label: {en: A}}, {id: b, label: {en: B}}]}
  - {id: e.4, type: ask, text: {en: Ask?}, choices: [{id: a, label: {en: A}}, {id: b, label: {en: B}}]}
  - {id: e.5, type: number, text: {en: How many?}}
  - {id: e.6, type: date, text: {en: When?}}
  - {id: e.7, type: text, text: {en: What else?}}
"""
LINES = {  # what a victim types at each type of question
    "one": "1", "few": "1, 2", "scale": "2", "ask": "1", "number": "3", "date": "5 May 2027", "text": "More time",
}  # fmt: skip
PLACES = ("intro", "first", "middle", "paused", "review", "change", "sent")
ASK = "t=ask"  # like the call for help, it is anybody's own right and reaches an adult
HURT = "my uncle hurts me"


@dataclass
class BusySchool:
    """What an attacker can know at most: every button anybody was ever shown, and every id in the database."""

    school: School
    shown: list[str]
    ids: list[list[str]]
    attackers: list[Talk]
    victims: list[Talk]


def forms() -> list[Form]:
    named = EVERY_TYPE.replace("every-type", "every-type-named").replace("CONF", "NAMED")
    return [*bundled_forms().values(), read_form(EVERY_TYPE, "conf"), read_form(named, "named")]


async def busy(school: School) -> BusySchool:
    """All forms open, victims of every role at every place, and one attacker of each role."""
    shown: list[str] = []
    await _events(school)
    victims = [talk async for talk in _families(school, shown)] + [talk async for talk in _staff(school, shown)]
    await _booked(victims, shown)
    await school.dialogue.hear(Address("telegram", "9001"), Text(f"/start {await school.code('parent')}"))
    attackers = [school.on(await school.person(role, group="Year 3 parents")) for role in ROLES]
    return BusySchool(school, sorted(set(shown)), await _ids(school), attackers, victims)


async def _events(school: School) -> None:
    """A drop-in with times, a coffee morning, and a charity event, all for the victims' group."""
    at = school.clock.now + timedelta(days=2)
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await add_slots(tx, group, at, 2)
        await add_meeting(tx, group, at, at + timedelta(days=1), capacity=2)
        await add_meeting(tx, group, at, kind="charity")


async def _booked(victims: list[Talk], shown: list[str]) -> None:
    """Two have a place, one waits, one has said no; each has seen every button there is; a pupil asks for an adult."""
    async with victims[0].school.db.reading() as tx:
        coming = await coming_occasions(tx, None, victims[0].school.clock.now)
    for occasion in coming:
        for talk, act in zip(victims, ("slot", "come", "wait", "cannot"), strict=False):
            for says in ("open", act, "heads", "remind", "times", "open"):
                talk.reply = await talk.forges(f"e={says}.{occasion.id}" + (".0" if says == "slot" else ""))
                shown += _buttons(talk)
    pupil = victims[ROLES.index("pupil") - len(ROLES)]
    await pupil.types("/dropins")
    shown += _buttons(pupil)
    pupil.reply = await pupil.forges(ASK)
    shown += _buttons(pupil)


async def _families(school: School, shown: list[str]) -> AsyncIterator[Talk]:
    await school.readers()
    for form in forms():  # new people each, because nobody is asked more than twice in half a term (6.9)
        parents = await school.people(12) + await school.people(2, "young-person") + await school.people(2, "pupil")
        survey = await _sent(school, form)
        for person, place in zip(parents, PLACES * 2, strict=False):
            talk = school.on(person)
            await _brought_to(talk, form, survey, place, shown)
            yield talk


async def _sent(school: School, form: Form) -> str:
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, form, group, school.clock.now.date())
        return (await send_survey(tx, school.house, sending, school.clock.now)).id


async def _brought_to(talk: Talk, form: Form, survey: str, place: str, shown: list[str]) -> None:
    lines = [LINES[q.type] for q in form.questions]
    way = {
        "intro": [], "first": ["yes"], "middle": ["yes", *lines[:2]], "paused": ["yes", lines[0], HURT],
        "review": ["yes", *lines], "change": ["yes", *lines, "Change an answer"],
        "sent": ["yes", *lines, "Send my answers"],
    }  # fmt: skip
    talk.reply = await talk.forges(f"o={survey}")
    shown += _buttons(talk)
    for line in way[place]:
        await talk.types(line)
        shown += _buttons(talk)


async def _staff(school: School, shown: list[str]) -> AsyncIterator[Talk]:
    """Somebody of each role who has tried every command they have."""
    for role in ROLES:
        talk = school.on(await school.person(role))
        for command in COMMANDS:
            if may({role}, command) and command != "needhelp":
                await talk.types(f"/{command}")
                shown += _buttons(talk)
        yield talk


def _buttons(talk: Talk) -> list[str]:
    return [b.says for m in talk.messages for b in m.buttons if b.says]


async def _ids(school: School) -> list[list[str]]:
    """The short texts of every column of every table: all that a very well informed attacker could name."""
    found = []
    async with school.db.reading() as tx:
        for table in metadata.sorted_tables:
            rows = await tx.all(select(table))
            found += [sorted({cell for cell in column if _nameable(cell)}) for column in zip(*rows, strict=True)]
    return [column for column in found if column]


def _nameable(cell: object) -> bool:
    return isinstance(cell, str) and re.fullmatch(r"[A-Za-z0-9._:-]{1,58}", cell) is not None


async def fingerprint(busy: BusySchool) -> str:
    """A hash over every row of every table but the attackers' own, and the count of all stops."""
    own = {talk.person for talk in busy.attackers} | {CHANGED}
    digest = hashlib.sha256()
    async with busy.school.db.reading() as tx:
        own |= {hashed for person in own for hashed in tx.vault.lookups("tombstone", f"{STOP}/{person}")}
        for table in metadata.sorted_tables:
            rows = [tuple(row) for row in await tx.all(select(table))]
            digest.update(f"{table.name}{sorted(str(row) for row in rows if not own & {*map(str, row)})}".encode())
    return digest.hexdigest()


def forged(dice: random.Random, busy: BusySchool, powerless: bool) -> str:
    """A button this person was never shown: noise, somebody else's, one changed a little, or a made-up one.

    Only who has no power over others asks for just anything: staff could be in their right.
    """
    ways = [_noise, _stolen, _changed, _other_step] + [_asked, _asked] * powerless
    while True:
        says = dice.choice(ways)(dice, busy)
        if says not in ("c=needhelp", ASK) and (powerless or not Tap(says).asked()):
            return says


def _noise(dice: random.Random, busy: BusySchool) -> str:
    letters = string.printable if dice.random() < 0.5 else "".join(map(chr, range(0x20, 0x500, 7))) + "\u202e\x00😀"
    return "".join(dice.choice(letters) for _ in range(dice.randrange(0, 80)))


def _stolen(dice: random.Random, busy: BusySchool) -> str:
    return dice.choice(busy.shown)


def _changed(dice: random.Random, busy: BusySchool) -> str:
    one = dice.choice(busy.shown)
    at = dice.randrange(len(one))
    return one[:at] + dice.choice(string.ascii_lowercase + string.digits + ":.+-=") + one[at + 1 :]


def _other_step(dice: random.Random, busy: BusySchool) -> str:
    run, _, key = (dice.choice([s for s in busy.shown if s.count(":") == 2])).split(":", 2)
    other = dice.choice([s for s in busy.shown if s.count(":") == 2]).split(":", 2)[2]
    return f"{run}:{dice.randrange(0, 40)}:{dice.choice([key, other, '.send', '.throw', '.quote', '.yes', '+a', 'a'])}"


def _asked(dice: random.Random, busy: BusySchool) -> str:
    words = [*COMMANDS, "yes", "no", "../x", "en", "xx"]
    return f"{dice.choice(KINDS)}={dice.choice(dice.choice([words, *busy.ids]))}"


async def attack(busy: BusySchool, tries: int, seed: int) -> list[str]:
    """So many forged taps; what the bot said that it must not say, and what it let happen. Empty when all is well."""
    dice, wrong = random.Random(seed), []
    attackers = [(talk, await _powerless(talk)) for talk in busy.attackers]
    forbidden = _of_others()
    before = await fingerprint(busy)
    for _ in range(tries):
        attacker, powerless = dice.choice(attackers)
        says = forged(dice, busy, powerless)
        reply = await attacker.forges(says)
        wrong += [f"{says!r}: {m.text[:60]!r}" for m in reply.messages if forbidden.search(m.as_text())]
    if await fingerprint(busy) != before:
        wrong.append("the database is not what it was")
    return wrong


async def _powerless(talk: Talk) -> bool:
    person = await talk.school.known(talk.person)
    return not any(may(person.roles, action) for action in POWERS)


def _of_others() -> re.Pattern[str]:
    """Words that stand only in other people's answers, and what errors look like."""
    error = load_texts().say("en", "error")
    return re.compile("|".join(map(re.escape, (error, "You said:", LINES["text"], HURT, "Traceback"))))
