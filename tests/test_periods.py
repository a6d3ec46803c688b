"""The block `keeping:` of school.yaml: defaults, bounds, plain remarks, and the days that follow."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.periods import Keeping, Line, last_school_years, lines, months_before, school_year_end
from data.school import SchoolProblem, check_school
from tests.school import ELMFIELD, School, opened

LINES = list(lines(Keeping()))
DAY = st.dates(date(2024, 1, 1), date(2040, 12, 31))


def kept(block: object) -> Keeping:
    return check_school(ELMFIELD | {"keeping": block}, "school.yaml").keeping


def remark(block: object) -> str:
    with pytest.raises(SchoolProblem) as problem:
        kept(block)
    return str(problem.value)


def test_without_the_block_the_periods_are_those_of_the_rule() -> None:
    """Domain 6.8."""
    usual = {line.name: line.value for line in LINES}
    assert check_school(ELMFIELD, "school.yaml").keeping.model_dump() == usual
    assert kept("") == kept({}) == Keeping()
    assert usual["anon_answers_school_years"] == 1
    assert usual["conf_names_months"] == 3
    assert (usual["named_answers_months"], usual["logs_months"]) == (12, 12)
    assert (usual["sign_ups_days"], usual["voice_days"], usual["transferred_days"]) == (30, 14, 7)
    assert (usual["codes_days"], usual["backups_days"]) == (30, 30)


def test_a_name_nobody_knows_is_refused() -> None:
    assert remark({"log_months": "6"}) == "school.yaml: unknown: keeping.log_months. Mend these and run it again."


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_every_period_takes_its_least_and_its_most_and_nothing_beyond(line: Line) -> None:
    for value in (line.least, line.most):
        assert getattr(kept({line.name: str(value)}), line.name) == value
    for value in (line.least - 1, line.most + 1, "", "3 months", "1.5", "٣", True, "9" * 50):
        said = remark({line.name: str(value)})
        assert f"keeping.{line.name} must be a whole number of {line.unit} from {line.least} to {line.most}" in said


def test_backups_never_live_longer_than_is_promised() -> None:
    """SUP-8 in kind: what people are promised cannot be stretched."""
    assert "gone from backups within 30 days" in remark({"backups_days": "31"})


def test_a_block_that_is_no_block_is_told_what_one_looks_like() -> None:
    assert "keeping must hold lines such as `logs_months: 12`" in remark("12 months")


async def test_periods_are_kept_with_the_school(tmp_path: object) -> None:
    async with opened(tmp_path, keeping={"logs_months": "6"}) as school:  # type: ignore[arg-type]
        assert (await stored(school)).logs_months == 6


async def stored(school: School) -> Keeping:
    from data.school import load_school

    async with school.db.reading() as tx:
        found = await load_school(tx)
    assert found
    return found.keeping


# --- days ---------------------------------------------------------------------------------------------------------


def test_the_end_of_the_next_school_year() -> None:
    assert school_year_end(date(2026, 11, 2), 1) == date(2028, 8, 31)
    assert school_year_end(date(2026, 8, 31), 1) == date(2027, 8, 31)
    assert school_year_end(date(2026, 9, 1), 0) == date(2027, 8, 31)
    assert months_before(date(2027, 5, 31), 3) == date(2027, 2, 28)
    assert months_before(date(2027, 1, 15), 1) == date(2026, 12, 15)


@given(DAY, DAY, st.integers(0, 3))
def test_what_is_over_is_exactly_what_has_passed_its_end(closed: date, today: date, years: int) -> None:
    """The last day is still kept; the day after is the first without."""
    assert (closed <= last_school_years(today, years)) == (today > school_year_end(closed, years))


@given(DAY, st.integers(0, 36))
def test_months_go_back_one_by_one(day: date, months: int) -> None:
    before = months_before(day, months)
    assert before <= day
    assert day - before <= timedelta(days=31 * months)
    assert (day.year - before.year) * 12 + day.month - before.month == months
