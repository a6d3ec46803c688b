"""One parent's whole way on Telegram, as they would scroll it: docs/a-parent-on-telegram.md is what really happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Message, Person
from tests.test_telegram_journey import asked, newest, until

PAGE = Path(__file__).parent.parent / "docs" / "a-parent-on-telegram.md"
HEAD = """# A parent on Telegram

What one parent sees from the invitation to the result, word for word. Made by a test from the running bot, over real
HTTP (`tests/test_parent_story.py`); `>` is what the parent taps or types.
"""


class Story:
    """Writes down what was said and done, in order."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.lines: list[str] = []
        self.told = newest(person)

    async def does(self, label: str, typed: bool = False, answers: int = 1) -> None:
        """Tap a button or type words, and wait for what the bot says."""
        before = newest(self.person)
        await (self.person.types(label) if typed else self.person.taps(label))
        self.lines.append(f"> {label}\n")
        await until(lambda: sum(m.id > before for m in self.person.messages) >= answers)
        self.write()

    def write(self) -> None:
        for message in self.person.messages:
            if message.id > self.told:
                self.lines.append(as_page(message))
                self.told = message.id


def as_page(message: Message) -> str:
    text = "\n".join(f"    {line}".rstrip() for line in message.text.splitlines())
    return f"{text}\n"


async def played(bot: TelegramSchool) -> str:
    senco, parents = await asked(bot)
    story = Story(parents[0])
    story.told = newest(parents[0]) - 1
    story.write()
    await story.does("Open")
    await story.does("Yes, start")
    await story.does("Quite well")
    await story.does("2", typed=True)
    await story.does("Back")
    await story.does("Not much")
    await story.does("/whoreads", typed=True, answers=4)
    await story.does("Very little")
    await story.does("It takes too long")
    await story.does("Easier words")
    await story.does("mostly easy", typed=True)
    await story.does("1, 5", typed=True)
    await story.does("A visit before the new class, please.", typed=True)
    await story.does("Send my answers")
    bot.school.clock.move(days=14, hours=9)
    await bot.rounds()
    await until(lambda: "too few people" in parents[0].messages[-1].text)
    story.lines.append("*(The closing date comes; only this parent had answered.)*\n")
    story.write()
    assert senco.started
    return HEAD + "\n" + "\n".join(story.lines)


async def test_the_story_in_the_docs_is_what_happens(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with telegram_school(tmp_path) as bot:
        text = await played(bot)
    if request.config.getoption("--update-transcripts"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text
