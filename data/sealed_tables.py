"""Which columns are sealed with the master key, for what purpose and bound to what: for sealing them anew.

A test compares this with the schema, so that no sealed column is forgotten; and the last look of a rotation
(`left_behind`) goes over every column of bytes there is.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, LargeBinary, Table, and_, func, or_, select, true

from data import tables as t
from data.audit import BASE_FACT, HEAD_FACT, link_fact, mac_of, read_link
from data.database import KEY_CHECK, AnyRow, Tx
from data.earlier_lookups import EARLIER_LOOKUPS
from data.unchanged import PREFIX, PURPOSE
from data.vault import KEY_ID, NAMED_KEY, VERSION, KeyProblem, Vault, key_id

Values = dict[str, object]
ALL = true()


@dataclass(frozen=True)
class SealedTable:
    """`anew` gives a row's columns as they are with today's key; `columns` are those it knows."""

    table: Table
    columns: tuple[str, ...]
    anew: Callable[[Vault, AnyRow], Values]
    only: ColumnElement[bool] = ALL


def _about(template: str) -> Callable[[AnyRow], str]:
    return lambda row: template.format_map(row._mapping)


def _sealed(table: Table, columns: Mapping[str, tuple[str, str]], only: ColumnElement[bool] = ALL) -> SealedTable:
    """`columns` name purpose and about; the latter may hold other columns of the row: "run/{id}"."""
    known = {name: (purpose, _about(template)) for name, (purpose, template) in columns.items()}

    def anew(vault: Vault, row: AnyRow) -> Values:
        return {
            name: _resealed(vault, purpose, getattr(row, name), about(row), about(row))
            for name, (purpose, about) in known.items()
        }

    return SealedTable(table, tuple(columns), anew, only)


def _resealed(vault: Vault, purpose: str, sealed: bytes | None, about: str, new_about: str) -> bytes | None:
    if sealed is None or (vault.is_todays(sealed) and about == new_about):
        return sealed
    return vault.seal(purpose, vault.open(purpose, sealed, about), new_about)


def _address(vault: Vault, row: AnyRow) -> Values:
    """The one look-up that can be made anew, because what was hashed stands sealed beside it."""
    where = vault.open("addresses", row.sealed, row.hash).decode()
    hashed = vault.lookup("address", f"{row.channel}:{where}")
    return {"hash": hashed, "sealed": _resealed(vault, "addresses", row.sealed, row.hash, hashed)}


def _visit(vault: Vault, row: AnyRow) -> Values:
    sealed = _resealed(vault, "visits", bytes.fromhex(row.code), row.address, row.address)
    return {"code": sealed.hex() if sealed else row.code}


def _audited(vault: Vault, row: AnyRow) -> Values:
    """What was forged or damaged is left as it is, so that `yousaid audit verify` finds it afterwards too."""
    try:
        sealed = _resealed(vault, "audit", row.sealed, str(row.id), str(row.id))
    except KeyProblem:
        sealed = row.sealed
    return {"sealed": sealed, "mac": mac_of(vault, row.hash) if _is_ours(vault, row.hash, row.mac) else row.mac}


_BOXES = select(t.surveys.c.id).where(t.surveys.c.mode == "ANON")
NOT_IN_A_BOX = or_(t.runs.c.survey.is_(None), t.runs.c.survey.not_in(_BOXES))  # those have keys of their own

SEALED = (
    _sealed(t.people, {"sealed": ("names", "{id}")}),
    _sealed(t.children, {"sealed": ("names", "child/{person}/{nth}")}),
    SealedTable(t.addresses, ("sealed",), _address),
    _sealed(t.second_factors, {"sealed": ("factors", "{person}")}),
    _sealed(t.codes, {"sealed": ("names", "{hash}")}),
    SealedTable(t.visits, ("code",), _visit),
    _sealed(t.surveys, {"decider": ("names", "{id}")}),
    _sealed(t.runs, {"sealed": ("runs", "run/{id}"), "words": ("runs", "words/{id}")}, NOT_IN_A_BOX),
    _sealed(t.sheet_keys, {"sealed": ("sheet-keys", "{id}")}),
    _sealed(t.removals, {"sealed": ("removals", "{id}")}),
    _sealed(t.records, {"sealed": ("records", "{id}")}),
    _sealed(t.queue, {"sealed": ("words", "{id}"), "reason": ("words", "{id}.reason")}),
    _sealed(t.comments, {"sealed": ("words", "comment.{item}")}),
    _sealed(t.pauses, {"sealed": ("names", "pause/{person}")}),
    SealedTable(t.audit, ("sealed",), _audited),
    _sealed(t.bookings, {"sealed": ("bookings", "{id}")}),
    _sealed(t.room_notes, {"sealed": ("room-notes", "{id}")}),
    _sealed(t.sendings, {"sealed": ("names", "sending/{id}")}),
)
FACTS = {"school": "names", KEY_CHECK: "check", EARLIER_LOOKUPS: "lookups"}  # purposes; bound to their own name


async def facts_anew(tx: Tx) -> None:
    """The sealed facts, and the ends of the audit log, which carry a code."""
    for row in await tx.all(select(t.facts)):
        try:
            value = _fact(tx.vault, row)
        except KeyProblem:
            raise KeyProblem(f"The fact {row.name} opens with no key of the ring. Run `yousaid doctor`.") from None
        if value != row.value:
            await tx.run(t.facts.update().where(t.facts.c.name == row.name).values(value=value))


def _fact(vault: Vault, row: AnyRow) -> bytes | None:
    if row.name.startswith(PREFIX):
        return _resealed(vault, PURPOSE, row.value, row.name, row.name)
    if row.name in FACTS:
        return _resealed(vault, FACTS[row.name], row.value, row.name, row.name)
    if row.name not in (HEAD_FACT, BASE_FACT):
        return row.value  # type: ignore[no-any-return]
    return link_fact(vault, row.name, read_link(row.value)) if _link_is_ours(vault, row) else row.value


def _link_is_ours(vault: Vault, row: AnyRow) -> bool:
    try:
        id, hash, mac = json.loads(row.value)
    except (ValueError, TypeError):
        return False
    return _is_ours(vault, f"{row.name}/{id}/{hash}", mac)


def _is_ours(vault: Vault, words: str, mac: object) -> bool:
    """Under today's key, or one that is being replaced."""
    return any(hmac.compare_digest(known, str(mac)) for known in vault.lookups("audit", words))


