"""`yousaid move`: from a SQLite file to a PostgreSQL server, or back."""

from __future__ import annotations

import asyncio

import typer


def move(
    to: str = typer.Option(
        ..., "--to", help="An empty database, as postgresql://user@host/name, or the path of a new SQLite file."
    ),
) -> None:
    """Move the whole school to another database. The bot must be stopped; the old database is kept."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc, settings_now
    from bot.moving import move as move_all
    from data.place import PlaceProblem, read_place

    settings = settings_now()
    try:
        target = read_place(to)
    except PlaceProblem as problem:
        raise Problem(f"--to {problem}.") from None
    tables: dict[str, int] = {}
    moved = asyncio.run(move_all(settings, target, now_utc(), tables.__setitem__))
    filled = sum(count > 0 for count in tables.values())
    typer.echo(f"Moved to {target}: {moved.rows} rows of {filled} tables. All of them were read again and compared.")
    typer.echo("Now set YOUSAID_DATABASE to what you gave after --to, then: yousaid doctor, yousaid run.")
    typer.echo(f"The keys stay where they are: {settings.key_folder}.")
    typer.echo(f"The old database is kept as {moved.kept}. Delete it when all is well: it holds everything, too.")
    typer.echo("Backups of before are still good. Make a new one now: yousaid backup FILE.")
