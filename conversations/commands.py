"""The chat commands that exist, in the order in which /help and the menus show them."""

from __future__ import annotations

from collections.abc import Iterable

from conversations.roles import FAMILY_ROLES, MAY, STAFF_ROLES, may

EVERYBODY = ("menu", "help", "again", "explain", "language", "settings", "whoreads", "privacy", "mydata", "delete",
             "needhelp", "stop", "start")  # fmt: skip
FAMILIES = ("surveys", "dropins", "events", "yousaid")
STAFF = ("queue", "send", "summary", "invite", "dropin", "event", "wedid", "close", "export")
MOST_IN_MENU = 8  # what a phone shows at a glance; Telegram takes 100
ALWAYS_IN_MENU = ("needhelp", "stop", "privacy", "menu")  # /privacy leads to every right over one's own data
COMMANDS = (*FAMILIES, *STAFF, *EVERYBODY)

assert set(FAMILIES + STAFF) <= set(MAY)  # a command of some is declared with its roles


def commands_for(roles: Iterable[str]) -> list[str]:
    """The commands somebody with these roles can use."""
    held = set(roles)
    return [name for name in COMMANDS if may(held, name)]


def menu_for(roles: Iterable[str]) -> list[str]:
    """What the menu button offers: at most 8, the ones this person needs most, and always the way to all the others.

    For families that includes their rights over what is linked to them (ICO standard 15); /help names the rest.
    """
    mine, held = commands_for(roles), set(roles)
    family = bool(held & set(FAMILY_ROLES)) and not held & set(STAFF_ROLES)
    short = sorted((name for name in mine if name not in EVERYBODY), key=lambda name: not family and name == "yousaid")
    always = ALWAYS_IN_MENU if family else ("menu",)
    short = short[: MOST_IN_MENU - len(always)]
    others = [*always, "needhelp", "help", "stop", "mydata", "delete", "language", "settings"]
    return list(dict.fromkeys([*short, *(name for name in others if name in mine)]))[:MOST_IN_MENU]
