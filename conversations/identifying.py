"""What in a comment tells who somebody is: staff, other names, phone numbers, addresses, pupil numbers (FAIL-14).

A help for readers, no judge: words it does not find may still tell, so a human reads every comment before it travels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from conversations.naming import TITLES, roles_named

_TITLE = r"(?:(?i:mr|mrs|ms|mx|dr|prof)\b\.?|Miss|Sir|Rev\.?)"
_TITLED = re.compile(rf"\b{_TITLE}\s+((?!(?i:and|or|is|has|was)\b)[^\W\d_][\w'’-]*)")
_MISS = re.compile(r"(?:Miss|Sir)\s+[a-z]")  # "Miss the bus": a verb at the start of a sentence
_CONTACTS = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?<!\w)@\w{3,}"),
    re.compile(r"(?<!\w)\+?\d(?:[\s().-]*\d){8,}(?!\w)"),
    re.compile(r"\b[A-Za-z]\d{11}[\dA-Za-z]\b"),  # a UPN
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b"),  # a postcode
)
_INSIDE = re.compile(r"(?<![.!?:\n])(?<!^)[ \t][\"'(“‘]?([A-Z][a-z'’]+(?:-[A-Z][a-z]+)*)")  # within a sentence

# Words with a capital letter that name nobody.
_NO_NAMES = """
i i'm i'd i'll i've monday tuesday wednesday thursday friday saturday sunday january february march april may june july
august september october november december easter christmas ramadan eid diwali english maths british year years
reception nursery telegram teams google internet send senco ok
"""
# Surnames that are words of every day too: found only where they have a capital letter.
_EVERYDAY = """
baker banks bell best bird bishop black bond book brook brown bush butler carter chance church cook cross day dean early
field fields fisher ford fox french friend gardener gay glass gold good grace gray green grey hall hand hill holiday
hope house hunter joy king knight lamb lane law little lock long love marsh mason may miller moon moss north page park
parker piper poole pope porter potter power price read rice rich rivers rose rush sharp shepherd short singer small
smart stone storey story street strong summer summers swift taylor turner walker wall ward waters way weeks wells west
white wild will wills winter winters wise wood woods word wright young
"""
# Words of a family's label that are in many sentences.
_GENERIC = "the family families mum mums dad dads parent parents carer carers and of"


@dataclass(frozen=True)
class Telling:
    """`people` and `contacts` keep a comment from being quoted; `maybe` are words with a capital letter inside."""

    people: tuple[str, ...] = field(default=(), repr=False)
    contacts: tuple[str, ...] = field(default=(), repr=False)
    maybe: tuple[str, ...] = field(default=(), repr=False)

    @property
    def surely(self) -> tuple[str, ...]:
        return (*self.people, *self.contacts)


def telling(text: str, names: Iterable[str]) -> Telling:
    """What tells who somebody is, given the names we know: "Ms Patel", "The Khan family"."""
    titled = [m[0] for m in _TITLED.finditer(text) if not _MISS.match(m[0])]
    stands = [word for name in names for word in _words_of(name) if _stands_in(word, text)]
    named = [word for word in stands if not roles_named(" ".join(titled), {word: word})]
    contacts = [m[0] for pattern in _CONTACTS for m in pattern.finditer(text)]
    known = " ".join([*named, *titled]).casefold().split()
    inside = [re.sub(r"['’]s?$", "", word) for word in _INSIDE.findall(text)]
    maybe = [w for w in inside if w.casefold() not in {*_NO_NAMES.split(), *TITLES, *known}]
    return Telling(_once([*titled, *named]), _once(contacts), _once(maybe))


def _words_of(name: str) -> list[str]:
    """The words that name: not "Ms", not "The ... family", no initials."""
    words = re.findall(r"[^\W\d_]+", name)
    return [w for w in words if len(w) > 1 and w.casefold() not in {*TITLES, *_GENERIC.split()}]


def _stands_in(word: str, text: str) -> bool:
    """Close spellings count, and "the Khans". Where it is a word of every day, its capital letter must stand there."""
    if not roles_named(text, {"one": word, "many": f"{word}s"}):
        return False
    return word.casefold() not in _EVERYDAY.split() or bool(re.search(rf"\b{re.escape(word.capitalize())}\b", text))


def _once(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(words.split()) for words in found))
