"""Row 10: how long the event loop stands still while a backup of a large school is made and proven."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from benchmarks.finding import Finding
from data.backup import back_up
from data.restoring import prove
from tests.school import MONDAY, opened

ANSWERS = 1_000_000
MOST = 0.050  # seconds
TICK = 0.001


class Loop:
    """Ticks beside the work, and notes the longest time between two ticks."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def __aenter__(self) -> Loop:
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ticking.cancel()
        await asyncio.gather(self._ticking, return_exceptions=True)

    async def _tick(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            self.worst, before = max(self.worst, now - before - TICK), now


async def measure(folder: Path) -> list[Finding]:
    """A school with a million answers, while it answers others."""
    async with opened(folder) as school:
        await asyncio.to_thread(fill, school.db.path)
        idle = await _worst(asyncio.sleep(2))
        file = folder / "a.backup"
        begun = time.perf_counter()
        made = await _worst(back_up(school.db, file, MONDAY, folder / "work"))
        seconds = time.perf_counter() - begun
        proven = await _worst(prove(file, school.db.vault, school.db.boxes, folder / "work"))
        size = file.stat().st_size / 2**20
    goal = f"< {MOST * 1000:.0f} ms"
    return [
        Finding(10, "longest stall, idle", idle * 1000, "ms"),
        Finding(10, "longest stall while a backup is made", made * 1000, "ms", goal=goal, holds=made < MOST),
        Finding(10, "longest stall while it is proven", proven * 1000, "ms", goal=goal, holds=proven < MOST),
        Finding(10, f"a backup of {size:.0f} MiB", seconds, "s"),
    ]


async def _worst(work: object) -> float:
    async with Loop() as loop:
        await work  # type: ignore[misc]
    return loop.worst


def fill(path: Path) -> None:
    """Answers of one closed survey, as bare rows: nobody counts them here."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        rows = (("big-1", f"q{n % 20:02}", f"choice{n % 5}", os.urandom(8).hex()) for n in range(ANSWERS))
        connection.executemany("INSERT INTO answers (survey, question, value, sheet) VALUES (?, ?, ?, ?)", rows)
        group = connection.execute("SELECT id FROM groups").fetchone()[0]
        connection.execute(
            "INSERT INTO surveys (id, nth, form, version, source, mode, group_id, decision, decider, opened_on, "
            "closes_at, answer_by, state, asked) VALUES ('big-1', 1, 'big', 1, '{}', 'ANON', ?, '', x'00', "
            "'2026-01-01', '2026-01-15T18:00:00.000000Z', '2026-01-29', 'closed', 0)",
            (group,),
        )
        connection.commit()
