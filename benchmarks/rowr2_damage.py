"""Row R2: a thousand bits turned over, half of them among the answers, and a log cut at every frame."""

from __future__ import annotations

from pathlib import Path

from benchmarks.finding import Finding
from tests.damage import REFUSED, RIGHT
from tests.test_damaged_files import cuts, flips

FLIPS = 1000


async def measure(folder: Path) -> list[Finding]:
    """AssertionError, and so a row that does not hold, when something wrong came out."""
    try:
        found = await flips(folder / "flips", FLIPS // 2, FLIPS // 2, seed=2)
    except AssertionError as wrong:
        return [Finding("R2", f"wrong results (byte {wrong})", 1, "results", goal="0", holds=False)]
    tried, _ = await cuts(folder / "cuts", every=1, seed=2)
    name = f"wrong results after {FLIPS} flips ({found[RIGHT]} right, {found[REFUSED]} refused)"
    return [
        Finding("R2", name, 0, "results", goal="0", holds=True),
        Finding("R2", f"answers lost over {tried} cuts of the log", 0, "answers", goal="0", holds=True),
    ]
