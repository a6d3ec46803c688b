"""Deleting in unlucky company: a restore, damaged answers, a label that is a word of ours, the next letter (6.8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.joining import join
from bot.putting_back import put_back
from data.alerts import steps_of
from data.backup import back_up
from data.codes import Invitation, make_code, next_slip, read_code
from data.counting import count_checks
from data.erasing import erase
from data.keeping import keep
from data.looks import looks_at, note_look
from data.people import find_group, find_person
from data.queue import add_item, all_items
from data.tables import answers, codes, people, records, runs
from data.tombstone_mirror import mirror_due
from data.unchanged import is_whole
from scheduler.ladder import raise_alert
from tests.school import MONDAY, School, opened
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_restoring import restored, settings_in

both = pytest.mark.both_databases


async def asked_in(school: School, mode: str) -> tuple[list[str], str]:
    """Twelve people who have answered, and the survey."""
    await school.readers()
    everybody = await school.people(12)
    id = await sent(school, room(mode))
    for person in everybody:
        await gives(school, person, id, "1", "1", f"Said by {person}")
    return everybody, id


async def told(school: School) -> list[str]:
    async with school.db.reading() as tx:
        return [item.text for item in await all_items(tx)]


# --- a restore afterwards -----------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("mode", ["CONF", "NAMED"])
@pytest.mark.parametrize("later", [1, 40])
def test_words_of_open_questions_do_not_come_back(tmp_path: Path, mode: str, later: float) -> None:
    """R13: deleted while the questions were open; the restore of that morning's backup closes them, or does not."""

    async def before() -> tuple[str, str]:
        settings_in(tmp_path)
        async with opened(tmp_path) as school:
            (gone, stays, *_), _ = await asked_in(school, mode)
            await back_up(school.db, tmp_path / "a.backup", school.clock.now, tmp_path)
            async with school.db.transaction() as tx:
                await erase(tx, gone, school.clock.now, gone)
            await mirror_due(school.db, school.clock.now)
        return gone, stays

    gone, stays = asyncio.run(before())
    done = restored(tmp_path, tmp_path / "a.backup", later)

    async def after() -> None:
        async with opened(tmp_path) as school:
            assert f"Said by {gone}" not in await told(school)
            async with school.db.reading() as tx:
                assert not await tx.all(select(runs).where(runs.c.person == gone))
                assert all(check.holds for check in (await count_checks(tx)).values())
            if later == 40:
                assert f"Said by {stays}" in await told(school)

    asyncio.run(after())
    assert done.deleted_again["person"] == 1


@pytest.mark.parametrize(("days", "asked"), [(44, 0), (46, 1)])
def test_a_backup_older_than_what_is_known_of_deletions_says_so(tmp_path: Path, days: int, asked: int) -> None:
    """R13: somebody kept a file for longer than we keep ours; the list of deletions has forgotten by then."""

    async def before() -> None:
        settings_in(tmp_path)
        async with opened(tmp_path) as school:
            gone = await school.person("parent")
            await back_up(school.db, tmp_path / "a.backup", MONDAY, tmp_path)
            async with school.db.transaction() as tx:
                await erase(tx, gone, MONDAY, gone)
                await keep(tx, school.house.school, MONDAY + timedelta(days=days))
            await mirror_due(school.db, MONDAY)

    asyncio.run(before())
    lines: list[str] = []
    now = MONDAY + timedelta(days=days)
    done = asyncio.run(put_back(settings_in(tmp_path), tmp_path / "a.backup", now, lines.append))
    assert len(lines) == asked
    assert done.deleted_again == ({} if asked else {"person": 1})
    assert all("Delete them again" in line for line in lines)


# --- damaged answers ----------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("way", ["delete", "night"])
async def test_damaged_answers_hold_up_no_deletion(school: School, way: str) -> None:
    """6.8: a right is not lost with a bit on a disk; the other papers stay, and still count as damaged."""
    everybody, id = await asked_in(school, "NAMED")
    await close(school)
    gone, now = everybody[0], school.clock.now
    async with school.db.transaction() as tx:
        await tx.run(update(answers).where(answers.c.question == "calm.1").values(value="turned over"))
    if way == "delete":
        talk = school.on(gone)
        await talk.types("/delete")
        await talk.taps("Yes, delete")
    else:
        async with school.db.transaction() as tx:
            await tx.run(update(people).where(people.c.id == gone).values(ended_at="2020-01-01T00:00:00.000000Z"))
            await keep(tx, school.house.school, now)
    async with school.db.reading() as tx:
        assert await find_person(tx, gone) is None
        assert len(await tx.all(select(records))) == 11
        assert not await is_whole(tx, id)


# --- the log ------------------------------------------------------------------------------------------------------


@both
async def test_a_label_that_is_a_word_of_ours_empties_no_ladder(school: School) -> None:
    """SAFE-5, AUDIT-1: a head whose label is Head leaves; who was alerted in which role is still known."""
    dsl, _ = await school.readers()
    head = await school.person("head", label="Head")
    async with school.db.transaction() as tx:
        item = await add_item(tx, "flagged", MONDAY, "Something happened")
        await raise_alert(tx, school.house.school, item, MONDAY)
        await note_look(tx, dsl, "name", item, "The head asked me to call", MONDAY)
    for _ in range(3):
        school.clock.move(minutes=16)
        await school.rounds()
    async with school.db.transaction() as tx:
        before = await steps_of(tx, item)
        await erase(tx, head, school.clock.now, head)
        assert await steps_of(tx, item) == before
        assert "head" in {step.role for step in before}
        assert [look.reason for look in await looks_at(tx, item)] == [""]  # what people wrote about them goes


# --- the next letter ----------------------------------------------------------------------------------------------


async def letter(school: School, number: int) -> str:
    """Somebody who joined with the letter of this number, which has no name on it."""
    async with school.db.transaction() as tx:
        what = Invitation("parent", await find_group(tx, "SEND parents"), "en", "", slip=number)
        code = await make_code(tx, what, 1, MONDAY + timedelta(days=14), MONDAY)
        person = await join(tx, school.house, read_code(code) or "", MONDAY, "en")
    assert person
    return person


@both
@pytest.mark.parametrize("way", ["delete", "night"])
async def test_no_other_family_gets_the_number_of_who_left(school: School, way: str) -> None:
    """SAFE-3: words that wait to be read say "SEND parents 7"; by the school's own list that must stay this family."""
    person = await letter(school, 7)
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents")
        await add_item(tx, "help", MONDAY, "", person, "parent")
        await erase(tx, person, MONDAY, person)
        assert [item.who for item in await all_items(tx)] == ["parent, SEND parents 7"]
        if way == "night":  # a letter that nobody used goes too, a month after its time
            await make_code(tx, Invitation("parent", group, "en", slip=8), 1, MONDAY, MONDAY)
            await keep(tx, school.house.school, MONDAY + timedelta(days=40))
        assert not await tx.all(select(codes).where(codes.c.slip.is_not(None)))
        assert await next_slip(tx, group) == (9 if way == "night" else 8)


@both
async def test_whoever_came_without_a_letter_can_still_be_found(school: School) -> None:
    """SAFE-3, SAFE-8: no label and no number: the group is all there is to find them by, and stays with the words."""
    person = await school.person("parent", group="SEND parents")
    async with school.db.transaction() as tx:
        await add_item(tx, "help", MONDAY, "", person, "parent")
        await erase(tx, person, MONDAY, person)
        assert [item.who for item in await all_items(tx)] == ["parent, SEND parents"]
