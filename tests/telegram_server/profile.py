"""What a bot says about itself: name, commands, descriptions, menu button."""

import json
import re
from typing import TYPE_CHECKING

from tests.telegram_server.refusals import bad

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"[a-z]{2}|")
MOST_COMMANDS = 100
DESCRIPTION_LIMIT = 512
SHORT_DESCRIPTION_LIMIT = 120
NEEDS_CHAT = ("chat", "chat_administrators", "chat_member")


class Profile:
    """Commands by (scope, language); descriptions by language; menu buttons by chat."""

    def __init__(self) -> None:
        self.commands: dict[tuple[str, str], list[dict]] = {}
        self.descriptions: dict[str, str] = {}
        self.short_descriptions: dict[str, str] = {}
        self.menu_buttons: dict[int | None, dict] = {}


def menu_for(profile: Profile, chat_id: int, language: str) -> list[str]:
    """As the apps do: the narrowest scope first, in each the person's language first."""
    for scope in (scope_key({"type": "chat", "chat_id": chat_id}), "all_private_chats", "default"):
        for code in (language, ""):
            if commands := profile.commands.get((scope, code)):
                return [one["command"] for one in commands]
    return []


def scope_key(scope: dict | None) -> str:
    """`default`, `all_private_chats`, or `chat 1001` and the like."""
    scope = scope or {"type": "default"}
    if scope["type"] in NEEDS_CHAT and "chat_id" not in scope:
        raise bad("chat_id is empty")
    return " ".join(str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope)


def _key(server: "TelegramServer", params: dict) -> tuple[str, str]:
    scope = params.get("scope")
    key = scope_key(scope)
    if scope and "chat_id" in scope and scope["chat_id"] not in server.chats:
        raise bad("chat not found")
    return key, _language(params)


def _language(params: dict) -> str:
    code: str = params.get("language_code", "")
    if not LANGUAGE.fullmatch(code):
        raise bad("invalid language code specified")
    return code


def get_me(server: "TelegramServer", params: dict) -> dict:
    return server.bot


def set_my_commands(server: "TelegramServer", params: dict) -> bool:
    commands = params["commands"]
    if len(commands) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for one in commands:
        _check_command(one)
    server.profile.commands[_key(server, params)] = commands
    return True


def _check_command(one: dict) -> None:
    if not COMMAND.fullmatch(one["command"]):
        raise bad(f"BOT_COMMAND_INVALID: {json.dumps(one['command'])}")
    if not 1 <= len(one["description"]) <= 256:
        raise bad("BOT_COMMAND_DESCRIPTION_INVALID")


def delete_my_commands(server: "TelegramServer", params: dict) -> bool:
    server.profile.commands.pop(_key(server, params), None)
    return True


def get_my_commands(server: "TelegramServer", params: dict) -> list[dict]:
    return server.profile.commands.get(_key(server, params), [])


def get_my_name(server: "TelegramServer", params: dict) -> dict:
    return {"name": server.bot["first_name"]}


def set_my_description(server: "TelegramServer", params: dict) -> bool:
    server.profile.descriptions[_language(params)] = _description(params, "description", DESCRIPTION_LIMIT)
    return True


def set_my_short_description(server: "TelegramServer", params: dict) -> bool:
    said = _description(params, "short_description", SHORT_DESCRIPTION_LIMIT)
    server.profile.short_descriptions[_language(params)] = said
    return True


def _description(params: dict, name: str, limit: int) -> str:
    said: str = params.get(name, "")
    if len(said) > limit:
        raise bad(f"BOT_{name.upper()}_INVALID: longer than {limit} characters")
    return said


def get_my_description(server: "TelegramServer", params: dict) -> dict:
    return {"description": server.profile.descriptions.get(_language(params), "")}


def get_my_short_description(server: "TelegramServer", params: dict) -> dict:
    return {"short_description": server.profile.short_descriptions.get(_language(params), "")}


def set_chat_menu_button(server: "TelegramServer", params: dict) -> bool:
    chat_id = params.get("chat_id")
    if chat_id is not None and chat_id not in server.chats:
        raise bad("chat not found")
    server.profile.menu_buttons[chat_id] = params.get("menu_button", {"type": "default"})
    return True
