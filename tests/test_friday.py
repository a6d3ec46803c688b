"""Fifty disclosures on a Friday, half at 15:30 and half at 17:59, over Telegram with a moved clock (FAIL-1)."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.telegram_channel import flood
from data.queue import Item, waiting_items
from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Person
from tests.test_telegram_journey import newest, taps, until

FRIDAY = datetime(2026, 11, 6, 15, 30, tzinfo=UTC)
EVENING = FRIDAY.replace(hour=17, minute=59)
MONDAY = datetime(2026, 11, 9, 8, 30, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ALERT = "New item to read."
NAMES = {"dsl": "Mr Okafor", "deputy": "Mrs Lee", "head": "Mrs Ahmed"}
IN_SURVEY = ("text", "tap", "unsent")


@dataclass(frozen=True)
class Disclosure:
    """`where` it is typed: at a text question and sent, or not; where a tap is expected; outside; by a stranger."""

    where: str
    words: str
    about: str

    @property
    def order(self) -> list[str]:
        """Whose turn comes in which order (SAFE-5, SAFE-7)."""
        return [role for role in NAMES if role != self.about]


def disclosures() -> list[Disclosure]:
    path = Path(__file__).parent / "safeguarding" / "friday.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [Disclosure(**row) for row in csv.DictReader(file)]


ALL = disclosures()
AFTERNOON, LATE = ALL[::2], ALL[1::2]


class Day:
    """Everybody's phones, and who was alerted when."""

    def __init__(self, bot: TelegramSchool, readers: dict[str, Person]) -> None:
        self.bot = bot
        self.readers = readers
        self.seen: Counter[str] = Counter()

    async def alerts(self, when: datetime) -> Counter[str]:
        """How many new alerts each reader has by then."""
        self.bot.school.clock.set(when)
        for _ in range(3):
            await self.bot.rounds()
        now = Counter({role: sum(m.text == ALERT for m in p.messages) for role, p in self.readers.items()})
        new, self.seen = now - self.seen, now
        return new

    async def opens_all(self, role: str) -> None:
        """The reader taps `Open` on every alert."""
        person = self.readers[role]
        for message in [m for m in person.messages if m.text == ALERT]:
            before = newest(person)
            await person.taps("Open", on=message.id)
            await until(lambda: newest(person) > before)  # noqa: B023

    async def items(self) -> list[Item]:
        async with self.bot.school.db.reading() as tx:
            return await waiting_items(tx)


async def day_begins(bot: TelegramSchool) -> tuple[Day, Iterator[Person]]:
    """All readers have joined, and the parents have been asked."""
    bot.school.clock.set(FRIDAY - timedelta(days=1))
    readers = {role: await bot.joins(role) for role in NAMES}
    senco = await bot.joins("senco")
    parents = [await bot.joins("parent", "SEND parents") for d in ALL if d.where in IN_SURVEY]
    await senco.types("/send")
    await taps(senco, "Help for extra needs (SEND)", "SEND parents", "Send now")
    for _ in range(3):
        await bot.rounds()
    for parent in parents:
        await parent.sees("Elmfield Primary has 7 questions for you.")
    return Day(bot, readers), iter(parents)


async def says(day: Day, parents: Iterator[Person], disclosure: Disclosure) -> str:
    """Somebody types it where they are; the reply."""
    if disclosure.where == "stranger":
        person = day.bot.server.person(9000 + ALL.index(disclosure))
    elif disclosure.where in IN_SURVEY:
        person = next(parents)
        await taps(person, "Open", "Yes, start", *(["Skip"] * 6 if disclosure.where != "tap" else []))
    else:
        person = await day.bot.joins("parent")
    before = newest(person)
    await person.types(disclosure.words)
    await until(lambda: newest(person) > before)
    reply = "\n".join(m.text for m in person.messages if m.id > before)
    if disclosure.where == "text":
        await taps(person, "Go on", "Send my answers")
    return reply


