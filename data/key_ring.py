"""The key file: the ring of master keys, the key that is about to come, and the earlier ones kept for old backups.

    key                     one key a line: the first is today's, others are still being replaced
    key.next                a new key, written down before anything is sealed with it (data/rotation.py)
    key.before-2026-11-22   what was replaced on that day: backups made before need it. Goes after 31 days

Each is written whole under another name, synced and renamed, so that a reader finds the old file or the new one.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

from data.vault import DamagedKey, KeyProblem, Vault, read_master_key, sync_folder, write_in_place, write_private

KEPT = timedelta(days=31)  # longer than any backup
_BEFORE = re.compile(r"\.before-(\d{4}-\d{2}-\d{2})(?:-\d+)?$")


class KeyFile:
    """A key file that is read again when it was changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """One look at the file's time, size and place; a file that is not there is no change."""
        try:
            return _stamp(os.stat(self.path)) != self._seen
        except OSError:
            return False

    def read(self) -> tuple[bytes, ...]:
        """The keys, today's first; KeyProblem with a remedy otherwise."""
        text, seen = self._text()
        self._seen = _stamp(seen)
        if stat.S_IMODE(seen.st_mode) & 0o077:
            raise KeyProblem(f"The key at {self.path} can be read by others. Run `chmod 600 {self.path}`.")
        return read_ring(text)

    def _text(self) -> tuple[str, os.stat_result]:
        path = self.path
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as file:  # some editors put a mark before it
                return file.read(), os.fstat(file.fileno())
        except FileNotFoundError:
            raise KeyProblem(
                f"There is no key at {path}. Type the recovery sheet: `yousaid key restore`; "
                "or for a new school: `yousaid setup`."
            ) from None
        except OSError:
            raise KeyProblem(f"The key at {path} cannot be read. Check who owns it: `chmod 600 {path}`.") from None


def path_of(vault: Vault) -> Path | None:
    """The key file that this vault's keys come from; None where they come from a secret store."""
    return vault.source.path if isinstance(vault.source, KeyFile) else None


def _stamp(seen: os.stat_result) -> tuple[int, int, int]:
    return seen.st_mtime_ns, seen.st_ino, seen.st_size


def read_ring(text: str) -> tuple[bytes, ...]:
    """The keys in a key file or in YOUSAID_KEY: one a line, or with commas or spaces between them.

    A single key may have spaces inside, as it stands on older recovery sheets.
    """
    lines = [line for line in re.split(r"[\n,]", text) if line.strip()]
    if not lines:
        raise DamagedKey("The key is empty. Type the recovery sheet: `yousaid key restore`.")
    with suppress(KeyProblem):  # one key, broken into groups or lines
        return (read_master_key(text),)
    return tuple(key for number, line in enumerate(lines, 1) for key in _keys_of(line, number, len(lines)))


def _keys_of(line: str, number: int, of: int) -> list[bytes]:
    with suppress(KeyProblem):
        return [read_master_key(line)]
    try:
        return [read_master_key(word) for word in line.split()]
    except KeyProblem as problem:
        where = f"Key {number} of {of} is damaged." if of > 1 else "The key is damaged."
        raise DamagedKey(str(problem).replace("The key is damaged.", where)) from None


def write_ring(path: Path, *keys: bytes) -> None:
    """The ring, whole and on disk, in place of what was there."""
    half = path.with_name(path.name + ".writing")
    half.unlink(missing_ok=True)
    write_private(half, b"".join(base64.b64encode(key) + b"\n" for key in keys))
    half.replace(path)
    sync_folder(path.parent)


# --- the next key -------------------------------------------------------------------------------------------------


def next_key(path: Path) -> bytes:
    """The key that is about to come: made and on disk, the same again after a crash."""
    kept = _next(path)
    with suppress(FileNotFoundError):
        return read_ring(kept.read_text(encoding="ascii"))[0]
    write_ring(kept, secrets.token_bytes(32))
    return next_key(path)


def has_next(path: Path) -> bool:
    """Whether a change of keys was begun, and its key does not seal yet."""
    return _next(path).exists()


def forget_next(path: Path) -> None:
    """It stands in the ring now."""
    destroy(_next(path))


def _next(path: Path) -> Path:
    return path.with_name(path.name + ".next")


# --- earlier keys -------------------------------------------------------------------------------------------------


def keep_earlier(path: Path, keys: tuple[bytes, ...], today: date) -> None:
    """Keep what was replaced beside the key file, on disk, before it leaves the ring."""
    kept = earlier_keys(path.parent, path.name)
    for key in (k for k in keys if k not in kept):
        write_ring(_free_name(path, today), key)


def _free_name(path: Path, today: date) -> Path:
    name = path.with_name(f"{path.name}.before-{today}")
    number = 1
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}.before-{today}-{number}")
    return name


def earlier_keys(folder: Path, name: str = "key") -> tuple[bytes, ...]:
    """The keys that were replaced in the last weeks, the newest first: for backups made before.

    `folder` and `name` are those of the key file. Open such a backup with `Vault(today's, *earlier)`, and seal it anew
    with data/rotation.py. Damaged files are passed over.
    """
    found: list[bytes] = []
    for path in sorted(_earlier_files(folder, name), reverse=True):
        with suppress(KeyProblem, OSError, UnicodeDecodeError):
            found += read_ring(path.read_text(encoding="ascii"))
    return tuple(dict.fromkeys(found))


def forget_earlier(folder: Path, name: str, today: date) -> int:
    """Remove those that no backup needs any more; how many. For the nightly job."""
    old = [path for path in _earlier_files(folder, name) if today - (_day_of(path) or today) > KEPT]
    for path in old:
        destroy(path)
    return len(old)


def _earlier_files(folder: Path, name: str) -> list[Path]:
    return [path for path in folder.glob(f"{name}.before-*") if _day_of(path)]


def _day_of(path: Path) -> date | None:
    """None for a file that is not one of these."""
    day = _BEFORE.search(path.name)
    with suppress(ValueError):
        return date.fromisoformat(day[1]) if day else None
    return None


def destroy(path: Path) -> None:
    """Overwrite, remove and sync; harmless when it is gone already."""
    with suppress(FileNotFoundError):
        write_in_place(path, secrets.token_bytes(path.stat().st_size))
        path.unlink()
        sync_folder(path.parent)
