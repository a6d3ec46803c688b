"""A school's database on a PostgreSQL server: transactions one after another, readers apart, as with SQLite.

The code above reads and then writes, relying on nobody changing anything in between. SQLite grants that by BEGIN
IMMEDIATE; here every writing transaction first takes one advisory lock, so that across all processes only one is under
way. READ COMMITTED then shows it all that came before. Readers see one snapshot (REPEATABLE READ) and cannot write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import CursorResult, Executable, event, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from data.place import PostgresServer
from data.postgres_link import LONGEST, connect, plain_errors
from data.preparing import HEAD, KEY_CHECK, Before, check_key, check_version, key_check
from data.problems import DatabaseProblem
from data.statements import Execute, Values, storable
from data.tables import facts, metadata
from data.vault import Vault

T = TypeVar("T")

TURN = int.from_bytes(b"yousaid\x01")  # the lock of a writing transaction
TAKE_TURN = text(f"SELECT pg_advisory_xact_lock({TURN})")
LOOK = text("SELECT 1")
WIPING = 600.0  # seconds
CHANGING = 3600.0  # seconds for one statement of a change of schema, or for waiting until another's is done
PATIENT = (  # a backup takes as long as it takes, and whoever starts meanwhile waits for it
    text("SET LOCAL idle_in_transaction_session_timeout = 0"),
    text("SET LOCAL lock_timeout = '10min'"),
)

log = logging.getLogger(__name__)


class PostgresStore:
    """Transactions on a server. A line that broke is opened again by the next one that needs it."""

    def __init__(self, place: PostgresServer) -> None:
        self.place = place
        self._writer = make_engine(place, pool_size=1, max_overflow=0)
        self._reader = make_engine(place, pool_size=4, max_overflow=4)
        self._reader_options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._turn = asyncio.Lock()  # those of this process queue here: fair, and on one line

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Execute]:
        async with self._turn:
            connection = await self._begun(self._writer, TAKE_TURN, {})
            try:
                yield self._executing(connection)
            except BaseException as error:
                await to_the_end(_left(connection, error))
                raise
            await to_the_end(self._committed(connection))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Execute]:
        connection = await self._begun(self._reader, LOOK, self._reader_options)
        try:
            yield self._executing(connection)
        except BaseException as error:
            await to_the_end(_left(connection, error))
            raise
        await to_the_end(connection.close())

    async def wipe_deleted(self) -> None:
        """Write every table anew: a deleted row stays in its page until then. Who reads meanwhile waits a moment.

        The server's own log of changes (WAL) keeps older pages until it reuses their files.
        """
        async with self._turn:
            with plain_errors(self.place):
                connection = await connect(self.place, longest=WIPING)
                try:
                    for table in metadata.sorted_tables:
                        await _rewrite(connection, table.name)
                finally:
                    await to_the_end(connection.close())

    async def close(self) -> None:
        async with self._turn:
            await self._writer.dispose()
        await self._reader.dispose()

    async def _begun(self, engine: AsyncEngine, first: Executable, options: dict[str, Any]) -> AsyncConnection:
        """A connection inside a transaction. One that broke while nobody used it is replaced, once."""
        with plain_errors(self.place):
            try:
                return await _begin(engine, first, options)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return await _begin(engine, first, options)

    def _executing(self, connection: AsyncConnection) -> Execute:
        async def execute(statement: Executable, values: Values) -> CursorResult[Any]:
            with plain_errors(self.place):
                return await connection.execute(statement, values)

        return execute

    async def _committed(self, connection: AsyncConnection) -> None:
        with plain_errors(self.place):
            try:
                await connection.commit()
            finally:
                await connection.close()


async def _begin(engine: AsyncEngine, first: Executable, options: dict[str, Any]) -> AsyncConnection:
    connection = await engine.connect()
    try:
        if options:
            await connection.execution_options(**options)
        await connection.execute(first)
        return connection
    except BaseException as error:
        await to_the_end(_left(connection, error))
        raise


async def _left(connection: AsyncConnection, error: BaseException) -> None:
    """Roll back and hand it back; a server that does not answer is not waited for twice."""
    if isinstance(error, TimeoutError):
        await connection.invalidate()
    await connection.close()


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Do this wholly, also when whoever waits for it is cancelled meanwhile."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _rewrite(connection: Any, table: str) -> None:
    try:
        await connection.execute(f'VACUUM (FULL) "{table}"')
    except asyncpg.LockNotAvailableError:
        log.warning("a table is in use, so deleted rows in it stay until the next time: %s", table)


def make_engine(place: PostgresServer, longest: float = LONGEST, **pool: Any) -> AsyncEngine:
    """An engine whose connections come by `connect`."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(place, longest=longest), hide_parameters=True, **pool
    )
    event.listen(engine.sync_engine, "before_cursor_execute", _without_nul, retval=True)
    return engine


