"""Simulated drop-ins with slots: who came when is known from the bookings; whose B6 sheet it was must not be (R5)."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

from conversations.answers import Answer, chosen
from data.answers import sheets_of
from data.bookings import COMING, Booking, book
from data.moments import new_id
from data.people import find_group
from data.runs import find_run, run_of, save_run
from data.surveys import find_survey
from tests.event_days import add_slots
from tests.intruder.linking import KNOWN, Case
from tests.intruder.schools import Phones, Thief, running
from tests.school import School

POOL = "drop-in-feedback-1"
CHOICES = (("yes", "mostly", "no"), ("yes", "partly", "no"), ("friends", "learning", "behaviour", "health"))


async def simulate_visits(folder: Path, people: int, seed: int, template: Path) -> Case:
    """A drop-in of as many slots, answered within a week; half of them come again; the box opens with the term."""
    shutil.copytree(template, folder)
    dice = random.Random(seed)
    async with running(folder) as school:
        thief = Thief(school, folder / "stolen")
        ids = await school.people(people)
        picks = dict(zip(ids, dice.sample(list(product(*CHOICES)), people), strict=True))
        await _held(school, dice.sample(ids, people), thief)
        for person in dice.sample(ids, people):
            school.clock.move(hours=dice.randint(1, 16))
            await _answers(school, person, picks[person])
            await thief.between()
        await thief.takes("before")
        await _held(school, dice.sample(ids, people // 2), thief)
        truth, content = await _opened(school, thief, picks)
        evidence = await thief.evidence(ids, truth.values(), "")
    shutil.rmtree(folder)
    orders = evidence.orders
    known = tuple(dice.sample(ids, KNOWN))
    return Case(sorted(ids), sorted(truth.values()), orders["people"], orders["sheets"], truth, content, known)


async def _held(school: School, order: list[str], thief: Thief) -> None:
    """Booked in this order of slots, held, and asked about in the evening."""
    starts = (school.clock.now + timedelta(days=1)).replace(hour=9, minute=0)
    async with school.db.transaction() as tx:
        occasion = await add_slots(tx, await find_group(tx, "SEND parents") or "", starts, len(order))
        for slot, person in enumerate(order):
            at = school.clock.move(minutes=3)
            await book(tx, occasion, Booking(new_id(), occasion.id, person, COMING, slot=slot, made_at=at))
    await thief.between()
    school.clock.set(starts.replace(hour=17, minute=5))
    await school.rounds({"telegram": Phones()})
    await thief.between()


async def _answers(school: School, person: str, picked: tuple[str, ...]) -> None:
    given: dict[str, Answer] = {f"B6.{n}": chosen(id) for n, id in enumerate(picked, 1)}
    async with school.db.transaction() as tx:
        pool = await find_survey(tx, POOL)
        run = await find_run(tx, await run_of(tx, person, POOL) or "", pool)
        assert run
        state = replace(run.state, answers=given, sent=given, place="sent", step=run.state.step + 8)
        await save_run(tx, replace(run, state=state, saved_at=school.clock.now), pool)


async def _opened(
    school: School, thief: Thief, picks: dict[str, tuple[str, ...]]
) -> tuple[dict[str, str], dict[str, object]]:
    """The end of the term; (person -> sheet, sheet -> answers), known to the test only."""
    async with school.db.reading() as tx:
        pool = await find_survey(tx, POOL)
    assert pool
    school.clock.set(pool.closes_at)
    await school.rounds({"telegram": Phones()})
    await thief.takes("closed")
    await thief.between()
    async with school.db.reading() as tx:
        sheets = await sheets_of(tx, POOL, pool.form)
    by_picks = {tuple(v[0] for _, v in sorted(values.items())): sheet for sheet, values in sheets}
    content: dict[str, object] = {sheet: tuple(sorted(values.items())) for sheet, values in sheets}
    return {person: by_picks[picked] for person, picked in picks.items()}, content
