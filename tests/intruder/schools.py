"""Simulated schools: an ANON survey from joining to closing on real storage, and what a thief takes on the way."""

from __future__ import annotations

import io
import logging
import random
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from bot.errands.send import default_sending, send_survey
from bot.facts import House
from bot.logs import THIRD_PARTIES
from conversations.answers import Answer, chosen
from conversations.channel import Message
from conversations.form import Form
from conversations.library import bundled_forms
from data.answers import sheets_of
from data.database import open_database
from data.people import add_address, find_group, save_groups, set_front, set_stopped
from data.place import Place, PostgresServer, SqliteFile
from data.queue import mark_read, waiting_items
from data.runs import find_run, run_of, save_run
from data.school import check_school, save_school
from data.surveys import find_survey
from data.updates import first_time
from data.vault import BoxKeys, Vault
from tests.intruder.evidence import Evidence, Rows, copy_of, rows_of, take
from tests.intruder.linking import KNOWN, Case
from tests.intruder.pages import Value
from tests.intruder.server import files, hidden_rows
from tests.school import ELMFIELD, MASTER, Clock, School, all_texts

FORM = "parent-send-provision"
SURVEY = f"{FORM}-1"
MOST_COPIES = 40  # answers between which copies of a large school are made
Picks = tuple[str, ...]


class Phones:
    """A channel that takes everything."""

    name = "telegram"

    async def send(self, address: str, message: Message) -> None: ...


@dataclass
class Plan:
    """Who answers what, in which order; every sheet differs from all others, so that the truth can be told."""

    people: list[str]
    order: list[str]
    picks: dict[str, dict[str, Answer]]
    words: dict[str, str]
    dice: random.Random = field(repr=False)


async def make_template(folder: Path, place: Place | None = None) -> None:
    """An empty school with which each simulated school begins."""
    async with running(folder, place) as school:
        async with school.db.transaction() as tx:
            await save_school(tx, school.house.school)
            await save_groups(tx, school.house.school.groups)
        await school.readers()
        await school.person("senco")


@asynccontextmanager
async def running(folder: Path, place: Place | None = None) -> AsyncIterator[School]:
    """As tests/school.py has it, for a school that is set up: hundreds begin with a copy of one."""
    place = place or SqliteFile(folder / "data" / "yousaid.db")
    db = await open_database(place, Vault(MASTER), BoxKeys(folder / "keys"), create=True)
    try:
        yield School(db, House(check_school(ELMFIELD, "school.yaml"), all_texts()), Clock())
    finally:
        await db.close()


async def simulate(
    folder: Path, people: int, seed: int, template: Path | None = None, place: Place | None = None, keep: bool = True
) -> Case:
    """One school from joining to a week after closing, and everything taken from it."""
    if template:
        shutil.copytree(template, folder)
    with debug_log() as log:
        async with running(folder, place) as school:
            plan, thief = await _prepared(school, people, seed), Thief(school, folder / "stolen")
            await _answered(school, plan, thief)
            await _closed(school, plan, thief)
            truth, content = await told(school, plan)
            evidence = await thief.evidence(plan.people, truth.values(), log.getvalue())
    if not keep:
        shutil.rmtree(folder)
    known = tuple(plan.dice.sample(plan.people, KNOWN))
    sheets, orders = sorted(truth.values()), evidence.orders
    return Case(sorted(plan.people), sheets, orders["people"], orders["sheets"], truth, content, known)


class Thief:
    """Copies files and rows at every moment that could tell something."""

    def __init__(self, school: School, folder: Path) -> None:
        self.school = school
        self.folder = folder
        self.copies: list[set[tuple[str, tuple[Value, ...]]]] = []
        self.taken: dict[str, Callable[[Evidence], None]] = {}

    async def between(self) -> None:
        """A backup between two answers."""
        self.copies.append(copy_of(await self._rows()))

    async def takes(self, name: str) -> None:
        """The files of the running program: its database and WAL, or the server's pages and log."""
        place = self.school.db.place
        if isinstance(place, PostgresServer):
            heaps, log = await files(place.url)
            self.taken[name] = lambda found: found.server(heaps, log, name)
            return
        path = take(place.path, self.folder / name)
        self.taken[name] = lambda found: found.files(path, name)

    async def _rows(self) -> dict[str, tuple[list[str], Rows]]:
        place = self.school.db.place
        return await hidden_rows(place.url) if isinstance(place, PostgresServer) else rows_of(place.path)

    async def evidence(self, people: Iterable[str], sheets: Iterable[str], log: str) -> Evidence:
        found = Evidence(people, sheets, self.school.db.vault)
        for gathered in self.taken.values():
            gathered(found)
        found.tables(await self._rows())
        found.copies(self.copies)
        found.text(log)
        return found


