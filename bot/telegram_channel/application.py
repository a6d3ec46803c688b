"""python-telegram-bot's Application on our HTTP client, without its Updater, persistence and job queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telegram import BotCommand
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder

from bot.dialogue import Dialogue
from bot.facts import House
from bot.settings import Settings
from bot.telegram_channel.conversation import Conversation
from bot.telegram_channel.polling import LONG_POLL, App, Polling
from bot.telegram_channel.request import AiohttpRequest, UpdatesRequest
from bot.telegram_channel.speaker import Speaker
from bot.telegram_channel.token import PLACE, Token
from conversations.commands import EVERYBODY

log = logging.getLogger(__name__)

TOKEN = "token"  # where the application keeps it
UNREAD = frozenset(("sendMessage", "editMessageReplyMarkup"))  # methods whose result we never look at
BOT_NAME = "telegram-name"  # the fact under which the bot's @name is kept, for links


def make_application(settings: Settings) -> App:
    """The Application for this token, which `token_of` gives; nothing is sent yet."""
    assert settings.telegram_token
    token = Token(settings.telegram_token.get_secret_value())
    builder: ApplicationBuilder = Application.builder()  # type: ignore[type-arg]
    builder.token(PLACE)
    builder.base_url(f"{settings.telegram_api}/bot").base_file_url(f"{settings.telegram_api}/file/bot")
    builder.request(AiohttpRequest(unread=UNREAD, token=token))
    builder.get_updates_request(UpdatesRequest(connection_pool_size=2, read_timeout=LONG_POLL + 10, token=token))
    application = builder.updater(None).job_queue(None).build()
    application.bot_data[TOKEN] = token
    return application


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


async def serve(application: App, dialogue: Dialogue) -> None:
    """Poll until cancelled; what is being said then is finished first, for some seconds."""
    usable = token_of(application).usable
    speaker = Speaker(usable)
    conversation = Conversation(application.bot, dialogue, speaker)
    polling = Polling(application, conversation, speaker, usable)
    profile = asyncio.create_task(set_profile(application, dialogue.house))
    try:
        await polling.run()
    finally:
        profile.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await profile
        await speaker.drain(seconds=5)


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
