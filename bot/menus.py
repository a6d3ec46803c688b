"""The commands of a person's menu, in their language."""

from __future__ import annotations

from bot.facts import House
from conversations.channel import Menu
from conversations.commands import menu_for
from data.people import Person


def menu_of(house: House, person: Person) -> Menu:
    """Command and what it does, at most 8."""
    return tuple((name, house.say(person.language, f"command.{name}")) for name in menu_for(person.roles))
