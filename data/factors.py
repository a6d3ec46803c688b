"""Second factors: the secret of a member of staff's authenticator app, and which of its codes are used up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from data.database import AnyRow, Tx
from data.moments import moment, stamp
from data.tables import second_factors

FREE_TRIES = 5  # wrong codes
PAUSE = timedelta(minutes=15)  # within which they count, and after which anybody may try again


@dataclass(frozen=True)
class Factor:
    """`last_step`: codes up to this half minute are used up. `waits_until`: too many wrong codes came."""

    secret: str = field(repr=False)
    last_step: int
    waits_until: datetime | None

    def waits(self, now: datetime) -> bool:
        return self.waits_until is not None and now < self.waits_until


async def find_factor(tx: Tx, person: str) -> Factor | None:
    row = await tx.first(select(second_factors).where(second_factors.c.person == person))
    return _factor(tx, row) if row else None


def _factor(tx: Tx, row: AnyRow) -> Factor:
    secret = tx.vault.open("factors", row.sealed, row.person).decode()
    full = row.wrong >= FREE_TRIES and row.wrong_at
    return Factor(secret, row.last_step, moment(row.wrong_at) + PAUSE if full else None)


async def add_factor(tx: Tx, person: str, secret: str, step: int) -> bool:
    """The first code of this secret was right; False when there is a second factor already."""
    if await find_factor(tx, person):
        return False
    sealed = tx.vault.seal("factors", secret.encode(), person)
    row = {"person": person, "sealed": sealed, "confirmed": True, "last_step": step, "wrong": 0}
    await tx.run(insert(second_factors).values(**row))
    return True


async def use_step(tx: Tx, person: str, step: int) -> None:
    """A right code: it and all before it are used up, and wrong ones are forgotten."""
    mine = update(second_factors).where(second_factors.c.person == person)
    await tx.run(mine.values(last_step=step, wrong=0, wrong_at=None))


async def note_wrong_digits(tx: Tx, person: str, now: datetime) -> None:
    """One more wrong code; the quarter of an hour in which they count begins with the first."""
    row = await tx.first(select(second_factors).where(second_factors.c.person == person))
    if row is None:
        return
    fresh = not row.wrong_at or moment(row.wrong_at) + PAUSE <= now
    new = {"wrong": 1, "wrong_at": stamp(now)} if fresh else {"wrong": row.wrong + 1}
    await tx.run(update(second_factors).where(second_factors.c.person == person).values(**new))


async def remove_factor(tx: Tx, person: str) -> bool:
    """Reset: the next look at names begins with a new one; whether there was one."""
    return await tx.run(delete(second_factors).where(second_factors.c.person == person)) == 1
