"""The audit log: who looked at, took out, changed or deleted what. Append-only, each row chained to the one before.

hash = SHA-256 over the hash before and everything in this row, so that anybody can check the order; mac = HMAC of that
hash with a key apart, so that nobody without it can write a chain that holds. Details (a reason, a role) are sealed and
stand in the chain by their digest, so that they can be emptied later. The head, the newest row, is noted apart: a row
cut off the end is missed too. `yousaid audit verify` checks all of it (data/audit_check.py).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select

from data.database import AnyRow, Tx, read_fact, write_fact
from data.moments import moment, stamp
from data.tables import audit
from data.vault import Vault

HEAD_FACT = "audit-head"  # id, hash and mac of the newest row
BASE_FACT = "audit-base"  # the same of the last row that its time has removed
COMMAND_LINE = "command line"  # the actor of what was done there
Detail = Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """One thing that was done. `actor` is a person's id, COMMAND_LINE, or None for the program itself."""

    id: int
    at: datetime
    actor: str | None
    what: str
    ref: str
    detail: Detail = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Link:
    """A place in the chain: the row of this id has this hash."""

    id: int = 0
    hash: str = ""


async def note(tx: Tx, what: str, ref: str, at: datetime, actor: str | None = None, **detail: str) -> None:
    """Append a row: `what` is a short word such as "name", `ref` the id of what it was done to.

    Write it before anything is shown, in the transaction of what it records.
    """
    before = await head(tx)
    row = audit_row(tx.vault, before, stamp(at), actor, what, ref, {k: v for k, v in detail.items() if v})
    await tx.run(insert(audit).values(**row))
    await set_link(tx, HEAD_FACT, Link(before.id + 1, str(row["hash"])))


def audit_row(
    vault: Vault, before: Link, at: str, actor: str | None, what: str, ref: str, detail: Detail
) -> dict[str, object]:
    """The columns of the row that follows `before`."""
    id = before.id + 1
    plain = json.dumps({"salt": secrets.token_hex(8), **detail}).encode() if detail else None
    digest = hashlib.sha256(plain).hexdigest() if plain else None
    hash = chain(before.hash, id, at, actor, what, ref, digest)
    row = {"id": id, "at": at, "actor": actor, "what": what, "ref": ref, "digest": digest, "hash": hash}
    return {**row, "sealed": vault.seal("audit", plain, str(id)) if plain else None, "mac": mac_of(vault, hash)}


def chain(before: str, id: int, at: str, actor: str | None, what: str, ref: str, digest: str | None) -> str:
    """The hash of a row; needs no key."""
    return hashlib.sha256(json.dumps([before, id, at, actor, what, ref, digest]).encode()).hexdigest()


def mac_of(vault: Vault, hash: str) -> str:
    return vault.lookup("audit", hash)


async def head(tx: Tx) -> Link:
    """The newest row."""
    return read_link(await read_fact(tx, HEAD_FACT))


def read_link(fact: bytes | None) -> Link:
    return Link(*json.loads(fact)[:2]) if fact else Link()


async def set_link(tx: Tx, fact: str, link: Link) -> None:
    await write_fact(tx, fact, link_fact(tx.vault, fact, link))


def link_fact(vault: Vault, fact: str, link: Link) -> bytes:
    return json.dumps([link.id, link.hash, mac_of(vault, f"{fact}/{link.id}/{link.hash}")]).encode()


async def entries(tx: Tx, ref: str, *whats: str) -> list[Entry]:
    """What was done to one thing, in order; only these kinds where some are named."""
    query = select(audit).where(audit.c.ref == ref).order_by(audit.c.id)
    return [entry_of(tx.vault, r) for r in await tx.all(query.where(audit.c.what.in_(whats)) if whats else query)]


async def last_entries(tx: Tx, number: int, ref: str = "") -> list[Entry]:
    """The last so many rows, in order; only those about one thing where it is named."""
    query = select(audit).order_by(audit.c.id.desc()).limit(number)
    found = await tx.all(query.where(audit.c.ref == ref) if ref else query)
    return [entry_of(tx.vault, r) for r in reversed(found)]


def entry_of(vault: Vault, r: AnyRow) -> Entry:
    detail = json.loads(vault.open("audit", r.sealed, str(r.id))) if r.sealed else {}
    detail.pop("salt", None)
    return Entry(r.id, moment(r.at), r.actor, r.what, r.ref, detail)
