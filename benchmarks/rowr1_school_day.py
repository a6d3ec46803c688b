"""Row R1: a failure, or the end of the process, at every call of a school's days, on PostgreSQL at a third (A4.4).

The days are played in some processes at once, each with databases of its own.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.finding import Finding
from data import sqlite
from data.database import DatabaseProblem
from tests.faults import Killed
from tests.postgres_server import Server
from tests.school import MASTER
from tests.test_school_day import play_all

ERRORS: tuple[type[BaseException], ...] = (DatabaseProblem, Killed)  # failures at odd calls, kills at even ones
MOST_MINUTES = 20
SHARES = 2 * (os.cpu_count() or 1)  # most of a day is waiting for the next process or thread
EVERY = {"SQLite": 2, "PostgreSQL": 6}  # calls, of each kind: all calls, and a third of them, where a day takes longer


async def measure(folder: Path, every: dict[str, int] = EVERY) -> list[Finding]:
    """For each database the promises that were broken, and the minutes it took."""
    findings = []
    with ProcessPoolExecutor(SHARES, mp_context=get_context("spawn")) as pool:
        for name, step in every.items():
            begun = time.monotonic()
            shares = list(_shares(folder, name, step))
            done = await asyncio.gather(*(asyncio.wrap_future(pool.submit(_share, *share)) for share in shares))
            findings += _findings(name, done, (time.monotonic() - begun) / 60)
    return findings


def _shares(folder: Path, name: str, every: int) -> Iterator[tuple[Path, str, int, int, int]]:
    """Which accident at which calls is whose: kind, first call, and how many calls on is the next."""
    for kind in range(len(ERRORS)):
        for nth in range(SHARES):
            first = 1 + kind * every // len(ERRORS) + nth * every
            yield folder / f"{name}-{kind}-{nth}", name, kind, first, every * SHARES


def _share(folder: Path, name: str, kind: int, first: int, every: int) -> tuple[int, int, str]:
    """Calls of the days, accidents played, and what was broken (then the rest is not played)."""
    sqlite.SYNCHRONOUS = "OFF"  # no power cuts here; PostgreSQL's test server does not wait for the disk either
    server = Server() if name == "PostgreSQL" else None
    try:
        if server:
            server.migrate_template(MASTER)
        calls = asyncio.run(play_all(folder, ERRORS[kind], first, every, server))
        return calls, len(range(first, calls + 1, every)), ""
    except AssertionError as broken:
        return 0, 0, f"{ERRORS[kind].__name__} at {broken}"
    finally:
        if server:
            server.remove()


def _findings(name: str, done: list[tuple[int, int, str]], minutes: float) -> list[Finding]:
    broken = [what for _, _, what in done if what]
    calls, tried = max(calls for calls, _, _ in done), sum(tried for _, tried, _ in done)
    where = f" ({'; '.join(broken)})" if broken else ""
    goal, title = f"< {MOST_MINUTES} min", f"accidents at {tried} of {calls} calls, {name}"
    return [
        Finding("R1", f"promises broken, {title}{where}", len(broken), "promises", goal="0", holds=not broken),
        Finding(
            "R1", f"the days with those accidents, {name}", minutes, "min", goal=goal, holds=minutes < MOST_MINUTES
        ),
    ]
