"""What stays of a replaced master key: the secrets by which rows are found that cannot be made anew.

A session, a code on a letter, a link, a tombstone stand under a keyed hash of something we never kept. When the key
changes, these look-up secrets of the old one (HKDF of it, for these purposes only: they open nothing) are kept, sealed
with the new one, as a fact of the database, until the rows made with them have run out.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from data.database import Tx, read_fact, write_fact
from data.moments import moment, stamp
from data.tables import codes
from data.vault import Earlier, Vault

EARLIER_LOOKUPS = "earlier-lookups"  # the fact that holds them
KEPT = timedelta(days=180)  # a session's longest life; tombstones live 45 days, links 15 minutes
LASTING = ("address", "code", "link", "proof", "session", "tombstone")  # purposes of such look-ups


@dataclass(frozen=True)
class Kept:
    """The secrets of one key; rows were made with them until `until`."""

    secrets: Earlier
    until: datetime


async def keep_lookups(tx: Tx, now: datetime) -> None:
    """Keep the secrets of the keys that are about to leave the ring. Harmless when they are kept already."""
    kept = await read_kept(tx)
    known = {one.secrets.id for one in kept}
    new = [Kept(tx.vault.lookup_secrets(id, LASTING), now) for id in tx.vault.older if id not in known]
    await _write(tx, [*kept, *new])


async def forget_lookups(tx: Tx, now: datetime) -> int:
    """Drop the secrets that nothing can stand under any more; how many. For the nightly job."""
    kept = await read_kept(tx)
    needed = [one for one in kept if now < one.until + KEPT or await _open_codes(tx, one.until, now)]
    if len(needed) < len(kept):
        await _write(tx, needed)
        tx.vault.learn(one.secrets for one in needed)
    return len(kept) - len(needed)


async def _open_codes(tx: Tx, until: datetime, now: datetime) -> int:
    """Codes from then with which somebody can still join."""
    still = select(func.count()).select_from(codes).where(codes.c.uses_left > 0, codes.c.expires_at > stamp(now))
    return int(await tx.value(still.where(codes.c.made_at.is_(None) | (codes.c.made_at <= stamp(until)))))


async def read_kept(tx: Tx) -> list[Kept]:
    return kept_in(tx.vault, await read_fact(tx, EARLIER_LOOKUPS))


def kept_in(vault: Vault, fact: bytes | None) -> list[Kept]:
    """The same from the fact's value."""
    rows = json.loads(vault.open("lookups", fact, EARLIER_LOOKUPS)) if fact else []
    return [Kept(_earlier(row), moment(row["until"])) for row in rows]


def _earlier(row: dict[str, object]) -> Earlier:
    secrets = row["secrets"]
    assert isinstance(secrets, dict)
    return Earlier(bytes.fromhex(str(row["id"])), {p: base64.b64decode(s) for p, s in secrets.items()})


async def _write(tx: Tx, kept: Iterable[Kept]) -> None:
    rows = [
        {
            "id": one.secrets.id.hex(),
            "until": stamp(one.until),
            "secrets": {p: base64.b64encode(s).decode() for p, s in one.secrets.secrets.items()},
        }
        for one in kept
    ]
    await write_fact(tx, EARLIER_LOOKUPS, tx.vault.seal("lookups", json.dumps(rows).encode(), EARLIER_LOOKUPS))
