"""Row A5: `audit verify` over 100,000 rows of which one was changed, on both databases (trust A5)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.finding import Finding
from data.audit_check import check_log
from tests.postgres_server import Server
from tests.school import MASTER, opened
from tests.test_audit import CHANGED, log_of

ROWS = 100_000
MOST_SECONDS = 10.0


async def measure(folder: Path, rows: int = ROWS) -> list[Finding]:
    """Seconds, and whether that row was named and no other."""
    findings, server = [await _on("SQLite", folder / "file", rows)], Server()
    try:
        server.migrate_template(MASTER)
        place = server.new()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.school.elsewhere", lambda _: place)
            findings.append(await _on("PostgreSQL", folder / "server", rows))
    finally:
        server.remove()
    return findings


async def _on(name: str, folder: Path, rows: int) -> Finding:
    async with opened(folder) as school:
        await log_of(school, rows, changed=rows // 2)
        begun = time.monotonic()
        async with school.db.reading() as tx:
            found = await check_log(tx)
        seconds = time.monotonic() - begun
    right = found.problems == [CHANGED.format(row=rows // 2)]
    title = f"one changed row found among {rows:,}, {name}" if right else f"found among {rows:,}: {found.problems[:3]}"
    return Finding("A5", title, seconds, "s", goal=f"< {MOST_SECONDS:.0f} s", holds=right and seconds < MOST_SECONDS)
