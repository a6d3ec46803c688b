"""The audit log cannot be changed unseen: every row, its order, its ends and its details (AUDIT-1, trust A5)."""

from __future__ import annotations

import contextlib
import json
import random
import re
import secrets
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from data.audit import BASE_FACT, HEAD_FACT, Link, audit_row, entries, head, note, set_link
from data.audit_check import Checked, bundle, check_bundle, check_log, read_head, short
from data.audit_erasing import erase_details, forget_entries
from data.database import Tx, read_fact, write_fact
from data.moments import stamp
from data.tables import audit
from data.vault import Vault
from tests.command_line import CommandLine, command_line_in
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


@pytest.mark.both_databases
async def test_a_log_that_nobody_touched_is_whole(logged: School) -> None:
    found = await checked(logged)
    assert (found.problems, found.rows, found.head.id) == ([], LENGTH, LENGTH)


@pytest.mark.both_databases
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


@pytest.mark.both_databases
async def test_erased_details_are_accounted_for(logged: School) -> None:
    """A right to erasure empties the words; who did what, when and to what stays."""
    async with logged.db.transaction() as tx:
        assert await erase_details(tx, [2, 4, 5], logged.clock.now, "deleted") == 2  # row 5 has none
        assert await erase_details(tx, [2, 4, 5], logged.clock.now, "deleted") == 0
        assert [e.detail for e in await entries(tx, "item1") if e.id == 2] == [{}]
    assert (await checked(logged)).problems == []


# --- somebody changes it ------------------------------------------------------------------------------------------

COLUMNS = ("at", "actor", "what", "ref", "digest", "sealed", "hash", "mac")
Change = Callable[[random.Random, Tx], Any]


def other(column: str, value: Any, dice: random.Random) -> Any:
    """A value that was not there: nothing, one letter or byte flipped, or another one of the same kind."""
    if column in ("actor", "digest", "sealed") and value is not None and dice.random() < 0.3:
        return None
    if value is None:
        return b"x" if column == "sealed" else "x"
    place = dice.randrange(len(value))
    if isinstance(value, bytes):
        return value[:place] + bytes([value[place] ^ 1 << dice.randrange(8)]) + value[place + 1 :]
    return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]


async def one_column(dice: random.Random, tx: Tx) -> None:
    column = audit.c[dice.choice(COLUMNS)]
    id = dice.randint(1, LENGTH)
    value = await tx.value(select(column).where(audit.c.id == id))
    await tx.run(update(audit).where(audit.c.id == id).values({column: other(column.name, value, dice)}))


async def number(dice: random.Random, tx: Tx) -> None:
    """A row gets another number: free ones lie before the first and after the last."""
    id, new = dice.randint(1, LENGTH), dice.choice([0, -3, LENGTH + 1, LENGTH + dice.randint(2, 99)])
    await tx.run(update(audit).where(audit.c.id == id).values(id=new))


async def removal(dice: random.Random, tx: Tx) -> None:
    first = dice.randint(1, LENGTH)
    await tx.run(delete(audit).where(audit.c.id.between(first, first + dice.randint(0, 3))))


async def truncation(dice: random.Random, tx: Tx) -> None:
    """Rows are cut off the end, or off the beginning, without the notes of its ends."""
    place = dice.randint(2, LENGTH)
    await tx.run(delete(audit).where(audit.c.id >= place if dice.random() < 0.5 else audit.c.id < place))


async def swap(dice: random.Random, tx: Tx) -> None:
    """Two rows change places, with all that is in them but their numbers."""
    one, two = dice.sample(range(1, LENGTH + 1), 2)
    rows = {r.id: {c: getattr(r, c) for c in COLUMNS} for r in await tx.all(select(audit))}
    for here, there in ((one, two), (two, one)):
        await tx.run(update(audit).where(audit.c.id == here).values(**rows[there]))


async def duplicate(dice: random.Random, tx: Tx) -> None:
    """A row once more at the end, also where the note of the end is moved as far as that goes without the key."""
    row = await tx.first(select(audit).where(audit.c.id == dice.randint(1, LENGTH)))
    assert row
    await tx.run(insert(audit).values(id=LENGTH + 1, **{c: getattr(row, c) for c in COLUMNS}))
    if dice.random() < 0.5:
        _, _, mac = json.loads(await read_fact(tx, HEAD_FACT) or b"")
        await write_fact(tx, HEAD_FACT, json.dumps([LENGTH + 1, row.hash, mac]).encode())


