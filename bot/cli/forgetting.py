"""`yousaid forget`: what has been kept long enough, as a table, or deleted now: the night's job by hand.

With --family or --person: all that is linked to somebody who asked the school to delete it, as /delete does it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.house import Opened
    from data.database import Tx
    from data.erasing import Belongings
    from data.keeping import Gone

KINDS = {
    "answers": "answer sheets, which become totals",
    "surveys": "surveys of which only totals stay",
    "damaged": "surveys whose answers are damaged: they stay until a backup mends them",
    "named": "answer sheets in children's papers",
    "warned": "surveys whose papers go in 14 days: admin and SENCO are told",
    "keys": "keys that tell whose answers they are",
    "writers": "names beside words of cut surveys",
    "words": "words of no concern",
    "comments": "decisions about comments",
    "concerns": "words that are in the school's own record",
    "emptied": "what is left of emptied words",
    "needs": "what people needed at events that are over",
    "sign-ups": "sign-ups for events that are over",
    "told": "letters about events that are over",
    "visits-asked": "links between a visit and its answers",
    "drop-ins": "times of events, with their counts and themes",
    "requests": "pupils' requests for an adult",
    "sendings": "sendings that were planned and done",
    "replaced": "rows of /wedid that a newer one replaced",
    "messages": "messages that were sent or dropped",
    "codes": "codes that nobody used",
    "links": "one-time links that ran out",
    "browsers": "browsers that were signed out",
    "visits": "strangers who opened a code and went away",
    "tries": "wrong codes",
    "tasks": "tasks of staff that were begun and left",
    "people": "people whose access ended long ago",
    "leftovers": "what had to stay of deleted people",
    "pauses": "pauses that are over",
    "log": "rows of the log",
    "tombstones": "notes of deletions that no backup can undo any more",
}


def forget(
    dry_run: bool = typer.Option(False, "--dry-run", help="Only show what would go; nothing is changed."),
    on: str | None = typer.Option(None, "--on", help="As if it were this day, such as 2028-09-01; with --dry-run."),
    family: str | None = typer.Option(None, "--family", help="Delete somebody who asked for it: the family's label."),
    person: str | None = typer.Option(None, "--person", help="The same by their number, where labels are not enough."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Delete what has been kept long enough, as every night at 03:00. The periods stand in school.yaml.

    With --family or --person: all that is linked to one person who asked for it, as /delete does in their chat.
    """
    from bot.cli.opening import with_school

    if family or person:
        return _somebody(family, person, dry_run, on, yes)

    async def work(opened: Opened) -> str:
        at = _moment(opened, on, dry_run)
        if not (dry_run or yes):
            await _ask_date(opened, at)
        return _table(opened, await _gone(opened, at, dry_run), dry_run)

    typer.echo(with_school(work))


async def _ask_date(opened: Opened, at: datetime) -> None:
    """With a clock years ahead everything would be due, and the bot waits for this command (scheduler/leaps.py)."""
    from scheduler.leaps import leap

    ahead = await leap(opened.db, at)
    if ahead:
        typer.confirm(
            f"The bot last worked {ahead.days} days ago. Is it really {at:%d %B %Y}? `--dry-run` shows what would go.",
            abort=True,
        )


async def _gone(opened: Opened, at: datetime, dry_run: bool) -> list[Gone]:
    from data.audit import COMMAND_LINE
    from data.keeping import would_go
    from data.tombstone_mirror import mirror_due
    from scheduler.keeping import forget_now

    if dry_run:
        return await would_go(opened.db, opened.house.school, at)
    gone = await forget_now(opened.db, opened.house.school, at, COMMAND_LINE)
    await mirror_due(opened.db, at)
    return gone


# --- somebody who asked for it ------------------------------------------------------------------------------------


def _somebody(family: str | None, person: str | None, dry_run: bool, on: str | None, yes: bool) -> None:
    from bot.cli.one_line import Problem
    from bot.cli.opening import with_school

    if (family and person) or on:
        raise Problem("Say who it is: either --family LABEL or --person NUMBER, and without --on.")

    async def look(opened: Opened) -> tuple[str, list[str]]:
        async with opened.db.reading() as tx:
            return await _preview(opened, tx, family, person)

    id, lines = with_school(look)
    typer.echo("\n".join(lines))
    if dry_run:
        return typer.echo("Nothing was changed.")
    if not yes:
        typer.confirm("It cannot be undone. Delete all this now?", abort=True)

    async def work(opened: Opened) -> str:
        return await _erased(opened, id)

    typer.echo(with_school(work))


