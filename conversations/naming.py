"""Which of the school's people a text names, so that no item reaches somebody it may be about (SAFE-7).

It errs on the side of caution: a name that is close enough counts, whether the text complains or thanks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
TITLES = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "sir", "rev", "prof"])
ALIKE = 0.8  # of a name with five letters or more, so that "Okofor" is Okafor and "Le" is not Lee
ROLE_WORDS = {
    "head": r"head ?teacher|head ?master|head ?mistress|(?<!on )(?<!in )(?<!to )\bthe head\b(?! of)|principal",
    "dsl": r"safeguarding (?:lead|officer|person)|\bdsl\b|child protection (?:lead|officer)",
    "deputy": r"deputy (?:safeguarding|dsl)",
    "senco": r"\bsenco\b|\bsendco\b|send co-?ordinator",
    "chair": r"chair of (?:the )?governors",
}


def roles_named(text: str, people: Mapping[str, str]) -> frozenset[str]:
    """The roles whose holder's name (`people`: role -> "Mr Okafor") or job the text mentions."""
    words = [w.casefold() for w in _WORD.findall(text)]
    named = {role for role, name in people.items() if _names(words, name)}
    jobs = {role for role, pattern in ROLE_WORDS.items() if role in people and re.search(pattern, text, re.I)}
    return frozenset(named | jobs)


def _names(words: list[str], name: str) -> bool:
    parts = [w.casefold() for w in _WORD.findall(name)]
    last = next((w for w in reversed(parts) if w not in TITLES), "")
    return any(_alike(word, last) for word in words)


def _alike(word: str, name: str) -> bool:
    word = re.sub(r"['’]s$", "", word)
    if word == name or len(name) < 5 or abs(len(word) - len(name)) > 2 or not name:
        return bool(name) and word == name
    return word[0] == name[0] and SequenceMatcher(None, word, name).ratio() >= ALIKE
