"""Whom words may be about: those school.yaml names, and whoever else reads the queue under a name of their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from conversations.naming import roles_named
from conversations.roles import MAY
from data.database import Tx
from data.people import find_person, people_with_role
from data.school import School


@dataclass(frozen=True)
class Readers:
    """The names of those who could be called to an item, with their roles: a second deputy, or last year's lead."""

    school: dict[str, str]
    joined: Collection[tuple[str, frozenset[str]]] = field(repr=False)

    def named_in(self, text: str) -> frozenset[str]:
        """The roles whose holders never see it (SAFE-7); all those of somebody who is named."""
        found = [roles for label, roles in self.joined if roles_named(text, {"": label})]
        return roles_named(text, self.school).union(*found)


async def readers(tx: Tx, school: School | None) -> Readers:
    """Those of this school, now."""
    ids = await people_with_role(tx, *MAY["queue"])
    people = [person for id in ids if (person := await find_person(tx, id)) and person.label]
    joined = [(person.label, person.roles & MAY["queue"]) for person in people]
    return Readers(school.staff_names if school else {}, joined)
