"""`yousaid setup` without a file: the same fields asked one by one, with a summary before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from data.school import School, check_school, parse_hours, parse_window

PEOPLE = {
    "senco": "SENCO (name as families know it)",
    "dsl": "Designated safeguarding lead (DSL)",
    "deputy_dsl": "Deputy DSL",
    "head": "Head teacher",
    "chair": "Chair of governors",
}
AT_ANY_HOUR = "Who gets alerts outside office hours too: dsl, deputy, head (others hear of them on the next weekday)"
HELP = {
    "council_out_of_hours": "Council, out of hours (phone)",
    "sendiass": "SENDIASS, independent advice for parents (phone)",
}


def ask_school() -> School:
    """The school as typed; typer.Abort when the summary is refused."""
    raw = _asked()
    school = check_school(raw, "Your answers")
    typer.echo("\n" + summary(school))
    if not typer.confirm("Write this?", default=True):
        raise typer.Abort
    return school


def _asked() -> dict[str, Any]:
    return {
        "name": _line("Name of the school"),
        "timezone": _line("Time zone", "Europe/London", _zone),
        "phone": _line("Phone of the school office"),
        "office_hours": _line("Office hours", "Mon-Fri 08:30-16:00", parse_hours),
        "send_window": _line('When messages may go out: always, or "08:00-18:00 school days"', "always", _window),
        "people": {key: _line(words) for key, words in PEOPLE.items()},
        "help": {key: _line(words) for key, words in HELP.items()},
        "languages": _several("Languages, by their short names, with commas between", "en"),
        "groups": _several("Groups, with commas between (Year 3 parents, SEND parents)"),
        "alerts_at_any_hour": _several(AT_ANY_HOUR, "dsl"),
    }


def _line(words: str, usual: str | None = None, check: Callable[[str], object] | None = None) -> str:
    def value(typed: str) -> str:
        if not typed.strip():
            raise typer.BadParameter("please write something")
        try:
            if check:
                check(typed.strip())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return typed.strip()

    return str(typer.prompt(words, default=usual, value_proc=value))


def _several(words: str, usual: str | None = None) -> list[str]:
    return [part.strip() for part in _line(words, usual).split(",") if part.strip()]


def _zone(name: str) -> None:
    from zoneinfo import available_timezones

    if name not in available_timezones():
        raise ValueError("is not a time zone. Use a name like Europe/London")


def _window(words: str) -> None:
    if words != "always":
        parse_window(words)


def summary(school: School) -> str:
    """Everything that will be written, one line each."""
    people, numbers = school.people.model_dump(), school.help.model_dump()
    rows = {"Name": school.name, "Time zone": school.timezone, "Phone": school.phone}
    rows |= {"Office hours": school.office_hours, "Messages go out": school.send_window}
    rows |= {words: people[key] for key, words in PEOPLE.items()} | {words: numbers[key] for key, words in HELP.items()}
    rows |= {"Alerts outside office hours": ", ".join(school.alerts_at_any_hour)}
    rows |= {"Languages": ", ".join(school.languages), "Groups": ", ".join(school.groups)}
    return "\n".join(f"{words}: {value}" for words, value in rows.items())
