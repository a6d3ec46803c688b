"""Before a database is brought to a newer schema: a backup. Within the change: checks. And the way back by one command.

All steps of a change are one transaction, so that whatever fails leaves the old schema by itself; the backup is for
what nobody has thought of. `roll_back` takes the steps down again and keeps all that the older schema has a place for.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, table, text

from data.backup import COPY, free_name, plain_trouble, seal_copy, table_names
from data.backup_facts import PROGRAM
from data.backup_file import BackupProblem
from data.migrations.migrate import downgrade, upgrade
from data.place import sqlite_uri
from data.preparing import HEAD, KEY_CHECK, Before
from data.problems import DatabaseBusy, DatabaseProblem
from data.scratch import scratch
from data.vault import KeyProblem, Vault

TIMES_ROOM = 2  # the plain copy and the backup; the change itself needs about as much in the WAL beside the file

Finish = Callable[[Connection], None]


class Undone(Exception):
    """A check within the change found something wrong; everything is as it was."""


def change(path: Path, vault: Vault, before: Before, finish: Finish) -> None:
    """Bring a school's SQLite file to today's schema; DatabaseProblem, and nothing was changed, otherwise."""
    program = program_of(path)
    kept = _keep(path, vault, before, f"before-{HEAD}-", program)
    counts = _counts(path)

    def checked(connection: Connection) -> None:
        finish(connection)
        check(connection, vault, counts)

    try:
        upgrade(path, vault, finish=checked)
    except Exception as error:
        if "locked" in str(error):
            raise DatabaseBusy(f"The database at {path} is held by another program. Close it first.") from None
        raise DatabaseProblem(
            f"The change of {path} to schema {HEAD} failed ({why(error)}) and was undone: nothing is lost. "
            f"Start {called(program)} again. The backup is {kept}."
        ) from None


def why(error: Exception) -> str:
    """What may be shown of it: nothing of the rows it met."""
    return str(error) if isinstance(error, Undone) else type(error).__name__


def program_of(path: Path) -> str:
    """The version of the program that ran last on this file; empty before that was noted."""
    with closing(sqlite3.connect(sqlite_uri(path, "mode=ro"), uri=True, timeout=5)) as connection:
        row = connection.execute("SELECT value FROM facts WHERE name = ?", (PROGRAM,)).fetchone()
    return row[0].decode() if row else ""


def called(program: str) -> str:
    """What messages call that version of the program; it may not be known."""
    return f"YouSaid {program}" if program else "the version of YouSaid that you had before"


# --- the backup before --------------------------------------------------------------------------------------------


def _keep(path: Path, vault: Vault, before: Before, name: str, program: str) -> Path:
    """A backup of the file as it is, beside the nightly ones; where."""
    try:
        before.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_room(path, before.folder)
        kept = free_name(before.folder, f"{name}{before.now.astimezone(UTC):%Y-%m-%dT%H%M}.backup")
        with plain_trouble(kept), scratch(before.folder) as folder:
            copy_file(path, folder / COPY)
            seal_copy(folder / COPY, kept, vault, before.now, "sqlite", program)
        return kept
    except (BackupProblem, OSError) as problem:
        says = str(problem) if isinstance(problem, BackupProblem) else f"{problem.strerror}: {problem.filename}."
        raise DatabaseProblem(f"No backup could be made first, so nothing was changed. {says}") from None


def copy_file(path: Path, target: Path) -> None:
    """A compact copy of one moment."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


def check_room(path: Path, folder: Path) -> None:
    """BackupProblem unless there is room for a copy and its backup."""
    check_space(path.stat().st_size, folder)


def check_space(size: int, folder: Path) -> None:
    """The same for a database of so many bytes."""
    needed, free = TIMES_ROOM * size, shutil.disk_usage(folder).free
    if free < needed:
        raise BackupProblem(f"{folder} needs {needed // 2**20 + 1} MiB free, and has {free // 2**20}. Free some space.")


# --- checks -------------------------------------------------------------------------------------------------------


def _counts(path: Path) -> Mapping[str, int]:
    with closing(sqlite3.connect(sqlite_uri(path, "mode=ro"), uri=True, timeout=5)) as connection:
        names = [name for name in table_names(connection) if name != "alembic_version"]
        quoted = {name: name.replace('"', '""') for name in names}
        return {n: connection.execute(f'SELECT count(*) FROM "{q}"').fetchone()[0] for n, q in quoted.items()}  # noqa: S608


def check(connection: Connection, vault: Vault, before: Mapping[str, int]) -> None:
    """Undone unless the schema is today's, no table lost a row, rows still belong together, and the key opens it."""
    if _differences(connection):
        raise Undone("the tables are not what they should be")
    for name in set(before) & set(inspect(connection).get_table_names()):
        if int(connection.scalar(select(func.count()).select_from(table(name))) or 0) < before[name]:
            raise Undone(f"rows of {name} were lost")
    sqlite = connection.dialect.name == "sqlite"  # a server checks at every statement
    if sqlite and connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
        raise Undone("rows do not belong together any more")
    sealed = connection.scalar(text("SELECT value FROM facts WHERE name = :name"), {"name": KEY_CHECK})
    try:
        vault.open("check", sealed or b"", KEY_CHECK)
    except KeyProblem:
        raise Undone("the key does not open it any more") from None


def _differences(connection: Connection) -> list[object]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from data.tables import metadata

    return list(compare_metadata(MigrationContext.configure(connection), metadata))


# --- the way back -------------------------------------------------------------------------------------------------


def roll_back(path: Path, vault: Vault, to: str, before: Before, program: str) -> Path:
    """Take the file back to the older schema `to`; where the backup is that is made first.

    DatabaseProblem, and all is as it was, otherwise.
    """
    kept = _keep(path, vault, before, "yousaid-", program)
    try:
        downgrade(path, vault, to)
    except Exception as error:
        if "locked" in str(error):
            raise DatabaseBusy(f"The database at {path} is held by another program. Close it first.") from None
        raise DatabaseProblem(
            f"The change back to schema {to} failed ({type(error).__name__}) and was undone. The backup is {kept}."
        ) from None
    return kept
