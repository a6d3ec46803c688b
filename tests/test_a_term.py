"""A term at Elmfield with a moved clock, over real HTTP: docs/a-term.md is what people see of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.calendar_file import read_calendar
from bot.delivery import lines_about
from conversations.form import read_form
from conversations.texts import clock_time, day_and_date
from data.bookings import COMING, Booking, book
from data.calendar import save_calendar
from data.codes import Invitation, make_code
from data.events import coming_occasions, occasions_between
from data.forms import add_form
from data.moments import new_id
from data.pauses import set_pause
from data.people import find_group, person_at
from tests.school import Clock, School
from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Message, Person, TelegramServer
from tests.test_telegram_journey import newest, until

PAGE = Path(__file__).parent.parent / "docs" / "a-term.md"
LONDON = ZoneInfo("Europe/London")
BEGINS = datetime(2026, 10, 1, 9, 0, tzinfo=LONDON).astimezone(UTC)
WINDOW = "08:00-18:00 school days"
TICKS = [time(7, 30), time(8), time(13, 30), time(16), time(17), time(17, 45)]  # when something may be due
GROUP = "SEND parents"
OTHERS = ("Ali", "Baker", "Costa", "Dunn", "Evans", "Farah", "Gray", "Hussain", "Ito")
HEAD = """# A term

What people at Elmfield Primary see from October to Christmas, word for word. Made by a test from the running bot, over
real HTTP with a moved clock (`tests/test_a_term.py`). **Priya >** is what Priya taps or types; what the bot shows is
set in, with its buttons in brackets. Ms Patel is the SENCO, Mrs Ahmed the head teacher. Priya, Tom and Ana are parents;
nine more families of their group use the web page.
"""
CALENDAR = """\
- {kind: term, name: Autumn term, from: 2 September 2026, to: 18 December 2026}
- {kind: half-term, from: 26 October 2026, to: 30 October 2026}
- {kind: inset, on: 9 November 2026}
- {kind: term, name: Spring term, from: 4 January 2027, to: 25 March 2027}
"""
LUNCH = """
id: lunch
version: 1
mode: CONF
audience: parents
title: {en: Lunch at school}
intro: {en: We want lunch to be calmer.}
decision: {en: where and when children eat}
questions:
  - {id: lunch.1, type: one, text: {en: Is lunch easy or hard for your child?},
     choices: [{id: easy, label: {en: Easy}}, {id: noise, label: {en: Too loud}}, {id: time, label: {en: Too short}}]}
  - {id: lunch.2, type: one, text: {en: Would a quiet room help?},
     choices: [{id: y, label: {en: It would}}, {id: n, label: {en: It would not}}]}