# --- the last look ------------------------------------------------------------------------------------------------


async def left_behind(tx: Tx) -> list[str]:
    """Columns ("table.column") in which something stands that only an earlier key opens."""
    found = []
    for table in t.metadata.sorted_tables:
        for column in (c for c in table.c if isinstance(c.type, LargeBinary)):
            if await _count(tx, table, column):
                found.append(f"{table.name}.{column.name}")
    visits = [bytes.fromhex(r.code) for r in await tx.all(select(t.visits.c.code))]
    return [*found, *(["visits.code"] if any(key_id(v) != tx.vault.id for v in visits) else [])]


async def _count(tx: Tx, table: Table, column: ColumnElement[bytes]) -> int:
    """How many of its values begin as sealed ones do, with another id than that of today's key."""
    first = func.substr(column, 1, 1, type_=LargeBinary())
    name = func.substr(column, 1, 1 + KEY_ID, type_=LargeBinary())
    old = and_(first.in_((VERSION, NAMED_KEY)), name != NAMED_KEY + tx.vault.id)
    where = and_(old, NOT_IN_A_BOX) if table is t.runs else old
    if table is t.audit:
        return sum([_opens(tx.vault, r) for r in await tx.all(select(table).where(where))])
    return int(await tx.value(select(func.count()).select_from(table).where(where)))


def _opens(vault: Vault, row: AnyRow) -> bool:
    """A damaged row of the audit log is not waited for."""
    try:
        vault.open("audit", row.sealed, str(row.id))
    except KeyProblem:
        return False
    return True