async def _preview(opened: Opened, tx: Tx, family: str | None, person: str | None) -> tuple[str, list[str]]:
    """Who it is, and what goes and stays, without a name."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import person_called
    from data.erasing import belongings, is_erased
    from data.people import find_person, people_with_role

    id = person or await person_called(tx, family or "")
    found = await find_person(tx, id)
    if found is None or await is_erased(tx, id):
        raise Problem("There is nobody with this number. Use --family with the label.")
    if await people_with_role(tx, "admin") == [id]:
        raise Problem("This is the only admin. First give that role to somebody else: `yousaid invite --role admin`.")
    return id, _of_person(id, ", ".join(sorted(found.roles)) or "no role any more", await belongings(tx, id))


def _of_person(id: str, roles: str, there: Belongings) -> list[str]:
    goes = {
        "sets of answers that nobody has counted yet": there.unsent + there.sent,
        "names on sets of answers, which stay as numbers": there.nameless,
        "sets of answers in a child's papers": there.named,
        "words that were read": there.words,
        "sign-ups for drop-ins and events": there.sign_ups,
    }
    counted = [f"  {what}: {n}" for what, n in goes.items() if n]
    lines = [f"Number {id}, {roles}. This goes:", "  their account, with codes, chats and browsers", *counted]
    if there.waiting:
        lines.append(f"This stays until it is read and done with: {there.waiting} of their words on the page /queue.")
    return lines


async def _erased(opened: Opened, person: str) -> str:
    """As /delete does it; the list beside the key knows of it before anybody is told that it is done."""
    from bot.cli.opening import now_utc, today_at
    from data.audit import COMMAND_LINE
    from data.erasing import erase
    from data.tombstone_mirror import mirror_due
    from scheduler.ladder import hand_over

    now, school = now_utc(), opened.house.school
    async with opened.db.transaction() as tx:
        await hand_over(tx, school, person, now)
        await erase(tx, person, now, COMMAND_LINE)
    await opened.db.wipe_deleted()
    await mirror_due(opened.db, now)
    gone = today_at(opened.house, now) + timedelta(days=school.keeping.backups_days)
    return f"Deleted. From {gone.isoformat()} on none of our backups holds it; delete copies of your own by then too."


# --- the periods --------------------------------------------------------------------------------------------------


def _moment(opened: Opened, on: str | None, dry_run: bool) -> datetime:
    """Now, or the night before this day; a day to come may only be looked at."""
    from bot.cli.one_line import Problem
    from bot.cli.opening import now_utc
    from conversations.listening import parse_date
    from scheduler.plan import KEEPS_AT

    now, zone = now_utc(), opened.house.school.zone
    if on is None:
        return now
    day = parse_date(on, now.astimezone(zone).date())
    if day is None:
        raise Problem(f"--on {on}: that is not a date. Write it like 2028-09-01.")
    if not dry_run:
        raise Problem("--on is for looking: use it with --dry-run. Nothing was deleted.")
    return datetime.combine(day, KEEPS_AT, zone)


def _table(opened: Opened, gone: list[Gone], dry_run: bool) -> str:
    if not gone:
        return "Nothing has been kept long enough to go." if dry_run else "Nothing was due."
    rows = [(KINDS[g.kind], str(g.n), _day(opened, g.since)) for g in gone]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    verb = "This would go" if dry_run else "This has gone"
    lines = [f"  {what:<{widths[0]}}  {n:>{widths[1]}}{since}" for what, n, since in rows]
    end = "Nothing was changed." if dry_run else "From backups it goes with the oldest of them."
    return "\n".join([f"{verb}:", *lines, end])


def _day(opened: Opened, since: str) -> str:
    """ "  since 2026-11-17", from a stored time or day; empty where there is none."""
    from data.moments import moment

    if not since:
        return ""
    zone = opened.house.school.zone
    day = date.fromisoformat(since) if len(since) == 10 else moment(since).astimezone(zone).date()
    return f"  since {day.isoformat()}"
