"""`yousaid backup` and `restore`: one encrypted file of the whole database, and putting one back."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.house import Opened
    from bot.putting_back import Restored
    from bot.settings import Settings


def backup(
    file: Path | None = typer.Argument(None, help="The file to write; it must not be there yet."),
    to: Path | None = typer.Option(
        None, "--to", help="A folder on another disk; the name is made from date and schema."
    ),
    keep: str = typer.Option("14d", "--keep", help="With --to: remove our own backups there after so many days."),
) -> None:
    """Save the whole database in one encrypted file, while the bot runs. No key and no open box is inside."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc, settings_now

    if (file is None) == (to is None):
        raise Problem("Name a file, or a folder with --to: `yousaid backup --to /media/usb --keep 14d`.")
    if to and not to.is_dir():
        raise Problem(f"There is no folder {to}. Is the disk in, and the name right?")
    settings, days = settings_now(), _days(keep)
    target, removed, boxes = asyncio.run(_backup(settings, file, to, days, now_utc()))
    typer.echo(f"Backup: {target}. It is encrypted; only the key in {settings.key_file} opens it. Keep them apart.")
    if removed:
        typer.echo(f"Removed there, as they were older: {', '.join(removed)}.")
    if to and _elsewhere(settings, to):
        typer.echo("Now take the disk out, and keep it in another building.")
    elif to:
        typer.echo(f"{to} is on the disk of this machine: if that fails, both are gone. Copy it to another one too.")
    if boxes:
        typer.echo(
            f"Open boxes: {', '.join(boxes)}. Their keys lie only in {settings.key_folder}: if that folder is lost, "
            "or this backup is put back after they were closed, their answers cannot be read."
        )


def _days(words: str) -> timedelta:
    from bot.cli.one_line import Problem
    from data.backup import LONGEST_KEPT

    number = re.fullmatch(r"(\d{1,3}) ?(?:d|days?)?", words.strip())
    if not number or not 1 <= int(number[1]) <= LONGEST_KEPT.days:
        raise Problem(f"--keep takes 1d to {LONGEST_KEPT.days}d: what is deleted must be gone from backups by then.")
    return timedelta(days=int(number[1]))


async def _backup(
    settings: Settings, file: Path | None, to: Path | None, keep: timedelta, now: datetime
) -> tuple[Path, list[str], list[str]]:
    """The file, what was removed beside it, and the ids of the surveys whose box is open."""
    from bot.house import opened_school
    from data.backup import back_up, backup_name, free_name, remove_old
    from data.database import HEAD
    from data.surveys import all_surveys

    async with opened_school(settings) as opened:
        local = now.astimezone(opened.house.school.zone)
        target = file or free_name(to or Path(), backup_name(local, HEAD))
        await back_up(opened.db, target, now, settings.backups_folder)
        removed = remove_old(to, local.date(), keep) if to else []
        await _note(opened, now, outside=to is not None and _elsewhere(settings, to))
        async with opened.db.reading() as tx:
            return target, removed, [s.id for s in await all_surveys(tx, "open") if s.mode == "ANON"]


def _elsewhere(settings: Settings, folder: Path) -> bool:
    """Whether this folder is on another disk than our own backups."""
    return folder.stat().st_dev != settings.backups_folder.stat().st_dev


async def _note(opened: Opened, now: datetime, outside: bool) -> None:
    """For doctor's reminders, and in the log: whoever has such a file and the key has everything."""
    from data.audit import COMMAND_LINE, note
    from data.backup_facts import MADE, OUTSIDE, note_time
    from data.database import DatabaseBusy

    with suppress(DatabaseBusy):
        async with opened.db.transaction() as tx:
            await note_time(tx, now, MADE, *([OUTSIDE] if outside else []))
            await note(tx, "backup", "database", now, COMMAND_LINE)


def restore(
    file: Path = typer.Argument(help="A file made by `yousaid backup`, by the nightly job, or before an upgrade."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask, also when the answers in open boxes are lost."),
) -> None:
    """Put a backup in place of the database. The bot must be stopped; the old database is kept."""
    from bot.cli.opening import now_utc, settings_now
    from bot.putting_back import put_back

    def ask(line: str) -> None:
        typer.echo(line)
        if not yes:
            typer.confirm("Restore all the same?", abort=True)

    settings, now = settings_now(), now_utc()
    restored = asyncio.run(put_back(settings, file, now, ask))
    typer.echo("\n".join(_report(restored, settings, file, now)))


def _report(restored: Restored, settings: Settings, file: Path, now: datetime) -> list[str]:
    lines = [f"Restored {file} to {settings.database}.", _age(restored.made_at, now), *_again(restored)]
    if restored.lost:
        lines.append(f"Lost, and those asked will be told: {', '.join(restored.lost)}.")
    if restored.kept:
        lines.append(
            f"The database that was there before is kept as {restored.kept}. Delete it when all is well; "
            "after 30 days it goes by itself."
        )
    return [*lines, "Now: `yousaid doctor`, then `yousaid run`."]


def _age(made_at: datetime | None, now: datetime) -> str:
    if made_at is None:
        return "That file is not encrypted: a database, or a backup of an earlier version. Delete it afterwards."
    hours = max(0, int((now - made_at).total_seconds() // 3600))
    ago = f"{hours} hours" if hours < 48 else f"{hours // 24} days"
    return f"The backup is {ago} old ({made_at:%d %B %Y, %H:%M} UTC). What people answered since then is gone."


KINDS = {
    "person": "people who had asked for it",
    "access": "people whose access had ended",
    "role": "roles",
    "booking": "places given back",
    "off": "events and times that were called off",
    "stop": "people who had said stop",
    "item": "words that had been passed on or kept long enough",
    "sheet": "answer sheets",
    "answers": "surveys of which only totals were left",
    "names": "surveys whose names had been cut",
}


KNOWN_BY = {
    "list": "What had gone since is known from the list beside the key.",
    "nowhere": "Nothing is known of the time since: there was no old database to read, and no list beside the key. "
    "If people asked to be deleted since then, delete them again.",
}


def _again(restored: Restored) -> list[str]:
    """What had gone since the backup, and went again."""
    again = [f"{n} {KINDS.get(kind, kind)}" for kind, n in restored.deleted_again.items()]
    lines = [f"Taken away again, as it had gone since: {', '.join(again)}."] if again else []
    lines += [KNOWN_BY[restored.known_by]] if restored.known_by in KNOWN_BY else []
    if restored.letters:
        lines.append(f"Messages that had gone out since and will not go again: {restored.letters}.")
    return lines
