"""A school's days from joining to the nightly backup, with an accident at the k-th call, and what must hold (A4.4).

Whatever happens, the days go on as they do outside: Telegram delivers an update again until its turn is committed, the
clock ticks again, and a process that was killed starts anew.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.said import Said, Tap, Text
from bot.survey_files import files_of
from data.answers import count_answers, count_sheets, destroy_spent_keys
from data.audit_check import check_log
from data.bookings import bookings_for
from data.counting import count_check
from data.database import Database, Tx
from data.events import coming_occasions, save_occasion
from data.looks import note_look
from data.people import Address, add_address, find_group, find_person, person_at
from data.place import Place, SqliteFile
from data.queue import waiting_items
from data.records import all_records
from data.runs import count_runs, find_run, run_of
from data.surveys import find_survey
from data.tables import outbox
from scheduler.backing_up import back_up_due
from tests.event_days import add_slots
from tests.faults import Trip, WatchedPhones, survives, watch
from tests.school import Clock, School, opened
from tests.test_privacy_modes import room, sent

FRIDAY = datetime(2026, 11, 6, 10, 0, tzinfo=UTC)
READERS = ("dsl", "deputy", "head")
PARENTS = 11
ANON, CONF, NAMED = "calm-anon-1", "calm-conf-1", "calm-named-1"
GIVEN = {ANON: ("1", "1", "2", "2", "1"), CONF: ("1",), NAMED: ("2",)}  # the first answer of parents 0, 1, ...
DISCLOSURE = "my uncle hurts me"
AFTER, VISITORS = "drop-in-feedback-1", ("parent-0", "parent-1")
NEWCOMER, LEAVER, QUIET = "newcomer", "parent-9", "parent-8"


async def prepared(folder: Path, place: Place | None = None) -> str:
    """Readers with phones, parents with chats, two surveys sent; a code for somebody who is going to join."""
    folder.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        if place:
            patch.setattr("tests.school.place_for", lambda _: place)
        async with opened(folder, Clock(FRIDAY)) as school:
            for name in (*READERS, "senco"):
                await _with_phone(school, await school.person(name), name)
            for nth in range(PARENTS):
                await _with_phone(school, await school.person("parent"), f"parent-{nth}")
            for mode in ("CONF", "NAMED"):
                await sent(school, room(mode, id=f"calm-{mode.lower()}"))
            async with school.db.transaction() as tx:
                await _plan(tx)
            return await school.code("parent", "SEND parents")


async def _plan(tx: Tx) -> None:
    """Two slots of a drop-in this afternoon, with the reminder of an hour before."""
    starts = FRIDAY.replace(hour=14)
    occasion = await add_slots(tx, await find_group(tx, "SEND parents") or "", starts, 2)
    await save_occasion(tx, replace(occasion, first_done=True, hour_at=starts - timedelta(hours=1)))


async def _with_phone(school: School, person: str, place: str) -> None:
    async with school.db.transaction() as tx:
        await add_address(tx, person, "telegram", place)


@dataclass
class Days:
    """The script. `play` returns when all is over; `check` says what does not hold. Reads are not counted."""

    folder: Path
    trip: Trip
    code: str

    def __post_init__(self) -> None:
        self.clock = Clock(FRIDAY)
        self.phones = WatchedPhones(self.trip)
        self.running = contextlib.AsyncExitStack()
        self.deliveries = 0
        self.steps: dict[str, int] = {}

    async def play(self) -> None:
        await self.begins()
        await self.hears(NEWCOMER, Text(f"/start {self.code}"), Text("yes"))
        await self.survives(self.sends)
        await self.ticks(0, 75)
        for survey, choices in GIVEN.items():
            for nth, choice in enumerate(choices):
                await self.answers(f"parent-{nth}", survey, choice)
        await self.books()
        await self.hears(QUIET, Text("/stop"))
        await self.hears(LEAVER, Text("/delete"), Text("yes, delete"))
        await self.hears("parent-7", Text(DISCLOSURE))
        await self.ticks(0, 75, 15 * 60, 15 * 60 + 75, 30 * 60, 30 * 60 + 75)
        await self.meets()
        self.clock.move(days=15)
        await self.ticks(0, 75, 150)
        await self.survives(self.exports)
        for _ in range(2):  # nights
            self.clock.move(days=1)
            await self.survives(lambda: back_up_due(self.db, self.school.house.school, self.backups, self.clock.now))

    @property
    def db(self) -> Database:
        return self.school.db

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    async def begins(self) -> None:
        """The process starts, or starts again."""
        await self.running.aclose()
        self.school: School = await self.running.enter_async_context(opened(self.folder, self.clock))
        await destroy_spent_keys(self.db)

    async def sends(self) -> None:
        """The third survey goes out, once."""
        async with self.db.reading() as tx:
            if await find_survey(tx, ANON):
                return
        await sent(self.school, room("ANON", id="calm-anon"))

    async def answers(self, place: str, survey: str, choice: str) -> None:
        typed = [Text(words) for words in ("Yes, start", choice, "1", "skip", "Send my answers")]
        await self.hears(place, Tap(f"o={survey}"), *typed, survey=survey)

    async def books(self) -> None:
        """Two have the slots, one waits; the first is going to leave."""
        async with self.db.reading() as tx:
            (self.occasion,) = [o.id for o in await coming_occasions(tx, None, FRIDAY)]
        for place, act in ((LEAVER, "slot.{}.0"), ("parent-0", "slot.{}.1"), ("parent-1", "wait.{}")):
            await self.hears(place, Tap(f"e={act.format(self.occasion)}"))

    async def meets(self) -> None:
        """The reminder, the drop-in, and in the evening how it was."""
        for hour in (13, 17):
            self.clock.set(FRIDAY.replace(hour=hour, minute=1))
            await self.ticks(0, 75)
        for place in VISITORS:
            typed = [Text(words) for words in ("Yes, start", "1", "1", "skip", "Send my answers")]
            await self.hears(place, Tap(f"o={AFTER}"), *typed, survey=AFTER)

    async def exports(self) -> None:
        async with self.db.transaction() as tx:
            survey = await find_survey(tx, ANON)
            assert survey
            await note_look(tx, "somebody", "export-counts", ANON, "", self.clock.now)
            await files_of(tx, self.school.house, survey, "senco", self.clock.now.date())

    async def hears(self, place: str, *said: Said, survey: str = "") -> None:
        """Each update comes until its turn is committed; its survey's steps only grow."""
        for one in said:
            self.deliveries += 1
            number = self.deliveries

            async def arrives(one: Said = one, number: int = number) -> None:
                await self.school.dialogue.hear(Address("telegram", place), one, number)

            while not await self.survives(arrives):
                pass
            if survey:
                await self._grows(place, survey)

    async def _grows(self, place: str, survey: str) -> None:
        async with self.db.reading() as tx:
            person, found = await person_at(tx, "telegram", place), await find_survey(tx, survey)
            assert person
            run = await find_run(tx, await run_of(tx, person.id, survey) or "", found)
        assert run
        assert run.state.step >= self.steps.get(run.id, 0)
        self.steps[run.id] = run.state.step

    async def ticks(self, *seconds: float) -> None:
        start = self.clock.now
        for later in seconds:
            self.clock.set(start + timedelta(seconds=later))
            await self.survives(lambda: self.school.rounds({"telegram": self.phones}))

    async def survives(self, does: Callable[[], Awaitable[object]]) -> bool:
        """Whether it was done. What stops is done again; an update comes again by itself."""
        done = await survives(self.trip, self.begins, does)
        return done or (does.__name__ != "arrives" and await self.survives(does))

    # --- what must hold ---------------------------------------------------------------------------------------

    async def check(self) -> None:
        """AssertionError with what does not hold."""
        async with self.db.reading() as tx:
            for survey, choices in GIVEN.items():
                await self._counted_once(tx, survey, choices)
            assert len(await all_records(tx)) == len(GIVEN[NAMED])
            assert [i.text for i in await waiting_items(tx) if i.kind == "flagged"] == [DISCLOSURE]
            assert not (await check_log(tx)).problems
            await self._people_as_they_wished(tx)
            await self._all_letters_explained(tx)
        async with self.db.reading() as tx:
            await self._visits_once(tx)
        assert self.db.boxes.surveys() == [AFTER]
        alerts = Counter(who for who, _ in self.phones.got if who in READERS)
        assert all(alerts[reader] for reader in READERS), alerts
        assert list(self.backups.iterdir()), "no backup"

    async def _visits_once(self, tx: Tx) -> None:
        """The leaver's slot went to whoever waited; both were reminded and asked, and each of them has one sheet."""
        seats = {(b.slot, b.seat) for b in await bookings_for(tx, self.occasion)}
        assert seats == {(0, 0), (1, 0)}
        for kind in ("reminder-hour", "how-was-it"):
            posted = await tx.all(select(outbox.c.person).where(outbox.c.kind == kind))
            assert len({r.person for r in posted}) == len(posted) == len(VISITORS), kind
        pool = await find_survey(tx, AFTER)
        assert pool
        assert (pool.asked, await count_runs(tx, pool)) == (2, (2, 2))

    async def _counted_once(self, tx: Tx, survey: str, choices: tuple[str, ...]) -> None:
        found, counts = await find_survey(tx, survey), await count_answers(tx, survey)
        assert found
        assert (found.state, found.finished) == ("closed", len(choices)), survey
        first = {"1": "helps", "2": "no-help"}
        assert counts["calm.1"].counts == Counter(first[choice] for choice in choices), survey
        assert await count_sheets(tx, survey) == len(choices), survey
        check = await count_check(tx, found)
        assert check
        assert check.holds, survey

    async def _people_as_they_wished(self, tx: Tx) -> None:
        assert await person_at(tx, "telegram", LEAVER) is None
        assert await person_at(tx, "telegram", NEWCOMER)
        quiet = await person_at(tx, "telegram", QUIET)
        assert quiet
        assert quiet.stopped
        assert await find_person(tx, quiet.id)

    async def _all_letters_explained(self, tx: Tx) -> None:
        for letter in await tx.all(select(outbox)):
            waits = letter.state == "waiting" and letter.due_at > self.clock.now.strftime("%Y-%m-%d")
            assert letter.state in ("sent", "page") or letter.why or waits, (letter.kind, letter.state)


Copy = Callable[[Path], Place]


async def play_once(template: Path, folder: Path, code: str, k: int, error: type[BaseException], copy: Copy) -> Trip:
    """The days with an accident at call k (0: none), and what must hold after them."""
    trip = Trip(k, error)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    place = copy(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.school.place_for", lambda _: place)
        watch(trip, patch)
        days = Days(folder, trip, code)
        try:
            await days.play()
            await days.check()
        finally:
            await days.running.aclose()
    return trip


def sqlite_copy(folder: Path) -> Place:
    return SqliteFile(folder / "data" / "yousaid.db")
