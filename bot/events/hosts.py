"""Who can lead an event: the colleagues who may plan one, by name where staff know it."""

from __future__ import annotations

from bot.facts import House
from conversations.roles import MAY, may
from data.database import Tx
from data.events import Event
from data.people import Person, find_person, people_with_role

MANAGES = frozenset({"senco", "head", "office", "admin"})  # may change whatever is planned
MOST = 40  # names to choose from


async def host_names(tx: Tx, house: House, language: str, me: str) -> dict[str, str]:
    """Names by id, one's own first."""
    names = {me: house.say(language, "planning.me")}
    known = [await find_person(tx, id) for id in await people_with_role(tx, *MAY["dropin"])]
    others = {p.id: called(house, language, p) for p in known if p and p.id != me}
    return names | dict(sorted(others.items(), key=lambda item: item[1].casefold())[:MOST])


def called(house: House, language: str, person: Person) -> str:
    """The name that staff gave them, else what they are."""
    roles = [role for role in MAY["dropin"] if role in person.roles]
    named = (house.staff_names.get(role) for role in sorted(roles))
    return person.label or next((n for n in named if n), "") or house.say(language, f"role.{sorted(roles)[0]}")


def may_change(person: Person, event: Event) -> bool:
    """Whoever made it or leads it, and those who look after all of them."""
    return may(person.roles, "dropin") and (person.id in (event.made_by, event.host) or bool(person.roles & MANAGES))
