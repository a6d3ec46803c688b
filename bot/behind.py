"""What is known of the person behind an item, a sheet or a paper, once the look is noted: shown as (what, value)."""

from __future__ import annotations

from bot.facts import House
from data.codes import letters_used_by
from data.database import Tx
from data.people import all_groups, find_person, groups_of


async def behind(tx: Tx, house: House, person: str, language: str, known_as: str = "") -> list[tuple[str, str]]:
    """Name, roles, groups and letter; `known_as` is the name kept with what they gave. A name need not be there."""
    found = await find_person(tx, person)
    names = await all_groups(tx)
    groups = sorted(names[group] for group in await groups_of(tx, person))
    label = found.label if found and (found.label or found.roles) else known_as  # of somebody deleted only that is left
    facts = [
        ("queue.name", label or house.say(language, "queue.name-none")),
        ("queue.role", ", ".join(roles_in_words(house, found.roles, language)) if found else ""),
        ("queue.groups", ", ".join(groups)),
        ("queue.letter", await letter_of(tx, person)),
    ]
    return [(house.say(language, key), value) for key, value in facts if value]


def roles_in_words(house: House, roles: frozenset[str] | tuple[str, ...], language: str) -> list[str]:
    return [house.say(language, f"role.{role}") for role in sorted(roles)]


async def letter_of(tx: Tx, person: str) -> str:
    """The number of the letter they joined with, by which the office finds a family that it gave no name for."""
    return ", ".join(str(number) for number in sorted(set(await letters_used_by(tx, person))))
