"""`yousaid survey`: what was sent, and how it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.removing import remove

if TYPE_CHECKING:
    from bot.house import Opened
    from data.database import Tx
    from data.surveys import Survey

HELP = "List surveys, show one or how far its letters are, or take an answer sheet out."
app = typer.Typer(help=HELP, rich_markup_mode=None)
COLUMNS = ("id", "state", "asked", "started", "finished")
AS_JSON = typer.Option(False, "--json", help="Print JSON.")


app.command()(remove)


@app.command("list")
def list_surveys(as_json: bool = AS_JSON) -> None:
    """One line each, newest first: id, state, asked, started, finished."""
    from bot.cli.opening import with_school

    rows = with_school(_all)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo("  ".join(_shown(row[column]) for column in COLUMNS))
    if not rows:
        typer.echo("No survey was sent yet: `yousaid send FORM --group NAME`.", err=True)


@app.command()
def show(id: str = typer.Argument(help="A survey, or a form for its latest survey."), as_json: bool = AS_JSON) -> None:
    """How one survey stands: counts, dates, group, decision. Never an answer."""
    from bot.cli.opening import survey_named, with_school

    async def one(opened: Opened) -> dict[str, Any]:
        async with opened.db.reading() as tx:
            return await _row(tx, await survey_named(tx, id))

    row = with_school(one)
    if as_json:
        typer.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    for name, value in row.items():
        typer.echo(f"{name}: {_count(value) if isinstance(value, dict) else _shown(value)}")


@app.command()
def delivery(
    id: str = typer.Argument(help="A survey, or a form for its latest survey."), as_json: bool = AS_JSON
) -> None:
    """How far what was sent about a survey has come: counts only."""
    from bot.cli.opening import now_utc, survey_named, with_school
    from bot.delivery import lines_about
    from data.delivery import deliveries_about, in_json

    async def found(opened: Opened) -> tuple[list[dict[str, Any]], list[str]]:
        async with opened.db.reading() as tx:
            survey = await survey_named(tx, id)
            rows = [in_json(one) for one in await deliveries_about(tx, survey.id)]
            return rows, await lines_about(tx, opened.house, "en", survey.id, now_utc())

    rows, lines = with_school(found)
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=2) if as_json else "\n".join(lines))


def _count(values: dict[str, Any]) -> str:
    """The count that anybody can check, in words; and that sheets were taken out."""
    from conversations.counting import CountCheck, count_and_removed
    from conversations.texts import load_texts

    texts, check = load_texts(), CountCheck(**{k: v for k, v in values.items() if k != "holds"})
    return " ".join(count_and_removed(check, texts, "en"))


async def _all(opened: Opened) -> list[dict[str, Any]]:
    from data.surveys import all_surveys

    async with opened.db.reading() as tx:
        return [await _row(tx, survey) for survey in await all_surveys(tx)]


async def _row(tx: Tx, survey: Survey) -> dict[str, Any]:
    from conversations.texts import load_texts
    from data.counting import count_check
    from data.surveys import group_name

    check = await count_check(tx, survey)
    started, finished = await counts(tx, survey)
    return {
        "id": survey.id,
        "state": survey.state,
        "asked": survey.asked,
        "started": started,
        "finished": finished,
        "form": survey.form.id,
        "version": survey.form.version,
        "mode": survey.mode,
        "group": load_texts().say("en", "after.group") if survey.pooled else await group_name(tx, survey),
        "decision": survey.decision,
        "decider": survey.decider,
        "opened_on": survey.opened_on.isoformat(),
        "closes_at": survey.closes_at.isoformat(),
        "closed_on": survey.closed_on.isoformat() if survey.closed_on else None,
        "answer_by": survey.answer_by.isoformat(),
        "count": check.as_values() if check else None,
    }


async def counts(tx: Tx, survey: Survey) -> tuple[int | None, int | None]:
    """(started, finished); None where the box key is gone and nobody can know."""
    from data.runs import BoxLost, count_runs

    if not survey.open:
        return survey.started, survey.finished
    try:
        return await count_runs(tx, survey)
    except BoxLost:
        return None, None


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
