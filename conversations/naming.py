"""Which of the school's people a text names, so that no item reaches somebody it may be about (SAFE-7).

It errs on the side of caution: a name that is close enough counts, whether the text complains or thanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from difflib import SequenceMatcher
from itertools import pairwise

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
TITLES = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "sir", "rev", "prof"])
LONGEST_PARTICLE = 3  # letters, as in "Mc Donald"
ALIKE = 0.8  # of a name with five letters or more, so that "Okofor" is Okafor and "Le" is not Lee
ROLE_WORDS = {
    "head": r"head[ -]?(?:teacher|master|mistress)|head of (?:the |our |my )?school|principal"
    r"|(?<!on )(?<!in )(?<!to )\bthe head\b(?! of)",
    "dsl": r"safeguarding (?:lead|officer|person)|\bdsl\b|child protection (?:lead|officer)",
    "deputy": r"deputy (?:safeguarding|dsl)",
    "senco": r"\bsenco\b|\bsendco\b|send co-?ordinator",
    "chair": r"chair of (?:the )?governors",
}


def roles_named(text: str, people: Mapping[str, str]) -> frozenset[str]:
    """The roles whose holder's name (`people`: role -> "Mr Okafor") or job the text mentions."""
    words = _words(text)
    named = {role for role, name in people.items() if _names(words, name)}
    jobs = {role for role, pattern in ROLE_WORDS.items() if role in people and re.search(pattern, text, re.I)}
    return frozenset(named | jobs)


def _words(text: str) -> list[str]:
    """In small letters without accents; both halves of "Smith-Jones" count, and "O Neill" as one word too."""
    parts = (part for part in unicodedata.normalize("NFKD", text) if not unicodedata.combining(part))
    words = [half for word in _WORD.findall("".join(parts)) for half in word.casefold().split("-")]
    return words + [one + two for one, two in pairwise(words) if len(one) <= LONGEST_PARTICLE]


def _names(words: list[str], name: str) -> bool:
    """Whether the words hold the surname, or for "Smith-Jones" one of its halves."""
    plain = re.split(r"[,(]", name)[0]  # what follows is a job, as in "Mr Okafor (deputy head)"
    last = next((w for w in reversed(plain.split()) if w.casefold().strip(".") not in TITLES), "")
    return any(_alike(word, part) for word in words for part in _words(last))


def _alike(word: str, name: str) -> bool:
    word = re.sub(r"['’]s$", "", word)
    if word in (name, f"{name}s") or len(name) < 5 or abs(len(word) - len(name)) > 2:
        return word in (name, f"{name}s")
    return word[0] == name[0] and SequenceMatcher(None, word, name).ratio() >= ALIKE
