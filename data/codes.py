"""Codes: made, found by keyed hash, used once, replaced by a newer one; and who guesses wrong how often.

A staff code that was made in a chat waits for a colleague's yes: whoever uses it before joins without its role. A
device code belongs to somebody who joined and lets one more chat or browser in.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from conversations.screening import screen
from data.database import AnyRow, Tx, read_fact, write_fact
from data.moments import moment, stamp
from data.tables import code_uses, codes, visits, wrong_codes

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
LENGTH = 10
NUMBERS = "letters/"  # facts: the highest number of a letter in each group, of which the code may be gone
START = 16  # letters of a hash that name a code in a button
DEVICE_CODE_LIFE = timedelta(minutes=15)
_LINK = re.compile(r"\S+(?:\?start=|/join/)(\S+)")
_PRINTED = re.compile(r"[A-Z0-9]{4}[ -]?[A-Z0-9]{4}[ -]?[A-Z0-9]{2}")
_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})


@dataclass(frozen=True)
class Invitation:
    """What a code is for. `slip` is the number of its letter in its group; `made_by` is empty for the command line."""

    role: str
    group: str | None
    language: str
    label: str = field(default="", repr=False)
    children: int = 1
    waits: bool = False
    made_by: str = ""
    slip: int | None = None
    device_of: str | None = None
    hash: str = field(default="", repr=False, compare=False)  # under which it stands, where it stands already


@dataclass(frozen=True)
class Slip:
    """A code as staff see it afterwards: never the code itself. `person` and `used_at` are its first use's."""

    hash: str = field(repr=False)
    invitation: Invitation
    made_at: datetime | None
    expires_at: datetime
    uses_left: int
    person: str | None
    used_at: datetime | None

    def open_at(self, now: datetime) -> bool:
        """Whether somebody can still join with it."""
        return self.uses_left > 0 and self.expires_at > now


def read_code(typed: str) -> str | None:
    """The ten letters and digits of a code in any case, with or without hyphens; None when it is not shaped so."""
    plain = re.sub(r"[\s-]", "", _as_printed(typed)).translate(_ALIKE)
    return plain if len(plain) == LENGTH and set(plain) <= set(ALPHABET) else None


def looks_like_code(typed: str) -> bool:
    """Whether words are meant as a code: in groups as printed, or all together, and with a digit somewhere."""
    plain = _as_printed(typed)
    if not _PRINTED.fullmatch(plain) or not any(c.isdigit() for c in plain):
        return False
    return read_code(plain) is not None and not (" " in plain and screen(plain))


def _as_printed(typed: str) -> str:
    """In capitals with plain hyphens, without the link it stands in and without marks around it."""
    plain = unicodedata.normalize("NFKC", typed).strip()
    if link := _LINK.fullmatch(plain):
        plain = link[1]
    hyphened = "".join("-" if unicodedata.category(c) == "Pd" else c for c in plain)
    return hyphened.strip(" .,;:!?\"'“”‘’()<>").upper()