async def _prepared(school: School, people: int, seed: int) -> Plan:
    """Everybody has joined, by chat or page, and was asked."""
    dice = random.Random(seed)
    ids = []
    for nth in range(people):
        ids.append(await school.person("parent"))
        school.clock.move(minutes=dice.randint(1, 9))
        if dice.random() < 0.8:
            async with school.db.transaction() as tx:
                await add_address(tx, ids[-1], "telegram", str(100_000 + nth))
    async with school.db.transaction() as tx:
        form = bundled_forms()[FORM]
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, form, group, school.clock.now.date())
        await send_survey(tx, school.house, sending, school.clock.now)
    await school.rounds({"telegram": Phones()})
    order = dice.sample(ids, people)
    return Plan(ids, order, _picks(form, order, dice), {p: f"more time {p[:3]}" for p in order[::4]}, dice)


def _picks(form: Form, people: list[str], dice: random.Random) -> dict[str, dict[str, Answer]]:
    found: dict[Picks, str] = {}
    questions = [q for q in form.questions if q.type == "one"]
    while len(found) < len(people):
        found.setdefault(tuple(dice.choice(q.choices).id for q in questions), people[len(found)])
    return {
        person: {q.id: chosen(id) for q, id in zip(questions, picks, strict=True)} for picks, person in found.items()
    }


async def _answered(school: School, plan: Plan, thief: Thief) -> None:
    """One after another within ten days; readers read, some change their minds, some stop."""
    pause = timedelta(days=10) / len(plan.order)
    every = max(1, len(plan.order) // MOST_COPIES)
    await thief.between()
    for nth, person in enumerate(plan.order):
        school.clock.now += pause
        if plan.dice.random() < 0.1 and nth:
            await _saves(school, plan, plan.dice.choice(plan.order[:nth]), nth, again=True)
        await _saves(school, plan, person, nth)
        if nth % every == 0:
            await thief.between()
        if nth % max(1, len(plan.order) // 5) == 0:
            await school.rounds({"telegram": Phones()})
    await thief.takes("before")


async def _saves(school: School, plan: Plan, person: str, nth: int, again: bool = False) -> None:
    """Opens, gives the first answers, sends: three turns as the dialogue commits them."""
    answers = dict(plan.picks[person])
    if person in plan.words:
        answers["B1.7"] = Answer("text", (plan.words[person],))
    half = dict(list(answers.items())[:2])
    states = [(half, None, "question"), (answers, answers, "sent")]
    for turn, (given, sent, place) in enumerate(states):
        async with school.db.transaction() as tx:
            await first_time(tx, "telegram", 10 * nth + turn + 5 * again)
            survey = await find_survey(tx, SURVEY)
            run = await find_run(tx, await run_of(tx, person, SURVEY) or "", survey)
            assert run
            sent = run.state.sent if sent is None else sent
            state = replace(
                run.state, answers=given, sent=sent, place=place, step=run.state.step + 4, sent_quote=bool(plan.words)
            )
            await save_run(tx, replace(run, state=state, saved_at=school.clock.now), survey)
            await set_front(tx, person, run.id)


async def _closed(school: School, plan: Plan, thief: Thief) -> None:
    """The box is opened, everybody is told, readers read, a parent stops, a backup is made."""
    school.clock.move(days=15)
    await school.rounds({"telegram": Phones()})
    await thief.takes("closed")
    await thief.between()
    school.clock.move(days=1)
    async with school.db.transaction() as tx:
        await set_stopped(tx, plan.order[0], True, school.clock.now)
        for item in (await waiting_items(tx))[::2]:
            await mark_read(tx, item.id, plan.order[1], school.clock.now)
    await school.rounds({"telegram": Phones()})
    await thief.takes("after")
    await thief.between()


async def told(school: School, plan: Plan) -> tuple[dict[str, str], dict[str, object]]:
    """(person -> sheet, sheet -> answers): known to the test only."""
    async with school.db.reading() as tx:
        survey = await find_survey(tx, SURVEY)
        assert survey
        assert survey.state == "closed"
        sheets = await sheets_of(tx, SURVEY, survey.form)
    by_picks = {tuple(sorted((q, v) for q, v in values.items())): sheet for sheet, values in sheets}
    truth = {p: by_picks[tuple(sorted((q, a.values) for q, a in given.items()))] for p, given in plan.picks.items()}
    return truth, {sheet: tuple(sorted(values.items())) for sheet, values in sheets}


@contextmanager
def debug_log() -> Iterator[io.StringIO]:
    """Everything the program logs at debug level, other people's libraries at the level it gives them."""
    stream = io.StringIO()
    handler, loggers = logging.StreamHandler(stream), [logging.getLogger(name) for name in ("", *THIRD_PARTIES)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING if logger.name in THIRD_PARTIES else logging.DEBUG)
    loggers[0].addHandler(handler)
    try:
        yield stream
    finally:
        loggers[0].removeHandler(handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
