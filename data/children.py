"""The children a parent answers for: as many places as their code says, each with a name only that parent sees."""

from __future__ import annotations

from sqlalchemy import func, insert, select, update

from data.database import Tx
from data.tables import children

MOST = 12  # places one parent can have


async def names_of(tx: Tx, person: str) -> list[str]:
    """What this parent calls their children, place by place; "" where they gave no name."""
    mine = select(children).where(children.c.person == person).order_by(children.c.nth)
    return [tx.vault.open("names", r.sealed, _about(person, r.nth)).decode() for r in await tx.all(mine)]


async def set_name(tx: Tx, person: str, nth: int, name: str) -> bool:
    """Write a name into a place, counted from 1; whether there is such a place."""
    here = update(children).where(children.c.person == person, children.c.nth == nth)
    return await tx.run(here.values(sealed=_sealed(tx, person, nth, name))) == 1


async def add_places(tx: Tx, person: str, more: int) -> None:
    """Room for more children, without names yet."""
    there = int(await tx.value(select(func.count()).where(children.c.person == person)) or 0)
    new = range(there + 1, min(there + more, MOST) + 1)
    rows = [{"person": person, "nth": nth, "sealed": _sealed(tx, person, nth, "")} for nth in new]
    await tx.run(insert(children), rows)


def _sealed(tx: Tx, person: str, nth: int, name: str) -> bytes:
    return tx.vault.seal("names", name.encode(), _about(person, nth))


def _about(person: str, nth: int) -> str:
    return f"child/{person}/{nth}"
