"""`yousaid forget`: what has been kept long enough, as a table, or deleted now; the night's job by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.house import Opened
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
    "drop-ins": "drop-ins that are over, with who was told",
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
) -> None:
    """Delete what has been kept long enough, as every night at 03:00. The periods stand in school.yaml."""
    from bot.cli.opening import with_school

    async def work(opened: Opened) -> str:
        at = _moment(opened, on, dry_run)
        return _table(opened, await _gone(opened, at, dry_run), dry_run)

    typer.echo(with_school(work))


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
