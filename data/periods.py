"""How long things are kept: the periods a school may set, with bounds, and the days that follow from them (6.8)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

SCHOOL_YEAR_ENDS = (8, 31)  # month, day
DAYS, MONTHS, SCHOOL_YEARS = "days", "months", "school years"


def _period(usual: int, unit: str, least: int, most: int, what: str, then: str, rule: str, why: str = "") -> Any:
    more: Any = {"unit": unit, "least": least, "most": most, "what": what, "then": then, "rule": rule, "why": why}
    return Field(usual, json_schema_extra=more)


class Keeping(BaseModel):
    """The block `keeping:` of school.yaml. Each name ends with its unit; each number has a least and a most."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    anon_answers_school_years: int = _period(
        1, SCHOOL_YEARS, 0, 3, "answers without names, with their comments", "only totals are left", "domain 6.8"
    )
    conf_answers_school_years: int = _period(
        1, SCHOOL_YEARS, 0, 3, "answers under a key, with their comments", "only totals are left", "domain 6.8"
    )
    conf_names_months: int = _period(
        3, MONTHS, 0, 12, "the key that tells whose answers they are, after closing", "it is cut for good", "domain 6.8"
    )
    named_answers_months: int = _period(
        12, MONTHS, 1, 24, "answers under a child's name, after closing",
        "they go; admin and SENCO are told 14 days before", "domain 6.8",
    )  # fmt: skip
    sign_ups_days: int = _period(30, DAYS, 0, 90, "sign-ups and who was told, after the day", "they go", "domain 6.8")
    voice_days: int = _period(14, DAYS, 1, 30, "voice recordings (there are none yet)", "they go", "domain 6.8")
    logs_months: int = _period(
        12, MONTHS, 3, 36, "the log of looks and changes, and the list of messages sent", "rows go", "domain 6.8"
    )
    transferred_days: int = _period(
        7, DAYS, 1, 30, "words of concern, once the school's own record has them", "they are emptied", "SAFE-8"
    )
    codes_days: int = _period(30, DAYS, 1, 90, "invitation codes, after they ran out", "they go", "ICO standard 8")
    ended_people_months: int = _period(
        12, MONTHS, 1, 24, "people whose access the school has ended", "all that is linked to them goes", "PR-2"
    )
    backups_days: int = _period(
        30, DAYS, 1, 30, "backups", "the oldest are deleted", "trust A4.3",
        "we promise that what is deleted is gone from backups within 30 days",
    )  # fmt: skip

    @field_validator("*", mode="before")
    @classmethod
    def _within(cls, value: Any, info: ValidationInfo) -> int:
        name = str(info.field_name)
        line = _line(name, 0, cls.model_fields[name].json_schema_extra)
        text = str(value).strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
        if not line.least <= number <= line.most:
            why = f": {line.why}" if line.why else ""
            raise ValueError(f"must be a whole number of {line.unit} from {line.least} to {line.most}{why}")
        return number


@dataclass(frozen=True)
class Line:
    """One period, for tables and papers: what is kept how long, what happens then, and which rule says so."""

    name: str
    value: int
    unit: str
    least: int
    most: int
    what: str
    then: str
    rule: str
    why: str


def lines(keeping: Keeping) -> Iterator[Line]:
    """Every period in the order of the model."""
    for name, field in Keeping.model_fields.items():
        yield _line(name, getattr(keeping, name), field.json_schema_extra)


def _line(name: str, value: int, more: Any) -> Line:
    return Line(name, value, **more)


# --- days ---------------------------------------------------------------------------------------------------------


def months_before(day: date, months: int) -> date:
    """The same day so many months ago, or the last of that month where it is shorter."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it is shorter."""
    return months_before(day, -months)


def school_year_end(day: date, later: int = 0) -> date:
    """31 August of the school year this day lies in, or of one so many years later."""
    over = (day.month, day.day) > SCHOOL_YEAR_ENDS
    return date(day.year + over + later, *SCHOOL_YEAR_ENDS)


def last_school_years(day: date, years: int) -> date:
    """Whatever closed on this day or before has been kept long enough: its school year and `years` more are over."""
    return date(school_year_end(day).year - 1 - years, *SCHOOL_YEAR_ENDS)
