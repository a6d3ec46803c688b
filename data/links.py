"""One-time links: a secret that opens one thing once, for a short time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from data.database import Tx
from data.moments import moment, stamp
from data.tables import links

LIFE = timedelta(minutes=15)


@dataclass(frozen=True)
class Link:
    person: str
    kind: str
    ref: str


async def make_link(tx: Tx, person: str, kind: str, ref: str, now: datetime) -> str:
    """The secret part of a new link."""
    await tx.run(delete(links).where(links.c.expires_at < stamp(now)))
    secret = secrets.token_urlsafe(24)
    hashed = tx.vault.lookup("link", secret)
    await tx.run(insert(links).values(hash=hashed, person=person, kind=kind, ref=ref, expires_at=stamp(now + LIFE)))
    return secret


async def find_link(tx: Tx, secret: str, now: datetime) -> Link | None:
    """What the link opens, without spending it; None when wrong, used or too old."""
    row = await tx.first(select(links).where(links.c.hash.in_(tx.vault.lookups("link", secret))))
    return Link(row.person, row.kind, row.ref) if row and moment(row.expires_at) > now else None


async def spend_link(tx: Tx, secret: str, now: datetime) -> Link | None:
    """What the link opens, once."""
    link = await find_link(tx, secret, now)
    gone = await tx.run(delete(links).where(links.c.hash.in_(tx.vault.lookups("link", secret))))
    return link if gone else None
