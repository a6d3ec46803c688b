"""What has been kept long enough goes at night, in time and for good, and totals never change (domain 6.8)."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Table, func, insert, select, update

from bot.role_changes import end_access
from bot.survey_files import files_of
from data.answers import count_answers, count_sheets, sheets_of
from data.audit import entries, note
from data.audit_check import check_log
from data.bookings import Booking, Needs, book
from data.codes import Invitation, find_invitation, make_code, read_code, spend_code
from data.comments import QUOTE, Comment, save_comment
from data.counting import count_check
from data.events import Occasion
from data.keeping import Gone, would_go
from data.moments import new_id, stamp
from data.outbox import Letter, post
from data.people import find_group
from data.queue import add_item, find_item, mark_read, mark_transferred, route_item, waiting_items
from data.requests import ask_to_talk
from data.runs import count_runs, start_errand
from data.surveys import Survey, find_survey
from data.tables import (
    answers,
    audit,
    bookings,
    code_uses,
    codes,
    comments,
    events,
    links,
    marks,
    metadata,
    occasions,
    outbox,
    people,
    queue,
    records,
    requests,
    room_notes,
    runs,
    sendings,
    sessions,
    sheet_keys,
    totals,
    visits,
    wedid,
    wrong_codes,
)  # fmt: skip
from data.tombstones import ANSWERS, ITEM, NAMES, PERSON, buried
from scheduler.keeping import keep_due, last_kept
from scheduler.plan import last_keeping_time
from tests.event_days import add_dropin, add_meeting
from tests.faults import Trip, watch
from tests.school import MONDAY, School, opened
from tests.test_privacy_modes import close, gives, room, sent
from tests.visits import B6, asked_after, says_how_it_was

LONDON = ZoneInfo("Europe/London")
NEXT = datetime(2028, 9, 1, 2, tzinfo=UTC)  # the first night without the answers of autumn 2026


async def count(school: School, table: Table) -> int:
    async with school.db.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(table)))


async def at_night(school: School, day: date, hour: int = 3) -> bool:
    """The clock stands at this hour of this day, local time, and the night's job has its turn."""
    school.clock.set(datetime(day.year, day.month, day.day, hour, tzinfo=LONDON).astimezone(UTC))
    return await keep_due(school.db, school.clock.now)


async def survey(school: School, id: str = "calm-room-1") -> Survey:
    async with school.db.reading() as tx:
        found = await find_survey(tx, id)
    assert found
    return found


async def answered(school: School, mode: str, n: int = 12) -> str:
    """A survey of this mode, closed on 17 November 2026, in which `n` people answered."""
    await school.readers()
    everybody = await school.people(max(n, 12))
    id = await sent(school, room(mode))
    ways = (("1", "1", "Too loud"), ("2", "skip", "More lamps"), ("skip", "2", "skip"))
    for i, person in enumerate(everybody[:n]):
        await gives(school, person, id, *ways[i % 3])
    await close(school)
    return id


# --- when ---------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_once_a_night_however_often_it_starts(school: School) -> None:
    """Due from 03:00 local time on; what was done stands in the database, not in a process."""
    assert await at_night(school, date(2026, 11, 3), 2)  # never done before
    assert not await at_night(school, date(2026, 11, 3), 2)
    assert await at_night(school, date(2026, 11, 3), 3)
    for hour in range(3, 24):
        assert not await at_night(school, date(2026, 11, 3), hour)
    assert await at_night(school, date(2026, 11, 9), 17)  # a week off: made up for at the start
    assert not await at_night(school, date(2026, 11, 10), 2)


def test_three_o_clock_is_local_on_every_day_of_the_year() -> None:
    """Both changes of the clock included."""
    for days in range(730):
        now = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)
        at = last_keeping_time(now, LONDON)
        assert (at.hour, at.date()) == (3, now.astimezone(LONDON).date())
        assert last_keeping_time(at, LONDON) == at
        assert last_keeping_time(at - timedelta(minutes=1), LONDON).date() == at.date() - timedelta(days=1)


async def test_each_run_is_one_row_of_numbers(school: School) -> None:
    """A7 standard 6, AUDIT: what was deleted is noted, without a name."""
    await at_night(school, date(2026, 11, 3))
    async with school.db.transaction() as tx:
        await make_code(tx, Invitation("parent", None, "en", "Family Otter"), 1, school.clock.now)
    await at_night(school, date(2027, 1, 3))
    async with school.db.reading() as tx:
        rows = await entries(tx, "all", "kept")
        assert [dict(row.detail) for row in rows] == [{}, {"codes": "1"}]
        assert await last_kept(tx) == school.clock.now


