"""A clock that leaps: with a date years ahead the bot would close, delete and remove backups: for good.

Reminders would all be late for good, too. So that waits until somebody has looked at the clock; messages and alerts go
on. `yousaid doctor` says so, and a `yousaid forget` by hand says that the date is right: a school that was away for
longer than any holiday needs that.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from data.database import Database
from scheduler.keeping import last_kept

log = logging.getLogger(__name__)

LEAP = timedelta(days=100)  # longer than summer holidays; the bot notes every night that it was at work


async def leap(db: Database, now: datetime) -> timedelta | None:
    """How long ago the last night's work was, where that is too long to be believed."""
    async with db.reading() as tx:
        last = await last_kept(tx)
    return now - last if last and now - last > LEAP else None


class Careful:
    """Does rounds that cannot be undone only where the clock can be believed; says once why it does not."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._told = False

    def round(self, work: Callable[[datetime], Awaitable[bool]]) -> Callable[[datetime], Awaitable[bool]]:
        async def careful(now: datetime) -> bool:
            ahead = await leap(self.db, now)
            if ahead is None:
                return await work(now)
            if not self._told:
                self._told = True
                says = (
                    "the clock is %d days after the last night's work: nothing is reminded or deleted; yousaid doctor"
                )
                log.error(says, ahead.days)
            return False

        return careful
