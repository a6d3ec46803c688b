"""What follows an event: who is asked how it was, when, and in which pool (S14.5, S15.6, B6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from data.answers import count_answers, count_sheets
from data.calendar import Stretch, save_calendar
from data.counting import count_check
from data.outbox import NORMAL, Letter
from data.people import all_groups, find_group, set_stopped
from data.runs import count_runs, run_of
from data.surveys import find_survey
from data.tables import bookings, marks, metadata, runs
from data.wishes import unwish
from scheduler.due import close_due
from scheduler.following_up import follow_up_due
from tests.school import School, opened
from tests.visits import B6, NEXT, asked_after, held, letters, pools, says_how_it_was

both = pytest.mark.both_databases
TERM = Stretch("term", date(2026, 9, 2), date(2026, 12, 18), "Autumn")
TERM_END = datetime(2026, 12, 18, 18, tzinfo=UTC)
SPRING = Stretch("term", date(2027, 1, 4), date(2027, 3, 26), "Spring")


async def with_terms(school: School) -> None:
    async with school.db.transaction() as tx:
        await save_calendar(tx, [TERM, SPRING])


@both
async def test_those_who_came_are_asked_the_same_evening_once(tmp_path: Path, database: str) -> None:
    """S15.6: not before 17:00; not who was absent, waited, could not come or stopped messages."""
    async with opened(tmp_path) as school:
        people = await school.people(5)
        occasion = await held(school, people)
        async with school.db.transaction() as tx:
            mine = lambda person: bookings.c.person == person  # noqa: E731
            await tx.run(update(bookings).where(mine(people[1])).values(came=False))
            await tx.run(update(bookings).where(mine(people[2])).values(state="waiting"))
            await tx.run(update(bookings).where(mine(people[3])).values(state="cannot"))
            await set_stopped(tx, people[4], True, school.clock.now)
        await school.rounds()
        assert await letters(school, occasion) == set()
        school.clock.set(school.clock.now.replace(hour=17))
        for _ in range(2):
            await school.rounds()
        assert await letters(school, occasion) == {people[0]}
        (pool,) = await pools(school)
        assert (pool.asked, pool.form.id, pool.mode) == (1, "drop-in-feedback", "ANON")


async def test_after_a_week_without_the_bot_nobody_is_asked(tmp_path: Path) -> None:
    async with opened(tmp_path) as school:
        people = await school.people(2)
        occasion = await held(school, people)
        school.clock.move(days=8)
        assert await follow_up_due(school.db, school.house.school, school.clock.now)
        assert not await follow_up_due(school.db, school.house.school, school.clock.now)
        assert await letters(school, occasion) == set()
        assert await pools(school) == []


async def test_a_cancelled_drop_in_is_not_asked_about(tmp_path: Path) -> None:
    async with opened(tmp_path) as school:
        occasion = await held(school, await school.people(2))
        async with school.db.transaction() as tx:
            await tx.run(update(metadata.tables["occasions"]).values(cancelled_at="2026-11-01T00:00:00.000000Z"))
        school.clock.move(days=1)
        await school.rounds()
        assert await letters(school, occasion) == set()


async def test_events_ask_what_their_host_offers_for_next_time(tmp_path: Path) -> None:
    """B6e: one pool per list; a coffee morning belongs to the drop-ins."""
    async with opened(tmp_path) as school:
        (person,) = await school.people(1)
        for kind, offered in (("event", NEXT), ("wellbeing", NEXT), ("charity", ()), ("coffee", ()), ("dropin", ())):
            await asked_after(school, [person], kind, next_time=offered)
            school.clock.move(hours=1)
        found = sorted(await pools(school), key=lambda p: p.id)
        assert [p.id for p in found] == ["drop-in-feedback-1", "event-feedback-1", "event-feedback-2"]
        assert [p.asked for p in found] == [1, 1, 1]  # not sent, so it is the same run each time
        talk = await says_how_it_was(school, person, "A lot", "Yoga", "A walk", pool="event-feedback-1")
        assert "Thank you" in talk.text
        talk = school.on(person)
        talk.reply = await talk.forges("o=event-feedback-2")
        await talk.taps("Yes, start", "No")
        assert "The same again" in [b.label for m in talk.messages for b in m.buttons]


@pytest.mark.parametrize("stops", ["before it is posted", "before it is sent"])
async def test_who_stopped_hearing_of_charity_events_is_not_asked_about_one(tmp_path: Path, stops: str) -> None:
    """MSG-2: the stop button under each such message counts for what follows the event too."""
    async with opened(tmp_path) as school:
        people = await school.people(2)
        occasion = await held(school, people, "charity")
        await school.on(people[0]).forges("e=unwish.charity") if stops == "before it is posted" else None
        school.clock.set(school.clock.now.replace(hour=17))
        await follow_up_due(school.db, school.house.school, school.clock.now)
        asked = {people[1]} if stops == "before it is posted" else set(people)
        assert await letters(school, occasion) == asked
        async with school.db.transaction() as tx:
            await unwish(tx, people[0], "charity", school.clock.now)
        about = [Letter(1, "how-was-it", occasion.id, person, NORMAL, 0) for person in people]
        heard = [await school.letters.compose(letter, school.clock.now) for letter in about]
        assert heard[0] is None
        assert heard[1]


async def test_the_privacy_screen_says_what_is_done_with_it(tmp_path: Path) -> None:
    """X3: who decides, what, and when people hear; the box closes with the term."""
    async with opened(tmp_path) as school:
        await with_terms(school)
        (person,) = await school.people(1)
        await asked_after(school, [person])
        (pool,) = await pools(school)
        assert pool.closes_at.astimezone(school.house.school.zone).isoformat() == "2026-12-18T18:00:00+00:00"
        assert (pool.decision, pool.decider, pool.answer_by) == (
            "how we run the next drop-ins",
            "Mrs Ahmed",
            date(2027, 1, 1),
        )
        talk = school.on(person)
        talk.reply = await talk.forges("o=drop-in-feedback-1")
        assert "how we run the next drop-ins" in talk.text
        assert "18 December" in talk.text
        assert "30 days after your visit we forget that you came" in talk.text  # as long as the sign-up is kept


# --- once per visit -----------------------------------------------------------------------------------------------


async def visit(school: School, people: list[str], send: int) -> None:
    """All come, and so many of them send answers."""
    await asked_after(school, people)
    for person in people[:send]:
        await says_how_it_was(school, person, *B6)
    school.clock.move(days=7)
    school.clock.set(school.clock.now.replace(hour=10, minute=0))


@both
async def test_each_visit_gives_one_sheet_and_the_one_before_is_let_go_of(tmp_path: Path, database: str) -> None:
    """B6: once per visit. What was sent stays in the box and counts; it cannot be changed, and is nobody's."""
    async with opened(tmp_path) as school:
        people = await school.people(3)
        await visit(school, people, 2)
        async with school.db.reading() as tx:
            before = {p: await run_of(tx, p, "drop-in-feedback-1") for p in people}
        await visit(school, people, 1)
        (pool,) = await pools(school)
        async with school.db.reading() as tx:
            after = {p: await run_of(tx, p, pool.id) for p in people}
            rows = await tx.all(select(runs))
            assert await count_runs(tx, pool) == (3, 3)
        assert [before[p] == after[p] for p in people] == [False, False, True]
        assert {r.id for r in rows if r.person is None} == {before[p] for p in people[:2]}
        assert len({(len(r.sealed), r.words) for r in rows}) == 1  # runs of one length
        assert (pool.asked, len(rows)) == (5, 5)
        talk = school.on(people[0])
        talk.reply = await talk.forges(f"r={before[people[0]]}.0.x")
        async with school.db.reading() as tx:
            assert await count_runs(tx, pool) == (3, 3)


