"""`yousaid rollback`: back to the schema of the version before, with all that has been answered since."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings


GOES = {  # schema -> what it brought that an older one has no place for
    "0003": "the log of other things than looks and alerts, answers in children's papers, totals, pauses",
    "0004": "events other than drop-ins, all bookings, the calendar, planned sendings, the rows of /wedid",
}


def rollback(
    to: str = typer.Option("", "--to", help="The schema to go back to, such as 0002; the one before unless given."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Take the database back to the version before this one, after a backup. The bot must be stopped."""
    from bot.cli.opening import settings_now
    from data.preparing import HEAD

    to = to or f"{int(HEAD) - 1:04}"
    typer.echo(f"The database goes from schema {HEAD} back to {to}. All answers stay; what {to} has no place for goes:")
    typer.echo("; ".join(words for since, words in GOES.items() if to < since) + ".")
    if not yes:
        typer.confirm("Go back?", abort=True)
    settings = settings_now()
    kept = asyncio.run(_roll_back(settings, to))
    typer.echo(f"{settings.database} has schema {to} now. A backup from before: {kept}.")
    typer.echo("Install the version you had before, and start that. This one would bring it to its own schema again.")


async def _roll_back(settings: Settings, to: str) -> Path:
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc
    from bot.house import opened_database, read_vault
    from data.backup import program_version
    from data.changing import roll_back
    from data.lock import run_lock
    from data.place import SqliteFile
    from data.preparing import HEAD, Before

    place = settings.database
    if not (len(to) == len(HEAD) and to.isdigit() and "0001" <= to < HEAD):
        raise Problem(f"--to takes a schema from 0001 to before {HEAD}.")
    lock = run_lock(place)
    if not await lock.acquire():
        raise Problem(f"A bot runs on {place}. Stop it first; nothing was changed.")
    try:
        async with opened_database(settings):  # whole, of this version, and ours
            pass
        before, vault, program = Before(settings.backups_folder, now_utc()), read_vault(settings), program_version()
        if isinstance(place, SqliteFile):
            return await asyncio.to_thread(roll_back, place.path, vault, to, before, program)
        from data.postgres import roll_back as roll_back_server

        return await roll_back_server(place, vault, to, before, program)
    finally:
        await lock.release()
