"""Row R5: a motivated intruder in 1,000 random schools, of 10 to 300 people; at most chance + 2 % (FAIL-4).

Twice as many small schools as large ones, so that the error of each figure stays well below the 2 % it is held to.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.finding import Finding
from data import sqlite
from tests.intruder.linking import Case, Score, attack, attack_by_three
from tests.intruder.schools import make_template, simulate
from tests.test_intruder import ALLOWED

SCHOOLS = {10: 600, 20: 250, 30: 100, 60: 40, 300: 10}
GOAL = f"<= {ALLOWED:.0%} beyond chance"


async def measure(folder: Path) -> list[Finding]:
    """The share of right links beyond chance, for each size of school and each reader; schools on all cores."""
    await make_template(folder / "template")
    findings = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for people, schools in SCHOOLS.items():
            one = partial(_school, folder, people)
            cases = await asyncio.to_thread(lambda: list(pool.map(one, range(schools), chunksize=1)))  # noqa: B023
            findings += [_finding("trained", people, schools, attack(cases))]
            findings += [_finding("known three", people, schools, attack_by_three(cases))]
    return findings


def _school(folder: Path, people: int, seed: int) -> Case:
    sqlite.SYNCHRONOUS = "OFF"  # no power cuts here
    return asyncio.run(simulate(folder / f"{people}-{seed}", people, seed, folder / "template", keep=False))


def _finding(reader: str, people: int, schools: int, score: Score) -> Finding:
    name = f"intruder ({reader}), {people} people, {schools} schools, error {score.error:.1%}"
    return Finding("R5", name, 100 * score.gain, "% linked", goal=GOAL, holds=score.gain <= ALLOWED)
