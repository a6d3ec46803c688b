"""`yousaid send`, `close` and `export`: a survey from its sending to its files."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.errands.send import Sending
    from bot.facts import House
    from bot.house import Opened
    from conversations.form import Form
    from data.answers import Closed
    from data.database import Tx
    from data.surveys import Survey


def send(
    form: str = typer.Argument(help="The id of a form (`yousaid form list`)."),
    group: str = typer.Option(..., "--group", help="Who is asked: the name of a group."),
    closes: str | None = typer.Option(None, "--closes", help="Last day, such as 2027-05-05; else in 14 days."),
    answer_by: str | None = typer.Option(None, "--answer-by", help="Day we answer by; else 14 days after closing."),
    decision: str | None = typer.Option(None, "--decision", help="What it helps to decide; else as the form says."),
    decider: str | None = typer.Option(None, "--decider", help="Who decides; else the head teacher."),
) -> None:
    """Ask a group. The id of the new survey stands alone on the last line."""
    from bot.cli.opening import with_school

    async def sent(opened: Opened) -> tuple[Survey, int]:
        async with opened.db.transaction() as tx:
            return await _send(tx, opened.house, form, group, (closes, answer_by, decision, decider))

    survey, left_out = with_school(sent)
    people = "1 person" if survey.asked == 1 else f"{survey.asked} people"
    typer.echo(f"Sent to {people} of {group}; the bot delivers it while it runs.")
    if left_out:
        typer.echo(f"Not asked, as they have had two consultations this half term: {left_out}.")
    typer.echo(f"It decides: {survey.decision}. Who decides: {survey.decider}.")
    typer.echo(f"Open until {survey.closes_at:%Y-%m-%d}, answer by {survey.answer_by}. Close it: `yousaid close ID`.")
    typer.echo(survey.id)


Wishes = tuple[str | None, str | None, str | None, str | None]


async def _send(tx: Tx, house: House, form_id: str, group: str, wishes: Wishes) -> tuple[Survey, int]:
    """The survey, and how many of the group were left out (6.9)."""
    from bot.cli.form import form_named
    from bot.cli.one_line import Problem
    from bot.cli.opening import group_named, now_utc, today_at
    from bot.errands.send import Refused, check_sending, send_survey
    from data.audit import COMMAND_LINE

    now = now_utc()
    form, group_id = await form_named(tx, form_id), await group_named(tx, group)
    sending = _sending(house, form, group_id, today_at(house, now), wishes)
    try:
        left_out = (await check_sending(tx, house, sending, now)).left_out
        return await send_survey(tx, house, sending, now, COMMAND_LINE), left_out
    except Refused as refused:
        raise Problem(house.texts.say("en", refused.key, **refused.facts)) from None


def _sending(house: House, form: Form, group: str, today: date, wishes: Wishes) -> Sending:
    from dataclasses import replace

    from bot.errands.send import default_sending
    from scheduler.plan import ANSWERS_AFTER

    closes, answer_by, decision, decider = wishes
    usual = default_sending(house, form, group, today)
    last = _day(closes, "--closes", today) if closes else usual.closes
    answer = _day(answer_by, "--answer-by", today) if answer_by else last + ANSWERS_AFTER
    decision, decider = decision or usual.decision, decider or usual.decider
    return replace(usual, closes=last, answer_by=answer, decision=decision, decider=decider)


def _day(words: str, option: str, today: date) -> date:
    from bot.cli.one_line import Problem
    from conversations.listening import parse_date

    day = parse_date(words, today)
    if day is None:
        raise Problem(f"{option} {words}: that is not a date. Write it like 2027-05-05.")
    return day


def close(
    survey: str = typer.Argument(help="A survey, or a form for its latest survey."),
    anyway: bool = typer.Option(False, "--anyway", help="Also when too few answered: the answers are then deleted."),
) -> None:
    """Close a survey now: its box is opened, the answers are counted, and those asked are told."""
    from bot.cli.opening import survey_named, with_school

    async def closed(opened: Opened) -> str:
        from data.answers import seal_off

        async with opened.db.transaction() as tx:
            found = await survey_named(tx, survey)
            done = await _close(tx, opened.house, found, anyway)
        await seal_off(opened.db, found.id)
        return _what_happened(opened.house, found, done)

    typer.echo(with_school(closed))


async def _close(tx: Tx, house: House, survey: Survey, anyway: bool) -> Closed:
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc, today_at
    from data.audit import COMMAND_LINE
    from scheduler.closing import close_survey

    if survey.pooled and survey.open:
        raise Problem(
            f"{survey.id} is asked after each visit. It closes by itself with the term, with 10 answers or more."
        )
    if not anyway:
        await _enough(tx, survey)
    now = now_utc()
    done = await close_survey(tx, survey, now, today_at(house, now), COMMAND_LINE)
    if done is None:
        raise Problem(f"{survey.id} is closed already ({survey.state}).")
    return done


async def _enough(tx: Tx, survey: Survey) -> None:
    from bot.cli.one_line import Problem
    from bot.cli.survey import counts
    from data.answers import BOX_LEAST

    _, finished = await counts(tx, survey)
    if survey.open and survey.mode == "ANON" and finished is not None and finished < BOX_LEAST:
        raise Problem(
            f"Only {finished} finished {survey.id}, and with fewer than {BOX_LEAST} the answers are never shown. "
            f"Wait until {survey.closes_at:%Y-%m-%d}; or close it with --anyway, which deletes all its answers."
        )


def _what_happened(house: House, survey: Survey, done: Closed) -> str:
    if done.state == "lost":
        return f"{survey.id} is closed, but the key of its box is gone and its answers are lost. Those asked are told."
    key = "staff.closed" if done.state == "closed" else "staff.closed-unopened"
    return house.texts.say("en", key, survey=survey.id, finished=len(done.finished), asked=survey.asked)


def export(
    survey: str = typer.Argument(help="A closed survey, or a form for its latest survey."),
    out: Path = typer.Option(..., "--out", help="The folder the files are written to."),
) -> None:
    """Write the files of a closed survey, and print their paths."""
    from bot.cli.export_files import write_survey_files
    from bot.cli.opening import with_school

    async def written(opened: Opened) -> list[str]:
        return await write_survey_files(opened, survey, out)

    typer.echo("\n".join(with_school(written)))
