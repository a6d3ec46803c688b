"""What is decided when a database is opened, the same for both kinds: empty, ours, of which version, with which key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.place import Place, SqliteFile
from data.problems import DatabaseProblem
from data.vault import KeyProblem, Vault

HEAD = "0004"
KEY_CHECK = "key-check"


@dataclass(frozen=True)
class Before:
    """Where a backup goes before a change of schema (data/changing.py), and when that is."""

    folder: Path
    now: datetime


def check_version(place: Place, version: str | None, create: bool) -> None:
    """DatabaseProblem unless this program may go on with a database at this version; None: an empty one."""
    if version is None and not create:
        remedy = "Run `yousaid setup`, or restore a backup." if isinstance(place, SqliteFile) else _FIRST
        raise DatabaseProblem(f"The database at {place} is empty. {remedy}")
    if version is not None and version > HEAD:
        raise DatabaseProblem(f"The database at {place} is from a newer version. Install that version of YouSaid.")


_FIRST = "Run `yousaid setup` first, or restore a backup."


def check_key(place: Place, vault: Vault, sealed: bytes | None) -> None:
    """KeyProblem unless this key made the database; `sealed` is its fact KEY_CHECK."""
    if not opens(vault, sealed):
        raise KeyProblem(
            f"The database at {place} was made with another key. Put the right key file back; nothing was changed."
        )


def opens(vault: Vault, sealed: bytes | None) -> bool:
    """Whether one of these keys made the database; `sealed` is its fact KEY_CHECK."""
    try:
        vault.open("check", sealed or b"", KEY_CHECK)
    except KeyProblem:
        return False
    return True


def key_check(vault: Vault) -> bytes:
    """The value of the fact by which the key is known again."""
    return vault.seal("check", b"yousaid", KEY_CHECK)
