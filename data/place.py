"""Where a school's database is, as a value: a SQLite file, or a database on a PostgreSQL server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")
SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# What a URL may add. Anything else would go to the server as a setting, a misspelt `sslmode` too.
OPTIONS = (
    "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword", "sslnegotiation",
    "host", "port", "user", "password", "passfile", "dbname",
)  # fmt: skip
HERE = ("localhost", "127.0.0.1", "::1")


class PlaceProblem(ValueError):
    """Not a place of a database; the text goes on after the setting's name, and quotes nothing of a URL."""


@dataclass(frozen=True)
class SqliteFile:
    path: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.path)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class PostgresServer:
    """`url` holds the password, so it is in no repr; `name` is what messages call it: elmfield on db.example."""

    url: str = field(repr=False)

    @property
    def host(self) -> str:
        """The server's name, or the folder of its socket; empty: this machine's usual socket."""
        return unquote(urlsplit(self.url).hostname or "") or self.options.get("host", "")

    @property
    def database(self) -> str:
        return unquote(urlsplit(self.url).path.lstrip("/")) or self.options.get("dbname", "")

    @property
    def name(self) -> str:
        return f"{self.database} on {'this machine' if self.is_local else self.host}"

    @property
    def options(self) -> dict[str, str]:
        """What stands after the question mark."""
        return dict(parse_qsl(urlsplit(self.url).query))

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, so that what passes between crosses no network."""
        return not self.host or self.host.startswith("/") or self.host in HERE

    def secrets(self) -> list[str]:
        """What logs must not hold."""
        given = urlsplit(self.url).password or self.options.get("password", "")
        return [self.url, *{given, unquote(given)} - {""}]

    def __str__(self) -> str:
        return self.name


Place = SqliteFile | PostgresServer


def sqlite_uri(path: Path, options: str) -> str:
    """What SQLite opens this file by; a folder's name may hold #, ? and %, which mean something else in a URI."""
    return f"file:{quote(os.fsencode(path))}?{options}"


def backups_beside(place: Place) -> Path:
    """Where backups lie unless a setting says otherwise; never beside the key."""
    return place.path.parent / "backups" if isinstance(place, SqliteFile) else Path("var/backups")


def read_place(text: str | Path) -> Place:
    """The place that a setting names: a path, or postgresql://user:password@host/database. PlaceProblem otherwise."""
    words = str(text).strip()
    scheme, colon, rest = words.partition(":")
    if not colon or not rest.startswith("/") or len(scheme) < 2:
        return _file(words)
    if scheme not in SCHEMES:
        raise PlaceProblem("must be the path of a SQLite file, or begin with postgresql://")
    return _server(words)


def _file(words: str) -> SqliteFile:
    if words.startswith(tuple(f"{scheme}:" for scheme in SCHEMES)):
        raise PlaceProblem("must look like postgresql://user@host/database")
    return SqliteFile(Path(words).expanduser())


def _server(url: str) -> PostgresServer:
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        _ = parts.port
    except ValueError:
        raise PlaceProblem("is not a whole URL; write special letters of a password as %40, %2F and so on") from None
    unknown = [name for name in options if name not in OPTIONS]
    if unknown or parts.fragment:
        raise PlaceProblem("holds an option that is not known; a # or ? in a password must be written as %23 or %3F")
    if options.get("sslmode", "disable") not in SSLMODES:
        raise PlaceProblem(f"must have one of these as sslmode: {', '.join(SSLMODES)}")
    place = PostgresServer(url)
    if not place.database:
        raise PlaceProblem("must name the database, as in postgresql://user@host/elmfield")
    if "," in parts.netloc or "," in options.get("host", ""):
        raise PlaceProblem("must name one server only: the one that can be written to")
    return place
