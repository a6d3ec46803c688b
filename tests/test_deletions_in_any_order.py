"""Deletions, removals, cut names, totals, closing, backups and restores in any order: nothing returns, counts hold."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.putting_back import put_back
from data.answers import sheets_of
from data.audit_check import check_log
from data.backup import back_up
from data.counting import count_checks
from data.database import Tx
from data.erasing import erase, erase_leftovers, must_stay
from data.held import held
from data.names import cut_names
from data.queue import all_items, mark_read, waiting_items
from data.removals import remove_sheet
from data.surveys import Survey, all_surveys
from data.tombstone_mirror import agree, mirror_due
from data.totals import to_totals
from tests.school import MONDAY, School, opened
from tests.test_erasing import everything, holding, joined
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_restoring import settings_in

pytestmark = pytest.mark.both_databases

PEOPLE, STEPS = 12, 12
HAPPENS = ("delete", "delete", "close", "read", "age", "age", "backup", "restore", "restore")
KNOWS = ("audit", "queue")  # by a random number only; words that nobody has read yet


class Story:
    """A school that is opened anew for each thing that happens to it."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder = folder
        self.dice = dice
        self.now = MONDAY
        self.people: list[str] = []
        self.gone: list[str] = []
        self.backups: list[Path] = []
        self.log: list[str] = []

    def label(self, person: str) -> str:
        return f"Mark{chr(65 + self.people.index(person))}mark"

    async def begin(self) -> None:
        settings_in(self.folder)
        async with opened(self.folder) as school:
            await school.readers()
            self.people = [await joined(school, f"Mark{chr(65 + n)}mark", n + 1) for n in range(PEOPLE)]
            for mode in ("ANON", "CONF", "NAMED"):
                survey = await sent(school, room(mode, id=f"room-{mode.lower()}"))
                for person in self.people:
                    if self.dice.random() < 0.8:
                        await gives(school, person, survey, self.dice.choice("12"), "1", f"by {self.label(person)}")

    async def happens(self, what: str) -> None:
        async with opened(self.folder) as school:
            school.clock.set(self.now)
            await agree(school.db, self.now)
            await getattr(self, what)(school)
            self.now = school.clock.move(hours=3)
            await mirror_due(school.db, self.now)

    async def delete(self, school: School) -> None:
        left = [person for person in self.people if person not in self.gone]
        if len(left) > 4:
            self.gone.append(self.dice.choice(left))
            async with school.db.transaction() as tx:
                await erase(tx, self.gone[-1], self.now, self.gone[-1])

    async def close(self, school: School) -> None:
        await close(school)

    async def read(self, school: School) -> None:
        await school.rounds()
        async with school.db.transaction() as tx:
            for item in await waiting_items(tx):
                if self.dice.random() < 0.7:
                    await mark_read(tx, item.id, "somebody", self.now)
            await erase_leftovers(tx, self.now)

    async def age(self, school: School) -> None:
        """A sheet is taken out, names are cut, sheets become totals."""
        async with school.db.transaction() as tx:
            for survey in [s for s in await all_surveys(tx, "closed") if s.totals_since is None]:
                await self._ages(tx, survey, self.dice.choice(["remove", "names", "totals", ""]))

    async def _ages(self, tx: Tx, survey: Survey, how: str) -> None:
        sheets = await sheets_of(tx, survey.id, survey.form)
        if how == "remove" and sheets:
            await remove_sheet(tx, survey, sheets[0][0], "by mistake", None, self.now)
        elif how == "names" and survey.mode == "CONF":
            await cut_names(tx, survey, self.now.date())
        elif how == "totals":
            await to_totals(tx, survey, self.now, self.now.date())

    async def backup(self, school: School) -> None:
        self.backups.append(self.folder / f"{len(self.backups)}.backup")
        await back_up(school.db, self.backups[-1], self.now, self.folder)

    async def check(self) -> None:
        async with opened(self.folder) as school, school.db.reading() as tx:
            assert all(check.holds for check in (await count_checks(tx)).values()), self.log
            assert (await check_log(tx)).problems == [], self.log
            rows = await everything(tx)
            for person in self.gone:
                found = holding(rows, person, self.label(person))
                assert [row for row in found if row[0] not in KNOWS] == [], self.log
                assert await held(tx, person, self.now, "en") is None
            left = [item for item in await all_items(tx) if item.person in self.gone]
            assert all(must_stay(item) for item in left), self.log


def restore(story: Story, now: datetime) -> None:
    file = story.dice.choice(story.backups)
    asyncio.run(put_back(settings_in(story.folder), file, now, story.log.append))
    story.now = now + timedelta(hours=1)


@pytest.mark.parametrize("seed", range(2))
def test_nothing_returns_and_every_count_holds(tmp_path: Path, seed: int) -> None:
    """R13, AUDIT-1, SAFE-3: whatever comes after what."""
    dice = random.Random(seed)
    story = Story(tmp_path, dice)
    asyncio.run(story.begin())
    asyncio.run(story.happens("backup"))
    for _ in range(STEPS):
        story.log.append(
            dice.choice(["delete", "delete", "close", "read", "age", "age", "backup", "restore", "restore"])
        )
        if story.log[-1] == "restore":
            restore(story, story.now)
        else:
            asyncio.run(story.happens(story.log[-1]))
        asyncio.run(story.check())
    assert story.gone
