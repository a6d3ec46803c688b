"""What every step of the nightly deletions needs: whose periods, the moment at which they count, and what went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Table, delete, func, select

from data.database import Tx
from data.moments import stamp
from data.periods import Keeping, months_before


@dataclass(frozen=True)
class Gone:
    """How many of one kind, and the time (as stored) of the oldest of them."""

    kind: str
    n: int
    since: str = ""


@dataclass(frozen=True)
class Night:
    """Whose periods, and the moment at which they are counted."""

    keeping: Keeping
    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)

    def before(self, **kept: float) -> str:
        """Whatever has a time before this one has been kept so long."""
        return stamp(self.now - timedelta(**kept))

    def months_ago(self, months: int) -> datetime:
        return self.start_of(months_before(self.today, months))


Step = Callable[[Tx, Night], Awaitable[Iterable[Gone]]]


async def delete_old(tx: Tx, kind: str, table: Table, which: ColumnElement[bool], at: ColumnElement[str]) -> Gone:
    """Delete these rows; `at` is the time by which they are old."""
    oldest = await tx.value(select(func.min(at)).where(which))
    return Gone(kind, await tx.run(delete(table).where(which)), oldest or "")
