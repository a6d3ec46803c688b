"""A motivated intruder with everything a school keeps links ANON answers no better than by chance (FAIL-4, trust R5).

First the reader is shown to be strong: it finds what trust.md A3 found (M1, M2) and more, and order that is put into
our own schema on purpose. Then it attacks the real thing. `make bench ROWS=R5` takes a thousand schools.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import data.answers
from data.moments import stamp
from tests.intruder.linking import Case, Score, attack, attack_by_three
from tests.intruder.naive import naive_school, naive_server
from tests.intruder.schools import make_template, simulate
from tests.intruder.visits import simulate_visits
from tests.postgres_server import Server

ALLOWED = 0.02  # of the people, beyond chance
SCHOOLS = {10: 10, 20: 6, 30: 4, 60: 2}
VISITORS, VISITS = 12, 8  # of a drop-in; schools
SERVER_SCHOOLS = {10: 4, 30: 2}


@pytest.mark.parametrize(("people", "schools", "found"), [(10, 12, 1.0), (20, 12, 1.0), (30, 10, 0.9), (60, 14, 0.03)])
def test_the_reader_finds_the_order_of_cells(
    tmp_path: Path, people: int, schools: int, found: float, record_property
) -> None:
    """M1: all of 10 and of 20; where the reader of trust.md fell to chance (30 and more) this one does not."""
    score = attack([naive_school(tmp_path / str(seed), people, seed, truncated=True) for seed in range(schools)])
    record_property("figure", f"intruder, careless layout, {people} people, by file: {score.right / score.people:.0%}")
    assert score.right / score.people >= found


def test_the_reader_finds_the_order_of_commits(tmp_path: Path, record_property) -> None:
    """M2: 175 of 300 were linked by a crude reader of a live WAL."""
    score = attack([naive_school(tmp_path / str(seed), 300, seed, truncated=False) for seed in range(2)])
    record_property("figure", f"intruder, careless layout, 300 people, by WAL: {score.right / score.people:.0%}")
    assert score.right / score.people >= 175 / 300


async def test_the_reader_finds_hidden_columns(postgres: Server, record_property) -> None:
    """M3: xmin joins 300 of 300, also after VACUUM FREEZE and VACUUM FULL."""
    score = attack([await naive_server(postgres.empty().url, 300, seed) for seed in range(2)])
    record_property("figure", f"intruder, careless layout, 300 people, PostgreSQL: {score.right / score.people:.0%}")
    assert score.right == score.people


async def test_the_reader_finds_order_in_our_own_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same evidence, gathered from a product that forgot to shuffle and gave ids that grow."""
    numbers, plain = itertools.count(), data.answers.runs_in

    async def as_they_came(tx, survey):
        return sorted(await plain(tx, survey), key=lambda run: stamp(run.saved_at))

    monkeypatch.setattr(data.answers, "runs_in", as_they_came)
    monkeypatch.setattr(data.answers, "new_id", lambda: f"{next(numbers):012}")
    monkeypatch.setattr(data.answers.secrets.SystemRandom, "shuffle", lambda *_: None)
    cases = await _simulated(tmp_path, 10, 8)
    assert attack(cases).gain > 10 * ALLOWED  # some had changed their answers since, which blurs the order


@pytest.mark.slow
@pytest.mark.parametrize("people", SCHOOLS)
async def test_nobodys_sheet_is_found_better_than_by_chance(tmp_path: Path, people: int, record_property) -> None:
    """FAIL-4, R5, B19: file, WAL, copies one answer apart, log, key, outbox, audit, times: at most chance + 2 %."""
    cases = await _simulated(tmp_path, people, SCHOOLS[people])
    for name, score in (("trained", attack(cases)), ("by three", attack_by_three(cases))):
        record_property("figure", as_words(name, people, len(cases), score))
        assert score.gain <= ALLOWED + 3 * score.error, name


@pytest.mark.slow
@pytest.mark.parametrize("people", SERVER_SCHOOLS)
async def test_nobodys_sheet_is_found_on_a_server(
    tmp_path: Path, people: int, postgres: Server, record_property
) -> None:
    """FAIL-4, R5: xmin, xmax, cmin, ctid, heap pages with dead rows, and the server's own log."""
    template = postgres.new()
    await make_template(tmp_path / "template", template)
    cases = []
    for seed in range(SERVER_SCHOOLS[people]):
        place = postgres.new(template=template.database)
        cases.append(await simulate(tmp_path / str(seed), people, seed, place=place))
        postgres.drop(place)
    for name, score in (("trained", attack(cases)), ("by three", attack_by_three(cases))):
        record_property("figure", as_words(f"{name}, PostgreSQL", people, len(cases), score))
        assert score.gain <= ALLOWED + 3 * score.error, name


@pytest.mark.slow
async def test_nobodys_visit_tells_which_sheet_is_theirs(tmp_path: Path, record_property) -> None:
    """FAIL-4, R5, B6: bookings, slots and the times of letters are known; who was let go of too. At most chance."""
    await make_template(tmp_path / "template")
    cases = [await simulate_visits(tmp_path / str(n), VISITORS, n, tmp_path / "template") for n in range(VISITS)]
    for name, score in (("trained", attack(cases)), ("by three", attack_by_three(cases))):
        record_property("figure", as_words(f"{name}, visits", VISITORS, VISITS, score))
        assert score.gain <= ALLOWED + 3 * score.error, name


def as_words(name: str, people: int, schools: int, score: Score) -> str:
    return (
        f"intruder, {name}, {people} people, {schools} schools: {score.right:.0f} of {score.people} linked,"
        f" chance {score.chance:.1f}, beyond it {score.gain:+.1%} (error {score.error:.1%})"
    )


async def _simulated(folder: Path, people: int, schools: int) -> list[Case]:
    await make_template(folder / "template")
    return [await simulate(folder / str(seed), people, seed, folder / "template") for seed in range(schools)]
