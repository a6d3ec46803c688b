"""`yousaid key`: a new key in place of the old, and the recovery sheet: printed, checked and typed back."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.facts import House
    from bot.settings import Settings
    from data.rotation import Tell

app = typer.Typer(help="Change the key, or print, check and restore its recovery sheet.", rich_markup_mode=None)
WRONG_GROUPS = 3  # tries before the command gives up


@app.command()
def new() -> None:
    """Print a new key, for YOUSAID_KEY. Whoever has a key file needs none: `rotate` makes one."""
    from data.vault import new_master_key

    typer.echo(new_master_key())


@app.command()
def sheet(out: Path = typer.Option(..., "--out", help="The PDF to write; it must not be there yet.")) -> None:
    """Write today's recovery sheet as a PDF. Print it, lock it away, and delete the file."""
    from bot.cli.opening import now_utc, settings_now
    from bot.house import opened_school
    from data.audit import COMMAND_LINE, note

    settings = settings_now()
    key = ring_of(settings)[0]

    async def noted() -> House:
        async with opened_school(settings) as opened, opened.db.transaction() as tx:
            await note(tx, "key-sheet", tx.vault.id.hex(), now_utc(), COMMAND_LINE)
            return opened.house

    _refuse_existing(out)
    write_sheet(out, asyncio.run(noted()), key)
    typer.echo(f"Recovery sheet: {out}. Print it, lock it away, then delete the file: whoever has it has the key.")


@app.command()
def check() -> None:
    """Ask for one group of the recovery sheet, to see that the sheet in your hand is today's."""
    from bot.cli.opening import settings_now

    ask_group(ring_of(settings_now())[0])
    typer.echo("That is right. The sheet belongs to today's key.")


@app.command()
def restore() -> None:
    """Type a recovery sheet back into a key file. Another key that is there is never overwritten."""
    from bot.cli.opening import settings_now
    from bot.key_restoring import put_back

    settings = settings_now()
    key = _typed_sheet()
    typer.echo(asyncio.run(put_back(settings, key)))


