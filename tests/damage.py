"""A school whose results are known, and copies of its files with a bit turned over or a log cut short."""

from __future__ import annotations

import random
import shutil
import sqlite3
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bot.cli.one_line import line_for
from bot.results import results_of
from conversations.summary import Results
from data.answers import count_answers, sheets_of
from data.runs import count_runs, find_run, run_of
from data.surveys import find_survey
from data.tables import runs
from tests.intruder.pages import Pages, trees
from tests.school import School, opened
from tests.test_ballot_box import answered, close
from tests.test_dialogue import SURVEY

OPEN = "drop-in-feedback-1"
REFUSED, RIGHT, WRONG = "refused", "right", "WRONG"
FRAME = 24


@dataclass(frozen=True)
class Known:
    """What must come out, or nothing: counts and sheets of the closed survey, the answers in the open box."""

    counts: object
    sheets: object
    results: Results
    given: object


async def prepared(folder: Path) -> None:
    """A closed survey of twelve, and an open one that five have answered."""
    async with opened(folder) as school:
        people = list(await answered(school, 12, 1))
        await close(school)
        senco = school.on(await school.person("senco"))
        await senco.types("/send")
        await senco.taps("After a drop-in", "SEND parents", "Send now")
        for person in people[:5]:
            talk = school.on(person)
            talk.reply = await talk.forges(f"o={OPEN}")
            await talk.taps("Yes, start", "Mostly", "Partly")


async def known(school: School) -> Known:
    async with school.db.reading() as tx:
        survey, box = await find_survey(tx, SURVEY), await find_survey(tx, OPEN)
        assert survey
        assert box
        given = {}
        for person in [r.person for r in await tx.all(_runs(OPEN))]:
            run = await find_run(tx, await run_of(tx, person, OPEN) or "", box)
            assert run
            given[person] = run.state
        await count_runs(tx, box)
        results = await results_of(tx, school.house, survey, "en")
        return Known(await count_answers(tx, SURVEY), await sheets_of(tx, SURVEY, survey.form), results, given)


def _runs(survey: str):  # type: ignore[no-untyped-def]
    return select(runs.c.person).where(runs.c.survey == survey).order_by(runs.c.person)


async def comes_out(folder: Path, right: Known) -> str:
    """Opened and read as the program does: REFUSED in one line, RIGHT, or WRONG."""
    try:
        async with opened(folder) as school:
            found = await known(school)
    except AssertionError:
        return REFUSED  # there is no such survey any more: nothing is shown
    except Exception as problem:
        return REFUSED if len(line_for(problem).splitlines()) == 1 else WRONG
    return RIGHT if found == right else WRONG


def flipped(source: Path, target: Path, dice: random.Random, pages: list[int] | None = None) -> int:
    """A copy with one bit turned over, anywhere or in one of these pages; which byte."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    file = target / "data" / "yousaid.db"
    raw = bytearray(file.read_bytes())
    at = dice.randrange(len(raw))
    if pages:
        size = struct.unpack(">H", raw[16:18])[0]
        at = (dice.choice(pages) - 1) * size + dice.randrange(size)
    raw[at] ^= 1 << dice.randrange(8)
    file.write_bytes(raw)
    return at


def pages_of(folder: Path, table: str) -> list[int]:
    """The pages in which a table lies."""
    file = folder / "data" / "yousaid.db"
    return sorted({cell.page for cell in Pages(file.read_bytes()).tree(trees(file)[table])})


def cut(source: Path, target: Path, length: int) -> None:
    """A copy whose write-ahead log ends here, as after a power cut."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    wal = target / "data" / "yousaid.db-wal"
    wal.write_bytes(wal.read_bytes()[:length])
    with suppress(FileNotFoundError):
        (target / "data" / "yousaid.db-shm").unlink()


def boundaries(wal: bytes) -> list[int]:
    """Where the frames of a log end."""
    size = int.from_bytes(wal[8:12], "big") + FRAME
    return list(range(32, len(wal) + 1, size))


def whole(file: Path) -> bool:
    connection = sqlite3.connect(file)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
