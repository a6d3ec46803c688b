"""`yousaid survey remove`: take a whole answer sheet out, with a reason (AUDIT-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.house import Opened
    from bot.sheets import OneSheet


def remove(
    survey: str = typer.Argument(help="A closed survey, or a form for its latest survey."),
    sheet: int = typer.Argument(help="The sheet's number in the file of answers (`yousaid export`)."),
    reason: str = typer.Option(..., "--reason", help="Why; it is kept sealed, and every report says that it happened."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Take one answer sheet out for good. Answers cannot be changed at all."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import with_school

    if not reason.strip():
        raise Problem("Say why: --reason with a few words.")
    found = with_school(lambda opened: _look(opened, survey, sheet))
    for line in found.lines:
        typer.echo(line)
    if not yes:
        typer.confirm(f"Take out sheet {sheet} of {found.survey.id}? It cannot come back.", abort=True)
    typer.echo(with_school(lambda opened: _remove(opened, found, reason)))


async def _look(opened: Opened, id: str, number: int) -> OneSheet:
    """What stands on it; that it was looked at is noted before."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc, survey_named
    from bot.sheets import NoSheet, look_at_sheet
    from data.audit import COMMAND_LINE

    async with opened.db.transaction() as tx:
        survey = await survey_named(tx, id)
        try:
            return await look_at_sheet(tx, opened.house, survey, number, COMMAND_LINE, "en", now_utc())
        except NoSheet as problem:
            raise Problem(opened.house.say("en", problem.key, **problem.facts)) from None


async def _remove(opened: Opened, found: OneSheet, reason: str) -> str:
    from bot.cli.opening import now_utc
    from conversations.counting import count_and_removed
    from data.audit import COMMAND_LINE
    from data.counting import count_check
    from data.removals import remove_sheet

    async with opened.db.transaction() as tx:
        await remove_sheet(tx, found.survey, found.id, reason, COMMAND_LINE, now_utc())
        check = await count_check(tx, found.survey)
    return " ".join(count_and_removed(check, opened.house.texts, "en"))
