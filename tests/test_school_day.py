"""For every k: a failure, or the end of the process, at the k-th call of a school's days breaks no promise (A4.4, R1).

Confirmed answers count once, no alert is lost, steps only grow, every letter is sent, waits or is explained, the log
is whole, and every box opens once and whole. Here some of the calls on SQLite, and fewer on PostgreSQL, where a day
takes three times as long; `make bench ROWS=R1` takes them all on both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.database import DatabaseProblem
from data.place import Place
from tests.faults import Killed
from tests.postgres_server import Server
from tests.school_day import Copy, play_once, prepared, sqlite_copy

EVERY = {"sqlite": 311, "postgresql": 1201}  # calls; two kinds of accidents take turns
PARTS = 2  # which run side by side
FIRST = {DatabaseProblem: 7, Killed: 17}
LEAST_CALLS = 500


async def play_all(folder: Path, error: type[BaseException], first: int, every: int, server: Server | None) -> int:
    """Play the days with an accident at every call `first`, `first + every`, ...; how many calls there are."""
    template = server.new() if server else None
    code = await prepared(folder / "template", template)
    copy, drop = copies(server, template)
    calls = (await play_once(folder / "template", folder / "days", code, 0, error, copy)).calls
    for k in range(first, calls + 1, every):
        try:
            await play_once(folder / "template", folder / "days", code, k, error, copy)
        except AssertionError as broken:
            raise AssertionError(f"call {k}: {broken}") from broken
        drop()
    return calls


def copies(server: Server | None, template: Place | None) -> tuple[Copy, Callable[[], None]]:
    """How the days get a database of their own, and give it back."""
    if server is None or template is None:
        return sqlite_copy, lambda: None
    made: list[Place] = []

    def copy(_: Path) -> Place:
        made.append(server.new(template=template.database))  # type: ignore[union-attr]
        return made[-1]

    return copy, lambda: server.drop(made.pop())  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("error", FIRST)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_no_promise_is_broken(
    tmp_path: Path, database: str, error: type[BaseException], part: int, request: pytest.FixtureRequest
) -> None:
    """FAIL-1, FAIL-17, R1"""
    server = request.getfixturevalue("postgres") if database == "postgresql" else None
    every = EVERY[database]
    assert await play_all(tmp_path, error, FIRST[error] + part * every, PARTS * every, server) >= LEAST_CALLS
