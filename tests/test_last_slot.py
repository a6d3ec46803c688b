"""Two people take the last slot at the same moment: one has it, the other is offered the next (design, 200 trials)."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from bot.said import Reply, Tap
from data.bookings import COMING, bookings_for
from data.events import Occasion, add_event, new_event, new_occasion
from data.people import find_group
from tests.school import MONDAY, School

pytestmark = pytest.mark.both_databases
TRIALS = 200
QUARTER = timedelta(minutes=15)


async def occasions(school: School) -> list[Occasion]:
    """One drop-in with two times for each trial, all on one day."""
    async with school.db.transaction() as tx:
        event = new_event("dropin", await find_group(tx, "SEND parents") or "", slot_minutes=15, made_at=MONDAY)
        at = MONDAY + timedelta(days=1)
        times = [new_occasion(event, at, at + 2 * QUARTER) for _ in range(TRIALS)]
        await add_event(tx, event, times)
    return times


async def both_tap(school: School, people: list[str], says: str) -> list[Reply]:
    taps = [school.dialogue.hear_person(person, Tap(says), "web") for person in people]
    return await asyncio.gather(*taps)


async def test_one_has_the_slot_and_the_other_is_offered_the_next(school: School) -> None:
    people = await school.people(2)
    winners: Counter[int] = Counter()
    for n, occasion in enumerate(await occasions(school)):
        order = people if n % 2 else people[::-1]
        replies = await both_tap(school, order, f"e=slot.{occasion.id}.0")
        texts = [reply.messages[0].as_text() for reply in replies]
        assert sum("Done. You have a place at 10:00." in text for text in texts) == 1
        loser = next(i for i, text in enumerate(texts) if "Somebody was faster" in text)
        assert replies[loser].messages[0].buttons[0].label == "10:15"
        async with school.db.reading() as tx:
            (made,) = await bookings_for(tx, occasion.id)
        assert (made.person, made.state, made.slot, made.seat) == (order[1 - loser], COMING, 0, 0)
        winners[1 - loser] += 1
    assert sum(winners.values()) == TRIALS


async def test_nobody_loses_a_place_to_a_change_that_came_too_late(school: School) -> None:
    """Two who have a place both want the one time that is left: who is slower keeps the one from before."""
    people = await school.people(2)
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        event = new_event("dropin", group, slot_minutes=15, made_at=MONDAY)
        at = MONDAY + timedelta(days=1)
        occasion = new_occasion(event, at, at + 3 * QUARTER)
        await add_event(tx, event, [occasion])
    for slot, person in enumerate(people):
        await school.dialogue.hear_person(person, Tap(f"e=slot.{occasion.id}.{slot}"), "web")
    await both_tap(school, people, f"e=slot.{occasion.id}.2")
    async with school.db.reading() as tx:
        slots = {b.person: b.slot for b in await bookings_for(tx, occasion.id, COMING)}
    assert sorted(slots.values()) in ([0, 2], [1, 2])
    assert set(slots) == set(people)
