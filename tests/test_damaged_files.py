"""Damaged files: a log cut anywhere, bits turned over, a full disk, clocks that jump (R2, FAIL-17).

What opens shows the right numbers; what cannot be shown rightly is refused in one line. `make bench ROWS=R2` turns a
thousand bits and cuts the log at every frame.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text, update

from data.answers import count_answers
from data.runs import find_run, people_in, run_of
from data.surveys import find_survey
from data.tables import answers, people
from data.unchanged import AnswersChanged
from tests.damage import (
    OPEN,
    REFUSED,
    RIGHT,
    WRONG,
    boundaries,
    comes_out,
    cut,
    flipped,
    known,
    pages_of,
    prepared,
    whole,
)
from tests.school import School, opened
from tests.test_ballot_box import answered, close
from tests.test_dialogue import SURVEY

FLIPS, IN_ANSWERS = 60, 40


async def flips(folder: Path, number: int, in_answers: int, seed: int) -> Counter[str]:
    """What came out after each of so many bits was turned over, some of them where the answers lie."""
    await prepared(folder / "whole")
    async with opened(folder / "whole") as school:
        right = await known(school)
    dice, found = random.Random(seed), Counter[str]()
    pages = pages_of(folder / "whole", "answers")
    for nth in range(number + in_answers):
        at = flipped(folder / "whole", folder / "damaged", dice, pages if nth >= number else None)
        outcome = await comes_out(folder / "damaged", right)
        found[outcome] += 1
        assert outcome != WRONG, at
    return found


@pytest.mark.slow
async def test_a_bit_turned_over_changes_no_result(tmp_path: Path) -> None:
    """R2: sealed values open or do not; plain choices are held against the digest of the closing."""
    found = await flips(tmp_path, FLIPS, IN_ANSWERS, seed=1)
    assert found[RIGHT] > 10
    assert found[REFUSED] > 10


async def test_a_changed_choice_is_noticed(school: School) -> None:
    """FAIL-17: one answer changed, one removed, and one sheet more."""
    await answered(school, 12, 1)
    await close(school)
    mine = answers.c.survey == SURVEY
    some = {"survey": SURVEY, "question": "B1.1", "value": "very-well", "sheet": "one-too-many"}
    one = (answers.c.question == "B1.1", answers.c.value == "very-well")
    for change in (
        update(answers).where(mine, *one).values(value="not-at-all"),
        delete(answers).where(mine, *one),
        answers.insert().values(**some),
    ):
        async with school.db.transaction() as tx:
            await count_answers(tx, SURVEY)
            with pytest.raises(AnswersChanged, match="Restore a backup"):
                await _changed(tx, change)
            await _undone(tx)


async def _changed(tx, change) -> None:  # type: ignore[no-untyped-def]
    await tx.run(text("SAVEPOINT before"))
    await tx.run(change)
    await count_answers(tx, SURVEY)


async def _undone(tx) -> None:  # type: ignore[no-untyped-def]
    await tx.run(text("ROLLBACK TO before"))


async def cuts(folder: Path, every: int, seed: int) -> tuple[int, int]:
    """A log cut at every `every`-th frame and at as many random bytes; (cuts, answers that were found again)."""
    await prepared_log(folder)
    wal = (folder / "taken" / "data" / "yousaid.db-wal").read_bytes()
    dice, ends, before, found = random.Random(seed), boundaries(wal), -1, 0
    for end in ends[::every]:
        steps = await _steps(folder, end)
        assert steps >= before, end  # longer logs hold more, and what was confirmed stays
        before, found = steps, found + steps
    for _ in ends[::every]:
        await _steps(folder, dice.randrange(len(wal)))
    cut(folder / "taken", folder / "cut", len(wal))
    assert await _steps(folder, len(wal)) == 3 * TAPS
    return 2 * len(ends[::every]), found


TAPS = 4


async def prepared_log(folder: Path) -> None:
    """Three people answer while nothing of the log is folded in; the files as a power cut leaves them."""
    async with opened(folder / "school") as school:
        await school.readers()
        parents = await school.people(10)
        senco = school.on(await school.person("senco"))
        await senco.types("/send")
        await senco.taps("After a drop-in", "SEND parents", "Send now")
        await school.db.wipe_deleted()
        for person in parents[:3]:
            talk = school.on(person)
            talk.reply = await talk.forges(f"o={OPEN}")
            await talk.taps("Yes, start", "Mostly", "Partly", "Friends")
        shutil.copytree(folder / "school", folder / "taken")


async def _steps(folder: Path, length: int) -> int:
    """How many turns are there after such a cut; every run opens, and the file is whole."""
    cut(folder / "taken", folder / "cut", length)
    async with opened(folder / "cut") as school, school.db.reading() as tx:
        survey = await find_survey(tx, OPEN)
        assert survey
        runs = [await find_run(tx, await run_of(tx, p, OPEN) or "", survey) for p in await people_in(tx, OPEN)]
    assert whole(folder / "cut" / "data" / "yousaid.db")
    return sum(run.state.step for run in runs if run)


@pytest.mark.slow
async def test_a_log_cut_anywhere_holds_all_that_was_committed_before(tmp_path: Path) -> None:
    """R2: at every fifth frame, and at random bytes."""
    tried, found = await cuts(tmp_path, every=5, seed=1)
    assert tried > 6
    assert found > 0


LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from data.database import DatabaseProblem
from tests.school import opened

async def main(folder):
    async with opened(folder) as school:
        size = max(p.stat().st_size for p in (folder / "data").iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + int(sys.argv[2]), resource.RLIM_INFINITY))
        people = 0
        try:
            for _ in range(2000):
                await school.person("parent", label="somebody of " + "many letters" * 50)
                people += 1
        except DatabaseProblem as problem:
            print(people, problem)

import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("room", [0, 30_000, 200_000])
async def test_a_disk_that_is_full_refuses_in_one_line_and_keeps_the_rest(tmp_path: Path, room: int) -> None:
    """R2: by the system's limit for a file, in a process of its own; the next start finds all that was confirmed."""
    await prepared(tmp_path)
    async with opened(tmp_path) as school:
        right, before = await known(school), await _people(school)
    command = [sys.executable, "-c", LIMITED, str(tmp_path), str(room)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1, done.stderr[-500:]
    confirmed, _, words = done.stdout.partition(" ")
    assert "disk" in words
    assert await comes_out(tmp_path, right) == RIGHT
    async with opened(tmp_path) as school:
        assert await _people(school) - before == int(confirmed)


async def _people(school: School) -> int:
    async with school.db.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(people)))


@pytest.mark.both_databases
@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-1), timedelta(days=1)])
async def test_a_clock_that_jumps_loses_and_doubles_nothing(tmp_path: Path, jump: timedelta) -> None:
    """R2: in the middle of a survey and at its closing; everybody is told once."""
    async with opened(tmp_path) as school:
        given = await answered(school, 12, 1)
        school.clock.now += jump
        await school.rounds()
        school.clock.now -= jump
        await school.rounds()
        await close(school)
        school.clock.now += jump
        await school.rounds()
        async with school.db.reading() as tx:
            counts = await count_answers(tx, SURVEY)
            survey = await find_survey(tx, SURVEY)
        assert survey
        assert (survey.state, survey.finished) == ("closed", 12)
        assert {q: c.answered for q, c in counts.items() if q <= "B1.5"} == {f"B1.{n}": 12 for n in range(1, 6)}
        assert len(given) == 12
