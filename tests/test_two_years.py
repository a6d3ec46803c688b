"""Random schools over two years of nights: what should be there is there, what should be gone is gone (domain 6.8).

When something is due is worked out here once more, from the words of the rule and not from the code of the program.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Table, select

from bot.errands.send import Refused, default_sending, send_survey
from bot.role_changes import end_access
from conversations import words as w
from conversations.engine import Context, resume
from data.answers import QuestionCounts, count_answers, seal_off
from data.audit import entries, note
from data.audit_check import check_log
from data.codes import read_code, spend_code
from data.counting import count_check
from data.database import Tx
from data.keeping import would_go
from data.outbox import claim, mark, post
from data.people import find_group
from data.queue import add_item, find_item, mark_read, mark_transferred, route_item, waiting_items
from data.runs import Run, runs_in, save_run
from data.surveys import find_survey
from data.tables import answers, audit, codes, events, marks, outbox, people, queue, sheet_keys, surveys
from scheduler.closing import close_survey
from scheduler.keeping import keep_due
from tests.event_days import add_dropin
from tests.school import School
from tests.test_privacy_modes import room

LONDON = ZoneInfo("Europe/London")
START = date(2026, 9, 7)


@dataclass
class Thing:
    """Something in the school: from when on it is to be gone (None: never), and how to see whether it is there."""

    what: str
    gone_from: datetime | None
    there: Callable[[Tx], Awaitable[bool]]
    traces: list[bytes] = field(default_factory=list)  # bytes on the disk that belong to it alone


def at(day: date, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour), LONDON)


def months_later(day: date, months: int) -> date:
    """The same day of a later month; where it has none, the first of the next (nothing goes a day too early)."""
    count = day.month - 1 + months
    year, month = day.year + count // 12, count % 12 + 1
    try:
        return date(year, month, day.day)
    except ValueError:
        return date(year, month + 1, 1)


def next_school_year_over(closed: date) -> date:
    first_of_september = date(closed.year + (closed.month >= 9), 9, 1)
    return first_of_september.replace(year=first_of_september.year + 1)


def row(table: Table, column: str, value: object) -> Callable[[Tx], Awaitable[bool]]:
    async def there(tx: Tx) -> bool:
        return await tx.first(select(table).where(table.c[column] == value)) is not None

    return there


class Years:
    """One school, what happened in it, and what is to become of it."""

    def __init__(self, school: School, dice: random.Random) -> None:
        self.school = school
        self.dice = dice
        self.things: list[Thing] = []
        self.totals: dict[str, dict[str, QuestionCounts]] = {}

    @property
    def today(self) -> date:
        return self.school.clock.now.astimezone(LONDON).date()

    async def happen(self) -> None:
        await self.dice.choice(
            (self.code, self.used_code, self.dropin, self.message, self.words, self.concern, self.left, self.look)
        )()

    async def code(self) -> None:
        code = await self.school.code("parent")
        hashed = self.school.db.vault.lookup("code", read_code(code) or "")
        runs_out = self.school.clock.now + timedelta(days=14)
        self.things.append(Thing("code", runs_out + timedelta(days=30), row(codes, "hash", hashed), [hashed.encode()]))

    async def used_code(self) -> None:
        code = read_code(await self.school.code("parent")) or ""
        async with self.school.db.transaction() as tx:
            assert await spend_code(tx, code, await self.somebody(), self.school.clock.now)
        hashed = self.school.db.vault.lookup("code", code)
        self.things.append(Thing("used code", None, row(codes, "hash", hashed)))

    async def somebody(self) -> str:
        return self.dice.choice(self.parents)

    async def dropin(self) -> None:
        starts = self.school.clock.now + timedelta(days=self.dice.randint(1, 9))
        async with self.school.db.transaction() as tx:
            group = await find_group(tx, "Year 4 parents") or ""
            made = await add_dropin(tx, group, starts, f"Hall {self.dice.random()}", starts - timedelta(days=1))
        gone = at(months_later(starts.date(), 12) + timedelta(days=1))
        self.things.append(Thing("drop-in", gone, row(events, "id", made.event.id), [made.event.place.encode()]))

    async def message(self) -> None:
        ref, now = f"message-{self.dice.random()}", self.school.clock.now
        async with self.school.db.transaction() as tx:
            await post(tx, "told", ref, [await self.somebody()], now)
            for letter in await claim(tx, "us", now, 99):
                await mark(tx, letter, "us", "sent")
        gone = at(months_later(self.today, 12) + timedelta(days=1))
        self.things.append(Thing("message", gone, row(outbox, "ref", ref), [ref.encode()]))

    async def words(self) -> None:
        """Read, of no survey, and no concern."""
        now = self.school.clock.now
        async with self.school.db.transaction() as tx:
            id = await add_item(tx, "flagged", now, "a song about a fight")
            found = await find_item(tx, id)
            assert found
            await mark_read(tx, id, "dsl", now)
            await route_item(tx, found, "none", (), "a song", "dsl", now)
        self.things.append(Thing("words", at(next_school_year_over(self.today)), row(queue, "id", id), [id.encode()]))

    async def concern(self) -> None:
        """Read and sent on, and sometimes in the school's own record."""
        now, done = self.school.clock.now, self.dice.random() < 0.7
        async with self.school.db.transaction() as tx:
            id = await add_item(tx, "help", now, "he hits me", await self.somebody(), "Family Otter")
            found = await find_item(tx, id)
            assert found
            await mark_read(tx, id, "dsl", now)
            await route_item(tx, found, "welfare", (), "", "dsl", now)
            if done:
                await mark_transferred(tx, id, "dsl", now)
            sealed = bytes(await tx.value(select(queue.c.sealed).where(queue.c.id == id)))

        async def there(tx: Tx) -> bool:
            item = await find_item(tx, id)
            return item is not None and item.text != ""

        gone = now + timedelta(days=7) if done else None
        self.things.append(Thing("concern", gone, there, [sealed] if done else []))

    async def left(self) -> None:
        person = await self.school.person("parent", label=f"Family {self.dice.random()}")
        async with self.school.db.transaction() as tx:
            sealed = bytes(await tx.value(select(people.c.sealed).where(people.c.id == person)))
            await end_access(tx, person, self.school.clock.now)
        gone = at(months_later(self.today, 12) + timedelta(days=1))
        self.things.append(Thing("left", gone, row(people, "id", person), [sealed]))

    async def look(self) -> None:
        ref = f"look-{self.dice.random()}"
        async with self.school.db.transaction() as tx:
            await note(tx, "look.name", ref, self.school.clock.now, "dsl", reason="to call them")
        gone = at(months_later(self.today, 12) + timedelta(days=1))
        self.things.append(Thing("look", gone, row(audit, "ref", ref), [ref.encode()]))

    async def survey(self, mode: str) -> None:
        """Sent, answered by chance, and closed at once."""
        now, id = self.school.clock.now, ""
        async with self.school.db.transaction() as tx:
            group = await find_group(tx, "SEND parents") or ""
            form = room(mode, id=f"{mode.lower()}-{len(self.totals)}")
            sending = default_sending(self.school.house, form, group, self.today)
            try:
                id = (await send_survey(tx, self.school.house, sending, now)).id
            except Refused:  # they had two in this half term already (6.9)
                return
            found = await find_survey(tx, id)
            assert found
            for run in await runs_in(tx, found):
                if self.dice.random() < 0.8:
                    await save_run(tx, self.filled(run, form), found)
            assert await close_survey(tx, found, now, self.today)
        await seal_off(self.school.db, id)
        await self.remember(id, mode)

    def filled(self, run: Run, form: object) -> Run:
        state, context = run.state, Context(self.school.house.texts, "en", self.today)
        picks = [self.dice.choice(("1", "2")), self.dice.choice(("1", "2", "skip")), "too loud here"]
        for heard in ("yes", *picks, "Send my answers"):
            state = resume(form, state, w.Typed(heard), context).state  # type: ignore[arg-type]
        assert state.sent is not None
        return Run(run.id, run.person, run.survey, None, state, self.school.clock.now)

    async def remember(self, id: str, mode: str) -> None:
        async with self.school.db.transaction() as tx:
            for item in await waiting_items(tx):
                await mark_read(tx, item.id, "dsl", self.school.clock.now)
            self.totals[id] = await count_answers(tx, id)
            sheets = [r.sheet.encode() for r in await tx.all(select(answers.c.sheet).where(answers.c.survey == id))]
            keys = [bytes(r.sealed) for r in await tx.all(select(sheet_keys).where(sheet_keys.c.survey == id))]
            texts = [bytes(r.sealed) for r in await tx.all(select(queue).where(queue.c.survey == id))]
        gone = at(next_school_year_over(self.today))
        self.things.append(Thing(f"{mode} answers", gone, row(answers, "survey", id), sheets))
        self.things.append(Thing(f"{mode} marks", gone, row(marks, "survey", id)))
        self.things.append(Thing(f"{mode} words", gone, row(queue, "survey", id), texts))
        if mode == "CONF":
            cut = at(months_later(self.today, 3))
            self.things.append(Thing("keys", cut, row(sheet_keys, "survey", id), keys))
        self.things.append(Thing("survey", None, row(surveys, "id", id)))

    # --- the nights -----------------------------------------------------------------------------------------------

    async def night(self) -> None:
        now = self.school.clock.now
        expected = await would_go(self.school.db, self.school.house.school, now)
        assert await keep_due(self.school.db, now)
        async with self.school.db.reading() as tx:
            done = (await entries(tx, "all", "kept"))[-1].detail
            assert dict(done) == {gone.kind: str(gone.n) for gone in expected}
            assert await self.wrong(tx) == []
            for id, before in self.totals.items():
                assert await count_answers(tx, id) == before, id
                survey = await find_survey(tx, id)
                assert survey
                check = await count_check(tx, survey)
                assert check
                assert check.holds, id
            assert (await check_log(tx)).problems == []

    async def wrong(self, tx: Tx) -> list[str]:
        """Things that are there and should not be, or the other way round."""
        now = self.school.clock.now
        found = [(t, await t.there(tx)) for t in self.things]
        return [f"{t.what} {there}" for t, there in found if there != (t.gone_from is None or now < t.gone_from)]

    def readable(self) -> list[str]:
        """What is gone and can still be read in the files."""
        path, now = self.school.db.path, self.school.clock.now
        raw = b"".join(p.read_bytes() for p in path.parent.glob(path.name + "*") if p.suffix != ".lock")
        gone = [t for t in self.things if t.gone_from and now >= t.gone_from]
        return [t.what for t in gone for trace in t.traces if trace in raw]


