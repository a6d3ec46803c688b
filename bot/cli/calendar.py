"""`yousaid calendar`: load, check and show the school's calendar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.calendar_file import CalendarFile
    from bot.house import Opened
    from data.calendar import Calendar, Stretch

app = typer.Typer(help="Load, check and show terms, half terms, INSET days, holidays.", rich_markup_mode=None)
FILE = typer.Argument(help="A calendar: a file that ends in .yaml, .csv or .ics (docs/calendar.md).")


@app.command()
def load(file: Path = FILE) -> None:
    """Take the calendar of this file, in place of the one before. A running bot follows it at once."""
    from bot.calendar_health import calendar_words
    from bot.cli.opening import now_utc, today_at, with_school
    from data.audit import COMMAND_LINE, note
    from data.calendar import Calendar, save_calendar
    from scheduler.ladder import hurry

    read = _read(file)

    async def loaded(opened: Opened) -> str:
        now = now_utc()
        async with opened.db.transaction() as tx:
            await note(tx, "calendar.loaded", "calendar", now, COMMAND_LINE, entries=str(len(read.stretches)))
            await save_calendar(tx, read.stretches)
            await hurry(tx, opened.house.school, now)
        calendar = Calendar(read.stretches, opened.house.school.nation)
        return calendar_words(calendar, today_at(opened.house, now))

    says = with_school(loaded)
    typer.echo("\n".join([*read.guessed, f"{_entries(read)} loaded. {says}"]))


@app.command()
def check(file: Path = FILE) -> None:
    """Say whether this file can be loaded, and what its entries count as. Nothing is saved."""
    read = _read(file)
    typer.echo("\n".join([*read.guessed, *_lines(read.stretches), f"{file}: fine, {_entries(read)}."]))


@app.command()
def show() -> None:
    """The calendar that counts now."""
    from bot.calendar_health import calendar_words
    from bot.cli.opening import now_utc, today_at, with_school
    from data.calendar import load_calendar

    async def shown(opened: Opened) -> list[str]:
        school = opened.house.school
        async with opened.db.reading() as tx:
            calendar: Calendar = await load_calendar(tx, school.nation)
        words = calendar_words(calendar, today_at(opened.house, now_utc()))
        return [*_lines(calendar.stretches), f"Bank holidays: as in {school.nation}. {words}"]

    typer.echo("\n".join(with_school(shown)))


def _read(file: Path) -> CalendarFile:
    """The file; else a line for each thing that is wrong, and the end."""
    from bot.calendar_file import CalendarProblem, read_calendar

    try:
        return read_calendar(file)
    except CalendarProblem as problem:
        for line in problem.lines:
            typer.echo(line, err=True)
        raise typer.Exit(1) from None


def _lines(stretches: tuple[Stretch, ...]) -> list[str]:
    rows = sorted(stretches, key=lambda s: (s.first, s.last))
    return [f"{_days(s):<27} {s.kind:<10} {s.name}".rstrip() for s in rows]


def _days(s: Stretch) -> str:
    return f"{s.first}" if s.first == s.last else f"{s.first} to {s.last}"


def _entries(read: CalendarFile) -> str:
    return "1 entry" if len(read.stretches) == 1 else f"{len(read.stretches)} entries"
