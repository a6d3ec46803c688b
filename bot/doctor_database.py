"""What doctor says of the database itself, from outside: a file, or a database on a server."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bot.findings import BROKEN, LOOK, OK, Finding
from bot.settings import Settings
from data.backup import backups_in
from data.checkup import Checkup, look_at
from data.database import HEAD, DatabaseProblem
from data.place import PostgresServer, SqliteFile
from data.sqlite import prepare, schema_version
from data.tombstone_mirror import NAME
from data.vault import KeyProblem, Vault

if TYPE_CHECKING:
    from data.checkup_server import ServerCheckup

_OWNER = "Make the account that runs YouSaid the owner of file and folder: chown; then chmod 600 and 700."
OLDEST = 140000  # PostgreSQL 14


async def look_at_database(settings: Settings, vault: Vault) -> list[Finding]:
    """Whether it is there, sound, of this version, ours and can be written."""
    place = settings.database
    if isinstance(place, SqliteFile):
        if not place.path.is_file():
            return [_missing(place, settings)]
        return await asyncio.to_thread(_file, place.path, vault)
    return await _server(place, vault)


def _file(path: Path, vault: Vault) -> list[Finding]:
    if not _ours(path):
        return [Finding("database", BROKEN, f"{path} cannot be written by this account", _OWNER)]
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


def _missing(place: SqliteFile, settings: Settings) -> Finding:
    """A new school, or one that was here: then a new one in its place would only hide what happened."""
    if place.path.with_name(f"{place.path.name}.moved").exists():
        says = f"there is none at {place.path} any more: the school was moved"
        return Finding("database", BROKEN, says, "Set YOUSAID_DATABASE to what was given to `yousaid move --to`.")
    backups = backups_in(settings.backups_folder)
    if backups or (settings.key_folder / NAME).exists():
        says = f"there is none at {place.path.absolute()}, but there was a school with this key"
        remedy = "Is that the right folder, and YOUSAID_DATABASE right? If it is lost: yousaid restore "
        return Finding("database", BROKEN, says, remedy + (str(backups[0]) if backups else "FILE"))
    return Finding("database", BROKEN, f"there is none at {place.path}", "yousaid setup")


def _ours(path: Path) -> bool:
    """Asked first: SQLite opens a file that it may not write as if it may, and calls a closed folder damage."""
    return os.access(path, os.R_OK | os.W_OK) and os.access(path.absolute().parent, os.W_OK | os.X_OK)


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
        remedy = "yousaid run: it makes a backup first, then brings it to this version"
        return [Finding("database", BROKEN, "it is from an older version", remedy)]
    return [Finding("database", OK, "sound, of this version, and opened by this key")]


def _writing(path: Path, seen: Checkup) -> Iterator[Finding]:
    if "locked" in seen.unwritable:
        yield Finding("writing", LOOK, "another program writes to it just now", "Run `yousaid doctor` again.")
    elif seen.unwritable:
        yield Finding("writing", BROKEN, f"{path} cannot be written", _OWNER)
    elif path.stat().st_mode & 0o077:
        yield Finding("writing", LOOK, f"others on this machine can read {path}", f"chmod 600 {path}*")
    elif not seen.wal:
        yield Finding("writing", LOOK, "it is not in WAL mode, so readers and the bot block each other", "yousaid run")
    else:
        yield Finding("writing", OK, "can be written, in WAL mode")


async def _server(place: PostgresServer, vault: Vault) -> list[Finding]:
    from data.checkup_server import look_at_server
    from data.postgres import server_version

    try:
        version = _version(await server_version(place, vault))
        if any(f.state == BROKEN for f in version):
            return version
        seen = await look_at_server(place)
    except (DatabaseProblem, KeyProblem) as problem:
        return [Finding("database", BROKEN, str(problem))]
    return [*version, *_about_server(place, seen)]


def _about_server(place: PostgresServer, seen: ServerCheckup) -> Iterator[Finding]:
    """Version, line and rights; then what the server itself keeps of what passes."""
    version = f"PostgreSQL {seen.version // 10000}.{seen.version % 10000}"
    if seen.version < OLDEST:
        yield Finding("server", BROKEN, f"{version} is too old", "Install PostgreSQL 14 or newer.")
    else:
        yield Finding("server", OK, f"{version}, {place}")
    if not seen.writable:
        yield Finding("writing", BROKEN, f"{place} can only be read", "Name the server that can be written to.")
    else:
        yield Finding("writing", OK, "can be written, one after another")
    yield from _line(place, seen)
    yield _readers(seen)
    yield from _kept(place, seen)


def _line(place: PostgresServer, seen: ServerCheckup) -> Iterator[Finding]:
    if place.is_local:
        return
    remedy = "Add sslmode=verify-full to the URL, and sslrootcert=FILE for the school's own authority."
    if not seen.encrypted:
        yield Finding("line", LOOK, "what passes to the server can be read on the network", remedy)
    elif not seen.checked:
        yield Finding("line", LOOK, "encrypted, but another machine could play the server", remedy)
    else:
        yield Finding("line", OK, "encrypted, and the server's certificate is checked")


def _readers(seen: ServerCheckup) -> Finding:
    if seen.superuser:
        says = "the bot's own user may do anything on the server"
        return Finding("readers", LOOK, says, "Give it a user that owns this database only.")
    if seen.readers:
        says = f"these can read the tables too: {', '.join(seen.readers)}"
        return Finding("readers", LOOK, says, "REVOKE their rights, unless they make your backups.")
    return Finding("readers", OK, "nobody but the bot's user and the server's superusers")


def _kept(place: PostgresServer, seen: ServerCheckup) -> Iterator[Finding]:
    """What stands in logs and archives shows who answered when, and outlives what is deleted here (trust A8)."""
    if seen.logging:
        says = f"the server's log keeps statements with their values: {', '.join(seen.logging)}"
        setting = seen.logging[0].partition("=")[0]
        change = f"ALTER DATABASE {place.database} SET {setting} ..."
        remedy = f"Switch it off for this database: {change}; see docs/postgresql.md."
        yield Finding("server's log", LOOK, says, remedy)
    else:
        yield Finding("server's log", OK, "keeps no statements")
    if seen.keeping:
        says = f"copies of all changes are kept ({', '.join(seen.keeping)}): what is deleted here stays there"
        yield Finding("archives", LOOK, says, "Keep them 30 days at most; that is what people are promised.")


def disk(settings: Settings) -> Finding:
    """Room on this machine; a server's disk is not ours to see."""
    path = settings.database.path if isinstance(settings.database, SqliteFile) else settings.key_file
    place = next(p for p in (path.parent, *path.absolute().parents) if p.is_dir())
    free = shutil.disk_usage(place).free
    size = path.stat().st_size if path.is_file() else 0
    enough = free >= max(2 * size, 50_000_000)
    says = f"{free // 1_000_000} MB free"
    return Finding("disk", OK if enough else BROKEN, says, "" if enough else "Free some space: a backup needs it.")
