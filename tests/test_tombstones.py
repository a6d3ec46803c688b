"""What must not come back with a backup leaves a tombstone in the same transaction, and only that (trust A4.3)."""

from __future__ import annotations

from bot.role_changes import end_access, grant_role, take_role_away
from data.database import Tx
from data.queue import add_item, empty_item, mark_transferred, take_transfer_back
from data.tombstones import ACCESS, ITEM, ROLE, STOP, buried, role_ref
from tests.school import School


async def lies(school: School, kind: str, ref: str) -> bool:
    async with school.db.reading() as tx:
        return await buried(tx, kind, [ref]) == [ref]


async def test_a_stop_is_remembered_until_start(school: School) -> None:
    """MSG-3: a restore must not bring messages back to somebody who said STOP."""
    talk = school.on(await school.person("parent"))
    assert not await lies(school, STOP, talk.person)
    await talk.types("/stop")
    assert await lies(school, STOP, talk.person)
    await talk.types("/start")
    assert not await lies(school, STOP, talk.person)


async def test_cut_access_stays_cut(school: School) -> None:
    """PR-2."""
    parent = await school.person("parent")
    async with school.db.transaction() as tx:
        await end_access(tx, parent, school.clock.now)
    assert await lies(school, ACCESS, parent)


async def test_a_role_taken_stays_taken_until_it_is_given_again(school: School) -> None:
    teacher = await school.person("staff", "senco")
    ref = role_ref(teacher, "senco")
    await in_one(school, take_role_away, teacher)
    assert await lies(school, ROLE, ref)
    await in_one(school, grant_role, teacher)
    assert not await lies(school, ROLE, ref)


async def in_one(school: School, change: object, person: str) -> None:
    async with school.db.transaction() as tx:
        assert await change(tx, person, "senco", school.clock.now)  # type: ignore[operator]


async def test_a_role_that_was_not_held_leaves_nothing(school: School) -> None:
    teacher = await school.person("staff")
    async with school.db.transaction() as tx:
        assert not await take_role_away(tx, teacher, "senco", school.clock.now)
    assert not await lies(school, ROLE, role_ref(teacher, "senco"))


async def test_an_emptied_item_is_remembered(school: School) -> None:
    """SAFE-8: what the school's own record has does not come back here."""
    dsl, now = await school.person("dsl"), school.clock.now
    async with school.db.transaction() as tx:
        gone = await add_item(tx, "flagged", now, "words")
        back = await add_item(tx, "flagged", now, "words")
        for id in (gone, back):
            await mark_transferred(tx, id, dsl, now)
    school.clock.move(days=6.9)
    await school.rounds()
    assert not await lies(school, ITEM, gone)
    async with school.db.transaction() as tx:
        await take_transfer_back(tx, back)
    school.clock.move(days=0.2)
    await school.rounds()
    assert await lies(school, ITEM, gone)
    assert not await lies(school, ITEM, back)


async def test_what_is_undone_leaves_no_tombstone(school: School) -> None:
    """The tombstone lies in the transaction of the deletion."""

    class Undone(Exception): ...

    async def fails(tx: Tx) -> None:
        await empty_item(tx, item, school.clock.now)
        raise Undone

    async with school.db.transaction() as tx:
        item = await add_item(tx, "flagged", school.clock.now, "words")
    try:
        async with school.db.transaction() as tx:
            await fails(tx)
    except Undone:
        pass
    assert not await lies(school, ITEM, item)
