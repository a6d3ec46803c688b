"""`yousaid event`: a term of drop-ins and events from a file, checked first; and what is planned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from bot.events.importing import Reader, Term
    from bot.house import Opened
    from data.database import Tx

app = typer.Typer(help="Import a term of drop-ins and events, and list them.", rich_markup_mode=None)
FILE = typer.Argument(help="A table (.csv) or a calendar (.ics), as in docs/events.md.")
GROUP = typer.Option("", "--group", help="The group for rows that name none.")


@app.command()
def check(file: Path = FILE, group: str = GROUP) -> None:
    """Say what a file would plan, or all that is wrong with it. Nothing is saved."""
    typer.echo("\n".join(_done(file, group, save=False)))


@app.command("import")
def import_file(file: Path = FILE, group: str = GROUP) -> None:
    """Plan all that is in a file, or nothing where a line is wrong. The same file twice changes nothing."""
    typer.echo("\n".join(_done(file, group, save=True)))


def _done(file: Path, group: str, save: bool) -> list[str]:
    """What was planned, or would be, in lines."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc, with_school
    from bot.events.importing import Wrong, import_term, read_term
    from bot.events.table import decoded

    try:
        text = decoded(file.read_bytes())
    except OSError as error:
        raise Problem(f"{file.name} cannot be read: {error.strerror}.") from None

    async def work(opened: Opened) -> list[str]:
        async with opened.db.transaction() as tx:
            reader = _reader(tx, opened, now_utc(), group)
            term = await read_term(reader, text)
            if save:
                await import_term(reader, term)
            return _lines(opened, term, save)

    try:
        return with_school(work)
    except Wrong as wrong:
        for line in wrong.lines:
            typer.echo(f"{file.name}: {line}", err=True)
        raise typer.Exit(1) from None


def _reader(tx: Tx, opened: Opened, now: datetime, group: str) -> Reader:
    from bot.events.importing import Reader
    from data.audit import COMMAND_LINE

    return Reader(tx, opened.house, now, group, by=COMMAND_LINE)


def _lines(opened: Opened, term: Term, saved: bool) -> list[str]:
    from bot.booking.words import title_of, when

    house = opened.house
    rows = [f"{when(house, 'en', *time)}. {title_of(house, event, 'en')}. {event.place}" for event, time in term.times]
    says = [house.say("en", "import.imported" if saved else "import.would", n=term.n)]
    says += [house.say("en", "import.left-out", n=term.left_out)] if term.left_out else []
    return [*rows, *says, *([house.say("en", "import.known", n=term.known)] if term.known else [])]


@app.command()
def delivery(
    id: str = typer.Argument(help="What `yousaid event list --json` calls id."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """How far what was sent about a drop-in or event has come: counts only."""
    from bot.cli.opening import now_utc, with_school
    from bot.delivery import all_about, lines_about
    from data.delivery import in_json

    async def found(opened: Opened) -> tuple[list[dict[str, object]], list[str]]:
        async with opened.db.reading() as tx:
            await _known(tx, id)
            rows = [in_json(one) for one in await all_about(tx, id)]
            return rows, await lines_about(tx, opened.house, "en", id, now_utc())

    rows, lines = with_school(found)
    if not rows and not as_json:
        return typer.echo("Nothing was sent about it yet.", err=True)
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=2) if as_json else "\n".join(lines))


async def _known(tx: Tx, id: str) -> None:
    from bot.cli.one_line import Problem
    from data.events import find_event, find_occasion

    if await find_occasion(tx, id) is None and await find_event(tx, id) is None:
        raise Problem("There is no such drop-in or event. `yousaid event list --json` shows the ids.")


@app.command("list")
def list_events(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """One line each, soonest first: day and time, kind, group, place. No names."""
    from bot.cli.opening import with_school

    rows = with_school(_planned)
    if as_json:
        return typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    for row in rows:
        typer.echo("  ".join(str(row[name]) for name in ("starts", "kind", "group", "title", "place") if row[name]))
    if not rows:
        typer.echo("Nothing is planned yet: /dropin and /event in a chat, or `yousaid event import FILE`.", err=True)


async def _planned(opened: Opened) -> list[dict[str, object]]:
    from bot.cli.opening import now_utc
    from data.events import coming_occasions
    from data.people import all_groups

    async with opened.db.reading() as tx:
        groups = await all_groups(tx)
        coming = await coming_occasions(tx, None, now_utc())
    zone = opened.house.school.zone
    return [
        {
            "id": o.id,
            "starts": o.starts_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            "ends": o.ends_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            "kind": o.event.kind,
            "group": groups.get(o.event.group, ""),
            "title": o.event.title,
            "place": o.event.place,
        }
        for o in coming
    ]
