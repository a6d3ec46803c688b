"""The way to a PostgreSQL server: one connection by its URL, with TLS checked, and its errors in plain words."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data.place import PostgresServer
from data.problems import DatabaseBusy, DatabaseHeld, DatabaseProblem, StatementRefused

NAME = "yousaid"  # how the server lists our connections
PATIENCE = 10.0  # seconds for connecting
LONGEST = 60.0  # seconds for one statement
WAIT_FOR_LOCK = 5.0  # seconds, the same as with SQLite

SETTINGS = {
    "synchronous_commit": "on",  # a commit that returned survives a power cut
    "lock_timeout": str(int(WAIT_FOR_LOCK * 1000)),
    "idle_in_transaction_session_timeout": "60000",  # nobody waits for ever for a machine that hangs
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",  # a machine that fell off the network gives its locks back within a minute
    "log_parameter_max_length_on_error": "0",  # what people wrote stays out of the server's log
    "jit": "off",
}


async def connect(place: PostgresServer, name: str = NAME, longest: float = LONGEST) -> Any:
    """A connection of asyncpg. Errors come through as they are; wrap with `plain_errors`."""
    settings = SETTINGS | {"application_name": name}
    return await asyncpg.connect(
        place.url, ssl=_tls(place), timeout=PATIENCE, command_timeout=longest, server_settings=settings
    )


def _tls(place: PostgresServer) -> ssl.SSLContext | str | None:
    """How the line is protected; over a network it is TLS with a checked certificate unless the URL says otherwise.

    None leaves it to the URL alone.
    """
    mode = _mode(place)
    if mode not in ("verify-full", "verify-ca") or not _trusts_system(place):
        return mode
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = mode == "verify-full"
    if "sslcert" in place.options:
        context.load_cert_chain(place.options["sslcert"], place.options.get("sslkey"), place.options.get("sslpassword"))
    return context


def _mode(place: PostgresServer) -> str | None:
    given = place.options.get("sslmode") or os.environ.get("PGSSLMODE")
    return given or (None if place.is_local else "verify-full")


def runs_checked(place: PostgresServer) -> bool:
    """Whether nobody on the network can play the server: its certificate is checked, or there is no network between."""
    return place.is_local or _mode(place) == "verify-full"


def _trusts_system(place: PostgresServer) -> bool:
    """Whether the authorities this machine knows are asked: sslrootcert=system, or none is named anywhere."""
    named = place.options.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if named:
        return named == "system"
    return not (Path.home() / ".postgresql" / "root.crt").exists()


class plain_errors:
    """Turns what driver and server say into a problem with a remedy; nothing of a statement's values is shown."""

    def __init__(self, place: PostgresServer) -> None:
        self.place = place

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, _tb: object) -> None:
        problem = in_plain_words(error, self.place) if isinstance(error, Exception) else None
        if problem:
            raise problem from None


def in_plain_words(error: Exception, place: PostgresServer) -> Exception | None:
    """The problem; None where this is no error of a database."""
    if isinstance(error, PoolTimeout):
        return DatabaseBusy(f"The database {place} has too much to do. Try again in a moment.")
    if isinstance(error, DBAPIError):
        error = _of_driver(error)
    if isinstance(error, asyncpg.PostgresError):
        return _by_state(str(error.sqlstate or ""), type(error).__name__, place)
    if isinstance(error, asyncpg.ClientConfigurationError):
        return DatabaseProblem(f"The URL of the database {place} cannot be used. Check its options, and ~/.pgpass.")
    if isinstance(error, asyncpg.DataError):
        return StatementRefused("a value does not fit its column")
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):  # the latter while a line is breaking
        return _lost(place)
    if isinstance(error, DBAPIError):
        return StatementRefused(type(error.orig).__name__)
    return _on_the_way(error, place) if isinstance(error, OSError) else None


def _of_driver(error: DBAPIError) -> Exception:
    """What asyncpg itself raised; SQLAlchemy wraps it twice."""
    inner = error.orig.__cause__ if error.orig is not None else None
    return inner if isinstance(inner, Exception) else error


def _by_state(state: str, kind: str, place: PostgresServer) -> Exception:
    """By the codes of PostgreSQL's manual, appendix A."""
    for start, says in _STATES.items():
        if state.startswith(start):
            return DatabaseProblem(says.format(place=place))
    if state.startswith(("55P03", "40", "57014")):
        return DatabaseHeld(f"The database {place} is held by another program. Close it, or try again in a moment.")
    if state.startswith(("57", "08")):
        return _lost(place)
    return StatementRefused(f"{kind} ({state})")


_STATES = {
    "28": "The database {place} refuses this user or password. Check both in YOUSAID_DATABASE, or in ~/.pgpass.",
    "3D": "There is no database {place}. Make it first: `createdb`, owned by the user that the URL names.",
    "42501": "The user in YOUSAID_DATABASE may not use {place}. Make that user the owner of the database.",
    "53100": "The disk of the server is full, so nothing was written to {place}. Free some space and try again.",
    "53300": "The server of {place} has no connection free. Close other programs, or raise its max_connections.",
    "53": "The server of {place} is short of memory or disk. Look into its log.",
    "25006": "The database {place} can only be read: a copy, or set so. Name the server that can be written to.",
    "57P04": "The database {place} was removed while it was used. Restore a backup: `yousaid restore FILE`.",
    "42P01": "The database {place} is not a complete YouSaid database. Restore a backup: `yousaid restore FILE`.",
    "42703": "The database {place} is not a complete YouSaid database. Restore a backup: `yousaid restore FILE`.",
    "42704": "The server of {place} is too old. YouSaid needs PostgreSQL 14 or newer.",
    "58": "The server of {place} cannot read or write its files. Check its disk and its log.",
    "XX": "The database {place} is damaged. Look into the server's log, or restore: `yousaid restore FILE`.",
}


def _lost(place: PostgresServer) -> DatabaseProblem:
    return DatabaseBusy(f"The line to the database {place} broke. Check that its server runs; then try again.")


def _on_the_way(error: OSError, place: PostgresServer) -> DatabaseProblem:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DatabaseProblem(
            f"The certificate of the server of {place} cannot be checked. "
            "Name the school's own authority in the URL: sslrootcert=FILE."
        )
    if isinstance(error, ssl.SSLError) or "SSL" in str(error):
        return DatabaseProblem(
            f"The server of {place} offers no encrypted line. Switch TLS on there, "
            "or add sslmode=disable to the URL where nobody else can listen."
        )
    if isinstance(error, FileNotFoundError) and not place.is_local:
        return DatabaseProblem(f"A certificate that the URL of {place} names is not there. Check its path.")
    return DatabaseProblem(f"The server of {place} cannot be reached. Check that it runs, and its name and port.")
