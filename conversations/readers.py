"""Who sees what of one survey, worked out from the one table of roles, so that what is promised is so (X2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conversations.roles import FAMILY_ROLES, MAY, STAFF_ROLES

# In the order in which people are named: those whom families know best first.
ORDER = ("senco", "dsl", "deputy", "head", "chair", "office", "governor", "staff", "admin", *FAMILY_ROLES)


@dataclass(frozen=True)
class Readers:
    """Roles. `names` may learn who gave which answers, `answers` read them without; `words` are read by `words` first.

    `totals` are all other staff: they see counts at most, in a summary or when results are published.
    """

    names: tuple[str, ...]
    answers: tuple[str, ...]
    words: tuple[str, ...]
    totals: tuple[str, ...]


def readers_of(mode: str, takes_words: bool) -> Readers:
    """Who may see what of a survey in this mode. In the queue too a name is a look of its own."""
    words = MAY["queue-all"] if takes_words else frozenset()
    names: frozenset[str] = frozenset() if mode == "ANON" else MAY["names"]
    if mode == "NAMED":
        names |= MAY["records"]
    answers = MAY["answers"] - names
    totals = frozenset(STAFF_ROLES) - names - answers - words
    return Readers(in_order(names), in_order(answers), in_order(words), in_order(totals))


def queue_readers() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(who reads everything that waits for a human, who reads only what is sent on to them)."""
    return in_order(MAY["queue-all"]), in_order(MAY["queue"] - MAY["queue-all"])


def in_order(roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(roles, key=ORDER.index))