async def test_what_was_begun_is_gone_on_with_after_the_next_visit(tmp_path: Path) -> None:
    async with opened(tmp_path) as school:
        (person,) = await school.people(1)
        await asked_after(school, [person])
        await school.on(person).types("/surveys")
        talk = school.on(person)
        talk.reply = await talk.forges("o=drop-in-feedback-1")
        await talk.taps("Yes, start", "Mostly")
        school.clock.move(days=7)
        await asked_after(school, [person])
        talk.reply = await talk.forges("o=drop-in-feedback-1")
        assert "Do you know what happens next?" in talk.text


# --- the end of the term ------------------------------------------------------------------------------------------


@both
async def test_with_ten_people_the_box_is_opened_at_the_end_of_the_term(tmp_path: Path, database: str) -> None:
    """ANON-3, SUP-1, AUDIT-1: choices in one transaction, no mark of anybody, key destroyed, and the count holds."""
    async with opened(tmp_path) as school:
        await with_terms(school)
        people = await school.people(10)
        await visit(school, people, 10)
        await visit(school, people, 2)
        (pool,) = await pools(school)
        school.clock.set(pool.closes_at)
        await school.rounds()
        async with school.db.reading() as tx:
            closed = await find_survey(tx, pool.id)
            assert closed
            assert (closed.state, closed.started, closed.finished) == ("closed", 12, 12)
            assert await count_sheets(tx, pool.id) == 12
            assert (await count_answers(tx, pool.id))["B6.1"].counts == {"mostly": 12}
            assert await tx.all(select(marks)) == []
            assert await tx.all(select(runs)) == []
            check = await count_check(tx, closed)
            assert check
            assert (check.holds, check.counted, check.took_part) == (True, 12, 12)
        assert school.db.boxes.read(pool.id) is None
        async with school.db.transaction() as tx:
            await tx.run(metadata.tables["answers"].delete().where(metadata.tables["answers"].c.question == "~sheet"))
            check = await count_check(tx, closed)
            assert check
            assert not check.holds