def shown(code: str) -> str:
    """XXXX-XXXX-XX."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


async def make_code(
    tx: Tx, invitation: Invitation, uses: int, expires_at: datetime, made_at: datetime | None = None
) -> str:
    """A new code, as people see it. Only its keyed hash is stored."""
    code = _random_code()
    hashed = tx.vault.lookup("code", code)
    what = {
        "role": invitation.role,
        "group_id": invitation.group,
        "language": invitation.language,
        "sealed": tx.vault.seal("names", invitation.label.encode(), hashed),
        "children": invitation.children,
        "waits": invitation.waits,
        "made_by": invitation.made_by or None,
        "made_at": stamp(made_at) if made_at else None,
        "slip": invitation.slip,
        "device_of": invitation.device_of,
    }
    await tx.run(insert(codes).values(hash=hashed, uses_left=uses, expires_at=stamp(expires_at), **what))
    return shown(code)


async def make_device_code(tx: Tx, person: str, language: str, now: datetime) -> str:
    """A code that lets one more chat or browser of this person in, once, within 15 minutes."""
    return await make_code(tx, Invitation("", None, language, device_of=person), 1, now + DEVICE_CODE_LIFE, now)


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
    row = await tx.first(select(codes).where(codes.c.hash.in_(tx.vault.lookups("code", code))))
    if not row or row.uses_left < 1 or moment(row.expires_at) <= now:
        return None
    return _invitation(tx, row)


def _invitation(tx: Tx, row: AnyRow) -> Invitation:
    label = tx.vault.open("names", row.sealed, row.hash).decode()
    more = {"children": row.children, "waits": bool(row.waits), "slip": row.slip, "device_of": row.device_of}
    return Invitation(row.role, row.group_id, row.language, label, made_by=row.made_by or "", hash=row.hash, **more)


async def stands_under(tx: Tx, code: str) -> str:
    """The hash under which a code is kept: today's key's, or that of the key it was made with."""
    hashes = tx.vault.lookups("code", code)
    found: str | None = await tx.value(select(codes.c.hash).where(codes.c.hash.in_(hashes)))
    return found or hashes[0]


async def used_by(tx: Tx, code: str, person: str) -> bool:
    """Whether this person used this code before."""
    where = (code_uses.c.hash.in_(tx.vault.lookups("code", code)), code_uses.c.person == person)
    return await tx.first(select(code_uses).where(*where)) is not None


async def only_user(tx: Tx, code: str) -> str | None:
    """Who used this code, where that was one person; None for a code that nobody or several people used."""
    where = code_uses.c.hash.in_(tx.vault.lookups("code", code))
    users = [r.person for r in await tx.all(select(code_uses.c.person).where(where).limit(2))]
    return users[0] if len(users) == 1 else None


async def spend_code(tx: Tx, code: str, person: str, now: datetime) -> bool:
    """Use the code once; False when somebody else was faster."""
    hashed = await stands_under(tx, code)
    taken = update(codes).where(codes.c.hash == hashed, codes.c.uses_left > 0)
    if not await tx.run(taken.values(uses_left=codes.c.uses_left - 1)):
        return False
    await tx.run(insert(code_uses).values(hash=hashed, person=person, at=stamp(now)))
    return True


# --- what became of them ------------------------------------------------------------------------------------------


async def slips_of(tx: Tx, group: str | None = None) -> list[Slip]:
    """The letters of a group (or of all) in the order of their numbers; a replaced one is left out."""
    there = select(codes, code_uses.c.person, code_uses.c.at).outerjoin(code_uses, code_uses.c.hash == codes.c.hash)
    query = there.where(codes.c.device_of.is_(None), codes.c.replaced.is_(False), codes.c.slip.is_not(None))
    if group:
        query = query.where(codes.c.group_id == group)
    return _slips(tx, await tx.all(query.order_by(codes.c.group_id, codes.c.slip, code_uses.c.at)))


async def find_slip(tx: Tx, hashed: str) -> Slip | None:
    there = select(codes, code_uses.c.person, code_uses.c.at).outerjoin(code_uses, code_uses.c.hash == codes.c.hash)
    found = _slips(tx, await tx.all(there.where(codes.c.hash == hashed, codes.c.device_of.is_(None))))
    return found[0] if found else None


async def slip_of_code(tx: Tx, code: str) -> Slip | None:
    """The same for a code as somebody typed it, good or used up."""
    return await find_slip(tx, await stands_under(tx, code))


async def next_slip(tx: Tx, group: str | None) -> int:
    """The number of this group's next letter: never one that a family had before."""
    highest = await tx.value(select(func.max(codes.c.slip)).where(codes.c.group_id == group))
    return max(int(highest or 0), await _number_before(tx, group)) + 1


async def _number_before(tx: Tx, group: str | None) -> int:
    return int(await read_fact(tx, f"{NUMBERS}{group or ''}") or 0)


async def keep_numbers(tx: Tx) -> None:
    """Call it before codes are deleted: the school's own list still says whose number it was, and so may the queue."""
    for group, highest in await tx.all(select(codes.c.group_id, func.max(codes.c.slip)).group_by(codes.c.group_id)):
        if int(highest or 0) > await _number_before(tx, group):
            await write_fact(tx, f"{NUMBERS}{group or ''}", str(highest).encode())


async def replace_code(tx: Tx, slip: Slip, expires_at: datetime, now: datetime) -> str:
    """A new code for the same letter; the old one is dead from now on."""
    await kill_code(tx, slip.hash)
    await tx.run(update(codes).where(codes.c.hash == slip.hash).values(replaced=True))
    return await make_code(tx, slip.invitation, 1, expires_at, now)


async def kill_code(tx: Tx, hashed: str) -> None:
    await tx.run(update(codes).where(codes.c.hash == hashed).values(uses_left=0))


