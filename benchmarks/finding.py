"""One measured figure beside what it must reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`ratio` is the value compared with that of `against`; `holds` whether the goal is reached, None without one."""

    row: int
    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str | None = None
    goal: str | None = None
    holds: bool | None = None
