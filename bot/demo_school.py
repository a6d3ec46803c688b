"""The invented school of the demo: people, two closed surveys and two open ones, made by the program's own steps."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from bot.demo_events import plan
from bot.dialogue import Dialogue
from bot.elmfield import ELMFIELD as SCHOOL
from bot.errands.send import default_sending, send_survey
from bot.facts import House
from bot.joining import join
from bot.said import OPEN, Said, Tap, Text, asking
from conversations import words as w
from conversations.asking import screen_for
from conversations.channel import Message
from conversations.engine import Context, State, resume
from conversations.library import bundled_forms
from conversations.texts import load_texts
from data.calendar import Stretch, save_calendar
from data.codes import Invitation, make_code, read_code
from data.database import Database, open_database, write_fact
from data.moments import new_id
from data.outbox import claim, mark, seen_on_page
from data.people import find_group, join_group, save_groups
from data.place import SqliteFile
from data.queue import mark_read, waiting_items
from data.runs import Run, runs_in, save_run
from data.school import save_school
from data.surveys import Survey
from data.vault import BoxKeys, Vault, new_master_key, read_master_key, write_private
from scheduler.due import close_due, read_due
from scheduler.plan import last_reading_time

FACT = "demo"  # whose phones the demo shows
PUPILS = "Year 4 pupils"
STAFF = {"senco": "Ms Patel", "dsl": "Mr Okafor", "deputy": "Mrs Lee", "head": "Mrs Ahmed", "chair": "Mr Jones"}
FAMILIES = (
    "Adeyemi", "Ahmed", "Ali", "Baker", "Begum", "Bennett", "Brown", "Campbell", "Chen", "Clarke", "Cooper",
    "Davies", "Diaz", "Edwards", "Evans", "Farah", "Foster", "Green", "Hall", "Harris", "Hughes", "Hussain",
    "Iqbal", "Jackson", "Kaur", "Khan", "Kowalska", "Lewis", "Malik", "Morris", "Murphy", "Nowak", "Osei",
    "Popescu", "Roberts", "Shah", "Silva", "Taylor", "Walker", "Wright",
)  # fmt: skip
INITIALS = (
    "A.B.",
    "B.K.",
    "C.O.",
    "D.M.",
    "E.R.",
    "F.A.",
    "G.S.",
    "H.T.",
    "I.N.",
    "J.W.",
    "K.P.",
    "L.D.",
    "M.F.",
    "N.H.",
)
COMMENTS = (
    "More time to talk at parents' evening.",
    "Please keep the visual timetable, it helps a lot.",
    "Tell us earlier when the class routine changes.",
    "Start a quiet space at lunch.",
    "The drop-ins with Ms Patel are good. Keep them.",
)


@dataclass
class MovedClock:
    """A clock that stands where it is put, so that the past can be lived through."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Seeding:
    """One run of making the school."""

    db: Database
    house: House
    clock: MovedClock
    chance: random.Random
    dialogue: Dialogue
    families: list[str] = field(default_factory=list)
    pupils: list[str] = field(default_factory=list)
    staff: dict[str, str] = field(default_factory=dict)


async def open_demo(folder: Path, create: bool = False) -> Database:
    """The demo's database, with key and box keys beside it."""
    vault = Vault(read_master_key((folder / "key").read_text(encoding="ascii")))
    return await open_database(SqliteFile(folder / "yousaid.db"), vault, BoxKeys(folder), create)


async def make_school(folder: Path, now: datetime) -> None:
    """A whole school in this (new, empty) folder."""
    write_private(folder / "key", new_master_key().encode())
    db = await open_demo(folder, create=True)
    try:
        clock = MovedClock(now - timedelta(days=200))
        house = House(SCHOOL, load_texts())
        seeding = Seeding(db, house, clock, random.Random(40), Dialogue(db, house, clock))
        await _live(seeding, now)
    finally:
        await db.close()