async def take_back_code(tx: Tx, hashed: str) -> None:
    """A letter that nobody joined with is taken back: it opens nothing, and stands on no list."""
    await tx.run(update(codes).where(codes.c.hash == hashed).values(uses_left=0, replaced=True))


async def waiting_slips(tx: Tx, now: datetime) -> list[Slip]:
    """Staff codes that wait for a colleague's yes: still open, or used already."""
    there = select(codes, code_uses.c.person, code_uses.c.at).outerjoin(code_uses, code_uses.c.hash == codes.c.hash)
    found = _slips(tx, await tx.all(there.where(codes.c.waits.is_(True)).order_by(codes.c.made_at)))
    return [slip for slip in found if slip.person or slip.open_at(now)]


async def find_waiting(tx: Tx, start: str, now: datetime) -> Slip | None:
    """The one among them whose hash begins so (a button has no room for all of it)."""
    found = [slip for slip in await waiting_slips(tx, now) if len(start) >= START and slip.hash.startswith(start)]
    return found[0] if len(found) == 1 else None


async def approve_code(tx: Tx, hashed: str) -> list[str]:
    """A colleague said yes; the people who used it already and get its role now. Empty when nothing waited."""
    if not await tx.run(update(codes).where(codes.c.hash == hashed, codes.c.waits.is_(True)).values(waits=False)):
        return []
    return [r.person for r in await tx.all(select(code_uses.c.person).where(code_uses.c.hash == hashed))]


async def refuse_code(tx: Tx, hashed: str) -> None:
    """A colleague said no: it waits no longer and opens nothing."""
    await tx.run(update(codes).where(codes.c.hash == hashed).values(waits=False, uses_left=0, replaced=True))


async def letters_used_by(tx: Tx, person: str) -> list[int]:
    """The numbers of the letters somebody came in with; a letter that was replaced since is another family's."""
    mine = select(codes.c.slip).join(code_uses, code_uses.c.hash == codes.c.hash).where(code_uses.c.person == person)
    there = mine.where(codes.c.device_of.is_(None), codes.c.replaced.is_(False), codes.c.slip.is_not(None))
    return [r.slip for r in await tx.all(there.order_by(codes.c.slip))]


async def codes_used_by(tx: Tx, person: str) -> list[Slip]:
    """The codes somebody came in with, oldest first."""
    there = select(codes, code_uses.c.person, code_uses.c.at).join(code_uses, code_uses.c.hash == codes.c.hash)
    return _slips(tx, await tx.all(there.where(code_uses.c.person == person).order_by(code_uses.c.at)))


def _slips(tx: Tx, rows: Sequence[AnyRow]) -> list[Slip]:
    """One for each code, with its first use."""
    found: dict[str, Slip] = {}
    for r in rows:
        made, used = (moment(r.made_at) if r.made_at else None), (moment(r.at) if r.at else None)
        slip = Slip(r.hash, _invitation(tx, r), made, moment(r.expires_at), r.uses_left, r.person, used)
        found.setdefault(r.hash, slip)
    return list(found.values())


# --- strangers at the door ----------------------------------------------------------------------------------------


def place_of(person: str) -> str:
    """Where the code that a known person opened is remembered."""
    return f"person/{person}"


async def remember_visit(tx: Tx, address: str, code: str, now: datetime) -> None:
    """A stranger opened this (sealed) code and is asked whether to join."""
    await forget_visit(tx, address)
    sealed = tx.vault.seal("visits", code.encode(), address).hex()
    await tx.run(insert(visits).values(address=address, code=sealed, at=stamp(now)))


async def visit_code(tx: Tx, *addresses: str) -> str | None:
    """The code this stranger is being asked about; `addresses` are the hashes under which they may stand."""
    row = await tx.first(select(visits).where(visits.c.address.in_(addresses)))
    return tx.vault.open("visits", bytes.fromhex(row.code), row.address).decode() if row else None


async def forget_visit(tx: Tx, *addresses: str) -> None:
    await tx.run(delete(visits).where(visits.c.address.in_(addresses)))


async def note_wrong_code(tx: Tx, address: str, now: datetime) -> int:
    """How many wrong codes came from this address in the last hour, with this one."""
    await tx.run(delete(wrong_codes).where(wrong_codes.c.at < stamp(now - timedelta(hours=1))))
    await tx.run(insert(wrong_codes).values(address=address, at=stamp(now)))
    return int(await tx.value(select(func.count()).where(wrong_codes.c.address == address)))