async def ends(dice: random.Random, tx: Tx) -> None:
    """A beginning or end is forged, or the note of the end is thrown away."""
    place = dice.randint(1, LENGTH - 1)
    row = await tx.first(select(audit).where(audit.c.id == place))
    assert row
    link = json.dumps([row.id, row.hash, row.mac]).encode()
    if dice.random() < 0.5:
        await write_fact(tx, BASE_FACT, link)
        await tx.run(delete(audit).where(audit.c.id <= place))
    else:
        await write_fact(tx, HEAD_FACT, link if dice.random() < 0.7 else json.dumps([0, "", ""]).encode())
        await tx.run(delete(audit).where(audit.c.id > place))


async def written_anew(dice: random.Random, tx: Tx) -> None:
    """Everything from one row on is written anew by somebody who knows how, but has another key."""
    place, forger = dice.randint(1, LENGTH), Vault(secrets.token_bytes(32))
    old = await tx.all(select(audit).where(audit.c.id >= place).order_by(audit.c.id))
    before = await tx.first(select(audit).where(audit.c.id == place - 1))
    link = Link(before.id, before.hash) if before else Link()
    await tx.run(delete(audit).where(audit.c.id >= place))
    for r in old[dice.randint(0, 1) :]:
        row = audit_row(forger, link, r.at, r.actor, r.what, "another", {})
        await tx.run(insert(audit).values(**row))
        link = Link(link.id + 1, str(row["hash"]))
    await write_fact(tx, HEAD_FACT, json.dumps([link.id, link.hash, "0" * 64]).encode())


CHANGES: tuple[Change, ...] = (
    one_column, one_column, one_column, number, removal, truncation, swap, duplicate, ends, written_anew,
)  # fmt: skip


class Undone(Exception):
    """Raised so that a change is checked inside its transaction and never kept."""


async def found_after(school: School, change: Change, dice: random.Random) -> list[str]:
    found: list[str] = []
    with contextlib.suppress(Undone):
        async with school.db.transaction() as tx:
            await change(dice, tx)
            found = (await check_log(tx)).problems
            raise Undone
    return found


async def test_a_thousand_changes_are_all_found(logged: School) -> None:
    """A5: any column, a removal, a swap, a duplicate, a cut end, a forged end, a chain by another hand."""
    dice = random.Random(5)
    for n in range(1000):
        change = CHANGES[n % len(CHANGES)]
        assert await found_after(logged, change, dice), (n, change)
    assert (await checked(logged)).problems == []  # and nobody is accused of what never happened


@pytest.mark.both_databases
async def test_what_is_wrong_is_named_by_its_row(logged: School) -> None:
    async with logged.db.transaction() as tx:
        await tx.run(update(audit).where(audit.c.id == 17).values(actor="somebody else"))
        await tx.run(delete(audit).where(audit.c.id.in_([30, 31])))
        await tx.run(update(audit).where(audit.c.id == 40).values(sealed=None))
    assert (await checked(logged)).problems == [
        "Row 17 was changed, put in or moved: its hash does not fit.",
        "Rows 30 to 31 are missing.",
        "Row 32 was changed, put in or moved: its hash does not fit.",
        "The details of row 40 were emptied, and no later row says why.",
    ]


async def test_a_value_of_another_kind_is_found_too(logged: School) -> None:
    """SQLite takes a blob where a text should be."""
    async with logged.db.transaction() as tx:
        await tx.run(text("UPDATE audit SET ref = x'00ff' WHERE id = 9"))
    assert len((await checked(logged)).problems) == 1


# --- outside the machine ------------------------------------------------------------------------------------------


async def bundled(school: School) -> list[str]:
    async with school.db.reading() as tx:
        return [line async for line in bundle(tx, stamp(school.clock.now))]


async def test_a_bundle_is_checked_without_key_and_database(logged: School) -> None:
    lines = await bundled(logged)
    found = check_bundle(lines)
    assert (found.problems, found.rows) == ([], LENGTH)
    assert found.head == (await checked(logged)).head
    assert "reason" not in "".join(lines)


async def test_every_change_of_a_bundle_is_found(logged: School) -> None:
    """But for the codes, which only the key can read: any column, any line, any order."""
    dice, lines = random.Random(7), await bundled(logged)
    noted = read_head(short(check_bundle(lines).head))
    for n in range(1000):
        changed, place = list(lines), dice.randrange(1, len(lines))
        if n % 4 == 0:
            row = json.loads(changed[place])
            column = dice.choice(["at", "actor", "what", "ref", "digest", "hash"])
            changed[place] = json.dumps({**row, column: other(column, row[column], dice)})
        elif n % 4 == 1:
            del changed[place : place + dice.randint(1, 3)]
        elif n % 4 == 2:
            there = dice.choice([i for i in range(1, len(lines)) if i != place])
            changed[place], changed[there] = changed[there], changed[place]
        else:
            changed.insert(place, changed[dice.randrange(1, len(lines))])
        assert check_bundle(changed, noted).problems, n


