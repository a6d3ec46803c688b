"""The safeguarding lead's Friday, as they would scroll it: docs/the-dsls-friday.md is what really happens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Person
from tests.test_parent_story import as_page
from tests.test_telegram_journey import newest, until

PAGE = Path(__file__).parent.parent / "docs" / "the-dsls-friday.md"
FRIDAY = datetime(2026, 11, 6, 15, 30, tzinfo=UTC)
EVENING = FRIDAY.replace(hour=17, minute=59)
MONDAY = datetime(2026, 11, 9, 8, 30, tzinfo=UTC)
PEOPLE = {"Mr Okafor": "dsl", "Mrs Lee": "deputy", "Mrs Ahmed": "head", "Mr Jones": "chair", "A parent": "parent"}
HEAD = """# The safeguarding lead's Friday

Who is told what, and when, while Mr Okafor is safeguarding lead (DSL), Mrs Lee his deputy and Mrs Ahmed head teacher;
office hours are Mon-Fri 08:30-16:00. Made by a test from the running bot, over real HTTP with a moved clock
(`tests/test_dsl_story.py`); `>` is what somebody taps or types. Words are never in an alert: they stand on the page
behind the one-time link.
"""


class Book:
    """Writes down what each phone shows, under the time of day."""

    def __init__(self, bot: TelegramSchool) -> None:
        self.bot = bot
        self.lines: list[str] = []
        self.phones: dict[str, Person] = {}
        self.told: dict[str, int] = {}

    def has(self, name: str, person: Person) -> None:
        self.phones[name], self.told[name] = person, newest(person)

    def now(self, when: datetime, day: str) -> None:
        """The clock moves on."""
        self.bot.school.clock.set(when)
        self.lines.append(f"## {day}, {when:%H:%M}\n")

    async def due(self) -> None:
        """What is due goes out."""
        for _ in range(3):
            await self.bot.rounds()
        if not self.write():
            self.lines.append("Nobody is alerted.\n")

    async def does(self, name: str, label: str, typed: bool = False) -> None:
        person = self.phones[name]
        before = newest(person)
        await (person.types(label) if typed else person.taps(label))
        self.lines.append(f"**{name}**\n\n> {label}\n")
        await until(lambda: newest(person) > before)
        self.write(name)

    def write(self, doing: str = "") -> bool:
        """Everything new on every phone; whether there was anything."""
        found = False
        for name, person in self.phones.items():
            for message in [m for m in person.messages if m.id > self.told[name]]:
                self.lines += [] if name == doing else [f"**{name}**\n"]
                self.lines.append(as_page(message))
                self.told[name], found = message.id, True
        return found


async def played(bot: TelegramSchool) -> str:
    book = Book(bot)
    bot.school.clock.set(FRIDAY - timedelta(hours=1))
    for name, role in PEOPLE.items():
        book.has(name, await bot.joins(role))
    await bot.rounds()
    book.now(FRIDAY, "Friday")
    await book.does("A parent", "my husband hits my son every night", typed=True)
    await book.due()
    book.now(FRIDAY + timedelta(minutes=15), "Friday")
    await book.due()
    await book.does("Mrs Lee", "Open")
    book.now(FRIDAY + timedelta(minutes=30), "Friday")
    await book.due()
    book.now(EVENING, "Friday")
    await book.does("A parent", "now he has locked us in and I am scared", typed=True)
    await book.due()
    book.now(MONDAY, "Monday")
    await book.due()
    await book.does("Mr Okafor", "Open")
    await book.does("Mr Okafor", "I am away")
    await book.does("Mr Okafor", "16 November 2026", typed=True)
    book.now(MONDAY + timedelta(minutes=5), "Monday")
    await book.does("A parent", "Mr Okafor touched my daughter", typed=True)
    await book.due()
    text = HEAD + "\n" + "\n".join(book.lines)
    return re.sub(r"/file/\S+", "/file/...", text)


async def test_the_story_in_the_docs_is_what_happens(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """SAFE-5 to SAFE-7, read as a story."""
    async with telegram_school(tmp_path) as bot:
        text = await played(bot)
    if request.config.getoption("--update-transcripts"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text
