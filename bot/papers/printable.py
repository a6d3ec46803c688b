"""Which words our fonts can print: those in Latin, Greek and Cyrillic letters."""

from __future__ import annotations

import unicodedata

SCRIPTS = ("LATIN ", "GREEK ", "CYRILLIC ", "COMBINING ", "MODIFIER LETTER ")
SIGNS = "‘’“”–—…·€£°№"


def printable(words: str) -> bool:
    """Whether every letter and sign of these words stands in the fonts."""
    return all(c.isascii() or "\xa0" <= c <= "\xff" or c in SIGNS or _of_our_scripts(c) for c in words)


def _of_our_scripts(letter: str) -> bool:
    kept = ord(letter) < 0x1AB0 or 0x1E00 <= ord(letter) < 0x2000  # between them: rare marks that the fonts lack
    return kept and unicodedata.category(letter)[0] in "LM" and unicodedata.name(letter, "").startswith(SCRIPTS)
