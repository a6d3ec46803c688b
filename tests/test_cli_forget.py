"""`yousaid forget`: shows what would go, deletes it, and every text about periods comes from the settings."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.forgetting import KINDS
from bot.facts import House
from bot.joining import join
from bot.role_changes import end_access
from data.codes import Invitation, make_code, read_code
from data.database import Tx, write_fact
from data.keeping import LAST
from data.moments import stamp
from data.people import add_person, add_role, find_group
from data.queue import add_item, all_items
from data.school import load_school
from data.tombstone_mirror import NAME
from tests.command_line import SCHOOL, CommandLine, command_line_in
from tests.school import all_texts

LONG_AGO = datetime.now(UTC) - timedelta(days=45)


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.set_up()
    return yousaid


def old_codes(yousaid: CommandLine, n: int = 3) -> None:
    async def make(tx: Tx) -> None:
        for _ in range(n):
            await make_code(tx, Invitation("parent", None, "en", "Family Otter"), 1, LONG_AGO)

    yousaid.change(make)


def rows(yousaid: CommandLine, table: str) -> int:
    connection = sqlite3.connect(yousaid.database)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        connection.close()


def test_a_dry_run_shows_and_keeps(yousaid: CommandLine) -> None:
    old_codes(yousaid)
    before = {table: rows(yousaid, table) for table in ("codes", "audit", "facts", "tombstones")}
    ran = yousaid.done("forget", "--dry-run")
    assert ran.lines[0] == "This would go:"
    assert ran.lines[1].split() == ["codes", "that", "nobody", "used", "3", "since", LONG_AGO.date().isoformat()]
    assert ran.lines[-1] == "Nothing was changed."
    assert {table: rows(yousaid, table) for table in before} == before


def test_it_deletes_the_same(yousaid: CommandLine) -> None:
    old_codes(yousaid)
    would = yousaid.done("forget", "--dry-run").lines[1:-1]
    ran = yousaid.done("forget")
    assert ran.lines[0] == "This has gone:"
    assert ran.lines[1:-1] == would
    assert rows(yousaid, "codes") == 3  # those of setup
    assert yousaid.done("forget").out.strip() == "Nothing was due."
    assert yousaid.done("forget", "--dry-run").out.strip() == "Nothing has been kept long enough to go."


def test_a_day_to_come_can_only_be_looked_at(yousaid: CommandLine) -> None:
    later = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    assert "codes that nobody used" in yousaid.done("forget", "--dry-run", "--on", later).out
    ran = yousaid("forget", "--on", later)
    assert (ran.code, ran.err.strip()) == (1, "--on is for looking: use it with --dry-run. Nothing was deleted.")
    assert rows(yousaid, "codes") == 3
    assert "that is not a date" in yousaid("forget", "--dry-run", "--on", "someday").err


def test_every_kind_of_the_night_has_words() -> None:
    """A kind without words would end the table with an error."""
    data = Path(__file__).parent.parent / "data"
    source = "".join((data / name).read_text(encoding="utf-8") for name in ("keeping.py", "keeping_events.py"))
    named = set(re.findall(r'(?:Gone\(|delete_old\(\s*tx, )"([a-z-]+)"', source))
    assert named == set(KINDS)


# --- doctor -------------------------------------------------------------------------------------------------------


def check(yousaid: CommandLine, name: str) -> tuple[str, str]:
    found = {c["check"]: (c["state"], c["says"]) for c in json.loads(yousaid("doctor", "--json").out)["checks"]}
    return found[name]


def test_doctor_says_when_it_was_done_and_what_is_overdue(yousaid: CommandLine) -> None:
    assert check(yousaid, "deletion")[0] == "ok"
    yousaid.done("forget")
    assert check(yousaid, "deletion") == ("ok", "what was kept long enough went 0 minutes ago")
    old_codes(yousaid)

    async def last_week(tx: Tx) -> None:
        await write_fact(tx, LAST, stamp(datetime.now(UTC) - timedelta(days=7, minutes=1)).encode())

    yousaid.change(last_week)
    assert check(yousaid, "deletion") == ("look", "last done 7 days ago; overdue: 3 codes")


def test_doctor_looks_at_the_list_beside_the_key(yousaid: CommandLine) -> None:
    assert check(yousaid, "deletion list") == ("ok", "empty yet")
    yousaid.done("forget")
    file = yousaid.key_file.parent / NAME
    file.write_text(file.read_text().replace("changes 0", "changes 7"))
    assert check(yousaid, "deletion list")[0] == "broken"


def test_a_period_of_the_settings_is_kept_to(yousaid: CommandLine) -> None:
    """A7 standard 6: `setup --from` with the block changes what the next night deletes."""
    old_codes(yousaid)
    school = SCHOOL + "keeping:\n  codes_days: 60\n"
    yousaid.done("setup", "--from", yousaid.write("school.yaml", school))
    assert yousaid.done("forget", "--dry-run").out.strip() == "Nothing has been kept long enough to go."
    yousaid.done("setup", "--from", yousaid.write("school.yaml", SCHOOL))
    assert "codes that nobody used" in yousaid.done("forget", "--dry-run").out


def test_a_wrong_period_stops_setup_with_its_bounds(yousaid: CommandLine) -> None:
    """SUP-8 in kind."""
    school = SCHOOL + "keeping:\n  backups_days: 31\n  loggs_months: 6\n"
    ran = yousaid("setup", "--from", yousaid.write("school.yaml", school))
    assert ran.code == 1
    assert "unknown: keeping.loggs_months" in ran.err
    assert "keeping.backups_days must be a whole number of days from 1 to 30" in ran.err


# --- somebody who asked for it ------------------------------------------------------------------------------------


def two_parents(yousaid: CommandLine, ended: bool = True) -> tuple[str, str]:
    """Of one child, with one label and a letter each; the first took back their yes, and something waits to be read."""

    async def make(tx: Tx) -> tuple[str, str]:
        group, found = await find_group(tx, "SEND parents"), []
        now = datetime.now(UTC)
        for slip in (3, 4):
            what = Invitation("parent", group, "en", "Family Otter", slip=slip)
            code = await make_code(tx, what, 1, now + timedelta(days=14), now)
            found.append(await join(tx, (await _house(tx)), read_code(code) or "", now, "en") or "")
        await add_item(tx, "flagged", now, "he shouts at night", found[0], "Family Otter, parent")
        if ended:
            await end_access(tx, found[0], now, found[0])
        return found[0], found[1]

    first, second = yousaid.change(make)
    return str(first), str(second)


async def _house(tx: Tx) -> House:
    school = await load_school(tx)
    assert school
    return House(school, all_texts())


def test_the_school_deletes_somebody_who_asked_for_it(yousaid: CommandLine) -> None:
    """6.8: whoever took back their yes, or never had a phone of their own, calls the school: so it must be able to."""
    first, _ = two_parents(yousaid)
    codes = rows(yousaid, "codes")
    assert yousaid("forget", "--person", first, typed="n\n").code != 0
    assert rows(yousaid, "people") == 2
    assert "Nothing was changed." in yousaid.done("forget", "--person", first, "--dry-run").out
    ran = yousaid.done("forget", "--person", first, typed="y\n")
    assert "read and done with: 1 of their words" in ran.out
    assert "From " in ran.lines[-1]
    assert "Otter" not in ran.out
    assert rows(yousaid, "people") == 1
    assert rows(yousaid, "codes") == codes - 1
    assert first not in (yousaid.key_file.parent / NAME).read_text()

    async def left(tx: Tx) -> list[tuple[str, str]]:
        return [(item.text, item.who) for item in await all_items(tx)]

    assert yousaid.change(left) == [("he shouts at night", "Family Otter, parent, SEND parents 3")]
    assert "nobody with this number" in yousaid("forget", "--person", first).refused()
    yousaid.done("forget", "--family", "Family Otter", "--yes")  # now only the other one has this label
    assert "Of their words, 1 still wait" in yousaid("forget", "--family", "Family Otter").refused()


def test_two_parents_of_one_label_are_told_apart(yousaid: CommandLine) -> None:
    """PR-1: the wrong one must be neither deleted nor given the other's data."""
    first, second = two_parents(yousaid)
    day = datetime.now(UTC).date().isoformat()
    for verb in (("forget",), ("sar", "prepare", "--out", "request")):
        said = yousaid(*verb, "--family", "family otter").refused()
        assert f"{first} (letter SEND parents 3, joined {day})" in said
        assert f"{second} (letter SEND parents 4, joined {day})" in said
    assert rows(yousaid, "people") == 2


def test_the_only_admin_is_not_deleted(yousaid: CommandLine) -> None:
    async def make(tx: Tx) -> str:
        admin = await add_person(tx, "en", "Ms Patel", datetime.now(UTC))
        await add_role(tx, admin, "admin")
        return admin

    admin = str(yousaid.change(make))
    assert "only admin" in yousaid("forget", "--person", admin, "--yes").refused()
    assert "either --family" in yousaid("forget", "--person", admin, "--family", "x").refused()
