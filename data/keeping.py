"""Deleting what has been kept long enough (6.8): one transaction takes all that is due and says how much of each kind.

Nothing here asks what was deleted last time: what is due follows from the rows and the periods alone, so a night that
was missed is made up for by the next. What could come back with a backup leaves a tombstone (data/tombstones.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, delete, func, or_, select

from data.audit import entries, note
from data.audit_erasing import forget_entries
from data.codes import keep_numbers
from data.database import Database, Tx, write_fact
from data.erasing import erase, erase_leftovers, must_stay
from data.keeping_events import keep_events
from data.moments import stamp
from data.names import cut_names, forget_writers, is_cut
from data.night import Gone as Gone
from data.night import Night as Night
from data.night import Step, delete_old
from data.outbox import post
from data.pauses import forget_pauses
from data.people import people_with_role
from data.periods import Keeping, last_school_years, months_after
from data.queue import EMPTIED, empty_item, find_item, transferred_items
from data.runs import find_run
from data.school import School
from data.surveys import Survey, all_surveys
from data.tables import (
    audit,
    code_uses,
    codes,
    comments,
    links,
    outbox,
    people,
    queue,
    runs,
    sessions,
    tombstones,
    visits,
    wrong_codes,
)
from data.tombstones import ITEM, bury, forget_tombstones
from data.totals import to_totals
from data.unchanged import is_whole

LAST = "kept-at"  # the fact that holds when this was last done
WARNED = "named-warned"  # audit row: admin and SENCO were told that answers of a child's papers go
WARNED_BEFORE = timedelta(days=14)
WARNED_ROLES = ("admin", "senco")
VISITS_KEPT = timedelta(days=7)  # who opened a code and never said yes or no
TRIES_KEPT = timedelta(hours=1)  # wrong codes
TASKS_KEPT = timedelta(days=30)  # tasks of staff that were begun and left
FINISHED = ("sent", "failed", "dropped")


async def keep(tx: Tx, school: School, now: datetime, actor: str | None = None) -> list[Gone]:
    """Delete all that is due at `now`; what went, without what there was none of. One audit row holds the numbers."""
    night = Night(school.keeping, now, school.zone)
    gone = [found for step in STEPS for found in await step(tx, night) if found.n]
    await note(tx, "kept", "all", now, actor, **{found.kind: str(found.n) for found in gone})
    return gone


class _OnlyLooking(Exception):
    """Undoes a deletion that was only to be looked at."""


async def would_go(db: Database, school: School, now: datetime) -> list[Gone]:
    """The same as `keep`, undone again before anything is written."""
    gone: list[Gone] = []
    try:
        async with db.transaction() as tx:
            gone = await keep(tx, school, now)
            raise _OnlyLooking
    except _OnlyLooking:
        return gone


async def note_kept(tx: Tx, now: datetime) -> None:
    await write_fact(tx, LAST, stamp(now).encode())


# --- answers ------------------------------------------------------------------------------------------------------


async def _answers(tx: Tx, night: Night) -> Iterable[Gone]:
    """Answer sheets become totals at the end of a school year (NAMED: below).

    Damaged answers are left as they are: a backup may mend them, and wrong totals would stay for ever.
    """
    over = [s for s in await _with_sheets(tx) if s.mode != "NAMED" and _over(s, night)]
    due = [s for s in over if await is_whole(tx, s.id)]
    n = sum([await to_totals(tx, survey, night.now, night.today) for survey in due])
    damaged = Gone("damaged", len(over) - len(due), _oldest(over))
    return [Gone("answers", n, _oldest(due)), Gone("surveys", len(due), _oldest(due)), damaged]


def _over(survey: Survey, night: Night) -> bool:
    kept = night.keeping
    years = kept.anon_answers_school_years if survey.mode == "ANON" else kept.conf_answers_school_years
    return _closed(survey) <= last_school_years(night.today, years)


async def _with_sheets(tx: Tx) -> list[Survey]:
    """Surveys that have ended and whose sheets were not turned into totals yet."""
    return [s for s in await all_surveys(tx, "closed", "unopened", "lost") if s.totals_since is None]


def _closed(survey: Survey) -> date:
    return survey.closed_on or survey.closes_at.date()


def _oldest(surveys: list[Survey]) -> str:
    return min((_closed(s).isoformat() for s in surveys), default="")


async def _names(tx: Tx, night: Night) -> Iterable[Gone]:
    """The keys of CONF answers are cut; words that were read since lose their names too."""
    months = night.keeping.conf_names_months
    closed = [s for s in await all_surveys(tx, "closed", "unopened", "lost") if s.mode == "CONF"]
    due = [s for s in closed if s.keys_cut_on is None and is_cut(s, months, night.today)]
    n = sum([await cut_names(tx, survey, night.today) for survey in due])
    late = sum([await forget_writers(tx, s.id) for s in closed if s.keys_cut_on])
    return [Gone("keys", n, _oldest(due)), Gone("writers", late)]


async def _named(tx: Tx, night: Night) -> Iterable[Gone]:
    """Answers of a child's papers go after admin and SENCO were told in time; whoever was off is told late."""
    told, gone, sheets = [], [], 0
    for survey in await _with_sheets(tx):
        if survey.mode != "NAMED" or night.today < _named_over(survey, night.keeping) - WARNED_BEFORE:
            continue
        goes_on = await named_goes_on(tx, survey, night.keeping, night.zone)
        if goes_on is None:
            await _warn(tx, survey, night)
            told.append(survey)
        elif goes_on <= night.today and await is_whole(tx, survey.id):
            sheets += await to_totals(tx, survey, night.now, night.today)
            gone.append(survey)
    return [Gone("warned", len(told), _oldest(told)), Gone("named", sheets, _oldest(gone))]


