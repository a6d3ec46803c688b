"""What Telegram says about our bot: its name, whom it listens to, whether a webhook is set."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.our_bot import Identity

if TYPE_CHECKING:
    from telegram import Bot, User
    from telegram.request import BaseRequest

    from bot.settings import Settings

PATIENCE = 3.0  # seconds in all


@dataclass(frozen=True)
class Me:
    """`trouble` is empty, "refused" (Telegram does not know the token) or "unreachable"."""

    name: str = ""
    joins_groups: bool = False
    webhook: bool = False
    trouble: str = ""
    reads_groups: bool = False
    inline: bool = False
    guests: bool = False
    identity: Identity | None = None


async def ask_me(settings: Settings) -> Me:
    """Never raises: no failure of the network may stop a command, and no text of an error is shown (the token)."""
    from telegram.error import Forbidden, InvalidToken, TelegramError

    bot, requests = _bot(settings)
    try:
        async with asyncio.timeout(PATIENCE):
            await bot.initialize()
            hook = await bot.get_webhook_info()
            return _me(bot.bot, bool(hook.url))
    except (InvalidToken, Forbidden):
        return Me(trouble="refused")
    except (TelegramError, TimeoutError, OSError):
        return Me(trouble="unreachable")
    finally:
        for request in requests:  # a bot cut off while it begins does not close them
            await request.shutdown()


def _me(user: User, webhook: bool) -> Me:
    """What Telegram knows of it; names of a bot are no personal data."""
    return Me(
        user.username or "",
        joins_groups=bool(user.can_join_groups),
        webhook=webhook,
        reads_groups=bool(user.can_read_all_group_messages),
        inline=bool(user.supports_inline_queries),
        guests=bool(user.supports_guest_queries),
        identity=Identity(user.id, user.username or "", user.first_name),
    )


def _bot(settings: Settings) -> tuple[Bot, list[BaseRequest]]:
    from telegram import Bot

    from bot.telegram_channel.connecting import make_request

    assert settings.telegram_token
    requests = [make_request(settings, read_timeout=PATIENCE, connect_timeout=PATIENCE / 2) for _ in range(2)]
    bot = Bot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{settings.telegram_api}/bot",
        base_file_url=f"{settings.telegram_api}/file/bot",
        request=requests[0],
        get_updates_request=requests[1],
    )
    return bot, requests
