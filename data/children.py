"""The children a parent answers for: as many places as their code says, each with a name only that parent sees."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, update

from data.database import Tx
from data.tables import children
from data.tombstones import CHILD, bury, child_ref, unbury

MOST = 12  # places one parent can have


async def names_of(tx: Tx, person: str) -> list[str]:
    """What this parent calls their children, place by place; "" where they gave no name."""
    mine = select(children).where(children.c.person == person).order_by(children.c.nth)
    return [tx.vault.open("names", r.sealed, _about(person, r.nth)).decode() for r in await tx.all(mine)]


async def set_name(tx: Tx, person: str, nth: int, name: str) -> bool:
    """Write a name into a place, counted from 1; whether there is such a place."""
    await unbury(tx, CHILD, child_ref(person, nth))
    here = update(children).where(children.c.person == person, children.c.nth == nth)
    return await tx.run(here.values(sealed=_sealed(tx, person, nth, name))) == 1


async def take_out_name(tx: Tx, person: str, name: str | None, now: datetime) -> int:
    """Empty the places that hold this name, whoever wrote it large or small; all of them for None. How many."""
    wanted = None if name is None else " ".join(name.casefold().split())
    places = [nth for nth, called in enumerate(await names_of(tx, person), 1) if called and _is(called, wanted)]
    for nth in places:
        await set_name(tx, person, nth, "")
        await bury(tx, CHILD, child_ref(person, nth), now)
    return len(places)


def _is(called: str, wanted: str | None) -> bool:
    return wanted is None or " ".join(called.casefold().split()) == wanted


async def empty_place(tx: Tx, ref: str, now: datetime) -> None:
    """The same for one place (`child_ref`), after a restore."""
    person, _, nth = ref.rpartition("/")
    await set_name(tx, person, int(nth), "")
    await bury(tx, CHILD, ref, now)


async def named_places(tx: Tx) -> list[str]:
    """`child_ref` of every place that holds a name."""
    rows = await tx.all(select(children.c.person).distinct())
    found = [(r.person, await names_of(tx, r.person)) for r in rows]
    return [child_ref(person, nth) for person, names in found for nth, name in enumerate(names, 1) if name]


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
