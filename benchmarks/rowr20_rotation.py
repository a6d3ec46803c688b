"""Row R20: the master key is changed in a school with 100,000 sealed rows, while others go on writing."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from benchmarks.finding import Finding
from data.database import Database, Tx, open_database
from data.key_ring import write_ring
from data.moments import stamp
from data.people import address_hash
from data.place import PostgresServer
from data.rotation import reseal, retire
from data.sealed_tables import left_behind
from data.tables import addresses, people
from data.vault import BoxKeys
from tests.postgres_server import Server
from tests.school import MASTER, School, opened, place_for, vault_in

ROWS = 100_000
SOME = 1_000  # rows in one statement
MOST_MINUTES, MOST_WAIT = 10.0, 1.0
PAUSE = 0.05  # seconds between two people who join meanwhile


async def measure(folder: Path, rows: int = ROWS) -> list[Finding]:
    """How long it took, how long others waited for a turn meanwhile, and what was left under the old key."""
    findings, server = await _on("SQLite", folder / "file", rows), Server()
    try:
        server.migrate_template(MASTER)
        place: PostgresServer = server.new()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.school.elsewhere", lambda _: place)
            findings += await _on("PostgreSQL", folder / "server", rows)
    finally:
        server.remove()
    return findings


async def _on(name: str, folder: Path, rows: int) -> list[Finding]:
    ring, new = folder / "keys" / "key", secrets.token_bytes(32)
    ring.parent.mkdir(parents=True, mode=0o700)
    write_ring(ring, MASTER)
    waits: list[float] = []
    async with opened(folder) as school:
        await _fill(school, rows // 2)
        meanwhile = asyncio.create_task(_others_join(school, waits))
        begun = time.monotonic()
        write_ring(ring, new, MASTER)
        left = await _resealed(folder, school.clock.now)
        retire(ring, (new, MASTER), school.clock.now.date())
        minutes = (time.monotonic() - begun) / 60
        meanwhile.cancel()
        await asyncio.gather(meanwhile, return_exceptions=True)
    return _findings(f"{rows:,} rows, {name}", minutes, max(waits), left)


async def _fill(school: School, number: int) -> None:
    """A sealed label and a sealed chat for each of so many people."""
    now = stamp(school.clock.now)
    for begin in range(0, number, SOME):
        async with school.db.transaction() as tx:
            some = range(begin, min(number, begin + SOME))
            await tx.run(insert(people), [_person(tx, n, now) for n in some])
            await tx.run(insert(addresses), [_address(tx, n) for n in some])


def _person(tx: Tx, n: int, now: str) -> dict[str, object]:
    consent = {"consent_at": now, "consent_wording": 1, "consent_language": "en"}
    label = json.dumps({"label": f"Family {n}"}).encode()
    return {"id": f"p{n}", "sealed": tx.vault.seal("names", label, f"p{n}"), "language": "en", **consent}


def _address(tx: Tx, n: int) -> dict[str, object]:
    hashed = address_hash(tx, "telegram", str(n))
    sealed = tx.vault.seal("addresses", str(n).encode(), hashed)
    return {"channel": "telegram", "hash": hashed, "person": f"p{n}", "sealed": sealed}


async def _others_join(school: School, waits: list[float]) -> None:
    """People go on joining; how long each waited, in seconds."""
    while True:
        begun = time.monotonic()
        await school.person("parent", label="Newcomer")
        waits.append(time.monotonic() - begun)
        await asyncio.sleep(PAUSE)


async def _resealed(folder: Path, now: datetime) -> list[str]:
    """As `yousaid key rotate` does it, in a connection of its own; what is left under the old key."""
    db: Database = await open_database(place_for(folder), vault_in(folder), BoxKeys(folder / "keys"))
    try:
        await reseal(db, now)
        async with db.reading() as tx:
            return await left_behind(tx)
    finally:
        await db.close()


def _findings(what: str, minutes: float, wait: float, left: list[str]) -> list[Finding]:
    goal, soon = f"< {MOST_MINUTES:.0f} min", f"< {MOST_WAIT:.0f} s"
    return [
        Finding("R20", f"the key changed under {what}", minutes, "min", goal=goal, holds=minutes < MOST_MINUTES),
        Finding("R20", f"longest wait of others meanwhile, {what}", wait, "s", goal=soon, holds=wait < MOST_WAIT),
        Finding("R20", f"columns left under the old key, {what}", len(left), "columns", goal="0", holds=not left),
    ]