# --- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["ANON", "CONF"])
async def test_answers_become_totals_at_the_end_of_the_next_school_year(school: School, mode: str) -> None:
    """6.8: and all counts stay what they were."""
    id = await answered(school, mode)
    async with school.db.reading() as tx:
        before, sheets = await count_answers(tx, id), await count_sheets(tx, id)
    assert sheets == 12
    await at_night(school, date(2028, 8, 31))  # closed in autumn 2026: this is the last day
    assert (await survey(school)).totals_since is None
    assert await count(school, answers) > 0
    await at_night(school, date(2028, 9, 1))
    async with school.db.reading() as tx:
        assert await count_answers(tx, id) == before
        assert await count_sheets(tx, id) == 12
        found = await find_survey(tx, id)
        assert found
        assert await sheets_of(tx, id, found.form) == []
        assert await buried(tx, ANSWERS, [id]) == [id]
    assert found.totals_since == date(2028, 9, 1)
    assert await count(school, answers) == await count(school, sheet_keys) == 0
    assert await count(school, marks) == 0
    async with school.db.reading() as tx:
        check = await count_check(tx, found)
    assert check
    assert (check.counted, check.took_part, check.holds) == (12, 12, True)


async def test_a_school_may_keep_answers_for_a_shorter_time(school: School) -> None:
    keeping = {"anon_answers_school_years": "0"}
    async with opened(school.db.path.parent.parent, school.clock, keeping=keeping) as shorter:
        await answered(shorter, "ANON")
        await at_night(shorter, date(2027, 8, 31))
        assert await count(shorter, answers) > 0
        await at_night(shorter, date(2027, 9, 1))
        assert await count(shorter, answers) == 0


async def test_files_say_that_only_totals_are_left(school: School) -> None:
    """Raw answers cannot be exported any more, and the page says so."""
    id = await answered(school, "ANON")
    await at_night(school, date(2028, 9, 1))
    async with school.db.reading() as tx:
        found = await files_of(tx, school.house, await survey(school, id), "admin", school.clock.now.date())
    assert set(found.files) == {"counts", "codebook"}
    assert found.notes[0] == "The single answers went on 1 September 2028. Only the counts are left."


async def test_an_unopened_survey_is_done_with_too(school: School) -> None:
    await answered(school, "ANON", 3)
    assert (await survey(school)).state == "unopened"
    await at_night(school, date(2028, 9, 1))
    assert (await survey(school)).totals_since == date(2028, 9, 1)
    assert await count(school, totals) == 0


async def test_names_are_cut_three_months_after_closing(school: School) -> None:
    """6.4, 6.8: then nobody can tell whose answers they were, also not from words that were read."""
    id = await answered(school, "CONF")
    async with school.db.transaction() as tx:
        for item in await waiting_items(tx):
            await mark_read(tx, item.id, "somebody", school.clock.now)
    await at_night(school, date(2027, 2, 16))
    assert await count(school, sheet_keys) == 12
    await at_night(school, date(2027, 2, 17))
    assert await count(school, sheet_keys) == 0
    async with school.db.reading() as tx:
        assert await buried(tx, NAMES, [id]) == [id]
        rows = [await find_item(tx, r.id) for r in await tx.all(select(queue.c.id))]
    assert {item.text for item in rows if item} == {"Too loud", "More lamps"}
    assert {(item.person, item.who) for item in rows if item} == {("", "")}


# --- a child's papers ---------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_named_answers_go_after_admin_and_senco_were_told(school: School) -> None:
    """6.8: export into the pupil's SEN file first; 14 days before."""
    senco, id = await school.person("senco"), await answered(school, "NAMED")
    await at_night(school, date(2027, 11, 2))
    assert await count(school, records) == 12
    assert await messages(school, "named-going") == []
    await at_night(school, date(2027, 11, 3))
    assert await messages(school, "named-going") == [senco]
    await at_night(school, date(2027, 11, 16))
    assert await count(school, records) == 12
    await at_night(school, date(2027, 11, 17))
    assert await count(school, records) == await count(school, answers) == await count(school, sheet_keys) == 0
    assert await messages(school, "named-going") == [senco]
    async with school.db.reading() as tx:
        assert await count_sheets(tx, id) == 12


