"""Released databases put onto SQLite or PostgreSQL, moved up and down, with a failure at any statement on the way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)

from data.migrations.migrate import downgrade_on, upgrade_on
from data.place import Place, PostgresServer, SqliteFile
from data.postgres import make_engine
from data.preparing import HEAD
from data.vault import Vault
from tests.school import MASTER

HERE = Path(__file__).parent
VERSIONS = ("0001", "0002", "0003")
T = TypeVar("T")
Content = dict[str, list[dict[str, Any]]]


class Stopped(Exception):
    """The k-th statement failed."""


def unpack(version: str, folder: Path) -> Path:
    """The released file, with the keys of its boxes, where `opened` looks for a school."""
    (folder / "data").mkdir(parents=True)
    (folder / "keys").mkdir()
    file = folder / "data" / "yousaid.db"
    file.write_bytes(gzip.decompress((HERE / f"{version}.db.gz").read_bytes()))
    for name, key in json.loads((HERE / f"{version}.keys.json").read_text()).items():
        (folder / "keys" / name).write_text(key)
    return file


class Migrated:
    """A database that is moved between schemas. `stop_at`: the statement that fails, 0 for none."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.stop_at = 0
        self.statements = 0

    async def up(self, revision: str = HEAD) -> None:
        await self.does(lambda connection: upgrade_on(connection, Vault(MASTER), revision))

    async def down(self, revision: str) -> None:
        await self.does(lambda connection: downgrade_on(connection, Vault(MASTER), revision))

    async def content(self) -> Content:
        return await self.does(content, counted=False)

    async def does(self, work: Callable[[Connection], T], counted: bool = True) -> T:
        """In one transaction; every statement is counted, the commit too."""
        self.statements = 0
        if isinstance(self.place, PostgresServer):
            return await self._on_server(work, counted)
        engine = create_engine(f"sqlite:///{self.place.path}")
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.execute(text("BEGIN IMMEDIATE")))
        self._watch(engine, counted)
        try:
            with engine.begin() as connection:
                return work(connection)
        finally:
            engine.dispose()

    async def _on_server(self, work: Callable[[Connection], T], counted: bool) -> T:
        assert isinstance(self.place, PostgresServer)
        engine = make_engine(self.place)
        self._watch(engine.sync_engine, counted)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    def _watch(self, engine: Engine, counted: bool) -> None:
        def step(*_: object) -> None:
            self.statements += 1
            if self.statements == self.stop_at:
                raise Stopped

        if counted:
            event.listen(engine, "before_cursor_execute", step)
            event.listen(engine, "commit", step)


def content(connection: Connection) -> Content:
    """Every row of every table, in an order of its own, with values that are alike on both databases."""
    found = {}
    for name in inspect(connection).get_table_names():
        rows = connection.execute(text(f'SELECT * FROM "{name}"')).mappings().all()
        found[name] = sorted(({k: _plain(v) for k, v in row.items()} for row in rows), key=repr)
    return found


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else bytes(value) if isinstance(value, memoryview) else value


async def put_on_server(server: PostgresServer, version: str, folder: Path) -> None:
    """The released file's rows in an empty database of that version."""
    rows = await Migrated(SqliteFile(unpack(version, folder))).content()
    target = Migrated(server)
    await target.up(version)
    await target.does(lambda connection: _insert(connection, rows))


def _insert(connection: Connection, rows: Content) -> None:
    known = MetaData()
    known.reflect(connection)
    for table in known.sorted_tables:
        truths = [c.name for c in table.columns if isinstance(c.type, Boolean)]
        whole = [row | {name: bool(row[name]) for name in truths if row[name] is not None} for row in rows[table.name]]
        if whole and table.name != "alembic_version":
            connection.execute(insert(table), whole)
            _count_on(connection, table)


def _count_on(connection: Connection, table: Table) -> None:
    """The server's next number follows the highest that was put there."""
    column = table.autoincrement_column
    if column is not None and column.server_default is not None:
        highest = connection.scalar(select(func.max(column)))
        statement = text("SELECT setval(pg_get_serial_sequence(:name, :column), :highest)")
        connection.execute(statement, {"name": table.name, "column": column.name, "highest": highest})
