"""Locks on a database, which the system frees when their process ends, however it ends.

The run lock: one bot works on a database at a time; several share it in webhook mode, where Telegram shares the updates
out among them. The jobs lock: one of these keeps the time and sends, and another takes over when it dies.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import secrets
from pathlib import Path
from typing import Any, Protocol

from data.place import Place, PostgresServer, SqliteFile
from data.problems import DatabaseProblem

PING = 15.0  # seconds between looks whether the line to the server still stands
AGAIN = 1.0  # seconds between tries to take it again

log = logging.getLogger(__name__)


class RunLock(Protocol):
    """Get one from `run_lock`."""

    async def acquire(self) -> bool:
        """Whether it is ours now."""

    async def release(self) -> None:
        """Harmless when it is not ours."""

    async def held_elsewhere(self) -> bool:
        """Whether another one holds it now; only looks, and leaves nothing behind."""

    async def taken_over(self) -> None:
        """Returns when the lock was lost and another one has it; as a rule never."""


def run_lock(place: Place, shared: bool = False) -> RunLock:
    """The lock of the database at this place. Those who share it keep out only who wants it alone."""
    if isinstance(place, SqliteFile):
        return FileLock(place.path, ".lock", shared)
    return ServerLock(place, RUN, shared)


def jobs_lock(place: Place) -> RunLock:
    """The lock of whoever keeps the time and sends what waits in the outbox."""
    return FileLock(place.path, ".jobs.lock") if isinstance(place, SqliteFile) else ServerLock(place, JOBS)


class FileLock:
    """A lock on a file beside the database."""

    def __init__(self, database: Path, name: str = ".lock", shared: bool = False) -> None:
        self.path = database.with_name(database.name + name)
        self._how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._handle: int | None = None

    async def acquire(self) -> bool:
        if self._handle is not None:
            return True
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, self._how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    async def release(self) -> None:
        """The file stays: removing it would let two hold different locks."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    async def held_elsewhere(self) -> bool:
        if self._handle is not None or not self.path.exists():
            return False
        free = await self.acquire()
        await self.release()
        return not free

    async def taken_over(self) -> None:
        """The system keeps it for us as long as we live."""
        await asyncio.Event().wait()


class ServerLock:
    """A lock of the server's, tied to a connection of its own: when that breaks, it is free.

    The connection carries a name of its own, so that what is left of it on the server after a break can be told from
    another bot's, and ended.
    """

    def __init__(self, place: PostgresServer, number: int | None = None, shared: bool = False) -> None:
        from data.postgres_link import NAME

        self.place = place
        self._number = RUN if number is None else number
        self._ask = "SELECT pg_try_advisory_lock_shared($1)" if shared else "SELECT pg_try_advisory_lock($1)"
        self._name = f"{NAME}-{secrets.token_hex(8)}"
        self._connection: Any = None

    async def acquire(self) -> bool:
        if self._connection is not None and not self._connection.is_closed():
            return True
        from data.postgres_link import connect, plain_errors

        with plain_errors(self.place):
            connection = await connect(self.place, self._name)
            try:
                await connection.execute(_END_REMAINS, self._name)
                ours = await connection.fetchval(self._ask, self._number)
            except BaseException:
                connection.terminate()
                raise
            if not ours:
                await connection.close()
                return False
        self._connection = connection
        return True

    async def release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=2)
            except (OSError, TimeoutError):
                connection.terminate()

    async def held_elsewhere(self) -> bool:
        if self._connection is not None:
            return False
        free = await self.acquire()
        await self.release()
        return not free

    async def taken_over(self) -> None:
        while True:
            await self._until_broken()
            log.warning("the line that keeps other bots away from the database broke; taking the lock again")
            if not await self._retaken():
                return
            log.warning("the lock is ours again")

    async def _until_broken(self) -> None:
        while not self._connection.is_closed():
            broken = asyncio.Event()
            self._connection.add_termination_listener(lambda _, event=broken: event.set())
            try:
                await asyncio.wait_for(broken.wait(), PING)
            except TimeoutError:
                await self._ping()

    async def _ping(self) -> None:
        try:
            await self._connection.fetchval("SELECT 1", timeout=PING)
        except Exception:
            self._connection.terminate()

    async def _retaken(self) -> bool:
        """Try until the server answers; whether the lock is ours then."""
        while True:
            try:
                return await self.acquire()
            except DatabaseProblem:
                await asyncio.sleep(AGAIN)


RUN, JOBS = int.from_bytes(b"yousaid\x02"), int.from_bytes(b"yousaid\x03")
_END_REMAINS = (
    "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
    " WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()"
)