@app.command()
def rotate(
    sheet: Path | None = typer.Option(None, "--sheet", help="Write the new recovery sheet to this PDF, not to here."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask for a group of the new sheet."),
) -> None:
    """Put a new key in place of the old, while the bot runs. Run it again after a crash: it goes on."""
    from bot.cli.opening import settings_now
    from data.rotation import RotationLock

    settings = settings_now()
    began = time.monotonic()
    ring_of(settings)  # a key that is missing or damaged is said before anything else
    with RotationLock(settings.key_folder):
        ring = _two_keys(settings, sheet, yes)
        wiped = asyncio.run(_reseal(settings))
        _retire(settings, ring)
    typer.echo(_done(settings, time.monotonic() - began, wiped))


# --- the steps of a rotation (data/rotation.py) ---------------------------------------------------------------------


def _two_keys(settings: Settings, sheet: Path | None, yes: bool) -> tuple[bytes, ...]:
    """Steps 1 and 2: the ring with the new key first; its sheet was shown before anything is sealed with it."""
    from bot.cli.one_line import Problem
    from data.key_ring import forget_next, has_next, next_key, write_ring

    ring = ring_of(settings)
    path = settings.key_file
    if len(ring) > 1:
        typer.echo("A change of keys goes on.")
        if settings.key is None:
            show_new_sheet(settings, ring[0], sheet)
            forget_next(path)
        return ring
    if settings.key is not None:
        raise Problem(
            "YOUSAID_KEY holds one key. Make a new one with `yousaid key new`, set YOUSAID_KEY to the new and the old "
            "one with a space between, start the bot again, and run this again."
        )
    if not has_next(path):
        _refuse_existing(sheet)
    key = next_key(path)
    show_new_sheet(settings, key, sheet)
    if not yes and sys.stdin.isatty():
        ask_group(key)
    write_ring(path, key, *ring)
    forget_next(path)
    return (key, *ring)


async def _reseal(settings: Settings) -> bool:
    """Steps 3 to 5; whether nothing is left in the database's files."""
    from bot.cli.opening import now_utc
    from bot.house import opened_database
    from data.rotation import reseal
    from data.tombstone_mirror import mirror_due

    async with opened_database(settings) as db:
        with _progress() as tell:
            wiped = await reseal(db, now_utc(), tell)
        await mirror_due(db, now_utc())  # the list beside the key is signed with the key too
        return wiped


@contextmanager
def _progress() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("Sealing with the new key"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _retire(settings: Settings, ring: tuple[bytes, ...]) -> None:
    """Step 6; a key in a secret store is taken out there by hand."""
    from bot.cli.opening import now_utc
    from data.rotation import retire

    if settings.key is None:
        retire(settings.key_file, ring, now_utc().date())


def _done(settings: Settings, seconds: float, wiped: bool) -> str:
    lines = [f"Done in {seconds:.0f} seconds: everything is sealed with the new key."]
    if settings.key is None:
        lines.append(
            f"The old key is kept in {settings.key_folder} for 31 days, for backups made before; then it goes."
        )
    else:
        lines.append("Take the old key out of YOUSAID_KEY and start the bot again. Keep it 31 days for older backups.")
    if not wiped:
        lines.append("A reader kept the database busy: run `yousaid doctor` later, old pages go with the next night.")
    return "\n".join([*lines, "Make a backup now, and shred the old recovery sheet after 31 days."])


# --- the sheet ------------------------------------------------------------------------------------------------------


def ring_of(settings: Settings) -> tuple[bytes, ...]:
    """The keys of these settings, today's first; KeyProblem in one line otherwise."""
    from data.key_ring import KeyFile, read_ring

    given = settings.key
    return read_ring(given.get_secret_value()) if given is not None else KeyFile(settings.key_file).read()


def show_new_sheet(settings: Settings, key: bytes, out: Path | None) -> None:
    """The new key's sheet, here or as PDF. After a crash it is shown again: the key is the same."""
    if out is None:
        return typer.echo("\n".join(sheet_lines(key, settings)))
    out.unlink(missing_ok=True)
    write_sheet(out, asyncio.run(_house(settings)), key)
    typer.echo(f"The new recovery sheet: {out}. Print it, lock it away, then delete the file.")


async def _house(settings: Settings) -> House:
    from bot.house import opened_school

    async with opened_school(settings) as opened:
        return opened.house


def write_sheet(out: Path, house: House, key: bytes) -> None:
    """The PDF, readable by its owner only."""
    from bot.cli.opening import now_utc, today_at
    from bot.papers.recovery import recovery_pdf
    from data.vault import write_private

    write_private(out, recovery_pdf(house, key, today_at(house, now_utc())))


def _refuse_existing(out: Path | None) -> None:
    from bot.cli.one_line import Problem

    if out is not None and out.exists():
        raise Problem(f"{out} is there already. Choose another name; nothing was overwritten.")
    if out is not None and not out.absolute().parent.is_dir():
        raise Problem(f"There is no folder {out.parent}. Make it first.")


def sheet_lines(key: bytes, settings: Settings) -> list[str]:
    """The sheet to write down by hand."""
    from bot.recovery_sheet import groups_of

    groups = groups_of(key)
    return [
        "RECOVERY SHEET: write this down now and keep it on paper in a locked place, apart from the backups.",
        *(f"  Key {at + 1:>2} to {at + 7:>2}: {'  '.join(groups[at : at + 7])}" for at in (0, 7)),
        "  Groups 1 to 13 are the key, group 14 checks them. There is no letter I, L, O or U.",
        "  Typed back with `yousaid key restore`. As a page to print: `yousaid key sheet --out FILE.pdf`",
        "  Without this key nobody can read the names and words in the database, and no backup helps.",
        f"  The keys of open ballot boxes (answers without names) lie in {settings.key_folder}. They are in no backup.",
        "  If that folder is lost, the answers in the boxes that are open then are lost.",
    ]


def ask_group(key: bytes) -> None:
    """One group of the sheet is typed back, so that a sheet that nobody wrote down is noticed in time."""
    from bot.cli.one_line import Problem
    from bot.recovery_sheet import groups_of, plain

    groups = groups_of(key)
    number = secrets.randbelow(len(groups))
    for _ in range(WRONG_GROUPS):
        typed = typer.prompt(f"Type group {number + 1} from the recovery sheet")
        if secrets.compare_digest(plain(typed).encode(), groups[number].encode()):
            return
        typer.echo("That is not what stands there. Look again.")
    raise Problem("This sheet does not belong to the key. Print the right one: `yousaid key sheet --out FILE.pdf`.")


def _typed_sheet() -> bytes:
    """The key of a sheet that is typed or scanned, in one line or several."""
    from bot.recovery_sheet import GROUPS, SIZE, plain, read_sheet
    from data.vault import KeyProblem

    typer.echo(f"Type the {GROUPS} groups, or scan the square. An empty line ends.")
    typed = ""
    while line := typer.prompt("Groups", default="", show_default=False).strip():
        typed += f" {line}"
        if len(plain(typed)) >= GROUPS * SIZE:
            break
        try:
            return read_sheet(typed)  # an older sheet is shorter
        except KeyProblem:
            continue
    return read_sheet(typed)
