"""Who may do what: the one table. Every command, page and verb asks here."""

from __future__ import annotations

from collections.abc import Iterable

FAMILY_ROLES = ("parent", "young-person", "pupil")
STAFF_ROLES = ("staff", "senco", "dsl", "deputy", "head", "chair", "office", "governor", "admin")
ROLES = FAMILY_ROLES + STAFF_ROLES
INVITED = tuple(role for role in ROLES if role != "pupil")  # under-16s never use own accounts (AGE-1)
FAMILIES = frozenset(FAMILY_ROLES)
EVERYBODY = frozenset(ROLES)

MAY: dict[str, frozenset[str]] = {
    "send": frozenset({"admin", "senco", "head"}),
    "close": frozenset({"admin", "senco", "head"}),
    "summary": frozenset({"admin", "senco", "dsl", "deputy", "head"}),
    "export": frozenset({"admin", "senco", "dsl", "deputy", "head"}),
    "answers": frozenset({"admin", "senco", "head"}),
    "queue": frozenset({"senco", "dsl", "deputy", "head", "chair"}),
    "queue-all": frozenset({"senco", "dsl", "deputy"}),  # head and chair only see what is routed to them
    "dropin": frozenset({"staff", "senco", "head", "office", "admin"}),
    "surveys": FAMILIES,
    "dropins": FAMILIES,
}


def may(roles: Iterable[str], action: str) -> bool:
    """Whether somebody with these roles may do this. An action outside the table is open to everybody who joined."""
    return action not in MAY or bool(MAY[action] & set(roles))