async def _live(s: Seeding, now: datetime) -> None:
    """The last months of Elmfield Primary."""
    await _everybody_joins(s)
    async with s.db.transaction() as tx:
        await save_calendar(tx, _calendar(now.astimezone(SCHOOL.zone).date()))
    await _closed_survey(s, "parent-send-provision", "SEND parents", now - timedelta(days=150), s.families[1:32])
    await _closed_survey(s, "drop-in-feedback", "Year 3 parents", now - timedelta(days=60), s.families[:18])
    await _all_seen(s)
    s.clock.now = now - timedelta(days=4)
    families = await _send(s, "parent-send-provision", "SEND parents")
    await _answer_all(s, families, s.families[1:15], comments=3)
    for person in s.families[15:18]:
        await _answer(s, person, families, [], only=3)
    s.clock.now = now - timedelta(days=2)
    pupils = await _send(s, "pupil-belong", PUPILS)
    await _answer_all(s, pupils, s.pupils[1:6])
    await read_due(s.db, SCHOOL, last_reading_time(now, SCHOOL.zone))
    s.clock.now = now - timedelta(minutes=40)
    await _answer(s, s.pupils[6], pupils, [], talk=True)
    s.clock.now = now
    async with s.db.transaction() as tx:
        groups = (await find_group(tx, "SEND parents") or "", await find_group(tx, PUPILS) or "")
        await plan(tx, groups, s.staff["senco"], s.families[1:], now)
    await _to_pages(s, now)
    phones = {"parent": s.families[0], "pupil": s.pupils[0], "senco": s.staff["senco"]}
    async with s.db.transaction() as tx:
        await write_fact(tx, FACT, json.dumps(phones).encode())


def _calendar(today: date) -> list[Stretch]:
    """Three terms around today, which lies in the middle one."""
    monday = today - timedelta(days=today.weekday())
    rows = (
        ("term", -24, -11, "The term before"),
        ("holiday", -10, -7, "Holiday"),
        ("term", -6, 7, "This term"),
        ("half-term", 3, 3, "Half term"),
        ("holiday", 8, 9, "Holiday"),
        ("term", 10, 23, "Next term"),
    )
    week, friday = timedelta(weeks=1), timedelta(days=4)
    return [Stretch(kind, monday + a * week, monday + b * week + friday, name) for kind, a, b, name in rows]


# --- people -------------------------------------------------------------------------------------------------------


async def _everybody_joins(s: Seeding) -> None:
    async with s.db.transaction() as tx:
        await save_school(tx, SCHOOL)
        await save_groups(tx, [*SCHOOL.groups, PUPILS])
    for role, label in STAFF.items():
        s.staff[role] = (await _join(s, role, [label], []))[0]
    half = len(FAMILIES) // 2
    labels = [f"The {name} family" for name in FAMILIES]
    s.families = await _join(s, "parent", labels[:half], ["SEND parents", "Year 3 parents"])
    s.families += await _join(s, "parent", labels[half:], ["SEND parents", "Year 4 parents"])
    s.pupils = await _join(s, "pupil", INITIALS, [PUPILS])


async def _join(s: Seeding, role: str, labels: Sequence[str], groups: Sequence[str]) -> list[str]:
    """A code for each, and each says yes."""
    people = []
    async with s.db.transaction() as tx:
        ids = [id for name in groups if (id := await find_group(tx, name))]
        for label in labels:
            invitation = Invitation(role, ids[0] if ids else None, "en", label)
            code = await make_code(tx, invitation, 1, s.clock.now + timedelta(days=14))
            person = await join(tx, s.house, read_code(code) or "", s.clock.now, "en")
            assert person
            people.append(person)
            for id in ids[1:]:
                await join_group(tx, person, id)
    return people


# --- surveys ------------------------------------------------------------------------------------------------------


async def _send(s: Seeding, form: str, group: str) -> Survey:
    async with s.db.transaction() as tx:
        id = await find_group(tx, group)
        today = s.clock.now.astimezone(SCHOOL.zone).date()
        sending = default_sending(s.house, bundled_forms()[form], id or "", today)
        return await send_survey(tx, s.house, sending, s.clock.now)