@both
async def test_with_nine_people_it_is_kept_for_the_next_term_and_nobody_is_told(tmp_path: Path, database: str) -> None:
    """B6, SUP-1, ANON-3: however often they came."""
    async with opened(tmp_path) as school:
        await with_terms(school)
        people = await school.people(10)
        await visit(school, people[:9], 9)
        await visit(school, people[:9], 3)
        (pool,) = await pools(school)
        school.clock.set(pool.closes_at)
        said = await outbox_rows(school)
        assert await close_due(school.db, school.house.school, school.clock.now)
        assert not await close_due(school.db, school.house.school, school.clock.now)
        (kept,) = await pools(school)
        assert (kept.open, kept.closes_at.date(), kept.answer_by) == (True, date(2027, 3, 26), date(2027, 4, 9))
        assert await outbox_rows(school) == said
        school.clock.set(kept.closes_at - timedelta(days=30))
        await visit(school, people[9:], 1)
        school.clock.set(kept.closes_at)
        await close_due(school.db, school.house.school, school.clock.now)
        async with school.db.reading() as tx:
            assert await count_sheets(tx, pool.id) == 13


async def outbox_rows(school: School) -> list[object]:
    async with school.db.reading() as tx:
        return [tuple(r) for r in await tx.all(select(metadata.tables["outbox"]))]


async def test_a_new_term_has_a_new_box(tmp_path: Path) -> None:
    async with opened(tmp_path) as school:
        await with_terms(school)
        people = await school.people(10)
        await visit(school, people, 10)
        school.clock.set(TERM_END)
        await school.rounds()
        school.clock.set(TERM_END.replace(year=2027, month=1, day=12, hour=10))
        await asked_after(school, people[:1])
        assert [(p.id, p.state) for p in await pools(school)] == [
            ("drop-in-feedback-1", "closed"), ("drop-in-feedback-2", "open"),
        ]  # fmt: skip


# --- beside other surveys -----------------------------------------------------------------------------------------


async def test_its_group_is_in_no_list_and_its_name_a_phrase(tmp_path: Path) -> None:
    async with opened(tmp_path) as school:
        people = await school.people(10)
        await visit(school, people, 10)
        async with school.db.reading() as tx:
            assert set((await all_groups(tx)).values()) == set(school.house.school.groups)
            assert await find_group(tx, "drop-in-feedback-1") is None


async def test_staff_cannot_close_it_early_and_see_its_results_after(tmp_path: Path) -> None:
    """SUP-1: whoever could open it after each drop-in could tell who said what."""
    async with opened(tmp_path) as school:
        await with_terms(school)
        people = await school.people(10)
        await visit(school, people, 10)
        senco = school.on(await school.person("senco", label="Ms Patel"))
        await senco.types("/close")
        assert senco.text == school.house.say("en", "staff.none-open")
        await senco.forges("c=drop-in-feedback-1")
        assert (await pools(school))[0].open
        school.clock.set(TERM_END)
        await school.rounds()
        await senco.types("/summary")
        assert "After a drop-in" in senco.text
        assert "10" in senco.text


async def test_deleting_a_person_takes_the_run_that_is_theirs_and_leaves_what_was_let_go_of(tmp_path: Path) -> None:
    from data.erasing import erase

    async with opened(tmp_path) as school:
        people = await school.people(2)
        await visit(school, people, 2)
        await visit(school, people, 2)
        async with school.db.transaction() as tx:
            await erase(tx, people[0], school.clock.now)
            left = await tx.all(select(runs.c.person))
        assert sorted(str(r.person) for r in left) == sorted(["None", "None", people[1]])
