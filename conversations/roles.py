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
    "away": frozenset({"dsl", "deputy", "head"}),  # those on the ladder say until when others stand in (SAFE-5)
    "transfer": frozenset({"dsl", "deputy"}),  # confirm that the school's own record has it (SAFE-8)
    "names": frozenset({"senco", "dsl", "deputy"}),  # who is behind a CONF answer, with a reason
    "records": frozenset({"senco", "dsl", "deputy", "head", "admin"}),  # NAMED answers, in a child's papers
    "invite": frozenset({"admin", "senco", "head", "office"}),  # families; with their letters and access
    "invite-staff": frozenset({"admin", "senco", "head"}),
    "second-factor": frozenset(STAFF_ROLES),
    "dropin": frozenset({"staff", "senco", "head", "office", "admin"}),
    "event": frozenset({"staff", "senco", "head", "office", "admin"}),
    "attendance": frozenset({"staff", "senco", "head", "office", "admin"}),  # of what one leads
    "room-notes": frozenset({"staff", "senco", "head", "office", "admin"}),
    "event-change": frozenset({"staff", "senco", "head", "office", "admin"}),  # one's own; some roles, everybody's
    "wedid": frozenset({"admin", "senco", "head", "staff"}),  # a draft; somebody else looks at it, and publishes it
    "publish": frozenset({"admin", "senco", "head"}),
    "yousaid": EVERYBODY,
    "surveys": FAMILIES,
    "dropins": FAMILIES,
    "events": frozenset({"parent", "young-person"}),
    "book": frozenset({"parent", "young-person"}),  # pupils have one tap instead
    "requests": frozenset({"staff", "senco", "dsl", "deputy", "head", "office", "admin"}),  # pupils who asked for one
    "requests-all": frozenset({"senco", "dsl", "deputy"}),  # who is told when that adult does not look
}


def may(roles: Iterable[str], action: str) -> bool:
    """Whether somebody with these roles may do this. An action outside the table is open to everybody who joined."""
    return action not in MAY or bool(MAY[action] & set(roles))


ROUTED_TO = {"staff": "head", "head": "chair"}  # route of a queue item -> who sees it besides (SAFE-7)


def may_read(roles: Iterable[str], route: str | None, about: Iterable[str], reached: Iterable[str] = ()) -> bool:
    """Whether somebody with these roles may see a queue item: never one about themselves.

    `reached` are the roles to which its alert has climbed: who is called must be able to look.
    """
    held = set(roles)
    if held & set(about):
        return False
    return may(held, "queue-all") or ROUTED_TO.get(route or "") in held or bool(held & set(reached))
