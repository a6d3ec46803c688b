"""One measured figure beside what it must reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`row` is a number of the table in the design, or the name of an attack in the tests.

    `ratio` is the value compared with that of `against`; `holds` whether the goal is reached, None without one.
    """

    row: int | str
    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str | None = None
    goal: str | None = None
    holds: bool | None = None