"""


class Term:
    """Plays the term and writes down, with dates and times as headings, what was said and done."""

    def __init__(self, bot: TelegramSchool) -> None:
        self.bot = bot
        self.lines = [HEAD]
        self.people: dict[str, Person] = {}
        self.others: list[str] = []
        self.told: dict[str, int] = {}
        self.headed: datetime | None = None

    @property
    def clock(self) -> Clock:
        return self.bot.school.clock

    @property
    def school(self) -> School:
        return self.bot.school

    # --- what is done ---------------------------------------------------------------------------------------------

    async def joins(self, name: str, role: str, label: str = "") -> None:
        """Before the story: somebody opens their link."""
        person = self.bot.server.person(len(self.people) + 501)
        async with self.school.db.transaction() as tx:
            group = await find_group(tx, GROUP) if role == "parent" else None
            code = await make_code(tx, Invitation(role, group, "en", label), 1, BEGINS + timedelta(days=14))
        await person.types(f"/start {code}")
        await person.reads_until("Do you want to join?")
        await person.taps("Yes, start")
        await person.reads_until("You have joined")
        await self.knows(name, person)

    async def knows(self, name: str, person: Person) -> None:
        self.people[name], self.told[name] = person, newest(person)

    async def does(self, name: str, *acts: str, says: bool = True) -> None:
        """Taps and typed lines, one after another; the bot answers each with a message, or changes the one it is on."""
        for act in acts:
            self._heads()
            self.lines.append(f"**{name} >** {act.replace(chr(10), ' / ')}\n")
            person, before, shown = self.people[name], newest(self.people[name]), self.people[name].messages
            await (person.taps(act) if _has(person, act) else person.types(act))
            new = (lambda: newest(person) > before) if says else (lambda: person.messages != shown)  # noqa: B023
            await until(new)
            await _settled(person)
            self._gathers(name)

    async def says_how_it_was(self, name: str) -> None:
        await self.does(name, "Open", "Yes, start", "Mostly", "Partly")
        await self.does(name, "Friends", says=False)
        await self.does(name, "Done", "Send my answers")

    async def comes_to(self, when: str) -> None:
        """The clock goes on to this time of London, and all that is due by then is done when it is due."""
        end = _london(when)
        for tick in _ticks(self.clock.now, end):
            self.clock.set(tick)
            await self.bot.rounds(without={"test"})
            for name in self.people:
                self._gathers(name, f"To {name}:")
        self.clock.set(end)

    def tells(self, words: str) -> None:
        self._heads()
        self.lines.append(f"*{words}*\n")

    # --- how it is written ----------------------------------------------------------------------------------------

    def _heads(self) -> None:
        if self.headed != self.clock.now:
            self.headed = self.clock.now
            local = self.clock.now.astimezone(LONDON)
            self.lines.append(f"## {day_and_date(local.date(), 'en')}, {clock_time(local, 'en')}\n")

    def _gathers(self, name: str, head: str = "") -> None:
        for message in self.people[name].messages:
            if message.id > self.told[name]:
                self._heads()
                self.lines += [f"{head}\n"] * bool(head) + [_as_page(message)]
                self.told[name] = message.id


async def _settled(person: Person) -> None:
    """Until the bot has said all it says to one tap: a reply can be several messages."""
    shown: list[Message] = []
    for _ in range(50):
        before, shown = shown, person.messages
        if shown == before:
            return
        await asyncio.sleep(0.2)


def _has(person: Person, label: str) -> bool:
    return any(label in message.labels for message in person.messages)


def _london(when: str) -> datetime:
    return datetime.fromisoformat(when).replace(tzinfo=LONDON).astimezone(UTC)


def _ticks(after: datetime, end: datetime) -> Iterator[datetime]:
    """The times in between at which something may be due, and the end."""
    day = after.astimezone(LONDON).date()
    while datetime.combine(day, time(), LONDON) <= end:
        ticks = [datetime.combine(day, tick, LONDON).astimezone(UTC) for tick in TICKS if day.weekday() < 5]
        yield from (tick for tick in ticks if after < tick < end)
        day += timedelta(days=1)
    yield end


def _as_page(message: Message) -> str:
    lines = re.sub(r"/file/\S+", "/file/...", message.words).splitlines()
    if message.document:
        lines.append(f"(a file: {message.document[0]})")
    if message.photo:
        lines.append("(a picture)")
    listed = {line.split(". ", 1)[-1] for line in lines} | set(lines)
    if labels := [f"[{label}]" for label in message.labels if label not in listed]:
        lines += ["", " ".join(labels)]
    return "\n".join(f"    {line}".rstrip() for line in lines) + "\n"


async def begins(bot: TelegramSchool) -> Term:
    """Everybody has joined; the school has questions of its own."""
    term = Term(bot)
    for role in ("dsl", "deputy"):
        await bot.joins(role)
    await term.joins("Ms Patel", "senco")
    await term.joins("Mrs Ahmed", "head")
    for name, family in {"Priya": "The Shah family", "Tom": "The Reed family", "Ana": "The Novak family"}.items():
        await term.joins(name, "parent", family)
    term.others = [await term.school.person("parent", group=GROUP, label=f"The {name} family") for name in OTHERS]
    async with term.school.db.transaction() as tx:
        await add_form(tx, read_form(LUNCH, "lunch.yaml"), LUNCH)
    return term


async def the_calendar(term: Term, folder: Path) -> None:
    file = folder / "term.yaml"
    file.write_text(CALENDAR, encoding="utf-8")
    term.tells("The office loads the term: `yousaid calendar check term.yaml`, then `yousaid calendar load term.yaml`.")
    said = CliRunner().invoke(app, ["calendar", "check", str(file)]).stdout.replace(str(file), "term.yaml")
    term.lines.append("".join(f"    {line}\n" for line in said.splitlines()))
    async with term.school.db.transaction() as tx:
        await save_calendar(tx, read_calendar(file).stretches)


async def the_plans(term: Term) -> None:
    term.clock.set(_london("2026-10-01T09:05"))
    await term.does("Ms Patel", "/dropin", "13 October", "9am", "The library", GROUP)
    await term.does("Ms Patel", "Change", "6. Comes again", "Every other week")
    await term.does("Ms Patel", "Change", "7. Times to keep", "Every 30 minutes", "1")
    await term.does("Ms Patel", "Send now")
    term.clock.set(_london("2026-10-01T09:15"))
    await term.does("Ms Patel", "/event", "A coffee morning", "Coffee and a chat", "15 October", "8:30", "The hall")
    await term.does("Ms Patel", GROUP, "Change", "9. More times", "23 November, half 2", "Send now")
    await term.comes_to("2026-10-01T09:20")
    await term.does("Ana", "Open", "We are coming")


async def three_taps(term: Term) -> None:
    await term.comes_to("2026-10-08T20:40")
    term.tells("Priya is home from work. It takes her three taps.")
    await term.does("Priya", "/dropins", "Tuesday 13 October, 9:00", "9:00")
    await another_family_books(term, 0, 1)
    await term.comes_to("2026-10-08T21:10")
    term.tells("Another family has taken the other time on its web page. Tom comes too late.")
    await term.does("Tom", "/dropins", "Tuesday 13 October, 9:00", "Wait for a place")
    await term.comes_to("2026-10-12T07:40")
    term.tells("Priya's child is ill.")
    await term.does("Priya", "/dropins", "I can't come")
    await term.comes_to("2026-10-13T07:45")
    await term.does("Ms Patel", "Open")
    await term.comes_to("2026-10-13T10:05")
    await term.does("Ms Patel", "Open", "Yes, everybody", "3")
    await term.comes_to("2026-10-13T19:30")
    await term.says_how_it_was("Tom")
    await answers(term, 0, "drop-in-feedback-1", *after(0))


async def another_family_books(term: Term, n: int, slot: int | None) -> None:
    """One of those on the web page keeps a time at the next drop-in, or says that it just comes."""
    async with term.school.db.transaction() as tx:
        group = await find_group(tx, GROUP) or ""
        occasion = (await coming_occasions(tx, [group], term.clock.now, ("dropin",)))[0]
        wanted = Booking(new_id(), occasion.id, term.others[n], COMING, slot, made_at=term.clock.now)
        await book(tx, occasion, wanted)


async def questions_on_a_tuesday(term: Term) -> None:
    await term.comes_to("2026-11-04T20:10")
    term.tells("Half term is over, and the clocks have gone back: nine is still nine. Priya tries again.")
    await term.does("Priya", "/dropins", "Tuesday 10 November, 9:00", "9:30")
    for n in (1, 2, 3):
        await another_family_books(term, n, None)
    await term.comes_to("2026-11-06T15:30")
    term.tells("Monday is an INSET day, so Tuesday's reminder comes today. Before that Ms Patel plans some questions.")
    await term.does("Ms Patel", "/send", "Lunch at school", GROUP, "Change", "7. When it goes out", "next Tuesday 9:00")
    await term.does("Ms Patel", "Plan it")
    await term.comes_to("2026-11-10T09:00")
    await term.comes_to("2026-11-10T09:20")
    await term.does("Priya", "Open", "Yes, start", "Too loud")
    term.tells("Somebody calls her. Priya puts the phone away.")
    await term.does("Ana", "STOP")
    term.tells("Tom's family has had a death. On the page People, Ms Patel pauses the messages to them.")
    await pauses(term, "Tom")
    await term.does("Ms Patel", "/summary", "Lunch at school (lunch-1)", "How far is it?")


async def answers(term: Term, n: int, survey: str, *picks: str) -> None:
    """One of those on the web page."""
    talk = term.school.on(term.others[n])
    talk.reply = await talk.forges(f"o={survey}")
    assert "Yes, start" in [b.label for m in talk.messages for b in m.buttons], talk.text
    await talk.taps("Yes, start", *picks, "Send my answers")


def after(n: int) -> tuple[str, ...]:
    """What this one says after a drop-in."""
    return "Yes" if n % 3 else "Mostly", "Yes" if n % 2 else "Partly", ("Friends", "Learning")[n % 2], "Done"


async def the_reminder(term: Term) -> None:
    for n in range(9):
        await answers(term, n, "lunch-1", "Too loud" if n < 4 else "Easy", "It would")
    await term.comes_to("2026-11-17T19:45")
    for n in (1, 2, 3):
        await answers(term, n, "drop-in-feedback-1", *after(n))
    await term.does("Priya", "Open", "It would", "Send my answers")
    await term.comes_to("2026-11-18T09:00")
    await term.does("Ms Patel", "/summary", "Lunch at school (lunch-1)", "How far is it?")
    await term.comes_to("2026-11-20T16:30")
    await term.does("Priya", "Open", "We are coming")
    for n in (4, 5, 6, 7, 8):
        await another_family_books(term, n, None)
    await term.comes_to("2026-11-23T08:40")


async def a_day_off(term: Term) -> None:
    await term.comes_to("2026-11-24T08:40")
    await the_report(term)
    await term.comes_to("2026-11-24T17:30")
    await term.says_how_it_was("Priya")
    for n in (4, 5, 6, 7, 8):
        await answers(term, n, "drop-in-feedback-1", *after(n))


async def the_report(term: Term) -> None:
    """The letters about the coffee morning in counts, also those that would have come too late."""
    async with term.school.db.reading() as tx:
        monday = next(o for o in await occasions_between(tx, _london("2026-11-23"), _london("2026-11-24")))
        said = await lines_about(tx, term.school.house, "en", monday.id, term.clock.now)
    term.tells("The report of the coffee morning (`yousaid event delivery`) says what became of its messages.")
    term.lines.append("".join(f"    {line}\n" for line in said).replace(monday.id, "..."))


async def what_was_done(term: Term) -> None:
    await term.comes_to("2026-12-07T10:00")
    await term.does("Ms Patel", "/wedid", "Lunch is too loud", "5", "We are doing it", "A quiet room opens at lunch")
    await term.does("Ms Patel", "the SENCO", "11 January 2027", "Send now")
    await term.comes_to("2026-12-07T10:01")
    await term.does("Mrs Ahmed", "Open", "Publish")
    await term.comes_to("2026-12-07T10:05")
    await term.does("Priya", "/yousaid")


async def the_end(term: Term) -> None:
    await term.comes_to("2026-12-18T18:10")
    await term.does("Ms Patel", "/summary", "After a drop-in (drop-in-feedback-1)")


async def pauses(term: Term, name: str) -> None:
    async with term.school.db.transaction() as tx:
        person = await person_at(tx, "telegram", str(term.people[name].id))
        by = await person_at(tx, "telegram", str(term.people["Ms Patel"].id))
        assert person
        assert by
        await set_pause(tx, person.id, "bereavement", None, by.id, term.clock.now)


async def story(term: Term, folder: Path) -> None:
    await the_calendar(term, folder)
    await the_plans(term)
    await three_taps(term)
    await questions_on_a_tuesday(term)
    await the_reminder(term)


async def played(folder: Path, server: TelegramServer) -> str:
    clock = Clock(BEGINS)
    async with telegram_school(folder, server, clock, send_window=WINDOW) as bot:
        term = await begins(bot)
        await story(term, folder)
    term.tells("The machine is off from Monday 8:40 to Tuesday 8:40: somebody needed the socket.")
    clock.set(_london("2026-11-24T08:40"))
    async with telegram_school(folder, server, clock, send_window=WINDOW) as bot:
        term.bot = bot
        await a_day_off(term)
        await what_was_done(term)
        await the_end(term)
    return "\n".join(term.lines)


async def test_the_term_in_the_docs_is_what_happens(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    server = TelegramServer()
    await server.start()
    try:
        text = await played(tmp_path, server)
    finally:
        await server.stop()
    if request.config.getoption("--update-transcripts"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text