async def _closed_survey(s: Seeding, form: str, group: str, at: datetime, people: list[str]) -> None:
    """Sent, answered, closed on its day, and its words read the day after."""
    s.clock.now = at
    survey = await _send(s, form, group)
    await _answer_together(s, survey, people, at + timedelta(days=3))
    await close_due(s.db, SCHOOL, survey.closes_at)
    async with s.db.transaction() as tx:
        for item in await waiting_items(tx):
            await mark_read(tx, item.id, s.staff["senco"], survey.closes_at + timedelta(days=1))


async def _answer_together(s: Seeding, survey: Survey, people: list[str], now: datetime) -> None:
    """Many people's answers in one transaction, by the engine alone: the past need not take as long as it did."""
    words = list(COMMENTS)
    async with s.db.transaction() as tx:
        for run in await runs_in(tx, survey):
            if run.person in people:
                state = _played(s, survey, run, words, now)
                await save_run(tx, replace(run, state=state, saved_at=now), survey)


def _played(s: Seeding, survey: Survey, run: Run, words: list[str], now: datetime) -> State:
    """The state after everything is answered and sent."""
    setting, state = s.house.setting(survey, run.id, "en"), run.state
    context = Context(s.house.texts, "en", now.date())
    while said := _choice(s.chance, screen_for(survey.form, state, setting), words, talk=False):
        of_run = said.of_run() if isinstance(said, Tap) else None
        heard = of_run[1] if of_run else w.Typed(said.words if isinstance(said, Text) else "")
        state = resume(survey.form, state, heard, context).state
    return state


async def _answer_all(s: Seeding, survey: Survey, people: Iterable[str], comments: int = 0) -> None:
    words = list(COMMENTS[:comments])
    for person in people:
        await _answer(s, person, survey, words)


async def _answer(
    s: Seeding, person: str, survey: Survey, words: list[str], talk: bool = False, only: int = 100
) -> None:
    """Open the survey and tap through what is on the screen, as somebody would; `only` so many taps."""
    says: Said | None = Tap(asking(OPEN, survey.id))
    while says and only:
        reply = await s.dialogue.hear_person(person, says, "web")
        says = _choice(s.chance, reply.messages[-1], words, talk)
        only -= 1


def _choice(chance: random.Random, screen: Message, words: list[str], talk: bool) -> Said | None:
    """What an invented person does on this screen; None when there is nothing left to do."""
    keys = {of_run[1].key: Tap(b.says) for b in screen.buttons if (of_run := Tap(b.says).of_run())}
    for control in (w.START, w.GO_ON, w.SEND):
        if control in keys:
            return keys[control]
    if w.SKIP not in keys:
        return None
    if screen.takes_words:
        return Text(words.pop()) if words and chance.random() < 0.5 else keys[w.SKIP]
    if any(key.startswith(w.UNMARK) for key in keys) and chance.random() < 0.7:
        return keys[w.DONE]
    return _picked(chance, keys, talk)


def _picked(chance: random.Random, keys: dict[str, Tap], talk: bool) -> Tap:
    """One of the answers, the first ones more often; now and then none."""
    offered = [k for k in keys if not k.startswith((".", w.UNMARK)) and k != "today"]
    if talk and "today" in keys:
        return keys["today"]
    if chance.random() < 0.04:
        return keys[w.SKIP]
    weights = [6, 5, 4, 2, 2, 1, 1, 1]
    return keys[chance.choices(offered, weights[: len(offered)])[0]]


# --- letters ------------------------------------------------------------------------------------------------------


async def _to_pages(s: Seeding, now: datetime) -> None:
    """What is due waits on the pages of the people it is for, without the pace that a real channel needs."""
    owner = f"0:{new_id()}"
    async with s.db.transaction() as tx:
        for letter in await claim(tx, owner, now, 10_000):
            await mark(tx, letter, owner, "page")


async def _all_seen(s: Seeding) -> None:
    """Everybody has looked at the letters of the past."""
    await _to_pages(s, s.clock.now + timedelta(days=30))
    async with s.db.transaction() as tx:
        for person in (*s.families, *s.pupils, *s.staff.values()):
            await seen_on_page(tx, person, 2**31)
