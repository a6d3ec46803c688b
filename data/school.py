"""The school: its name, people, hours and numbers. Sealed in one row; read from school.yaml by `yousaid setup`."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from data.calendar import Calendar
from data.database import Tx, read_fact, write_fact
from data.periods import Keeping

Line = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = "always"
USUAL_WINDOW = "08:00-18:00 school days"


@cache
def _zones() -> set[str]:
    """Looked up once: it walks through a folder of hundreds of files, and every letter reads the school."""
    return available_timezones()


class SchoolProblem(Exception):
    """A school.yaml that cannot be used; one line names everything wrong at once."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class People(_Strict):
    senco: Line
    dsl: Line
    deputy_dsl: Line
    head: Line
    chair: Line


class Help(_Strict):
    council_out_of_hours: Line
    sendiass: Line


class Hours(_Strict):
    """Office hours: weekdays (0 is Monday) from `opens` to `closes`, local time."""

    days: frozenset[int]
    opens: time
    closes: time


class School(_Strict):
    name: Line
    timezone: str = "Europe/London"
    phone: Line
    office_hours: str
    send_window: str = USUAL_WINDOW
    people: People
    help: Help
    languages: list[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]] = Field(min_length=1)
    groups: list[Line] = Field(min_length=1)
    young_people: bool = False  # whether those of 16 and over may have accounts of their own (AGE-1)
    alerts_at_any_hour: list[Literal["dsl", "deputy", "head"]] = ["dsl"]  # SAFE-5, where the person has not chosen
    nation: Literal["england", "wales", "scotland", "northern-ireland"] = "england"  # whose bank holidays count
    keeping: Keeping = Keeping()  # how long things are kept (6.8)

    @field_validator("young_people", mode="before")
    @classmethod
    def _switch(cls, word: Any) -> Any:
        if isinstance(word, str) and word.strip().casefold() not in ("on", "off", "yes", "no", "true", "false"):
            raise ValueError("must be on or off")
        return word

    @field_validator("keeping", mode="before")
    @classmethod
    def _periods(cls, block: Any) -> Any:
        if not block:
            return {}
        if not isinstance(block, (dict, Keeping)):
            raise ValueError("must hold lines such as `logs_months: 12`")
        return block

    @field_validator("office_hours")
    @classmethod
    def _hours(cls, words: str) -> str:
        parse_hours(words)
        return words

    @field_validator("send_window")
    @classmethod
    def _window(cls, words: str) -> str:
        if words != ALWAYS:
            parse_window(words)
        return words

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        if name not in _zones():
            raise ValueError("is not a time zone. Use a name like Europe/London")
        return name

    @field_validator("groups")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("names a group twice. Give each its own name")
        return names

    @property
    def staff_names(self) -> dict[str, str]:
        """Role -> name of the people this file names."""
        people = self.people.model_dump()
        return {{"deputy_dsl": "deputy"}.get(key, key): name for key, name in people.items()}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def hours(self) -> Hours:
        return parse_hours(self.office_hours)

    def works_on(self, day: date, calendar: Calendar) -> bool:
        """Whether the office is open on this day, by its weekdays and the school's calendar."""
        return day.weekday() in self.hours.days and calendar.is_staffed(day)

    def is_open(self, now: datetime, calendar: Calendar) -> bool:
        """Whether `now` lies in the office hours of a day on which somebody is in."""
        local = now.astimezone(self.zone)
        return self.hours.opens <= local.time() < self.hours.closes and self.works_on(local.date(), calendar)

    def next_opening(self, now: datetime, calendar: Calendar) -> datetime:
        """The next minute at which the office opens; by its weekdays alone where the calendar knows no such day."""
        local = now.astimezone(self.zone)
        days = [local.date() + timedelta(days=ahead) for ahead in range(366)]
        openings = [datetime.combine(day, self.hours.opens, self.zone) for day in days]
        ahead = [at for at in openings if at > local and at.weekday() in self.hours.days]
        return next((at for at in ahead if calendar.is_staffed(at.date())), ahead[0])


def parse_hours(words: str) -> Hours:
    """ "Mon-Fri 08:30-16:00" as Hours; ValueError naming the form otherwise."""
    m = re.fullmatch(r"([A-Za-z]{3})[a-z]*(?:\s*-\s*([A-Za-z]{3})[a-z]*)?\s+(\S+?)\s*-\s*(\S+)", words.strip())
    try:
        if not m:
            raise ValueError
        first, last = DAYS.index(m[1].lower()), DAYS.index((m[2] or m[1]).lower())
        opens, closes = time.fromisoformat(m[3]), time.fromisoformat(m[4])
        if first > last or opens >= closes:
            raise ValueError
    except ValueError:
        raise ValueError("must look like: Mon-Fri 08:30-16:00") from None
    return Hours(days=frozenset(range(first, last + 1)), opens=opens, closes=closes)


def parse_window(words: str) -> tuple[time, time]:
    """ "08:00-18:00 school days" as two times; ValueError naming the form otherwise."""
    m = re.fullmatch(r"(\d\d:\d\d)-(\d\d:\d\d) school days", words.strip())
    try:
        if not m or time.fromisoformat(m[1]) >= time.fromisoformat(m[2]):
            raise ValueError
        return time.fromisoformat(m[1]), time.fromisoformat(m[2])
    except ValueError:
        raise ValueError('must be `always`, or look like: "08:00-18:00 school days"') from None


def read_school(path: Path) -> School:
    """The school in this YAML file; SchoolProblem names unknown, missing and wrong keys all at once."""
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - makes nothing but text
    except OSError as error:
        raise SchoolProblem(f"{path.name} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SchoolProblem(f"{path.name} is not valid YAML. Check indents, colons and quotes.") from None
    return check_school(raw, path.name)


def check_school(raw: Any, name: str) -> School:
    """The school in these plain values; SchoolProblem otherwise."""
    if not isinstance(raw, dict):
        raise SchoolProblem(f"{name} must hold lines such as `name: Elmfield Primary`.")
    try:
        return School.model_validate(raw)
    except ValidationError as error:
        raise SchoolProblem(f"{name}: {_problems(error)}") from None


def _problems(error: ValidationError) -> str:
    found: dict[str, list[str]] = {"missing": [], "unknown": [], "wrong": []}
    for e in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in e["loc"])
        if e["type"] == "missing":
            found["missing"].append(key)
        elif e["type"] == "extra_forbidden":
            found["unknown"].append(key)
        else:
            found["wrong"].append(f"{key} {e['msg'].removeprefix('Value error, ')}")
    parts = [f"{kind}: {', '.join(keys)}" for kind, keys in found.items() if keys]
    return "; ".join(parts) + ". Mend these and run it again."


async def save_school(tx: Tx, school: School) -> None:
    await write_fact(tx, "school", tx.vault.seal("names", school.model_dump_json().encode(), "school"))


async def load_school(tx: Tx) -> School | None:
    """The school, or None before setup."""
    sealed = await read_fact(tx, "school")
    return School.model_validate_json(tx.vault.open("names", sealed, "school")) if sealed else None
