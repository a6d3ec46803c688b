"""Folders for plain copies while a backup is written, checked or put back: seen by their owner only, gone afterwards.

After kill -9 or a power cut such a folder stays; the next backup and the next start remove it. The lock on a file
inside ends with its process, so that nobody removes the folder of somebody who is still at work.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".yousaid-copying-"
LOCK = "lock"


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """A new folder of ours in `beside`, which is made if need be; leftovers of others who died go first."""
    beside.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(beside):
        _clean(beside)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clean(beside: Path) -> int:
    """Remove what dead processes left here; how many folders."""
    if not beside.is_dir():
        return 0
    with _alone(beside):
        return _clean(beside)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else makes or cleans folders here meanwhile: one that is just being made has no lock yet."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _clean(beside: Path) -> int:
    dead = [folder for folder in beside.glob(PREFIX + "*") if not _in_use(folder)]
    for folder in dead:
        shutil.rmtree(folder, ignore_errors=True)
    return len(dead)


def _in_use(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
