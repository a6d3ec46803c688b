"""`yousaid backup` and `restore`: a copy of the database, and putting one back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

LAST_BACKUP = "last-backup"  # the fact that holds when the last backup was made


def backup(file: Path = typer.Argument(help="The file to write; it must not be there yet.")) -> None:
    """Copy the whole database while the bot runs. Neither the key nor the keys of open boxes are inside."""
    from bot.cli.opening import now_utc, settings_now

    settings = settings_now()
    boxes = asyncio.run(_backup(settings, file, now_utc().isoformat()))
    typer.echo(f"Backup: {file}. The key is not inside: keep {settings.key_file} and the recovery sheet apart from it.")
    if boxes:
        typer.echo(
            f"Open boxes: {', '.join(boxes)}. Their keys lie only in {settings.key_folder}: if that folder is lost, "
            "or this backup is put back after they were closed, their answers cannot be read."
        )


async def _backup(settings: Settings, file: Path, at: str) -> list[str]:
    """Ids of the surveys whose box is open."""
    from bot.house import opened_database
    from data.backup import backup as copy
    from data.database import DatabaseBusy, write_fact
    from data.surveys import all_surveys

    async with opened_database(settings) as db:
        await copy(db, file)
        with suppress(DatabaseBusy):  # only for doctor's reminder
            async with db.transaction() as tx:
                await write_fact(tx, LAST_BACKUP, at.encode())
        async with db.reading() as tx:
            return [s.id for s in await all_surveys(tx, "open") if s.mode == "ANON"]


def restore(
    file: Path = typer.Argument(help="A file made by `yousaid backup`."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask, also when the answers in open boxes are lost."),
) -> None:
    """Put a backup in place of the database. The bot must be stopped; the old database is kept beside it."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import settings_now
    from data.lock import RunLock

    settings = settings_now()
    settings.database.parent.mkdir(parents=True, exist_ok=True)
    lock = RunLock(settings.database)
    if not lock.acquire():
        raise Problem(f"A bot runs on {settings.database}. Stop it first; nothing was changed.")
    try:
        _restore(settings, file, yes)
    finally:
        lock.release()


def _restore(settings: Settings, file: Path, yes: bool) -> None:
    from bot.house import box_keys, read_vault
    from data.backup import check_backup, lost_boxes
    from data.backup import restore as put_back

    vault = read_vault(settings)
    check_backup(file, vault)
    lost = lost_boxes(file, box_keys(settings))
    if lost and not yes:
        typer.echo(f"The box keys of these surveys are not in {settings.key_folder}: {', '.join(lost)}.")
        typer.echo("Their answers cannot come back. The surveys end as lost, and everybody asked is told.")
        typer.confirm("Restore all the same?", abort=True)
    kept = put_back(file, settings.database, vault)
    asyncio.run(_give_up(settings, lost))
    typer.echo(f"Restored {file} to {settings.database}.")
    if lost:
        typer.echo(f"Lost, and those asked will be told: {', '.join(lost)}.")
    if kept:
        typer.echo(f"The database that was there before is kept as {kept}. Delete it when all is well.")


async def _give_up(settings: Settings, lost: list[str]) -> None:
    """Mark the surveys whose box cannot be opened any more, so that people are told."""
    from bot.cli.opening import now_utc, today_at
    from bot.house import opened_school
    from data.surveys import find_survey
    from scheduler.closing import give_up_lost_box

    now = now_utc()
    async with opened_school(settings) as opened, opened.db.transaction() as tx:
        for id in lost:
            survey = await find_survey(tx, id)
            if survey:
                await give_up_lost_box(tx, survey, now, today_at(opened.house, now))
