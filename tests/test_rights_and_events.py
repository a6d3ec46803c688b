"""Rights over sign-ups: they are shown, they go at one's wish and free their places, and a no holds (6.8, S15)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from bot.my_data import Page
from conversations.library import after_event
from data.alerts import acknowledge, start_alert
from data.bookings import COMING, WAITING, Booking, Needs, book, bookings_for
from data.codes import Invitation, make_code
from data.erasing import erase
from data.events import Occasion
from data.held import held
from data.moments import new_id
from data.people import add_person, find_group
from data.pools import open_pool
from data.queue import add_item, mark_read
from data.replaying import replay
from data.requests import ask_to_talk, open_requests
from data.sendings import Planned, add_sending
from data.tables import outbox, wishes
from data.wedid import add_row, new_row, publish
from data.wishes import unwish, wish, wishes_of
from tests.event_days import add_slots
from tests.school import School
from tests.test_erasing import everything, holding

both = pytest.mark.both_databases


async def one_slot(school: School, first: str, *others: str) -> Occasion:
    """A drop-in tomorrow with one slot: the first has it, the others wait, in this order."""
    now = school.clock.now
    async with school.db.transaction() as tx:
        occasion = await add_slots(tx, await find_group(tx, "SEND parents") or "", now + timedelta(days=1), 1)
        needs = Needs("friends", "bsl", "a ramp, please")
        await book(tx, occasion, Booking(new_id(), occasion.id, first, COMING, slot=0, needs=needs, made_at=now))
        for nth, person in enumerate(others, 1):
            waits = Booking(new_id(), occasion.id, person, WAITING, slot=0, made_at=now + timedelta(minutes=nth))
            await book(tx, occasion, waits)
    return occasion


async def test_my_data_shows_sign_ups_and_choices(school: School) -> None:
    me = await school.person("parent")
    await one_slot(school, me)
    async with school.db.transaction() as tx:
        await wish(tx, me, "charity")
        found = await held(tx, me, school.clock.now, "en")
    assert found
    section = next(s for s in Page(school.house, "en", found.values).sections() if s.title == "Drop-ins and events")
    (block,) = section.blocks
    assert (block.title, block.note) == ("Drop-in, 3 November 2026, 10:00", "You said that 1 person comes.")
    assert dict(block.pairs) == {
        "What it is about": "Friends", "Interpreter": "British Sign Language",
        "What helps you to come": "a ramp, please",
    }  # fmt: skip
    assert section.lines == ("You chose to hear of charity events.",)


@both
async def test_deleting_somebody_gives_their_place_to_whoever_waits_longest(school: School, database: str) -> None:
    """S15: the next in line has it, and is told; nothing of whoever left stays."""
    me, second, third = await school.people(3)
    occasion = await one_slot(school, me, second, third)
    talk = school.on(me)
    await talk.types("/delete")
    assert "1 place at a drop-in or event" in talk.text
    async with school.db.transaction() as tx:
        await erase(tx, me, school.clock.now, me)
    async with school.db.reading() as tx:
        there = {b.person: (b.state, b.id) for b in await bookings_for(tx, occasion.id)}
        told = await tx.all(select(outbox.c.person, outbox.c.ref).where(outbox.c.kind == "place-free"))
    assert {person: state for person, (state, _) in there.items()} == {second: COMING, third: WAITING}
    assert [(r.person, r.ref) for r in told] == [(second, there[second][1])]


async def test_what_is_over_gives_no_place_to_anybody(school: School) -> None:
    me, second = await school.people(2)
    occasion = await one_slot(school, me, second)
    school.clock.move(days=2)
    async with school.db.transaction() as tx:
        await erase(tx, me, school.clock.now)
        assert [b.state for b in await bookings_for(tx, occasion.id)] == [WAITING]


async def test_a_pupil_whose_adult_is_deleted_waits_for_another_one(school: School) -> None:
    pupil, adult, other = await school.person("pupil"), await school.person("senco"), await school.person("dsl")
    async with school.db.transaction() as tx:
        await ask_to_talk(tx, pupil, adult, school.clock.now)
        await erase(tx, adult, school.clock.now)
        (request,) = await open_requests(tx)
    assert (request.adult, request.person, request.seen_at) == (other, pupil, None)


@both
async def test_nothing_says_any_more_what_a_deleted_colleague_did(school: School, database: str) -> None:
    """6.8: what they planned, led, wrote and looked at stays, and only the log still has their number."""
    gone, other = await school.person("senco", label="Goner"), await school.person("senco", label="Stays")
    await _did_everything(school, gone, other)
    async with school.db.reading() as tx:
        before = {name: len(rows) for name, rows in (await everything(tx)).items() if name in STAYS}
        assert {name for name, _ in holding(await everything(tx), gone)} >= STAYS
    async with school.db.transaction() as tx:
        await erase(tx, gone, school.clock.now)
    async with school.db.reading() as tx:
        rows = await everything(tx)
        assert {name for name, _ in holding(rows, gone)} == {"audit"}
        assert holding(rows, "Goner") == []
        assert {name: len(rows[name]) for name in STAYS} == before
        assert {name for name, _ in holding(rows, other)} >= {"events", "sendings", "wedid", "codes"}


STAYS = {"events", "sendings", "wedid", "codes", "queue", "alerts", "requests"}


async def _did_everything(school: School, *colleagues: str) -> None:
    """Each plans and leads a drop-in, plans questions, writes a row, looks at one, reads words, is asked for."""
    now = school.clock.now
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        pool = await open_pool(tx, after_event(), "The head", now + timedelta(days=9), now.date(), now.date())
        for me, other in (colleagues, colleagues[::-1]):
            await add_slots(tx, group, now + timedelta(days=2), 2, host=me, made_by=me)
            await add_sending(tx, Planned(new_id(), "x", group, "", "", now.date(), now.date(), now, me))
            row = new_row(pool.id, "Lunch", answer="did", words="A room", who="the SENCO", written_by=me)
            await add_row(tx, row)
            await publish(tx, row, other, now.date())
            await make_code(tx, Invitation("parent", group, "en", made_by=me), 1, now + timedelta(days=9), now)
            item = await add_item(tx, "flagged", now, "words")
            await start_alert(tx, item, now)
            await acknowledge(tx, item, me, now)
            await mark_read(tx, item, me, now)
            await ask_to_talk(tx, await add_person(tx, "en", "Sam B.", now), me, now)


@both
async def test_who_said_no_to_charity_events_hears_of_none_after_a_restore(school: School, database: str) -> None:
    """MSG-2: a backup knows of the yes only; whoever says yes again has it back."""
    me, other = await school.people(2)
    async with school.db.transaction() as tx:
        for person in (me, other):
            await wish(tx, person, "charity")
        await unwish(tx, me, "charity", school.clock.now)
        await tx.run(insert(wishes).values(person=me, kind="charity"))  # as a backup brings it back
        assert await replay(tx, school.clock.now) == {"wish": 1}
        assert (await wishes_of(tx, me), await wishes_of(tx, other)) == (set(), {"charity"})
        await wish(tx, me, "charity")
        assert await replay(tx, school.clock.now) == {}
        assert await wishes_of(tx, me) == {"charity"}
