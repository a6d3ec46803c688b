"""Row R17: every released schema moved up and down with its data, stopped at every statement: old or new."""

from __future__ import annotations

from pathlib import Path

from benchmarks.finding import Finding
from data.place import Place, SqliteFile
from tests.postgres_server import Server
from tests.schemas.released import VERSIONS, Migrated, put_on_server, unpack
from tests.test_released_schemas import stopped_everywhere


async def measure(folder: Path) -> list[Finding]:
    """How many statements were tried; AssertionError, and so a row that does not hold, when something was between."""
    server, findings = Server(), []
    try:
        for version in VERSIONS:
            file = SqliteFile(unpack(version, folder / version))
            database = server.empty()
            await put_on_server(database, version, folder / f"{version}-server")
            for place in (file, database):
                findings.append(await _tried(version, place))
    finally:
        server.remove()
    return findings


async def _tried(version: str, place: Place) -> Finding:
    name = f"states between schemas, {version} on {'SQLite' if isinstance(place, SqliteFile) else 'PostgreSQL'}"
    try:
        statements = await stopped_everywhere(Migrated(place), version, every=1)
    except AssertionError as between:
        return Finding("R17", f"{name} (at statement {between})", 1, "states", goal="0", holds=False)
    return Finding("R17", f"{name} ({statements} statements)", 0, "states", goal="0", holds=True)
