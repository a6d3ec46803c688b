"""The copy of the tombstones beside the key: the same as the database after every start, whatever came between."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.audit import entries, note
from data.people import find_person, set_stopped
from data.queue import add_item, empty_item, find_item
from data.tombstone_mirror import NAME, Mirror, MirrorProblem, agree, in_database, mirror_due, read_mirror
from data.tombstones import ITEM, ROLE, bury, unbury
from data.vault import Vault
from tests.school import MASTER, School, opened

VAULT = Vault(MASTER)


async def stored(school: School) -> Mirror:
    async with school.db.reading() as tx:
        return await in_database(tx)


def there(school: School) -> Mirror | None:
    return read_mirror(school.db.boxes.folder, school.db.vault)


@pytest.mark.both_databases
async def test_a_change_is_in_the_file_at_the_next_tick(school: School) -> None:
    assert there(school) is None
    for kind, ref in ((ITEM, "one"), (ROLE, "anna/senco")):
        async with school.db.transaction() as tx:
            await bury(tx, kind, ref, school.clock.now)
        assert there(school) != await stored(school)
        await mirror_due(school.db, school.clock.now)
        assert there(school) == await stored(school)
    async with school.db.transaction() as tx:
        await note(tx, "look.name", "x", school.clock.now)
    await mirror_due(school.db, school.clock.now)
    found = there(school)
    assert found
    assert (found.changes, len(found.tombstones), found.head.id) == (2, 2, 1)


async def test_nothing_new_is_not_written_again(school: School) -> None:
    await mirror_due(school.db, school.clock.now)
    before = (school.db.boxes.folder / NAME).stat()
    await mirror_due(school.db, school.clock.now)
    after = (school.db.boxes.folder / NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


async def test_only_its_owner_can_read_it_and_it_holds_no_name(school: School) -> None:
    person = await school.person("parent", label="Family Otter")
    async with school.db.transaction() as tx:
        await set_stopped(tx, person, True, school.clock.now)
    await agree(school.db, school.clock.now)
    file = school.db.boxes.folder / NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert person not in file.read_text()
    assert "Otter" not in file.read_text()


@pytest.mark.parametrize("wrong", ["letter", "line", "end", "key"])
async def test_a_changed_file_is_not_believed(school: School, wrong: str) -> None:
    """It is set aside and written anew: the bot still starts, for calls for help must be heard."""
    async with school.db.transaction() as tx:
        await bury(tx, ITEM, "one", school.clock.now)
    await mirror_due(school.db, school.clock.now)
    file = school.db.boxes.folder / NAME
    text = file.read_text()
    lines = text.splitlines(keepends=True)
    changed = {
        "letter": text.replace("changes 1", "changes 0"),
        "line": "".join(lines[:3] + lines[4:]),
        "end": text[: len(text) // 2],
        "key": text,
    }[wrong]
    file.write_text(changed)
    vault = Vault(bytes(32)) if wrong == "key" else VAULT
    with pytest.raises(MirrorProblem):
        read_mirror(file.parent, vault)
    if wrong != "key":
        assert await agree(school.db, school.clock.now) is None
        assert there(school) == await stored(school)
        assert (file.parent / f"{NAME}.damaged").read_text() == changed


async def test_after_a_change_of_keys_it_is_written_under_the_new_one(school: School) -> None:
    await mirror_due(school.db, school.clock.now)
    folder = school.db.boxes.folder
    old = (folder / NAME).read_text()
    school.db.vault = Vault(bytes(32), MASTER)
    await mirror_due(school.db, school.clock.now)
    assert (folder / NAME).read_text() != old
    assert read_mirror(folder, Vault(bytes(32))) == await stored(school)


async def test_an_older_database_is_noticed_and_what_went_since_goes_again(tmp_path: Path) -> None:
    """Trust A4.3: somebody copied yesterday's file back without `yousaid restore`."""
    async with opened(tmp_path) as school:
        parent, now = await school.person("parent"), school.clock.now
        async with school.db.transaction() as tx:
            item = await add_item(tx, "flagged", now, "words")
        await school.db.wipe_deleted()
        yesterday = school.db.path.read_bytes()
        async with school.db.transaction() as tx:
            await empty_item(tx, item, now)
            await set_stopped(tx, parent, True, now)
        await mirror_due(school.db, now)
        path = school.db.path
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(yesterday)
    async with opened(tmp_path) as school:
        assert await agree(school.db, now) == {"item": 1, "stop": 1}
        async with school.db.reading() as tx:
            emptied, stopped = await find_item(tx, item), await find_person(tx, parent)
            assert len(await entries(tx, "database", "older-database")) == 1
        assert emptied
        assert stopped
        assert (emptied.text, stopped.stopped) == ("", True)
        assert there(school) == await stored(school)
        assert await agree(school.db, now) is None


# --- any order of events ------------------------------------------------------------------------------------------

STEP = st.tuples(st.sampled_from(("bury", "unbury", "tick", "crash", "look", "undone")), st.sampled_from("abc"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=14))
async def test_after_any_start_both_agree(steps: Sequence[tuple[str, str]]) -> None:
    """Whatever was buried or taken back, and wherever the process ended between commit and file."""
    with tempfile.TemporaryDirectory() as folder:
        expected: set[str] = set()
        async with opened(Path(folder)) as school:
            for what, ref in steps:
                await _step(school, what, ref, expected)
            assert await agree(school.db, school.clock.now) is None
            found = there(school)
            assert found == await stored(school)
            assert found
            assert {t.hash for t in found.tombstones} == {VAULT.lookup("tombstone", f"item/{r}") for r in expected}


async def _step(school: School, what: str, ref: str, expected: set[str]) -> None:
    now = school.clock.move(seconds=1)
    if what == "tick":
        await mirror_due(school.db, now)
    elif what == "crash":  # nothing is written after the last commit; the next process looks at both
        await agree(school.db, now)
    else:
        try:
            async with school.db.transaction() as tx:
                await (unbury(tx, ITEM, ref) if what == "unbury" else bury(tx, ITEM, ref, now))
                if what == "look":
                    await note(tx, "look.name", ref, now)
                if what == "undone":
                    raise ZeroDivisionError
            (expected.discard if what == "unbury" else expected.add)(ref)
        except ZeroDivisionError:
            pass
