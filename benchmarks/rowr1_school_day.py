"""Row R1: a failure, or the end of the process, at every call of a school's days, on both databases (trust A4.4)."""

from __future__ import annotations

from pathlib import Path

from benchmarks.finding import Finding
from data.database import DatabaseProblem
from tests.faults import Killed
from tests.postgres_server import Server
from tests.school import MASTER
from tests.test_school_day import play_all

WHAT = {DatabaseProblem: "failures", Killed: "kills"}


async def measure(folder: Path, every: int = 2) -> list[Finding]:
    """Failures at the odd calls, kills at the even ones; AssertionError, and so no good row, for a broken promise."""
    server, findings = Server(), []
    try:
        server.migrate_template(MASTER)
        for name, place in (("SQLite", None), ("PostgreSQL", server)):
            for first, (error, what) in enumerate(WHAT.items(), 1):
                findings.append(await _tried(folder / name / what, error, first, every, place, f"{what} on {name}"))
    finally:
        server.remove()
    return findings


async def _tried(
    folder: Path, error: type[BaseException], first: int, every: int, server: Server | None, what: str
) -> Finding:
    name = f"promises broken over {what}"
    try:
        calls = await play_all(folder, error, first, every, server)
    except AssertionError as broken:
        return Finding("R1", f"{name} ({broken})", 1, "promises", goal="0", holds=False)
    return Finding("R1", f"{name} (every {every}. of {calls} calls)", 0, "promises", goal="0", holds=True)
