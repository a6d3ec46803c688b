"""Invitation codes: made, found by keyed hash, used once; and who guesses wrong how often."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from conversations.screening import screen
from data.database import Tx
from data.moments import moment, stamp
from data.tables import code_uses, codes, visits, wrong_codes

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
LENGTH = 10
_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})


@dataclass(frozen=True)
class Invitation:
    """What a code is for."""

    role: str
    group: str | None
    language: str
    label: str = field(default="", repr=False)


def read_code(typed: str) -> str | None:
    """The ten letters and digits of a code in any case, with or without hyphens; None when it is not shaped so."""
    plain = typed.strip().upper().replace("-", "").replace(" ", "").translate(_ALIKE)
    return plain if len(plain) == LENGTH and set(plain) <= set(ALPHABET) else None


def looks_like_code(typed: str) -> bool:
    """Whether words are meant as a code: ten letters and digits, hyphens as printed or none, and a digit somewhere."""
    plain = typed.strip()
    shaped = len(plain) == LENGTH or (len(plain) == LENGTH + 2 and plain.count("-") == 2)
    return shaped and " " not in plain and any(c.isdigit() for c in plain) and read_code(plain) is not None


def shown(code: str) -> str:
    """XXXX-XXXX-XX."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


async def make_code(tx: Tx, invitation: Invitation, uses: int, expires_at: datetime) -> str:
    """A new code, as people see it. Only its keyed hash is stored."""
    code = _random_code()
    hashed = tx.vault.lookup("code", code)
    sealed = tx.vault.seal("names", invitation.label.encode(), hashed)
    what = {
        "role": invitation.role,
        "group_id": invitation.group,
        "language": invitation.language,
        "sealed": sealed,
    }
    await tx.run(insert(codes).values(hash=hashed, uses_left=uses, expires_at=stamp(expires_at), **what))
    return shown(code)


def _random_code() -> str:
    """Always with a digit, so that a code typed in a chat can be told from a word; never one that reads as a cry."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if any(c.isdigit() for c in code) and not reads_as_a_cry(code):
            return code


def reads_as_a_cry(code: str) -> bool:
    """Whether the word screen would flag it: 1 in 200 does, and its owner could not join."""
    return bool(screen(code) or screen(shown(code)))


async def find_invitation(tx: Tx, code: str, now: datetime) -> Invitation | None:
    """What this code still opens for somebody new; None for a wrong, used or expired one."""
    row = await tx.first(select(codes).where(codes.c.hash == tx.vault.lookup("code", code)))
    if not row or row.uses_left < 1 or moment(row.expires_at) <= now:
        return None
    return Invitation(row.role, row.group_id, row.language, tx.vault.open("names", row.sealed, row.hash).decode())


async def used_by(tx: Tx, code: str, person: str) -> bool:
    """Whether this person used this code before."""
    where = (code_uses.c.hash == tx.vault.lookup("code", code), code_uses.c.person == person)
    return await tx.first(select(code_uses).where(*where)) is not None


async def spend_code(tx: Tx, code: str, person: str) -> bool:
    """Use the code once; False when somebody else was faster."""
    hashed = tx.vault.lookup("code", code)
    taken = update(codes).where(codes.c.hash == hashed, codes.c.uses_left > 0)
    if not await tx.run(taken.values(uses_left=codes.c.uses_left - 1)):
        return False
    await tx.run(insert(code_uses).values(hash=hashed, person=person))
    return True


# --- strangers at the door ----------------------------------------------------------------------------------------


def place_of(person: str) -> str:
    """Where the code that a known person opened is remembered."""
    return f"person/{person}"


async def remember_visit(tx: Tx, address: str, code: str, now: datetime) -> None:
    """A stranger opened this (sealed) code and is asked whether to join."""
    await forget_visit(tx, address)
    sealed = tx.vault.seal("visits", code.encode(), address).hex()
    await tx.run(insert(visits).values(address=address, code=sealed, at=stamp(now)))


async def visit_code(tx: Tx, address: str) -> str | None:
    """The code this stranger is being asked about."""
    sealed = await tx.value(select(visits.c.code).where(visits.c.address == address))
    return tx.vault.open("visits", bytes.fromhex(sealed), address).decode() if sealed else None


async def forget_visit(tx: Tx, address: str) -> None:
    await tx.run(delete(visits).where(visits.c.address == address))


async def note_wrong_code(tx: Tx, address: str, now: datetime) -> int:
    """How many wrong codes came from this address in the last hour, with this one."""
    await tx.run(delete(wrong_codes).where(wrong_codes.c.at < stamp(now - timedelta(hours=1))))
    await tx.run(insert(wrong_codes).values(address=address, at=stamp(now)))
    return int(await tx.value(select(func.count()).where(wrong_codes.c.address == address)))
