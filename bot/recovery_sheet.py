"""The recovery sheet: the master key on paper, as a square to scan and as groups of letters that can be typed back.

The format: the 256 bits of the key, most significant first, as 52 letters and digits of Crockford's base32 (5 bits
each, the last 4 bits zero; no I, L, O, U), in 13 groups of four; then a 14th group that checks them, the first 20 bits
of SHA-256 over b"yousaid/sheet/1" and the key. The square holds "YOUSAID-KEY-1 " and the groups, with hyphens.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from contextlib import suppress

from data.codes import ALPHABET
from data.vault import KeyProblem, read_master_key

PREFIX = "YOUSAID-KEY-1"
GROUPS, SIZE = 14, 4
_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})


def groups_of(key: bytes) -> list[str]:
    """The 14 groups of a key of 32 bytes, the last of which checks the others."""
    letters = _letters(int.from_bytes(key) << 4, 52) + _check(key)
    return [letters[i : i + SIZE] for i in range(0, len(letters), SIZE)]


def square_text(key: bytes) -> str:
    """What the square to scan says."""
    return f"{PREFIX} {'-'.join(groups_of(key))}"


def read_sheet(typed: str) -> bytes:
    """The key on a sheet, however it was typed or scanned; KeyProblem in one line where it cannot be right.

    Sheets from before have the 44 letters of base64 instead.
    """
    with suppress(KeyProblem):
        return read_master_key(typed)
    letters = plain(typed)
    if len(letters) != GROUPS * SIZE:
        raise KeyProblem(f"The sheet has {GROUPS} groups of {SIZE} letters; this is {len(letters)} letters.")
    if unknown := sorted(set(letters) - set(ALPHABET)):
        raise KeyProblem(f"There is no {unknown[0]} on a sheet. Compare the groups with it once more.")
    number = 0
    for letter in letters[:-SIZE]:
        number = number << 5 | ALPHABET.index(letter)
    key = (number >> 4).to_bytes(32)
    if number & 15 or _check(key) != letters[-SIZE:]:
        raise KeyProblem("The last group does not fit the others, so a letter is wrong. Compare them once more.")
    return key


def plain(typed: str) -> str:
    """The letters as they are meant: no spaces, hyphens, look-alikes, nor the word that the square begins with."""
    upper = unicodedata.normalize("NFKC", typed).upper().strip().removeprefix(PREFIX)
    return re.sub(r"[\s\-‐-―.]", "", upper).translate(_ALIKE)


def _check(key: bytes) -> str:
    digest = hashlib.sha256(b"yousaid/sheet/1" + key).digest()
    return _letters(int.from_bytes(digest[:3]) >> 4, SIZE)


def _letters(number: int, size: int) -> str:
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(size)))
