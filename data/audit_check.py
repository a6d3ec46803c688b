"""Checking the audit log: every row, in order, as a stream; and the bundle that anybody can check without the key.

Without the key the chain shows what was changed, left out, put in or swapped after a head was noted elsewhere. With the
key it also shows a chain that somebody else has written anew, a forged beginning or end, and changed details.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select

from data.audit import BASE_FACT, HEAD_FACT, Link, chain
from data.audit_erasing import ERASED
from data.database import AnyRow, Tx, read_fact
from data.tables import audit
from data.vault import KeyProblem, Vault

PART = 2_000  # rows in memory at a time
SHORT = 16  # letters of a hash that are noted on paper: 64 bits
BUNDLE = "yousaid audit log 1"
COLUMNS = ("id", "at", "actor", "what", "ref", "digest", "hash", "mac")  # of a bundle: all but the sealed details


class HeadProblem(ValueError):
    """What was typed as a head is none; the text is one line."""


@dataclass(frozen=True)
class Checked:
    """What a check found: `rows` read, the newest row, and a line for each thing that is wrong."""

    rows: int
    head: Link
    problems: list[str]

    @property
    def short_head(self) -> str:
        return short(self.head)


def short(head: Link) -> str:
    """A head as it is noted on paper: the row's number and the beginning of its hash."""
    return f"{head.id}-{head.hash[:SHORT]}" if head.id else "0"


@dataclass(frozen=True)
class Noted:
    """A head that somebody noted earlier; `id` is None where only the hash was."""

    id: int | None
    hash: str

    def names(self, link: Link) -> bool:
        return link.hash.startswith(self.hash) and self.id in (None, link.id)


def read_head(typed: str) -> Noted:
    """A head as `short` writes it, or at least the first 8 letters of a hash; HeadProblem otherwise."""
    number, _, hash = "".join(typed.split()).lower().rpartition("-")
    hexadecimal = 8 <= len(hash) <= 64 and not set(hash) - set("0123456789abcdef")
    if not hexadecimal or (number and not (number.isascii() and number.isdigit())):
        raise HeadProblem("A head looks like 1207-4f3a9c2177b01d2e, as `yousaid audit verify` shows it.")
    return Noted(int(number) if number else None, hash)


@dataclass
class ChainCheck:
    """Takes the rows one after another; needs no key. Only a row that is wrong itself is named."""

    base: Link
    noted: Noted | None = None
    rows: int = 0
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = self.base
        self.noted_seen = self.noted is not None and self.noted.names(self.base)

    def take(self, id: int, hash: str, *rest: Any) -> None:
        """`rest` are at, actor, what, ref and digest."""
        self.rows += 1
        if id <= self.base.id:
            return self.problems.append(f"Row {id} stands before the beginning of the log: it was put in.")
        if id != self.before.id + 1:
            self.problems.append(self._out_of_order(id))
        if _hash_of(self.before.hash, id, *rest) != hash:
            self.problems.append(f"Row {id} was changed, put in or moved: its hash does not fit.")
        self.before = Link(id, hash)
        if self.noted and self.noted.names(self.before):
            self.noted_seen = True

    def _out_of_order(self, id: int) -> str:
        if id <= self.before.id:
            return f"Row {id} stands in the wrong place: it comes after row {self.before.id}."
        return f"{_rows(self.before.id + 1, id - 1)} missing."

    def end(self, head: Link) -> None:
        """`head` is the newest row as it was noted apart."""
        if self.before.id < head.id:
            self.problems.append(f"{_rows(self.before.id + 1, head.id)} missing at the end.")
        elif self.before.id > head.id:
            self.problems.append(f"Row {self.before.id} stands after the end of the log: it was put in.")
        elif self.before.hash != head.hash:
            self.problems.append(f"Row {head.id}, the newest, is not the one that was noted when it was written.")
        if self.noted and not self.noted_seen:
            self.problems.append(self._not_the_same(self.noted))

    def _not_the_same(self, noted: Noted) -> str:
        if noted.id is not None and noted.id < self.base.id:
            return f"Row {noted.id} has gone since, as its time was over: this head can be compared no more."
        return "The history up to the noted head is not the same any more: a row of it was changed or is missing."


def _hash_of(before: str, *row: Any) -> str:
    try:
        return chain(before, *row)
    except TypeError:  # a value of a kind that we never write
        return ""


def _rows(first: int, last: int) -> str:
    return f"Row {first} is" if first == last else f"Rows {first} to {last} are"


# --- the log itself -----------------------------------------------------------------------------------------------


