"""`python -m benchmarks [--rows "2 B1"]`: measure, print a table, write var/bench.json."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks import (
    row1_sends,
    row2_taps,
    row3_delay,
    row4_kill,
    row5_broadcast,
    row9_start,
    row10_loop,
    rowa5_audit,
    rowb1_forged,
    rowb10_flood,
    rowr1_school_day,
    rowr2_damage,
    rowr3_alerts,
    rowr5_intruder,
    rowr17_schemas,
    rowr20_rotation,
)
from benchmarks.finding import Finding

Measure = Callable[[Path], Awaitable[list[Finding]]]

ROWS: dict[str, Measure] = {
    "1": row1_sends.measure,
    "2": row2_taps.measure,
    "3": row3_delay.measure,
    "4": row4_kill.measure,
    "5": row5_broadcast.measure,
    "9": row9_start.measure,
    "10": row10_loop.measure,
    "A5": rowa5_audit.measure,
    "B1": rowb1_forged.measure,
    "B10": rowb10_flood.measure,
    "R1": rowr1_school_day.measure,
    "R2": rowr2_damage.measure,
    "R3": rowr3_alerts.measure,
    "R5": rowr5_intruder.measure,
    "R17": rowr17_schemas.measure,
    "R20": rowr20_rotation.measure,
}
OUTPUT = Path("var/bench.json")


async def measure(rows: list[str], console: Console) -> list[Finding]:
    """Row after row, each in a folder of its own."""
    findings: list[Finding] = []
    for row in rows:
        with TemporaryDirectory(prefix="bench-") as folder, console.status(f"Measuring row {row} ..."):
            findings += await ROWS[row](Path(folder))
    return findings


def as_table(findings: list[Finding]) -> Table:
    table = Table(title="make bench")
    for heading in ("Row", "What", "Value", "Ratio", "Goal", "Holds"):
        table.add_column(heading, justify="right" if heading in ("Value", "Ratio") else "left")
    for f in findings:
        ratio = f"{f.ratio:.2f} x {f.against}" if f.ratio is not None else ""
        holds = "" if f.holds is None else "yes" if f.holds else "[bold red]NO[/]"
        table.add_row(str(f.row), f.name, f"{f.value:,.4g} {f.unit}", ratio, f.goal or "", holds)
    return table


def main() -> int:
    """0 when every goal is reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what must hold.")
    parser.add_argument("--rows", default="", help='some rows only, such as "2 B1"')
    wanted = parser.parse_args().rows.upper().split() or list(ROWS)
    if unknown := [row for row in wanted if row not in ROWS]:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(map(str, ROWS))}")
    console = Console()
    findings = asyncio.run(measure(wanted, console))
    console.print(as_table(findings))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps([asdict(f) for f in findings], indent=1) + "\n", encoding="utf-8")
    return 0 if all(f.holds is not False for f in findings) else 1


if __name__ == "__main__":
    raise SystemExit(main())
