"""The one writing connection: one turn after another, the turns that wait at the same moment in one commit.

A commit waits for the disk; whoever queues up meanwhile shares the next one. Each turn lies in a savepoint of its own:
what goes wrong in it undoes that turn only, and nobody hears of a turn before the commit it shares is on disk.
Statements run at once in the event loop, because handing each to a thread costs more than they do. Beginning and
committing may have to wait (for another program, for the disk) and have a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


class Group:
    """Turns that share a commit; `committed` is done when it is on disk, or has failed for all of them."""

    def __init__(self) -> None:
        self.committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ending: asyncio.Task[None] | None = None

    def fail(self, error: BaseException) -> None:
        self.committed.set_exception(error)
        self.committed.exception()  # when every turn of it failed, nobody else looks


class Writer:
    """Hands out the connection for a turn. `engine` has one connection, and begins with BEGIN IMMEDIATE."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, "writing")
        self._turn = asyncio.Lock()  # fair: first come, first served
        self._connection: Connection | None = None
        self._group: Group | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Connection]:
        """All or nothing: on disk when the block ends, undone when it raises."""
        async with self._turn:
            connection = self._connection
            if connection is None:
                connection = await self._in_thread(self._begun)
            group = self._group = self._group or self._new_group()
            connection.exec_driver_sql("SAVEPOINT turn")
            try:
                yield connection
                connection.exec_driver_sql("RELEASE turn")
            except BaseException as error:
                self._undo(connection, group, error)
                raise
        await asyncio.shield(group.committed)

    async def alone(self, statement: str) -> None:
        """Run this outside any transaction, while nobody has a turn."""
        async with self._turn:
            await self._commit()
            await self._in_thread(lambda: self._run(statement))

    async def close(self) -> None:
        async with self._turn:
            await self._in_thread(lambda: None)  # a turn that was cancelled may still be beginning there
            await self._commit()
            await self._in_thread(self.engine.dispose)
        self._thread.shutdown()

    def _new_group(self) -> Group:
        group = Group()
        group.ending = asyncio.create_task(self._end(group))
        return group

    async def _end(self, group: Group) -> None:
        """Commit behind the turns that wait by now."""
        async with self._turn:
            if self._group is group:
                await self._commit()

    async def _commit(self) -> None:
        """What the open group did, if there is one; a transaction that was begun for somebody who left goes."""
        group, self._group = self._group, None
        if group is None:
            return self._given_back()
        try:
            await self._in_thread(self._committed)
        except BaseException as error:
            group.fail(error)
        else:
            group.committed.set_result(None)

    def _undo(self, connection: Connection, group: Group, error: BaseException) -> None:
        """This turn only; all of the group where SQLite gave up the whole transaction (a full disk)."""
        raw = connection.connection.driver_connection
        if raw is not None and raw.in_transaction:
            connection.exec_driver_sql("ROLLBACK TO turn")
            connection.exec_driver_sql("RELEASE turn")
            return
        self._group = None
        group.fail(error)
        self._given_back()

    def _begun(self) -> Connection:
        """The connection in a transaction; one that was begun for somebody who left is taken over."""
        if self._connection is None:
            connection = self.engine.connect()
            try:
                connection.begin()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _committed(self) -> None:
        try:
            if self._connection:
                self._connection.commit()
        finally:
            self._given_back()

    def _run(self, statement: str) -> None:
        raw = self.engine.raw_connection()
        try:
            raw.cursor().execute(statement).fetchall()
        finally:
            raw.close()

    def _given_back(self) -> None:
        """To the pool, with nothing left undone."""
        connection, self._connection = self._connection, None
        if connection:
            raw = connection.connection.driver_connection
            if raw is not None and raw.in_transaction:  # a commit that failed
                raw.rollback()
            connection.close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
