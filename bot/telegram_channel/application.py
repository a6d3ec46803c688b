"""python-telegram-bot's Application on our HTTP client, without its Updater, persistence and job queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import BotCommand
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder

from bot.dialogue import Dialogue
from bot.facts import House
from bot.settings import Settings
from bot.telegram_channel.connecting import make_request
from bot.telegram_channel.conversation import Conversation
from bot.telegram_channel.intake import App, Intake
from bot.telegram_channel.limiter import Limiter
from bot.telegram_channel.polling import LONG_POLL, Polling
from bot.telegram_channel.speaker import Speaker
from bot.telegram_channel.token import PLACE, Token
from bot.telegram_channel.webhook import Secrets, Webhook
from conversations.commands import EVERYBODY

log = logging.getLogger(__name__)

TOKEN, CLIENTS = "token", "clients"  # where the application keeps them
UNREAD = frozenset(("sendMessage", "editMessageReplyMarkup"))  # methods whose result we never look at
BOT_NAME = "telegram-name"  # the fact under which the bot's @name is kept, for links


def make_application(settings: Settings) -> App:
    """The Application for this token, which `token_of` gives; nothing is sent yet."""
    assert settings.telegram_token
    token = Token(settings.telegram_token.get_secret_value())
    builder: ApplicationBuilder = Application.builder()  # type: ignore[type-arg]
    builder.token(PLACE)
    builder.base_url(f"{settings.telegram_api}/bot").base_file_url(f"{settings.telegram_api}/file/bot")
    client = make_request(settings, token, unread=UNREAD)
    updates = make_request(settings, token, True, connection_pool_size=2, read_timeout=LONG_POLL + 10)
    builder.request(client).get_updates_request(updates)
    builder.rate_limiter(Limiter(settings.telegram_per_second))
    application = builder.updater(None).job_queue(None).build()
    application.bot_data.update({TOKEN: token, CLIENTS: (client, updates)})
    return application


async def close(application: App) -> None:
    """Ends its connections, also where it never came up: python-telegram-bot leaves those of an interrupted start."""
    await application.bot.shutdown()
    for client in application.bot_data[CLIENTS]:
        await client.shutdown()


def token_of(application: App) -> Token:
    token: Token = application.bot_data[TOKEN]
    return token


@asynccontextmanager
async def running(application: App) -> AsyncIterator[None]:
    """Started and, at the end, shut down."""
    await application.initialize()
    await application.start()
    try:
        yield
    finally:
        await application.stop()
        await application.shutdown()


@dataclass(frozen=True)
class Hook:
    """Webhook mode: the address Telegram comes to, what it must say there, and who shows the page (None: no more)."""

    address: str
    secrets: Secrets
    show: Callable[[Webhook | None], None]


async def serve(application: App, dialogue: Dialogue, hook: Hook | None = None) -> None:
    """Take updates until cancelled; what is being said then is finished first, for some seconds."""
    token = token_of(application)
    speaker = Speaker(token.usable)
    intake = Intake(application, Conversation(application.bot, dialogue, speaker, answers_taps=hook is None))
    profile = asyncio.create_task(set_profile(application, dialogue.house))
    try:
        if hook is None:
            await Polling(application, intake, speaker, token.usable).run()
        else:
            await _serve_page(Webhook(application, intake, speaker, hook.address, hook.secrets), hook, token)
    finally:
        profile.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await profile
        await speaker.drain(seconds=5)


async def _serve_page(webhook: Webhook, hook: Hook, token: Token) -> None:
    """The webhook stays with Telegram when we stop: it keeps what people write, or brings it to another process."""
    hook.show(webhook)
    try:
        await webhook.run(token)
    finally:
        hook.show(None)


async def end_webhook(application: App, address: str) -> None:
    """Polling begins: a webhook of our own from before is taken away. Another's is found by polling, and told (B6)."""
    try:
        if (await application.bot.get_webhook_info()).url == address:
            await application.bot.delete_webhook()
    except TelegramError as error:
        log.warning("whether a webhook is set could not be asked: %s", type(error).__name__)


async def set_profile(application: App, house: House) -> None:
    """Commands and the text shown before somebody starts the bot, in English and the school's languages."""
    bot = application.bot
    try:
        commands = [BotCommand(name, house.say("en", f"command.{name}")) for name in ("start", *EVERYBODY[:2])]
        await bot.set_my_commands(commands)
        description = house.say("en", "profile.description")[:512]
        if (await bot.get_my_description()).description != description:
            await bot.set_my_description(description)
        short = house.say("en", "profile.short")[:120]
        if (await bot.get_my_short_description()).short_description != short:
            await bot.set_my_short_description(short)
    except TelegramError as error:
        log.warning("the bot's profile was not set: %s", type(error).__name__)