async def check_log(tx: Tx, noted: Noted | None = None) -> Checked:
    """Every row of the log, with the key. Give it a reading transaction, so that all is seen at one moment."""
    base, head = await _link(tx, BASE_FACT), await _link(tx, HEAD_FACT)
    check = ChainCheck(base.link, noted, problems=[*base.problems, *head.problems])
    details = _Details(tx.vault)
    async for part in parts(tx):
        for row in part:
            id, at, actor, what, ref, digest, sealed, hash, mac = row
            check.take(id, hash, at, actor, what, ref, digest)
            check.problems += details.take(id, what, ref, digest, sealed, hash, mac)
    check.end(head.link)
    return Checked(check.rows, check.before, [*check.problems, *details.end()])


_COLUMNS = [audit.c[name] for name in ("id", "at", "actor", "what", "ref", "digest", "sealed", "hash", "mac")]


async def parts(tx: Tx) -> AsyncIterator[Sequence[AnyRow]]:
    """All rows in order, so many at a time."""
    query = select(*_COLUMNS).order_by(audit.c.id).limit(PART)
    after = query.where(audit.c.id > bindparam("last"))
    part = await tx.all(query)
    while part:
        yield part
        part = await tx.all(after, last=part[-1].id)


@dataclass(frozen=True)
class _Fact:
    link: Link
    problems: list[str]


async def _link(tx: Tx, fact: str) -> _Fact:
    """Head or base, and whether it carries our code; a log that has no beginning of its own begins at row 1."""
    name = "end" if fact == HEAD_FACT else "beginning"
    value = await read_fact(tx, fact)
    if value is None:
        return _Fact(Link(), [])
    try:
        id, hash, mac = json.loads(value)
        ours = _is_ours(tx.vault, f"{fact}/{id}/{hash}", mac)
        return _Fact(Link(int(id), str(hash)), [] if ours else [f"The note of the log's {name} was forged or changed."])
    except (ValueError, TypeError):
        return _Fact(Link(), [f"The note of the log's {name} cannot be read."])


def _is_ours(vault: Vault, words: str, mac: object) -> bool:
    """Under today's key or an earlier one."""
    return mac in vault.lookups("audit", words)


class _Details:
    """What only the key shows: each row's code, its details, and whether emptied ones are accounted for."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.emptied: set[str] = set()

    def take(
        self, id: int, what: str, ref: str, digest: str | None, sealed: bytes | None, hash: str, mac: str
    ) -> list[str]:
        if what == ERASED:
            self.emptied.discard(ref)
        if digest and sealed is None:
            self.emptied.add(str(id))
        wrong = [] if _is_ours(self.vault, hash, mac) else [f"Row {id} was not written with this key."]
        return wrong if self._fit(id, digest, sealed) else [*wrong, f"The details of row {id} were changed."]

    def _fit(self, id: int, digest: str | None, sealed: bytes | None) -> bool:
        if sealed is None:
            return True
        try:
            return hashlib.sha256(self.vault.open("audit", sealed, str(id))).hexdigest() == digest
        except (KeyProblem, TypeError, ValueError):
            return False

    def end(self) -> list[str]:
        emptied = sorted(self.emptied, key=int)
        return [f"The details of row {id} were emptied, and no later row says why." for id in emptied]


# --- a bundle -----------------------------------------------------------------------------------------------------


async def bundle(tx: Tx, made_at: str) -> AsyncIterator[str]:
    """The log as lines of JSON: where it begins and ends, then a row each. No details, no names, no key."""
    base, head = await _link(tx, BASE_FACT), await _link(tx, HEAD_FACT)
    ends = {"base": [base.link.id, base.link.hash], "head": [head.link.id, head.link.hash]}
    yield json.dumps({"kind": BUNDLE, "made_at": made_at, **ends})
    async for part in parts(tx):
        for row in part:
            yield json.dumps({name: getattr(row, name) for name in COLUMNS})


@dataclass(frozen=True)
class _BundleRow:
    id: int
    at: str
    actor: str | None
    what: str
    ref: str
    digest: str | None
    hash: str
    mac: str


def check_bundle(lines: Iterable[str], noted: Noted | None = None) -> Checked:
    """The chain of a bundle; needs neither key nor server."""
    numbered = enumerate(lines, 1)
    try:
        first = json.loads(next(numbered)[1])
        base, head = Link(*first["base"]), Link(*first["head"])
        assert first["kind"] == BUNDLE
    except (StopIteration, ValueError, KeyError, TypeError, AssertionError):
        return Checked(0, Link(), ["This file is no bundle of `yousaid audit export`, or its first line was changed."])
    check = ChainCheck(base, noted)
    for number, line in numbered:
        row = _bundle_row(line)
        if row is None:
            check.problems.append(f"Line {number} of the file is no row of the log.")
        else:
            check.take(row.id, row.hash, row.at, row.actor, row.what, row.ref, row.digest)
    check.end(head)
    return Checked(check.rows, check.before, check.problems)


def _bundle_row(line: str) -> _BundleRow | None:
    try:
        found = json.loads(line)
        row = _BundleRow(**found)
        return row if type(row.id) is int else None
    except (ValueError, TypeError):
        return None
