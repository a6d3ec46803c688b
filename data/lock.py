"""The run lock: one bot works on a database at a time. The system frees it when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class RunLock:
    """A lock on a file beside the database; `acquire` says whether it is ours now."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._handle: int | None = None

    def acquire(self) -> bool:
        if self._handle is not None:
            return True
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Harmless when it is not ours. The file stays: removing it would let two hold different locks."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def held_elsewhere(self) -> bool:
        """Whether another one holds it now; only looks, and leaves no file behind."""
        if self._handle is not None or not self.path.exists():
            return False
        free = self.acquire()
        self.release()
        return not free
