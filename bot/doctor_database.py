"""What doctor says of the database itself, from outside: a file, or a database on a server."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

from bot.findings import BROKEN, LOOK, OK, Finding
from bot.settings import Settings
from data.checkup import Checkup, look_at
from data.database import HEAD, DatabaseProblem
from data.place import Place, PostgresServer, SqliteFile
from data.sqlite import prepare, schema_version
from data.vault import KeyProblem, Vault


async def look_at_database(place: Place, vault: Vault) -> list[Finding]:
    """Whether it is there, sound, of this version, ours and can be written."""
    if isinstance(place, SqliteFile):
        return await asyncio.to_thread(_file, place.path, vault)
    return await _server(place, vault)


def _file(path: Path, vault: Vault) -> list[Finding]:
    if not path.is_file():
        return [Finding("database", BROKEN, f"there is none at {path}", "yousaid setup")]
    seen = look_at(path)
    if seen.trouble or seen.verdict != "ok":
        return [_unsound(path, seen)]
    try:
        version = schema_version(path)
        if version == HEAD:
            prepare(path, vault, create=False)  # at this version it only checks the key
    except (DatabaseProblem, KeyProblem) as problem:
        return [Finding("database", BROKEN, str(problem))]
    return [*_version(version), *_writing(path, seen)]


def _unsound(path: Path, seen: Checkup) -> Finding:
    if "locked" in seen.trouble:
        return Finding("database", BROKEN, f"{path} is held by another program", "Close that program and try again.")
    return Finding("database", BROKEN, f"{path} is damaged or not a database", "yousaid restore FILE")


def _version(version: str | None) -> list[Finding]:
    if version is None:
        return [Finding("database", BROKEN, "it is empty", "yousaid setup")]
    if version > HEAD:
        return [Finding("database", BROKEN, "it is from a newer version", "Install that version of YouSaid.")]
    if version < HEAD:
        return [Finding("database", BROKEN, "it is from an older version", "yousaid run: it makes a backup first, then brings it to this version")]
    return [Finding("database", OK, "sound, of this version, and opened by this key")]


def _writing(path: Path, seen: Checkup) -> Iterator[Finding]:
    if "locked" in seen.unwritable:
        yield Finding("writing", LOOK, "another program writes to it just now", "Run `yousaid doctor` again.")
    elif seen.unwritable:
        yield Finding("writing", BROKEN, f"{path} cannot be written", "Check the owner and rights of file and folder.")
    elif not seen.wal:
        yield Finding("writing", LOOK, "it is not in WAL mode, so readers and the bot block each other", "yousaid run")
    else:
        yield Finding("writing", OK, "can be written, in WAL mode")


async def _server(place: PostgresServer, vault: Vault) -> list[Finding]:
    from data.postgres import server_version

    try:
        return _version(await server_version(place, vault))
    except (DatabaseProblem, KeyProblem) as problem:
        return [Finding("database", BROKEN, str(problem))]


def disk(settings: Settings) -> Finding:
    """Room on this machine; a server's disk is not ours to see."""
    path = settings.database.path if isinstance(settings.database, SqliteFile) else settings.key_file
    place = next(p for p in (path.parent, *path.absolute().parents) if p.is_dir())
    free = shutil.disk_usage(place).free
    size = path.stat().st_size if path.is_file() else 0
    enough = free >= max(2 * size, 50_000_000)
    says = f"{free // 1_000_000} MB free"
    return Finding("disk", OK if enough else BROKEN, says, "" if enough else "Free some space: a backup needs it.")
