"""`yousaid audit`: whether the log of who did what is whole, a copy for those who check the school, and its rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.house import Opened
    from data.audit import Entry
    from data.audit_check import Checked, Noted
    from data.database import Tx

app = typer.Typer(help="Check the log of who did what, copy it, or show its last rows.", rich_markup_mode=None)
MOST = 20  # lines of what is wrong; more would hide the first


@app.command()
def verify(
    file: Path | None = typer.Option(None, "--bundle", help="A file of `audit export`; needs no key and no database."),
    head: str | None = typer.Option(None, "--head", help="A head noted earlier: has anything before it changed?"),
) -> None:
    """Check every row of the log. Ends with 1 when one was changed, removed, put in or swapped."""
    from bot.cli.one_line import Problem
    from data.audit_check import HeadProblem, read_head

    try:
        noted = read_head(head) if head else None
    except HeadProblem as problem:
        raise Problem(str(problem)) from None
    checked, wrong = (_bundle(file, noted), []) if file else _log(noted)
    typer.echo("\n".join([_report(checked, noted is not None), *wrong]))
    if checked.problems or wrong[1:]:
        raise typer.Exit(1)


def _bundle(file: Path, noted: Noted | None) -> Checked:
    from bot.cli.one_line import Problem
    from data.audit_check import check_bundle

    try:
        with file.open(encoding="utf-8") as lines:
            return check_bundle(lines, noted)
    except UnicodeDecodeError:
        raise Problem(f"{file} is no bundle of `yousaid audit export`.") from None


def _log(noted: Noted | None) -> tuple[Checked, list[str]]:
    """The log, and a line about the counts of all surveys; more lines where one is wrong."""
    from bot.cli.opening import with_school
    from data.audit_check import check_log

    async def check(opened: Opened) -> tuple[Checked, list[str]]:
        async with opened.db.reading() as tx:
            return await check_log(tx, noted), await _counts(opened, tx)

    return with_school(check)


async def _counts(opened: Opened, tx: Tx) -> list[str]:
    from conversations.counting import count_words
    from data.counting import count_checks

    found = await count_checks(tx)
    surveys = "1 closed survey" if len(found) == 1 else f"{len(found)} closed surveys"
    wrong = [f"{id}: {count_words(c, opened.house.texts, 'en')}" for id, c in found.items() if not c.holds]
    summed = f"{len(wrong)} wrong" if wrong else "both sides agree"
    return [f"Counts: {surveys}, and {summed}.", *wrong]


def _report(checked: Checked, compared: bool) -> str:
    if not checked.problems:
        same = ["The history up to the noted head is the same."] if compared else []
        whole = f"Rows: {checked.rows}. Nothing was changed, removed, put in or swapped."
        return "\n".join([whole, *same, f"Head: {checked.short_head}. Note it outside this machine, with the date."])
    rest = len(checked.problems) - MOST
    more = [f"And {rest} more."] if rest > 0 else []
    broken = f"Rows: {checked.rows}. The log was tampered with, or the disk is failing. Keep a copy, tell the school."
    return "\n".join([broken, *checked.problems[:MOST], *more])


@app.command()
def export(file: Path = typer.Argument(help="The file to write; it must not be there yet.")) -> None:
    """Write the log for somebody who checks the school: no names, no reasons. `audit verify --bundle` checks it."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc, with_school
    from data.audit import COMMAND_LINE
    from data.audit_check import bundle
    from data.looks import note_look
    from data.moments import stamp

    if file.exists():
        raise Problem(f"{file} is there already. Name a new file.")
    now = now_utc()

    async def write(opened: Opened) -> int:
        async with opened.db.transaction() as tx:
            await note_look(tx, COMMAND_LINE, "audit-export", "audit", "", now)
        async with opened.db.reading() as tx:
            return _write(file, [line async for line in bundle(tx, stamp(now))])

    typer.echo(
        f"Log: {file}, {with_school(write) - 1} rows. Anybody checks it: `yousaid audit verify --bundle {file}`."
    )


def _write(file: Path, lines: list[str]) -> int:
    from data.vault import write_private

    write_private(file, ("\n".join(lines) + "\n").encode())
    return len(lines)


@app.command()
def show(
    last: int = typer.Option(20, "--last", min=1, max=1000, help="How many rows, the newest last."),
    ref: str = typer.Option("", "--of", help="Only what was done to this: an id of a survey, an item, a person."),
) -> None:
    """Show the last rows with who did it and why. That you looked is itself a row, written first."""
    from bot.cli.opening import now_utc, with_school

    async def shown(opened: Opened) -> list[str]:
        from data.audit import COMMAND_LINE, last_entries
        from data.looks import note_look

        async with opened.db.transaction() as tx:
            await note_look(tx, COMMAND_LINE, "audit", ref or "audit", "", now_utc())
        async with opened.db.reading() as tx:
            found = await last_entries(tx, last, ref)
            return [_line(opened, entry, await who(tx, entry.actor)) for entry in found]

    typer.echo("\n".join(with_school(shown)))


async def who(tx: Tx, actor: str | None) -> str:
    """How the actor of a row is called: name and roles, where they are still known."""
    from data.people import find_person

    person = await find_person(tx, actor) if actor else None
    if person is None:
        return actor or "the program"
    roles = ", ".join(sorted(person.roles))
    return " ".join(filter(None, (person.label or person.id, f"({roles})" if roles else "")))


def _line(opened: Opened, entry: Entry, who: str) -> str:
    at = entry.at.astimezone(opened.house.school.zone).strftime("%d/%m/%Y %H:%M")
    detail = ", ".join(f"{name}: {value}" for name, value in entry.detail.items())
    return "  ".join(filter(None, (str(entry.id), at, who, entry.what, entry.ref, detail)))
