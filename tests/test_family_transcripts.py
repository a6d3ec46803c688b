"""Whole days of families, as one would read them: booking, saying that we come, a pupil who asks for an adult.

Each is played twice: as the page hears it, and over the strict Bot API server; both must read as written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from conversations.channel import Message
from data.outbox import on_page
from data.people import find_group
from scheduler.asking import ask_others_due
from tests.event_days import add_meeting, add_slots
from tests.school import MONDAY, School, opened
from tests.test_transcripts import _Readable

FOLDER = Path(__file__).parent / "transcripts" / "families"
Turns = list[dict[str, str]]
ACCESS = {"noise": "Quiet talk", "toilets": "Next to the hall", "quiet": "The library is free", "cost": "Nothing"}


def stories() -> list[Path]:
    return sorted(FOLDER.glob("*.yaml"))


async def planned(school: School) -> dict[str, str]:
    """What is coming at this school, and its people by the names that stories call them."""
    groups = {"pupil": "Year 4 parents"}
    people = {
        name: await school.person(role, group=groups.get(role, "SEND parents"), label=label)
        for name, (label, role) in PEOPLE.items()
    }
    async with school.db.transaction() as tx:
        parents, pupils = await find_group(tx, "SEND parents") or "", await find_group(tx, "Year 4 parents") or ""
        at = MONDAY.replace(hour=9) + timedelta(days=2)
        await add_slots(tx, parents, at, 2, ways=("in-person", "phone"), host=people["senco"])
        await add_meeting(tx, parents, at + timedelta(days=2), access=ACCESS, host=people["senco"])
        await add_slots(tx, pupils, at + timedelta(days=1), 2, host=people["adult"])
    return people


PEOPLE = {
    "parent": ("The Khan family", "parent"),
    "neighbour": ("The Baker family", "parent"),
    "pupil": ("Sam B.", "pupil"),
    "adult": ("Ms Khan", "staff"),
    "senco": ("Ms Patel", "senco"),
}


class Stage:
    """Everybody's conversations, and how far each has read."""

    def __init__(self, school: School, people: dict[str, str]) -> None:
        self.school = school
        self.people = people
        self.talks = {name: school.on(person) for name, person in people.items()}

    async def turn(self, turn: dict[str, Any]) -> str | None:
        """What is said back to this turn; None where only time goes by."""
        if "later" in turn:
            self.school.clock.move(minutes=turn["later"])
            await ask_others_due(self.school.db, self.school.house.school, self.school.clock.now)
            await self.school.rounds()
            return None
        talk = self.talks[turn["who"]]
        if "gets" in turn:
            return await self._letter(turn["who"])
        await (talk.types(turn["types"]) if "types" in turn else talk.taps(turn["taps"]))
        return "\n\n".join(as_read(message) for message in talk.messages)

    async def _letter(self, who: str) -> str:
        """The newest letter; its buttons can be tapped next."""
        async with self.school.db.reading() as tx:
            newest, *_ = await on_page(tx, self.people[who])
        message = await self.school.letters.compose(newest, self.school.clock.now)
        assert message
        self.talks[who].reply.messages[:] = [message]
        return as_read(message)


def as_read(message: Message) -> str:
    below = " ".join(f"[{b.label}]" for b in message.buttons)
    document = f"({message.file.name})" if message.file else ""
    return "\n".join(part for part in (message.as_text(), document, below) if part)


@pytest.mark.parametrize("path", stories(), ids=lambda p: p.stem)
async def test_the_day_reads_as_written(tmp_path: Path, path: Path, request: pytest.FixtureRequest) -> None:
    story = yaml.safe_load(path.read_text(encoding="utf-8"))
    async with opened(tmp_path) as school:
        stage = Stage(school, await planned(school))
        played = [{**turn, "bot": said} if (said := await stage.turn(turn)) else turn for turn in asked(story)]
    if request.config.getoption("--update-transcripts"):
        path.write_text(
            yaml.dump({**story, "turns": played}, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=200)
        )
    assert story["turns"] == played


def asked(story: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The turns without what the bot said."""
    for turn in story["turns"]:
        yield {key: words for key, words in turn.items() if key != "bot"}
