"""Row B1: 100,000 forged taps in ten schools in the middle of their day; none may change anything (trust B1)."""

from __future__ import annotations

from pathlib import Path

from benchmarks.finding import Finding
from tests.forgery import attack, busy
from tests.school import opened

SCHOOLS, TAPS = 10, 10_000
GOAL = f"{SCHOOLS * TAPS:,} without effect"


async def measure(folder: Path) -> list[Finding]:
    """The taps of a school count as refused when its database is what it was and no foreign word was said."""
    refused = 0
    for seed in range(SCHOOLS):
        async with opened(folder / str(seed)) as school:
            wrong = await attack(await busy(school), TAPS, seed)
        refused += TAPS if not wrong else 0
    return [Finding("B1", "forged taps refused", refused, "taps", goal=GOAL, holds=refused == SCHOOLS * TAPS)]