def _named_over(survey: Survey, keeping: Keeping) -> date:
    return months_after(_closed(survey), keeping.named_answers_months)


async def named_goes_on(tx: Tx, survey: Survey, keeping: Keeping, zone: ZoneInfo) -> date | None:
    """The day on which these answers go; None before anybody was told."""
    told = await entries(tx, survey.id, WARNED)
    if not told:
        return None
    return max(_named_over(survey, keeping), (told[-1].at.astimezone(zone) + WARNED_BEFORE).date())


async def _warn(tx: Tx, survey: Survey, night: Night) -> None:
    await note(tx, WARNED, survey.id, night.now)
    await post(tx, "named-going", survey.id, await people_with_role(tx, *WARNED_ROLES), night.now)


# --- words --------------------------------------------------------------------------------------------------------


async def _words(tx: Tx, night: Night) -> Iterable[Gone]:
    """Words of no concern go with the answers of their survey; others count from the day they came.

    Whatever nobody has read, or nobody has passed on yet, stays (SAFE-3, SAFE-8).
    """
    totals = {s.id for s in await all_surveys(tx) if s.totals_since}
    end = last_school_years(night.today, night.keeping.conf_answers_school_years)
    old = and_(queue.c.survey.is_(None), queue.c.came_at < stamp(night.start_of(end + timedelta(days=1))))
    read = queue.c.read_at.is_not(None) & (queue.c.kind != EMPTIED)
    due = select(queue.c.id, queue.c.came_at).where(read, or_(old, queue.c.survey.in_(totals)))
    rows = [r for r in await tx.all(due.order_by(queue.c.came_at)) if await _may_go(tx, r.id)]
    for row in rows:
        await tx.run(delete(queue).where(queue.c.id == row.id))
        await bury(tx, ITEM, row.id, night.now)
    n = await tx.run(delete(comments).where(comments.c.survey.in_(totals)))
    return [Gone("words", len(rows), rows[0].came_at if rows else ""), Gone("comments", n)]


async def _may_go(tx: Tx, id: str) -> bool:
    """What was passed on has days of its own, in which a slip of the finger can be taken back (`_concerns`)."""
    item = await find_item(tx, id)
    return item is not None and item.done_at is None and not must_stay(item)