async def test_after_a_long_time_off_they_are_told_first_all_the_same(school: School) -> None:
    await answered(school, "NAMED")
    await at_night(school, date(2029, 3, 1))
    assert await count(school, records) == 12
    await at_night(school, date(2029, 3, 14))
    assert await count(school, records) == 12
    await at_night(school, date(2029, 3, 15))
    assert await count(school, records) == 0


async def test_the_warning_names_the_day_and_nobody(school: School) -> None:
    """FAIL-7: neutral on a lock screen."""
    senco, id = await school.person("senco"), await answered(school, "NAMED")
    await at_night(school, date(2027, 11, 3))
    letter = Letter(0, "named-going", id, senco, 1, 0)
    message = await school.letters.compose(letter, school.clock.now)
    assert message
    assert message.text.startswith("Some answers are deleted here on 17 November 2027.")
    assert "calm" not in message.text.lower()
    await at_night(school, date(2027, 11, 17))
    assert await school.letters.compose(letter, school.clock.now) is None


async def messages(school: School, kind: str) -> list[str]:
    async with school.db.reading() as tx:
        return [r.person for r in await tx.all(select(outbox.c.person).where(outbox.c.kind == kind))]


# --- words --------------------------------------------------------------------------------------------------------


async def test_words_go_with_their_survey_but_never_unread_ones(school: School) -> None:
    """SAFE-3: a human reads all; SAFE-8: a concern waits until the school's own record has it."""
    id = await answered(school, "ANON")
    async with school.db.transaction() as tx:
        items = await waiting_items(tx)
        read, unread, concern = items[0].id, items[1].id, items[2].id
        for item in (read, concern):
            await mark_read(tx, item, "somebody", school.clock.now)
        await save_comment(tx, Comment(read, id, QUOTE, "Too loud", ("noise",)))
        found = await find_item(tx, concern)
        assert found
        await route_item(tx, found, "welfare", (), "", "somebody", school.clock.now)
    await at_night(school, date(2028, 9, 1))
    async with school.db.reading() as tx:
        left = {r.id for r in await tx.all(select(queue.c.id))}
        assert await buried(tx, ITEM, [read]) == [read]
    assert read not in left
    assert {unread, concern} <= left
    assert await count(school, comments) == 0
    async with school.db.transaction() as tx:
        await mark_read(tx, unread, "somebody", school.clock.now)
        await mark_transferred(tx, concern, "somebody", school.clock.now)
    await at_night(school, date(2028, 9, 2))
    async with school.db.reading() as tx:
        assert unread not in {r.id for r in await tx.all(select(queue.c.id))}
    await at_night(school, date(2028, 9, 9))
    async with school.db.reading() as tx:
        emptied = await find_item(tx, concern)
    assert emptied
    assert (emptied.kind, emptied.text) == ("emptied", "")
    await at_night(school, date(2029, 9, 2))
    async with school.db.reading() as tx:
        assert await find_item(tx, concern) is None


async def test_words_of_no_survey_count_from_the_day_they_came(school: School) -> None:
    async with school.db.transaction() as tx:
        item = await add_item(tx, "flagged", school.clock.now, "words")
        found = await find_item(tx, item)
        assert found
        await mark_read(tx, item, "somebody", school.clock.now)
    await at_night(school, date(2028, 9, 1))
    assert await count(school, queue) == 1  # nobody has said where it goes
    async with school.db.transaction() as tx:
        await route_item(tx, found, "none", (), "a song", "somebody", school.clock.now)
    await at_night(school, date(2028, 9, 2))
    assert await count(school, queue) == 0


# --- codes, messages, people --------------------------------------------------------------------------------------


async def test_a_code_goes_thirty_days_after_it_ran_out_unless_somebody_came_in_with_it(school: School) -> None:
    parent = await school.person("parent")
    unused, used = [read_code(await school.code("parent")) or "" for _ in range(2)]
    async with school.db.transaction() as tx:
        assert await spend_code(tx, used, parent, school.clock.now)
    await at_night(school, date(2026, 12, 16))  # they ran out on 16 November at ten o'clock
    assert await count(school, codes) == 2
    await at_night(school, date(2026, 12, 17))
    async with school.db.reading() as tx:
        assert await find_invitation(tx, unused, MONDAY) is None
    assert await count(school, codes) == await count(school, code_uses) == 1