async def two_years(school: School, seed: int, files: bool) -> None:
    """Some 60 things happen, and some 60 nights pass, a few of them with the machine off for weeks before."""
    years = Years(school, random.Random(seed))
    school.clock.set(at(START, 11).astimezone(UTC))
    await school.readers()
    years.parents = await school.people(13)  # type: ignore[attr-defined]
    day = START
    while day < START + timedelta(days=3 * 365):
        for _ in range(years.dice.randint(0, 4)):
            await years.happen()
        if years.dice.random() < 0.25 and day < START + timedelta(days=600):
            await years.survey(years.dice.choice(("ANON", "CONF")))
        day += timedelta(days=years.dice.choice((1, 7, 30, 30, 45)))
        school.clock.set(at(day, 3).astimezone(UTC))
        await years.night()
        school.clock.set(at(day, years.dice.randint(9, 20)).astimezone(UTC))
    assert not files or years.readable() == []
    assert {t.what for t in years.things if t.gone_from and t.gone_from < school.clock.now} > {"code", "look", "left"}


@pytest.mark.parametrize("seed", range(2))
async def test_two_years_of_nights(school: School, seed: int) -> None:
    """6.8, A7 standard 6: nothing goes a day too early or a day too late, totals never change, nothing is readable."""
    await two_years(school, seed, files=True)


@pytest.mark.both_databases
async def test_two_years_on_both_databases(school: School) -> None:
    """The same on PostgreSQL (what its files hold is another test's)."""
    await two_years(school, 11, files=False)


def test_the_model_of_this_test_says_what_the_rule_says() -> None:
    assert next_school_year_over(date(2026, 11, 17)) == date(2028, 9, 1)
    assert next_school_year_over(date(2027, 8, 31)) == date(2028, 9, 1)
    assert next_school_year_over(date(2027, 9, 1)) == date(2029, 9, 1)
    assert months_later(date(2026, 11, 30), 3) == date(2027, 3, 1)