async def _concerns(tx: Tx, night: Night) -> Iterable[Gone]:
    """Words that the school's own record has are emptied; what is left of them goes with the logs."""
    due = await transferred_items(tx, night.now, night.keeping.transferred_days)
    for item in due:
        await empty_item(tx, item, night.now)
    at = func.coalesce(queue.c.done_at, queue.c.came_at)
    old = and_(queue.c.kind == EMPTIED, at < stamp(night.months_ago(night.keeping.logs_months)))
    return [Gone("concerns", len(due)), await delete_old(tx, "emptied", queue, old, queue.c.came_at)]


# --- messages, codes, browsers ------------------------------------------------------------------------------------


async def _messages(tx: Tx, night: Night) -> Iterable[Gone]:
    before = stamp(night.months_ago(night.keeping.logs_months))
    old = and_(outbox.c.state.in_(FINISHED), outbox.c.due_at < before)
    return [await delete_old(tx, "messages", outbox, old, outbox.c.due_at)]


async def _codes(tx: Tx, night: Night) -> Iterable[Gone]:
    """Codes that nobody used. The code that somebody came in with stays as long as they do: it opens their browser."""
    await keep_numbers(tx)
    unused = codes.c.hash.not_in(select(code_uses.c.hash))
    old = and_(unused, codes.c.expires_at < night.before(days=night.keeping.codes_days))
    return [await delete_old(tx, "codes", codes, old, codes.c.expires_at)]


async def _doors(tx: Tx, night: Night) -> Iterable[Gone]:
    """One-time links and browsers that have ended, strangers at the door, wrong codes."""
    now = stamp(night.now)
    return [
        await delete_old(tx, "links", links, links.c.expires_at <= now, links.c.expires_at),
        await delete_old(tx, "browsers", sessions, sessions.c.ends_at <= now, sessions.c.ends_at),
        await delete_old(tx, "visits", visits, visits.c.at < stamp(night.now - VISITS_KEPT), visits.c.at),
        await delete_old(tx, "tries", wrong_codes, wrong_codes.c.at < stamp(night.now - TRIES_KEPT), wrong_codes.c.at),
    ]


async def _tasks(tx: Tx, night: Night) -> Iterable[Gone]:
    """Tasks of staff that were begun and left: an invitation's label, the place of a drop-in."""
    begun = [r.id for r in await tx.all(select(runs.c.id).where(runs.c.errand.is_not(None)))]
    found = [run for id in begun if (run := await find_run(tx, id, None)) and night.now - run.saved_at > TASKS_KEPT]
    await tx.run(delete(runs).where(runs.c.id.in_([run.id for run in found])))
    return [Gone("tasks", len(found), min((stamp(run.saved_at) for run in found), default=""))]


# --- people, logs -------------------------------------------------------------------------------------------------


async def _people(tx: Tx, night: Night) -> Iterable[Gone]:
    """Those whose access ended long ago; then what had to stay of people since deleted."""
    before = stamp(night.months_ago(night.keeping.ended_people_months))
    ended = select(people.c.id, people.c.ended_at).where(people.c.ended_at < before, people.c.erased_at.is_(None))
    rows = await tx.all(ended.order_by(people.c.ended_at, people.c.id))
    for row in rows:
        await erase(tx, row.id, night.now)
    return [
        Gone("people", len(rows), rows[0].ended_at if rows else ""),
        Gone("leftovers", await erase_leftovers(tx, night.now)),
    ]


async def _pauses(tx: Tx, night: Night) -> Iterable[Gone]:
    gone = await forget_pauses(tx, night.now)
    return [Gone("pauses", len(gone), stamp(gone[0].since) if gone else "")]


async def _logs(tx: Tx, night: Night) -> Iterable[Gone]:
    """Last, for the steps before may write to the log."""
    oldest = await tx.value(select(func.min(audit.c.at)))
    gone = await forget_entries(tx, night.months_ago(night.keeping.logs_months), night.now)
    old = await tx.value(select(func.min(tombstones.c.at)))
    return [
        Gone("log", gone, oldest if gone else ""),
        Gone("tombstones", await forget_tombstones(tx, night.now), old or ""),
    ]


STEPS: tuple[Step, ...] = (
    _answers, _named, _names, _words, _concerns, keep_events, _messages, _codes, _doors, _tasks, _people, _pauses,
    _logs,
)  # fmt: skip