async def over(school: School, ends: datetime) -> Occasion:
    """A time with a booking that says what is needed, one who waits, a theme, and letters about it."""
    people = await school.people(3)
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        occasion = await add_dropin(tx, group, ends - timedelta(hours=1), "Hall", ends - timedelta(days=1))
        for person, state in zip(people, ("coming", "waiting", "cannot"), strict=True):
            needs = Needs("", "bsl", "a ramp")
            await book(tx, occasion, Booking(new_id(), occasion.id, person, state, needs=needs, made_at=MONDAY))
        await tx.run(insert(room_notes).values(id="said", occasion=occasion.id, theme="noise"))
        await post(tx, "how-was-it", occasion.id, people[:1], ends)
        await post(tx, "event-changed", f"{occasion.id}.1", people, ends)
        await post(tx, "event", occasion.event.id, people, ends)
    return occasion


async def sealed(school: School) -> int:
    async with school.db.reading() as tx:
        return int(await tx.value(select(func.count()).where(bookings.c.sealed.is_not(None))))


async def due(school: School) -> list[Gone]:
    return await would_go(school.db, school.house.school, school.clock.now)


@pytest.mark.both_databases
async def test_what_is_needed_at_an_event_goes_the_day_after(school: School) -> None:
    """S15, 6.8: access needs until used; also of those who waited, and not before midnight."""
    await over(school, datetime(2026, 11, 5, 16, tzinfo=UTC))
    await at_night(school, date(2026, 11, 5), hour=23)
    assert await sealed(school) == 3
    school.clock.set(datetime(2026, 11, 6, 3, tzinfo=UTC))
    assert Gone("needs", 3, "2026-11-05T16:00:00.000000Z") in await due(school)
    await at_night(school, date(2026, 11, 6))
    assert (await sealed(school), await count(school, bookings)) == (0, 3)
    assert "needs" not in {gone.kind for gone in await due(school)}


@pytest.mark.both_databases
async def test_sign_ups_go_a_month_after_the_day_with_who_was_told(school: School) -> None:
    """6.8: sign-ups, end of event + 30 days. The time, its counts and themes stay as long as the logs."""
    await over(school, datetime(2026, 11, 5, 16, tzinfo=UTC))
    await at_night(school, date(2026, 12, 5))
    assert (await count(school, bookings), await count(school, outbox)) == (3, 7)
    await at_night(school, date(2026, 12, 6))
    assert (await count(school, bookings), await count(school, outbox)) == (0, 0)
    assert (await count(school, occasions), await count(school, room_notes), await count(school, events)) == (1, 1, 1)
    await at_night(school, date(2027, 11, 5))
    assert (await count(school, occasions), await count(school, room_notes)) == (1, 1)
    await at_night(school, date(2027, 11, 6))
    assert (await count(school, occasions), await count(school, room_notes), await count(school, events)) == (0, 0, 0)


@pytest.mark.both_databases
async def test_an_event_with_a_time_to_come_keeps_its_letters(school: School) -> None:
    people = await school.people(1)
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        first, later = datetime(2026, 11, 5, 16, tzinfo=UTC), datetime(2026, 12, 15, 16, tzinfo=UTC)
        times = await add_meeting(tx, group, first, later)
        await post(tx, "event", times[0].event.id, people, first)
        await post(tx, "event-changed", times[0].ref, people, first)
    await at_night(school, date(2026, 12, 8))
    async with school.db.reading() as tx:
        assert [r.kind for r in await tx.all(select(outbox.c.kind))] == ["event"]


@pytest.mark.both_databases
async def test_the_link_between_a_visit_and_its_answers_goes_with_the_booking(school: School) -> None:
    """B6: what was sent stays in the box and is nobody's; what was not sent is gone."""
    people = await school.people(3)
    await asked_after(school, people)
    for person in people[:2]:
        await says_how_it_was(school, person, *B6)
    await at_night(school, date(2026, 12, 2))
    assert await count(school, runs) == 3
    await at_night(school, date(2026, 12, 3))
    async with school.db.reading() as tx:
        assert [r.person for r in await tx.all(select(runs.c.person))] == [None, None]
        pool = await find_survey(tx, "drop-in-feedback-1")
        assert pool
        assert await count_runs(tx, pool) == (2, 2)
    assert "visits-asked" not in {gone.kind for gone in await due(school)}


