"""What runs one statement, whichever database it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy import CursorResult, Executable, Row

AnyRow = Row[*tuple[Any, ...]]
Rows = Sequence[dict[str, Any]]
Values = Rows | dict[str, Any] | None
Execute = Callable[[Executable, Values], Awaitable[CursorResult[Any]]]


def storable(value: Any) -> Any:
    """The value as every database keeps it: PostgreSQL refuses the character NUL, which any phone can send."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


class Store(Protocol):
    """A database's transactions; errors come out as problems of data/problems.py."""

    def transaction(self) -> AbstractAsyncContextManager[Execute]:
        """All or nothing: committed and on disk when the block ends, undone when it raises; one after another."""

    def reading(self) -> AbstractAsyncContextManager[Execute]:
        """A consistent view that cannot write."""

    async def wipe_deleted(self) -> None:
        """Make deleted rows unreadable in the database's own files."""

    async def close(self) -> None: ...
