"""After a talk a pupil says on the school's device how it was (B6 for pupils, S15.6): once a talk, nobody looks."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from data.answers import count_answers, count_sheets
from data.calendar import Stretch, save_calendar
from data.outbox import on_page
from data.people import set_stopped
from data.requests import request_by
from data.runs import count_runs, run_of
from data.surveys import Survey, find_survey
from data.tables import marks, people, runs
from data.wedid import everyone_asked
from scheduler.keeping import keep_due
from tests.school import School, Talk
from tests.test_pupil_asks import I_WANT, host, opens
from tests.visits import pools

pytestmark = pytest.mark.both_databases
POOL = "drop-in-feedback-pupil-1"
TERM_END = datetime(2026, 12, 18, 18, tzinfo=UTC)
AUTUMN = Stretch("term", date(2026, 9, 2), date(2026, 12, 18), "Autumn")
SPRING = Stretch("term", date(2027, 1, 4), date(2027, 3, 26), "Spring")
ANSWERS = ("Yes, start", "No", "A bit")


async def talked(school: School, adult: Talk, child: Talk) -> None:
    """The pupil's tap, and the adult's two."""
    await child.types("/dropins")
    await child.taps(I_WANT)
    await school.rounds()
    await opens(school, adult)
    await adult.taps("I have been with them")


async def pupil(school: School) -> Talk:
    return school.on(await school.person("pupil", label="Sam B."))


async def says(child: Talk) -> None:
    await child.types("/dropins")
    await child.taps("How was our talk?", *ANSWERS, "Send my answers")


async def pool_of(school: School) -> Survey:
    (pool,) = await pools(school)
    return pool


async def test_after_the_talk_it_waits_on_the_device_and_nobody_is_written_to(school: School) -> None:
    """S15.6: no letter to the pupil; the adult is told where they can say it."""
    adult, child = await host(school), await pupil(school)
    await talked(school, adult, child)
    assert "On the school device they can now say how it was" in adult.text
    await school.rounds()
    async with school.db.reading() as tx:
        assert {letter.kind for letter in await on_page(tx, child.person)} == {"reminder"}  # of the drop-in itself
        assert await request_by(tx, child.person) is None
    pool = await pool_of(school)
    assert (pool.id, pool.mode, pool.asked) == (POOL, "ANON", 1)
    await child.types("/menu")
    await child.taps("Open")
    assert "You talked with a grown-up." in child.text
    await child.taps(*ANSWERS)
    assert "Did the grown-up listen?" in child.text
    await child.taps("Send my answers")
    assert "Nobody can open them here." in child.text
    assert [b.label for b in child.messages[-1].buttons] == ["I need help", "Menu"]


async def test_what_was_sent_cannot_be_seen_or_changed_on_that_device(school: School) -> None:
    """KIOSK-1, FAIL-3: the next pupil, or the adult it is about, finds nothing; a second tap changes nothing."""
    adult, child = await host(school), await pupil(school)
    await talked(school, adult, child)
    await child.types("/dropins")
    await child.taps("How was our talk?", *ANSWERS)
    send = child.button("Send my answers").says
    await child.taps("Send my answers")
    async with school.db.reading() as tx:
        pool = await pool_of(school)
        assert await run_of(tx, child.person, pool.id) is None
        assert await count_runs(tx, pool) == (1, 1)
        assert await tx.value(select(people.c.front).where(people.c.id == child.person)) is None
    run = send.split(":")[0]
    for tap in (send, *(f"{run}:{step}:{key}" for step in range(9) for key in (".change", ".throw", "yes", ".again"))):
        child.reply = await child.forges(tap)
        assert "These answers are in a closed box." in child.text
    for typed in ("/again", "/surveys", "Change an answer", "Throw away my answers", "Say again"):
        await child.types(typed)
        assert "A bit" not in child.text
    async with school.db.reading() as tx:
        assert await count_runs(tx, pool) == (1, 1)


async def test_each_talk_is_asked_about_once(school: School) -> None:
    """B6: once per visit; what was not answered is not asked twice."""
    adult, child = await host(school), await pupil(school)
    await talked(school, adult, child)
    await talked(school, adult, child)
    async with school.db.reading() as tx:
        assert len(await tx.all(select(runs.c.id).where(runs.c.survey == POOL))) == 1
    await says(child)
    await child.types("/dropins")
    assert "How was our talk?" not in [b.label for b in child.messages[0].buttons]
    await talked(school, adult, child)
    await says(child)
    async with school.db.reading() as tx:
        assert await count_runs(tx, await pool_of(school)) == (2, 2)


async def test_a_pupil_who_stopped_is_not_asked(school: School) -> None:
    adult, child = await host(school), await pupil(school)
    await child.types("/dropins")
    await child.taps(I_WANT)
    await school.rounds()
    async with school.db.transaction() as tx:
        await set_stopped(tx, child.person, True, school.clock.now)
    await opens(school, adult)
    await adult.taps("I have been with them")
    assert adult.text == school.house.say("en", "talk.ended")
    assert await pools(school) == []


@pytest.mark.parametrize("pupils", [9, 10])
async def test_the_box_opens_with_the_term_from_ten_pupils_on(school: School, pupils: int) -> None:
    """SUP-1, ANON-3: nine wait for another term, however often they talk; of ten the choices are there, and no mark."""
    async with school.db.transaction() as tx:
        await save_calendar(tx, [AUTUMN, SPRING])
    adult, children = await host(school), [await pupil(school) for _ in range(pupils)]
    for child in (*children, *children[:2]):
        await talked(school, adult, child)
        await says(child)
    school.clock.set(TERM_END)
    await school.rounds()
    async with school.db.reading() as tx:
        pool = await find_survey(tx, POOL)
        assert pool
        assert await tx.all(select(marks)) == []
        if pupils < 10:
            assert (pool.open, pool.closes_at.date()) == (True, date(2027, 3, 26))
            return
        assert (pool.state, await count_sheets(tx, POOL)) == ("closed", 12)
        assert (await count_answers(tx, POOL))["B6p.1"].counts == {"no": 12}
        assert await everyone_asked(tx, POOL) == sorted(child.person for child in children)


async def test_what_nobody_answered_goes_with_the_sign_ups(school: School) -> None:
    """B6: the mark is per visit; no booking dates a talk, so 30 days after it was last touched."""
    adult, child, other = await host(school), await pupil(school), await pupil(school)
    await talked(school, adult, child)
    await talked(school, adult, other)
    await says(other)
    for days, left in ((29, 2), (2, 1)):
        school.clock.move(days=days)
        school.clock.set(school.clock.now.replace(hour=3))
        while await keep_due(school.db, school.clock.now):
            pass
        async with school.db.reading() as tx:
            rows = await tx.all(select(runs.c.person).where(runs.c.survey == POOL))
            assert len(rows) == left
    assert rows[0].person is None
    school.clock.move(hours=7)
    await child.types("/surveys")
    assert "no open questions" in child.text