def reply_is_right(disclosure: Disclosure, reply: str, open_now: bool) -> None:
    """SAFE-4, SAFE-6, SAFE-7: thanks, who is really told, who can help now; never the one it is about."""
    assert "Thank you for telling us. You did the right thing." in reply
    assert NAMES[disclosure.order[0]] in reply
    assert ("has been told" in reply) == open_now
    assert ("nobody is reading this now" in reply) != open_now
    assert all(number in reply for number in ("999", "0800 1111", "0808 800 5000", "0161 496 0001"))
    assert disclosure.about not in NAMES or NAMES[disclosure.about] not in reply
    assert disclosure.words not in reply


def first_alerts(some: list[Disclosure], turn: int) -> Counter[str]:
    return Counter(d.order[turn % len(d.order)] for d in some)


def test_there_are_fifty_of_all_kinds() -> None:
    """FAIL-1: direct, misspelt, slang, indirect, about staff, about the DSL; half and half."""
    assert len(ALL) == 50
    assert len(AFTERNOON) == len(LATE) == 25
    assert {d.where for d in ALL} == {"text", "tap", "outside", "unsent", "stranger"}
    assert sum(d.about == "dsl" for d in ALL) >= 4


@pytest.mark.slow
async def test_every_one_is_in_the_queue_answered_rightly_and_climbs_on_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAIL-1, SAFE-3 to SAFE-7, SAFE-12."""
    monkeypatch.setattr(flood, "BURST", 1000.0)  # these readers open seventy alerts in less time than people do
    async with telegram_school(tmp_path) as bot:
        day, parents = await day_begins(bot)
        assert await day.alerts(FRIDAY) == Counter()
        for disclosure in AFTERNOON:
            reply_is_right(disclosure, await says(day, parents, disclosure), open_now=True)
        assert await day.alerts(FRIDAY) == first_alerts(AFTERNOON, 0)
        assert await day.alerts(FRIDAY + QUARTER - timedelta(seconds=1)) == Counter()
        assert await day.alerts(FRIDAY + QUARTER) == first_alerts(AFTERNOON, 1)
        assert await day.alerts(EVENING) == Counter()
        for disclosure in LATE:
            reply_is_right(disclosure, await says(day, parents, disclosure), open_now=False)
        assert await day.alerts(EVENING) == first_alerts(LATE, 0)
        assert await day.alerts(EVENING + timedelta(hours=20)) == Counter()
        about_dsl, others = [d for d in LATE if d.about == "dsl"], [d for d in LATE if d.about != "dsl"]
        monday = first_alerts(AFTERNOON, 2) + first_alerts(about_dsl, 1) + first_alerts(others, 0)
        assert await day.alerts(MONDAY) == monday
        found = {item.text: item for item in await day.items() if item.kind == "flagged"}
        assert sorted(found) == sorted(d.words for d in ALL)
        assert {d.words: d.about for d in ALL} == {words: ",".join(item.about) for words, item in found.items()}
        for role in NAMES:
            await day.opens_all(role)
        assert await day.alerts(MONDAY + QUARTER) == Counter()


@pytest.mark.slow
async def test_the_dsl_has_blocked_the_bot(tmp_path: Path) -> None:
    """SAFE-5: the next person at once, in the afternoon and in the evening."""
    async with telegram_school(tmp_path) as bot:
        day, parents = await day_begins(bot)
        day.readers["dsl"].blocks_bot()
        for when, some in ((FRIDAY, AFTERNOON[:5]), (EVENING, LATE[:5])):
            await day.alerts(when)
            for disclosure in some:
                await says(day, parents, disclosure)
            assert await day.alerts(when) == Counter({"deputy": 5})


@pytest.mark.slow
async def test_telegram_is_down_for_five_minutes(tmp_path: Path) -> None:
    """Design section 3: tried until it is through; meanwhile the queue shows it."""
    async with telegram_school(tmp_path) as bot:
        day, parents = await day_begins(bot)
        await day.alerts(FRIDAY)
        for disclosure in AFTERNOON[:3]:
            await says(day, parents, disclosure)
        bot.server.fail_next("sendMessage", 502, "Bad Gateway", times=3)
        assert await day.alerts(FRIDAY) == Counter()
        assert len(await day.items()) == 3
        assert await day.alerts(FRIDAY + timedelta(minutes=5)) == Counter({"dsl": 3})
