"""The audit log cannot be changed unseen: every row, its order, its ends and its details (AUDIT-1, trust A5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from data.audit import entries, note
from data.audit_check import Checked, check_log, read_head
from data.audit_erasing import erase_details, forget_entries
from tests.school import School

LENGTH = 60
WHATS = ("look.name", "look.copy", "alert.climbed", "role.given")


@pytest.fixture
async def logged(school: School) -> School:
    """A school with a log of some days; every second row has details."""
    async with school.db.transaction() as tx:
        for n in range(LENGTH):
            why = f"reason {n}" if n % 2 else ""
            at = school.clock.move(hours=1)
            await note(tx, WHATS[n % 4], f"item{n % 7}", at, None if n % 5 == 0 else f"person{n % 3}", reason=why)
    return school


async def checked(school: School, noted: str = "") -> Checked:
    async with school.db.reading() as tx:
        return await check_log(tx, read_head(noted) if noted else None)


async def test_a_log_that_nobody_touched_is_whole(logged: School) -> None:
    found = await checked(logged)
    assert (found.problems, found.rows, found.head.id) == ([], LENGTH, LENGTH)


async def test_old_rows_go_from_the_front_and_the_chain_holds(logged: School) -> None:
    """AUDIT-1, 6.8: what its time has removed is no gap, and one row says how many went."""
    cut = logged.clock.now - timedelta(hours=20, minutes=30)
    async with logged.db.transaction() as tx:
        gone = await forget_entries(tx, cut, logged.clock.now)
        assert gone == LENGTH - 21
        assert [e.detail for e in await entries(tx, "audit", "forgotten")] == [{"rows": str(gone)}]
        assert await forget_entries(tx, cut, logged.clock.now) == 0
    assert (await checked(logged)).problems == []
    async with logged.db.transaction() as tx:
        assert await forget_entries(tx, logged.clock.now + timedelta(days=9), logged.clock.now)
    found = await checked(logged)
    assert (found.problems, found.rows) == ([], 2)  # the newest stays, and the row that says so


async def test_erased_details_are_accounted_for(logged: School) -> None:
    """A right to erasure empties the words; who did what, when and to what stays."""
    async with logged.db.transaction() as tx:
        assert await erase_details(tx, [2, 4, 5], logged.clock.now, "deleted") == 2  # row 5 has none
        assert await erase_details(tx, [2, 4, 5], logged.clock.now, "deleted") == 0
        assert [e.detail for e in await entries(tx, "item1") if e.id == 2] == [{}]
    assert (await checked(logged)).problems == []
