"""Deep links: the addresses behind which a code is already typed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.database import Tx

TELEGRAM_NAME = "telegram-name"  # the fact that holds the bot's username


def deep_links(code: str, bot_name: str | None, web_address: str) -> list[str]:
    """Where this code can be opened: in Telegram, if the bot's name is known, and on the web."""
    telegram = [f"https://t.me/{bot_name}?start={code}"] if bot_name else []
    return [*telegram, f"{web_address}/join/{code}"]


async def known_bot_name(tx: Tx) -> str | None:
    """The bot's username, as run, doctor or setup last heard it from Telegram."""
    from data.database import read_fact

    name = await read_fact(tx, TELEGRAM_NAME)
    return name.decode() if name else None


async def remember_bot_name(tx: Tx, name: str) -> None:
    from data.database import write_fact

    if await known_bot_name(tx) != name:
        await write_fact(tx, TELEGRAM_NAME, name.encode())
