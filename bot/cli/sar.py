"""`yousaid sar`: a subject access request, from everything there is to a pack that may go out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.house import Opened
    from bot.subject_access import Gathered
    from data.database import Tx

app = typer.Typer(help="Answer a request for somebody's own data: gather, weigh each passage, make the pack.",
                  rich_markup_mode=None)  # fmt: skip


@app.command()
def prepare(
    out: Path = typer.Option(..., "--out", help="A new folder, which only you can open."),
    family: str | None = typer.Option(None, "--family", help="The label of the family, or a name of staff."),
    person: str | None = typer.Option(None, "--person", help="The person's number, where labels are not enough."),
    received: str | None = typer.Option(None, "--received", help="When the request came: 2026-11-22. Else today."),
) -> None:
    """Gather everything about one person; each passage of free text waits in review.csv for a decision."""
    from bot.access_pack import REVIEW, write_folder
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc, person_called, today_at, with_school
    from bot.subject_access import ASK, due_dates

    if (family is None) == (person is None):
        raise Problem("Say who it is: either --family LABEL or --person NUMBER.")
    if out.exists():
        raise Problem(f"{out} is there already. Choose a new folder.")

    async def work(opened: Opened) -> tuple[Gathered, str]:
        async with opened.db.transaction() as tx:
            id = person or await person_called(tx, family or "")
            gathered = await _gathered(opened, tx, id)
        return gathered, today_at(opened.house, now_utc()).isoformat()

    gathered, today = with_school(work)
    day = _day(received or today)
    write_folder(out, gathered, day)
    waiting = sum(p.suggestion == ASK for p in gathered.passages)
    month, record = due_dates(day)
    typer.echo(f"Gathered in {out}: {len(gathered.passages)} passages of free text, {waiting} for the DSL to weigh.")
    typer.echo(f"Edit the columns `decision` and `black out` of {out / REVIEW}, then: yousaid sar finish {out}")
    typer.echo(f"Answer by {month.isoformat()}. An educational record of a maintained school: by {record.isoformat()}.")
    typer.echo("Delete the folder when the pack has gone out.")


@app.command()
def finish(folder: Path = typer.Argument(help="A folder of `sar prepare`, with every passage decided.")) -> None:
    """Make the pack, as PDF with a covering letter and as JSON. Refuses while a passage is not decided."""
    from bot.access_pack import read_folder, write_pack
    from bot.cli.opening import now_utc, today_at, with_school

    found = read_folder(folder)

    async def work(opened: Opened) -> list[Path]:
        from data.audit import COMMAND_LINE
        from data.looks import note_look

        async with opened.db.transaction() as tx:
            await note_look(tx, COMMAND_LINE, "export-sar", found.person, "", now_utc())
        return write_pack(folder, opened.house, found, today_at(opened.house, now_utc()))

    for path in with_school(work):
        typer.echo(str(path))


async def _gathered(opened: Opened, tx: Tx, person: str) -> Gathered:
    """Noted before anything is gathered, in one transaction."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc
    from bot.subject_access import NotKnown, gather
    from data.audit import COMMAND_LINE
    from data.looks import note_look

    await note_look(tx, COMMAND_LINE, "sar", person, "", now_utc())
    try:
        return await gather(tx, opened.house, person, now_utc())
    except NotKnown:
        raise Problem("There is nobody with this number. Use --family with the label.") from None


def _day(text: str) -> date:
    from bot.cli.one_line import Problem

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem("Write the day of --received like 2026-11-22.") from None