async def test_a_head_noted_on_paper_finds_a_history_that_was_written_anew(logged: School) -> None:
    """Even by somebody who has the key: the noted row is another one now."""
    noted = short((await checked(logged)).head)
    async with logged.db.transaction() as tx:
        await note(tx, "look.name", "later", logged.clock.now)
    for head_of in (noted, noted.partition("-")[2], noted.upper()):
        assert (await checked(logged, head_of)).problems == []
    async with logged.db.transaction() as tx:
        old = await tx.all(select(audit).order_by(audit.c.id))
        await tx.run(delete(audit))
        link = Link()
        for r in old:
            row = audit_row(tx.vault, link, r.at, r.actor, r.what, "another" if r.id == 20 else r.ref, {})
            await tx.run(insert(audit).values(**row))
            link = Link(link.id + 1, str(row["hash"]))
        await set_link(tx, HEAD_FACT, link)
        assert await head(tx) == link
    assert (await checked(logged)).problems == []  # the key signs anything
    assert len((await checked(logged, noted)).problems) == 1
    assert "not the same" in check_bundle(await bundled(logged), read_head(noted)).problems[0]


CHANGED = "Row {row} was changed, put in or moved: its hash does not fit."


async def log_of(school: School, rows: int, changed: int) -> None:
    """A log of so many rows, of which this one was changed afterwards."""
    made, link = [], Link()
    at = stamp(school.clock.now)
    for n in range(rows):
        row = audit_row(school.db.vault, link, at, "somebody", "look.name", f"item{n}", {"reason": "Call home"})
        made.append(row)
        link = Link(link.id + 1, str(row["hash"]))
    made[changed - 1]["ref"] = "another item"
    async with school.db.transaction() as tx:
        await tx.run(insert(audit), made)
        await set_link(tx, HEAD_FACT, link)


async def test_a_long_log_is_checked_part_by_part(school: School) -> None:
    """A5: one changed row among many is found, read as a stream; `make bench ROWS=A5` takes 100,000, with the time."""
    await log_of(school, 12_000, changed=5_432)
    assert (await checked(school)).problems == [CHANGED.format(row=5_432)]


# --- on the command line ------------------------------------------------------------------------------------------


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line_in(tmp_path, monkeypatch)
    made.set_up()
    return made


def test_a_tampered_copy_is_found_and_a_governor_needs_no_key(yousaid: CommandLine) -> None:
    """A5, AUDIT-1: on the school's machine, and with a bundle and a head on any other."""
    yousaid.done("audit", "export", "log.jsonl")
    whole = yousaid.done("audit", "verify").out
    noted = re.search(r"Head: (\S+)\. Note it", whole)
    assert noted
    yousaid.done("invite", "--role", "staff")
    assert "is the same" in yousaid.done("audit", "verify", "--head", noted[1]).out
    key = yousaid.key_file.read_bytes()
    yousaid.key_file.unlink()
    assert "Nothing was changed" in yousaid.done("audit", "verify", "--bundle", "log.jsonl", "--head", noted[1]).out
    yousaid.key_file.write_bytes(key)
    yousaid.key_file.chmod(0o600)
    with contextlib.closing(sqlite3.connect(yousaid.database)) as raw, raw:
        raw.execute("UPDATE audit SET actor = 'somebody else' WHERE id = 2")
        raw.execute("DELETE FROM audit WHERE id = 4")
    ran = yousaid("audit", "verify", "--head", noted[1])
    assert ran.code == 1
    assert "Row 2 was changed" in ran.out
    assert "Row 4 is missing." in ran.out
    assert "Note it" not in ran.out
    doctor = yousaid("doctor").out
    assert "broken  audit log: Row 2 was changed" in doctor
    yousaid.done("audit", "export", "tampered.jsonl")
    assert yousaid("audit", "verify", "--bundle", "tampered.jsonl").code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "--head", "what"), "A head looks like"),
        (("verify", "--head", "12-"), "A head looks like"),
        (("export", "school.yaml"), "there already"),
        (("verify", "--bundle", "nothing.jsonl"), "nothing.jsonl"),
    ],
)
def test_audit_that_cannot_be(yousaid: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    assert said in yousaid("audit", *arguments).refused()


def test_a_file_that_is_no_bundle(yousaid: CommandLine) -> None:
    ran = yousaid("audit", "verify", "--bundle", "school.yaml")
    assert (ran.code, "no bundle" in ran.out) == (1, True)
