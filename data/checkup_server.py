"""A look at a PostgreSQL server from outside, for `yousaid doctor`: changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data.place import PostgresServer
from data.postgres_link import connect, plain_errors, runs_checked


@dataclass(frozen=True)
class ServerCheckup:
    """`version` such as 180001; `logging` and `keeping` name settings by which the server itself keeps what passes."""

    version: int
    encrypted: bool
    checked: bool
    writable: bool
    superuser: bool
    readers: tuple[str, ...]
    logging: tuple[str, ...]
    keeping: tuple[str, ...]


async def look_at_server(place: PostgresServer) -> ServerCheckup:
    """How the server is set up, as far as our user may see it. DatabaseProblem when it cannot be reached."""
    with plain_errors(place):
        connection = await connect(place)
        try:
            return await _look(connection, place)
        finally:
            await connection.close()


async def _look(connection: Any, place: PostgresServer) -> ServerCheckup:
    row = await connection.fetchrow(_ONCE)
    settings = {r["name"]: r["setting"] for r in await connection.fetch(_SETTINGS)}
    return ServerCheckup(
        version=int(settings.pop("server_version_num")),
        encrypted=bool(row["encrypted"]),
        checked=runs_checked(place),
        writable=bool(row["writable"]),
        superuser=bool(row["superuser"]),
        readers=tuple(r["rolname"] for r in await connection.fetch(_READERS)),
        logging=tuple(f"{n}={v}" for n, v in sorted(settings.items()) if n in _QUIET and v not in _QUIET[n]),
        keeping=_keeping(settings),
    )


def _keeping(settings: dict[str, str]) -> tuple[str, ...]:
    archive = settings.get("archive_mode", "off")
    return () if archive == "off" else (f"archive_mode={archive}",)


_QUIET = {  # what these are where the server's log tells nothing of what passes
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_transaction_sample_rate": ("0",),
    "log_duration": ("off",),
    "auto_explain.log_min_duration": ("-1",),
    "pgaudit.log": ("none", ""),
}
_ONCE = """
SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
       NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off' AS writable,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser
"""
_SETTINGS = (
    "SELECT name, setting FROM pg_settings WHERE name IN ('server_version_num', 'archive_mode', "  # noqa: S608
    + ", ".join(f"'{name}'" for name in _QUIET)
    + ")"
)
_READERS = """
SELECT rolname FROM pg_roles
WHERE rolcanlogin AND NOT rolsuper AND rolname <> current_user AND has_table_privilege(oid, 'people', 'SELECT')
ORDER BY rolname
"""