@pytest.mark.both_databases
async def test_requests_sendings_and_replaced_rows_have_their_days(school: School) -> None:
    """6.8: a pupil's request a week; the rest with the logs. What is planned or in force stays."""
    pupil, adult = await school.person("pupil"), await school.person("senco")
    one = await answered(school, "CONF")
    day = school.clock.now
    async with school.db.transaction() as tx:
        await ask_to_talk(tx, pupil, adult, day)
        plan = {"form": "x", "group_id": await find_group(tx, "SEND parents"), "sealed": b"", "due_at": stamp(day)}
        await tx.run(insert(sendings), [{**plan, "id": s, "state": s} for s in ("planned", "sent", "cancelled")])
        row = {"survey": one, "said": "x", "answer": "did", "words": "x", "who": "the head"}
        for state in ("replaced", "published"):
            await tx.run(insert(wedid).values(id=state, state=state, published_on=day.date().isoformat(), **row))
    await at_night(school, day.date() + timedelta(days=7))
    assert await count(school, requests) == 1
    await at_night(school, day.date() + timedelta(days=8))
    assert await count(school, requests) == 0
    assert (await count(school, sendings), await count(school, wedid)) == (3, 2)
    await at_night(school, day.date().replace(year=day.year + 1) + timedelta(days=1))
    async with school.db.reading() as tx:
        assert [r.id for r in await tx.all(select(sendings.c.id))] == ["planned"]
        assert [r.id for r in await tx.all(select(wedid.c.id))] == ["published"]


async def test_logs_go_after_a_year_and_what_waits_stays(school: School) -> None:
    """6.8: logs 12 months. A message that waits to be seen is no log."""
    parent = await school.person("parent")
    row = {"kind": "told", "lane": 1, "due_at": "2026-11-02T10:00:00.000000Z", "tries": 0, "person": parent}
    async with school.db.transaction() as tx:
        states = ("sent", "failed", "dropped", "waiting", "page", "sending")
        await tx.run(insert(outbox), [{**row, "ref": state, "state": state} for state in states])
        await note(tx, "look.name", "something", school.clock.now, parent)
    await at_night(school, date(2027, 11, 2))
    assert (await count(school, outbox), await count(school, audit)) == (6, 2)
    await at_night(school, date(2027, 11, 3))
    async with school.db.reading() as tx:
        assert {r.state for r in await tx.all(select(outbox.c.state))} == {"waiting", "page", "sending"}
        whats = [r.what for r in await tx.all(select(audit.c.what).order_by(audit.c.id))]
    assert whats == ["kept", "forgotten", "kept"]


async def test_people_whose_access_was_cut_go_after_a_year(school: School) -> None:
    """PR-2: at once no access; a year later nothing of them."""
    gone, stays = await school.person("parent", label="Family Otter"), await school.person("parent")
    async with school.db.transaction() as tx:
        await end_access(tx, gone, school.clock.now)
    await at_night(school, date(2027, 11, 2))
    assert await count(school, people) == 2
    await at_night(school, date(2027, 11, 3))
    await at_night(school, date(2027, 11, 5))
    async with school.db.reading() as tx:
        assert [r.id for r in await tx.all(select(people.c.id))] == [stays]
        assert await buried(tx, PERSON, [gone]) == [gone]


async def test_doors_and_tasks_that_nobody_came_back_to_go(school: School) -> None:
    from conversations.engine import start
    from data.codes import note_wrong_code, remember_visit
    from data.links import make_link
    from data.sessions import start_session

    senco = await school.person("senco")
    async with school.db.transaction() as tx:
        await remember_visit(tx, "somewhere", "AAAA", school.clock.now)
        await note_wrong_code(tx, "somewhere", school.clock.now)
        await make_link(tx, senco, "queue", "", school.clock.now)
        await start_session(tx, senco, school.clock.now)
        await start_errand(tx, senco, "invite", start(room("ANON")).state, school.clock.now)
    await at_night(school, date(2026, 11, 3))
    assert [await count(school, t) for t in (visits, wrong_codes, links, sessions, runs)] == [1, 0, 0, 1, 1]
    await at_night(school, date(2026, 12, 20))
    assert [await count(school, t) for t in (visits, sessions, runs)] == [0, 1, 0]
    await at_night(school, date(2027, 5, 20))
    assert await count(school, sessions) == 0


# --- looking first, and leaving no trace --------------------------------------------------------------------------


def raw(school: School) -> bytes:
    path = school.db.path
    return b"".join(p.read_bytes() for p in path.parent.glob(path.name + "*") if not p.name.endswith(("-shm", ".lock")))