def _without_nul(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> Any:
    """PostgreSQL refuses the character NUL in text, which SQLite and any phone can send."""
    return statement, [_storable_row(row) for row in values] if many else _storable_row(values)


def _storable_row(row: Any) -> Any:
    return tuple(storable(value) for value in row) if isinstance(row, tuple) else row


# --- opening ------------------------------------------------------------------------------------------------------


async def prepare(place: PostgresServer, vault: Vault, create: bool, before: Before | None = None) -> None:
    """Make or migrate the school's tables and check that they belong to this key: all of it, or nothing.

    `before`: where a backup goes before an older schema is changed.
    """
    async with _begun_patiently(place) as connection:
        if await schema_version(connection, place) != HEAD:
            await _take_turn(connection)  # two programs that start together: one migrates, the other waits
        await _prepare(connection, place, vault, create, before)


@asynccontextmanager
async def _begun_patiently(place: PostgresServer) -> AsyncIterator[AsyncConnection]:
    """One transaction on a line of its own, whose statements may take as long as a change of schema does."""
    engine = make_engine(place, longest=CHANGING, poolclass=NullPool)
    try:
        with plain_errors(place):
            async with engine.begin() as connection:
                yield connection
    finally:
        await engine.dispose()


async def _take_turn(connection: AsyncConnection) -> None:
    for setting in PATIENT:
        await connection.execute(setting)
    await connection.execute(TAKE_TURN)


async def _prepare(
    connection: AsyncConnection, place: PostgresServer, vault: Vault, create: bool, before: Before | None
) -> None:
    version = await schema_version(connection, place)
    check_version(place, version, create)
    if version is not None:
        check_key(place, vault, await connection.scalar(_CHECK))
    if version == HEAD:
        return
    if version is not None and before is not None:
        from data.changing_server import change

        return await change(connection, place, vault, version, before)
    from data.migrations.migrate import upgrade_on

    await connection.run_sync(upgrade_on, vault)
    if version is None:
        await connection.execute(insert(facts).values(name=KEY_CHECK, value=key_check(vault)))


async def roll_back(place: PostgresServer, vault: Vault, to: str, before: Before, program: str) -> Path:
    """Take the server back to the older schema `to`; where the backup is that is made first.

    DatabaseProblem, and all is as it was, otherwise.
    """
    from data.changing_server import roll_back

    async with _begun_patiently(place) as connection:
        await _take_turn(connection)
        return await roll_back(connection, place, vault, to, before, program)


_CHECK = select(facts.c.value).where(facts.c.name == KEY_CHECK)


async def schema_version(connection: AsyncConnection, place: PostgresServer) -> str | None:
    """The revision of the school's tables; None for an empty database; DatabaseProblem for somebody else's."""
    there = set((await connection.scalars(_THERE)).all())
    if not there:
        return None
    if not {"alembic_version", "facts"} <= there:
        raise DatabaseProblem(f"The database {place} holds tables of another program. Nothing was changed.")
    version: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


_THERE = text(  # tables and the like, without those that belong to the server's own extensions
    "SELECT relname FROM pg_class AS c WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname ="
    " current_schema()) AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS"
    " (SELECT 1 FROM pg_depend WHERE objid = c.oid AND deptype = 'e')"
)


async def server_version(place: PostgresServer, vault: Vault | None = None) -> str | None:
    """The revision the database is at, None for an empty one; with a vault the key is checked too."""
    engine = make_engine(place, poolclass=NullPool)
    try:
        with plain_errors(place):
            async with engine.connect() as connection:
                version = await schema_version(connection, place)
                if version is not None and vault is not None:
                    check_key(place, vault, await connection.scalar(_CHECK))
                return version
    finally:
        await engine.dispose()


async def remove_school(place: PostgresServer, vault: Vault) -> None:
    """Drop the tables that a failed setup made with this key; anybody else's stay."""
    engine = make_engine(place, poolclass=NullPool)
    try:
        with plain_errors(place):
            async with engine.begin() as connection:
                await connection.execute(TAKE_TURN)
                if await schema_version(connection, place) is not None:
                    check_key(place, vault, await connection.scalar(_CHECK))
                    await connection.run_sync(metadata.drop_all)
                    await connection.execute(text("DROP TABLE alembic_version"))
    finally:
        await engine.dispose()
