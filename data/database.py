"""Open, read, transaction(): a school's database, whichever kind it is (data/sqlite.py, data/postgres.py).

Each transaction first looks whether the key file was changed, once it has its turn, or sees what it will see: so that a
running bot seals with the new key as soon as one is being put in place of the old (data/rotation.py says why).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, select

from data.place import Place, SqliteFile
from data.preparing import HEAD as HEAD
from data.preparing import KEY_CHECK as KEY_CHECK
from data.preparing import Before, opens
from data.problems import DatabaseBusy as DatabaseBusy
from data.problems import DatabaseProblem as DatabaseProblem
from data.sqlite import SqliteStore, is_empty_file, prepare, remove_file
from data.statements import AnyRow as AnyRow
from data.statements import Execute, Rows, Store
from data.tables import facts
from data.vault import BoxKeys, Vault


@dataclass(frozen=True)
class Tx:
    """What runs statements inside a transaction, with what seals and opens its rows."""

    execute: Execute
    vault: Vault
    boxes: BoxKeys

    async def run(self, statement: Executable, rows: Rows | dict[str, Any] | None = None) -> int:
        """Execute a statement that changes something; how many rows it changed."""
        if rows is not None and not rows:
            return 0
        result = await self.execute(statement, rows)
        return int(getattr(result, "rowcount", 0) or 0)

    async def all(self, statement: Executable, **values: object) -> Sequence[AnyRow]:
        """The rows; `values` fill the parameters of a statement that was built beforehand."""
        return (await self.execute(statement, values or None)).all()

    async def first(self, statement: Executable, **values: object) -> AnyRow | None:
        return (await self.execute(statement, values or None)).first()

    async def value(self, statement: Executable, **values: object) -> Any:
        return (await self.execute(statement, values or None)).scalar()


class Database:
    """One school's database. Open it with `open_database`, close it before the process ends."""

    def __init__(self, place: Place, vault: Vault, boxes: BoxKeys) -> None:
        self.place = place
        self.vault = vault
        self.boxes = boxes
        self.store = _store(place)

    @property
    def path(self) -> Path:
        """The SQLite file; a database on a server has none."""
        return self._sqlite().path

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """All or nothing: committed and on disk when the block ends, undone when it raises; one after another."""
        async with self.store.transaction() as execute:
            yield await self._with_newest_keys(Tx(execute, self.vault, self.boxes))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """A consistent view that cannot write."""
        async with self.store.reading() as execute:
            yield await self._with_newest_keys(Tx(execute, self.vault, self.boxes))

    async def _with_newest_keys(self, tx: Tx) -> Tx:
        """Take a changed ring over if it opens this database; somebody's slip with the key file is passed over."""
        offered = self.vault.ask_source()
        if offered is not None and opens(offered, await read_fact(tx, KEY_CHECK)):
            self.vault.adopt(offered)
        return tx

    async def wipe_deleted(self) -> None:
        """After something was deleted for good: nothing of it stays readable in the database's files (trust M4)."""
        await self.store.wipe_deleted()

    async def vacuum_into(self, target: Path) -> None:
        """SQLite only: write a compact copy of the whole file while others go on reading and writing."""
        await self._sqlite().vacuum_into(target)

    async def close(self) -> None:
        await self.store.close()

    def _sqlite(self) -> SqliteStore:
        if not isinstance(self.store, SqliteStore):
            raise TypeError(f"{self.place} is not a SQLite file")
        return self.store


def _store(place: Place) -> Store:
    if isinstance(place, SqliteFile):
        return SqliteStore(place.path)
    from data.postgres import PostgresStore  # its driver is loaded only where it is used

    return PostgresStore(place)


async def open_database(
    place: Place, vault: Vault, boxes: BoxKeys, create: bool = False, before: Before | None = None
) -> Database:
    """The school's database, migrated to this version; DatabaseProblem or KeyProblem in one line otherwise.

    `create`: an empty or missing one becomes a school's. `before`: where a backup goes before an older one is migrated.
    """
    if isinstance(place, SqliteFile):
        await asyncio.to_thread(prepare, place.path, vault, create, before)
    else:
        from data.postgres import prepare as prepare_server

        await prepare_server(place, vault, create, before)
    db = Database(place, vault, boxes)
    try:
        await _learn(db)
    except BaseException:
        await db.close()
        raise
    return db


async def _learn(db: Database) -> None:
    """What the database knows of earlier keys; KeyProblem where it needs one that is not there."""
    from data.earlier_lookups import read_kept
    from data.rotation import check_ring

    async with db.reading() as tx:
        await check_ring(tx)
        db.vault.learn(kept.secrets for kept in await read_kept(tx))


async def is_empty(place: Place) -> bool:
    """Whether there is no school at this place yet; DatabaseProblem where it is something else, or out of reach."""
    if isinstance(place, SqliteFile):
        return await asyncio.to_thread(is_empty_file, place.path)
    from data.postgres import server_version

    return await server_version(place) is None


async def remove_database(place: Place, vault: Vault) -> None:
    """Take back what a failed setup made with this key; anybody else's stays."""
    if isinstance(place, SqliteFile):
        return await asyncio.to_thread(remove_file, place.path, vault)
    from data.postgres import remove_school

    await remove_school(place, vault)


async def read_fact(tx: Tx, name: str) -> bytes | None:
    value: bytes | None = await tx.value(select(facts.c.value).where(facts.c.name == name))
    return value


async def write_fact(tx: Tx, name: str, value: bytes) -> None:
    await tx.run(facts.delete().where(facts.c.name == name))
    await tx.run(facts.insert().values(name=name, value=value))