async def everything(school: School) -> dict[str, list[tuple[object, ...]]]:
    async with school.db.reading() as tx:
        return {t.name: [tuple(r) for r in await tx.all(select(t))] for t in metadata.sorted_tables}


@pytest.mark.both_databases
async def test_a_dry_run_changes_nothing_and_says_what_the_run_does(school: School) -> None:
    await answered(school, "CONF")
    school.clock.set(datetime(2028, 9, 1, 2, tzinfo=UTC))
    rows = await everything(school)
    first = await would_go(school.db, school.house.school, school.clock.now)
    assert await everything(school) == rows
    assert first == await would_go(school.db, school.house.school, school.clock.now)
    assert await keep_due(school.db, school.clock.now)
    async with school.db.reading() as tx:
        kept = (await entries(tx, "all", "kept"))[-1].detail
    assert {g.kind: str(g.n) for g in first} == dict(kept)
    assert Gone("answers", 12, "2026-11-17") in first


@pytest.mark.parametrize("mode", ["ANON", "CONF", "NAMED"])
async def test_nothing_of_what_went_can_be_read_on_the_disk(school: School, mode: str) -> None:
    """FAIL-17, trust A4.3: not a sheet's number, not a sealed byte in file, WAL or free pages."""
    await answered(school, mode, 30)
    async with school.db.transaction() as tx:
        for item in await waiting_items(tx):
            await mark_read(tx, item.id, "somebody", school.clock.now)
    doomed = await marks_of(school)
    assert len(doomed) >= 50
    assert all(mark in raw(school) for mark in doomed)
    await at_night(school, date(2028, 8, 10))
    await at_night(school, date(2028, 9, 1))
    left = raw(school)
    assert [mark for mark in doomed if mark in left] == []
    connection = sqlite3.connect(school.db.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def marks_of(school: School) -> list[bytes]:
    """Bytes that only stand in what is to go: sheets' numbers, and the first of every sealed text."""
    async with school.db.reading() as tx:
        sheets = [r.sheet.encode() for r in await tx.all(select(answers.c.sheet).distinct())]
        sealed = [r.sealed[:24] for t in (sheet_keys, records, queue) for r in await tx.all(select(t.c.sealed))]
    return sheets + sealed


async def test_damaged_answers_stay_and_everything_else_goes(school: School) -> None:
    """Wrong totals would stay for ever; one damaged survey must not stop the night."""
    await answered(school, "ANON")
    code = await school.code("parent")
    async with school.db.transaction() as tx:
        where = (answers.c.question == "calm.1", answers.c.value == "helps")
        sheet = await tx.value(select(answers.c.sheet).where(*where))
        await tx.run(update(answers).where(*where, answers.c.sheet == sheet).values(value="no-help"))
    await at_night(school, date(2028, 9, 1))
    assert code
    assert await count(school, codes) == 0
    assert await count(school, answers) > 0
    async with school.db.reading() as tx:
        assert (await entries(tx, "all", "kept"))[-1].detail["damaged"] == "1"


# --- whatever fails -----------------------------------------------------------------------------------------------


async def test_a_failure_at_every_call_of_the_night_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4.4: everything that is due goes once, nothing else does, and the log holds."""
    async with opened(tmp_path / "model") as school:
        await answered(school, "CONF")
        await school.code("parent")
        school.clock.set(NEXT)
        before = await everything(school)
        await school.db.wipe_deleted()
        saved = school.db.path.read_bytes()
        trip = Trip(0, ZeroDivisionError)
        watch(trip, monkeypatch)
        trip.watching = True
        assert await keep_due(school.db, NEXT)
        trip.watching = False
        after = {name: len(rows) for name, rows in (await everything(school)).items()}
        calls = trip.calls
    assert calls > 30
    for at in range(1, calls + 1, max(1, calls // 40)):
        folder = tmp_path / str(at)
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "yousaid.db").write_bytes(saved)
        async with opened(folder) as school:
            trip.at, trip.calls, trip.watching = at, 0, True
            with contextlib.suppress(ZeroDivisionError):
                await keep_due(school.db, NEXT)
            trip.watching = False
            assert trip.tripped
            trip.tripped = False
            between = await everything(school)
            assert between["answers"] in ([], before["answers"])
            await keep_due(school.db, NEXT)
            rows = {name: len(found) for name, found in (await everything(school)).items()}
            assert rows | {"audit": 0} == after | {"audit": 0}
            async with school.db.reading() as tx:
                assert (await check_log(tx)).problems == []
