"""The page of recurring jobs. The clock only ticks: what is due, and when, stands in the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from data.database import Database, DatabaseProblem
from data.school import School
from data.tombstone_mirror import mirror_due
from scheduler.answer_dates import answers_due
from scheduler.asking import ask_others_due
from scheduler.backing_up import back_up_due
from scheduler.due import close_due, forget_due, read_due, remind_due
from scheduler.following_up import follow_up_due
from scheduler.hosting import hosts_due
from scheduler.keeping import keep_due
from scheduler.ladder import climb_due, test_alert_due
from scheduler.leaps import Careful
from scheduler.nudging import nudge_due
from scheduler.old_keys import old_keys_due
from scheduler.planned import SendPlanned, planned_due
from scheduler.sending import Sender, send_due
from scheduler.tidying import tidy_due

log = logging.getLogger(__name__)

Round = Callable[[datetime], Awaitable[bool]]
Timekeeper = AsyncIOScheduler  # what others call the clock


def now_utc() -> datetime:
    """The one place that reads the time of day."""
    return datetime.now(UTC)


def make_clock(
    db: Database,
    school: School,
    sender: Sender,
    every: float = 1.0,
    backups: Path | None = None,
    send_planned: SendPlanned | None = None,
) -> AsyncIOScheduler:
    """A clock to start and shut down with the program; each job runs alone and is never skipped for being late.

    `backups`: the folder of the nightly ones; none are made without it. `send_planned` sends what was planned.
    """
    clock = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
    for name, (round, seconds) in rounds_of(db, school, sender, backups, send_planned).items():
        often = {"seconds": seconds * every, "next_run_time": now_utc()}
        clock.add_job(_job(name, round), "interval", id=name, max_instances=1, **often)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns at each tick while a job goes on
    return clock


def rounds_of(
    db: Database, school: School, sender: Sender, backups: Path | None = None, send_planned: SendPlanned | None = None
) -> dict[str, tuple[Round, float]]:
    """What the clock runs and after how many seconds again. Sending comes last, so that what is posted goes at once."""
    careful = Careful(db).round
    jobs: dict[str, tuple[Round, float]] = {
        "climb": (lambda now: climb_due(db, school, now), 5),
        "talk": (lambda now: ask_others_due(db, school, now), 5),
        "test": (lambda now: test_alert_due(db, school, now), 300),
        "close": (careful(lambda now: close_due(db, school, now)), 5),
        "remind": (careful(lambda now: remind_due(db, now)), 5),
        "hosts": (careful(lambda now: hosts_due(db, school, now)), 30),
        "follow up": (careful(lambda now: follow_up_due(db, school, now)), 60),
        "answers": (lambda now: answers_due(db, school, now), 300),
        "nudge": (careful(lambda now: nudge_due(db, now)), 30),
        "read": (lambda now: read_due(db, school, now), 30),
        "forget": (careful(lambda now: forget_due(db, now)), 600),
        "keep": (careful(lambda now: keep_due(db, now)), 300),
        "old keys": (careful(lambda now: old_keys_due(db, now)), 3600),
        "mirror": (lambda now: mirror_due(db, now), 5),
    }
    if send_planned:
        jobs["planned"] = (careful(lambda now: planned_due(db, school, send_planned, now)), 5)
    if backups:
        jobs["back up"] = (careful(lambda now: back_up_due(db, school, backups, now)), 300)
    return jobs | {"tidy": (lambda now: tidy_due(sender, now), 2), "send": (lambda now: send_due(sender, now), 1)}


def _job(name: str, round: Round) -> Callable[[], Awaitable[None]]:
    told = ""

    async def job() -> None:
        """As long as there is work, go on; a problem is logged once and tried again at each tick."""
        nonlocal told
        try:
            while await round(now_utc()):
                pass
            told = ""
        except asyncio.CancelledError:
            return  # the program stops; what was under way is undone, and due again at the next start
        except DatabaseProblem as problem:
            if told != str(problem):  # a weekend without the server is not a disk full of lines
                told = str(problem)
                log.error("%s: %s", name, problem)
        except Exception as error:
            log.error("job %s failed with %s", name, type(error).__name__)

    return job
