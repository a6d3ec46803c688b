"""The chat commands that exist, in the order in which /help and the menus show them."""

from __future__ import annotations

from collections.abc import Iterable

from conversations.roles import FAMILY_ROLES, MAY, STAFF_ROLES, may

EVERYBODY = ("menu", "help", "again", "explain", "language", "settings", "whoreads", "privacy", "mydata", "delete",
             "needhelp", "stop", "start")  # fmt: skip
FAMILIES = ("surveys", "dropins", "events", "yousaid")
STAFF = ("queue", "send", "summary", "close", "export", "dropin", "event", "invite", "wedid")
MOST_IN_MENU = 8  # what a phone shows at a glance; Telegram takes 100
# What a tired parent needs stands in that glance; the rights over one's own data stand below it (ICO standard 15).
FAMILY_MENU = (*FAMILIES, "needhelp", "help", "language", "stop", "menu", "mydata", "delete")
COMMANDS = (*FAMILIES, *STAFF, *EVERYBODY)

assert set(FAMILIES + STAFF) <= set(MAY)  # a command of some is declared with its roles


def commands_for(roles: Iterable[str]) -> list[str]:
    """The commands somebody with these roles can use."""
    held = set(roles)
    return [name for name in COMMANDS if may(held, name)]


def menu_for(roles: Iterable[str]) -> list[str]:
    """What the menu button offers: to staff at most 8, the ones they need most, and always the way to the rest.

    To families FAMILY_MENU; /help and /menu name all.
    """
    mine, held = commands_for(roles), set(roles)
    if held & set(FAMILY_ROLES) and not held & set(STAFF_ROLES):
        return [name for name in FAMILY_MENU if name in mine]
    short = sorted((name for name in mine if name not in EVERYBODY), key=lambda name: name == "yousaid")
    others = ["menu", "needhelp", "help", "stop", "mydata", "delete", "language", "settings"]
    return [*short[: MOST_IN_MENU - 1], *(name for name in others if name in mine)][:MOST_IN_MENU]
