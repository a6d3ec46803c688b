"""Row R3: a failure, and the end of the process, at every call of a school day; no alert may be lost."""

from __future__ import annotations

from pathlib import Path

from benchmarks.finding import Finding
from data.database import DatabaseProblem
from tests.faults import Killed
from tests.test_no_alert_lost import play_all

WHAT = {DatabaseProblem: "failures", Killed: "kills"}


async def measure(folder: Path) -> list[Finding]:
    """How many calls were tried; AssertionError, and so a row that does not hold, when an alert is lost."""
    return [await _tried(folder / what, error, what) for error, what in WHAT.items()]


async def _tried(folder: Path, error: type[BaseException], what: str) -> Finding:
    name, goal = f"alerts lost over {what} at every call", "0"
    try:
        calls = await play_all(folder, error, first=1, every=1)
    except AssertionError as lost:
        return Finding("R3", f"{name} ({lost})", 1, "lost", goal=goal, holds=False)
    return Finding("R3", f"{name} (1 to {calls - 1})", 0, "lost", goal=goal, holds=True)
