"""Something fails, or the process dies, at the k-th call to the database or to a channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from conversations.channel import Message
from data import postgres, sqlite, writing
from data.statements import Execute


class Killed(BaseException):
    """Stands for kill -9: nothing catches it, and nothing is tidied up."""


class Trip:
    """Counts calls; the one numbered `at` raises `error`, before or after it took effect. 0: only counts."""

    def __init__(self, at: int, error: type[BaseException]) -> None:
        self.at = at
        self.error = error
        self.calls = 0
        self.tripped = False
        self.watching = False

    def step(self) -> None:
        if not self.watching:
            return
        self.calls += 1
        if self.calls == self.at:
            self.tripped = True
            raise self.error("the k-th call")


async def survives(trip: Trip, begins: Callable[[], Awaitable[None]], does: Callable[[], Awaitable[object]]) -> bool:
    """Whether it was done; if the trip stopped it, the process goes on, or `begins` again where it was killed."""
    before, trip.watching = trip.tripped, True
    try:
        await does()
        return True
    except BaseException:
        if before or not trip.tripped:
            raise
        trip.watching = False
        if trip.error is Killed:
            await begins()
        return False
    finally:
        trip.watching = False


def watch(trip: Trip, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement of a writing turn and both sides of every commit are calls."""
    plain_execute, plain_commit = sqlite._at_once, writing.Writer._committed

    def at_once(connection: Any) -> Any:
        execute = plain_execute(connection)

        async def counted(*given: Any) -> Any:
            trip.step()
            return await execute(*given)

        return counted

    def committed(writer: writing.Writer) -> None:
        trip.step()
        plain_commit(writer)
        trip.step()

    monkeypatch.setattr(sqlite, "_at_once", at_once)
    monkeypatch.setattr(writing.Writer, "_committed", committed)
    _watch_server(trip, monkeypatch)


def _watch_server(trip: Trip, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on PostgreSQL."""
    plain_transaction, plain_commit = postgres.PostgresStore.transaction, postgres.PostgresStore._committed

    @asynccontextmanager
    async def transaction(store: postgres.PostgresStore) -> AsyncIterator[Execute]:
        async with plain_transaction(store) as execute:

            async def counted(*given: Any) -> Any:
                trip.step()
                return await execute(*given)

            yield counted

    async def committed(store: postgres.PostgresStore, connection: Any) -> None:
        try:
            trip.step()
        except BaseException:
            await connection.close()
            raise
        await plain_commit(store, connection)
        trip.step()

    monkeypatch.setattr(postgres.PostgresStore, "transaction", transaction)
    monkeypatch.setattr(postgres.PostgresStore, "_committed", committed)


class WatchedPhones:
    """A channel that can fail before a message arrives, or after."""

    name = "telegram"

    def __init__(self, trip: Trip) -> None:
        self.trip = trip
        self.got: list[tuple[str, str]] = []

    async def send(self, address: str, message: Message) -> None:
        self.trip.step()
        self.got.append((address, message.text))
        self.trip.step()

    async def forget(self, address: str, goodbye: Message) -> None:
        """A chat that belongs to nobody any more."""
        self.trip.step()
