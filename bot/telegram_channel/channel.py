"""Sending to a Telegram chat."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from telegram import BotCommand, BotCommandScopeChat, InlineKeyboardMarkup, InputFile, LinkPreviewOptions
from telegram.ext import ExtBot

from bot.telegram_channel.clearing import clear, take_away
from bot.telegram_channel.drawing import CAPTION, keyboard, pieces
from bot.telegram_channel.errors import NETWORK_PAUSE, translated
from bot.telegram_channel.limiter import REPLY, Limiter, in_lane
from conversations.channel import Menu, Message, TryLater

NAME = "telegram"
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)  # a preview would open a one-time link


class TelegramChannel:
    """A way to reach people through one bot. Addresses are chat numbers as text.

    `lane`: whether it answers people who wait (REPLY), or says what the bot says on its own account (LETTER).
    """

    name = NAME

    def __init__(self, bot: ExtBot[Any], up: bool = True, lane: int = REPLY) -> None:
        self.bot = bot
        self.up = up  # False until Telegram was reached for the first time
        self.lane = lane
        self._broken_until = float("-inf")

    @property
    def pause(self) -> float:
        """Seconds until letters can go again: Telegram was never reached, the line broke, or it asked to wait."""
        if not self.up:
            return NETWORK_PAUSE
        return max(0.0, self._broken_until - time.monotonic(), self._limiter.halted_for)

    @asynccontextmanager
    async def turn(self, address: str, urgent: bool = False) -> AsyncIterator[None]:
        """Inside, the next message goes at once. May raise TryLater."""
        with translated():
            async with self._limiter.turn(REPLY if urgent else self.lane, int(address)):
                yield

    @property
    def _limiter(self) -> Limiter:
        limiter = self.bot.rate_limiter
        assert isinstance(limiter, Limiter)
        return limiter

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """In our lane, with Telegram's refusals in our terms."""
        if not self.up:
            raise TryLater(NETWORK_PAUSE)
        try:
            with in_lane(self.lane), translated():
                yield
        except TryLater as later:
            self._broken_until = time.monotonic() + min(later.seconds, NETWORK_PAUSE)
            raise

    async def send(self, address: str, message: Message) -> None:
        """Deliver, or raise Unreachable or TryLater."""
        await self.say(address, message)

    async def say(self, address: str, message: Message) -> list[int]:
        """The same; the numbers of the messages in the chat that show somebody's answers (ANON-4)."""
        with self._speaking():
            return await self._send(int(address), message)

    async def tidy(self, address: str, numbers: Sequence[int], instead: str) -> None:
        """Take these messages away; those that are too old for it say `instead`. May raise Unreachable or TryLater."""
        with self._speaking():
            await take_away(self.bot, int(address), numbers, instead)

    async def forget(self, address: str, goodbye: Message) -> None:
        """Take the menu away, say goodbye, and clear what came before it; may raise Unreachable or TryLater."""
        with self._speaking():
            await self.set_menu(int(address), ())
            await clear(self.bot, int(address), await self._numbered(int(address), goodbye.as_text()))

    async def _numbered(self, chat: int, words: str, below: InlineKeyboardMarkup | None = None) -> int:
        """The number of this message. Spelled with a capital, because nobody reads the answer to the usual name."""
        sending = {"chat_id": chat, "text": words, "link_preview_options": NO_PREVIEW}
        sent = await self.bot.do_api_request(
            "SendMessage", api_kwargs=sending | ({"reply_markup": below} if below else {})
        )
        return int(sent["message_id"])

    async def set_menu(self, chat: int, menu: Menu) -> None:
        """These commands, in this chat only; none for the ones everybody sees."""
        commands = [BotCommand(name, what) for name, what in menu]
        if commands:
            await self.bot.set_my_commands(commands, scope=BotCommandScopeChat(chat))
        else:
            await self.bot.delete_my_commands(scope=BotCommandScopeChat(chat))

    async def _send(self, chat: int, message: Message) -> list[int]:
        if message.menu is not None:
            await self.set_menu(chat, message.menu)
        markup = keyboard(message)
        if message.picture:
            caption = message.picture.caption[:CAPTION]
            await self.bot.send_photo(chat, message.picture.png, caption=caption, reply_markup=markup)
            return []
        if message.file:
            document = InputFile(message.file.content, filename=message.file.name)
            words = message.as_text()[:CAPTION]
            await self.bot.send_document(chat, document, caption=words or None, reply_markup=markup)
            return []
        parts = pieces(message.as_text())
        numbers: list[int] = []
        for part in parts:
            below = markup if part is parts[-1] else None
            if message.tells:
                numbers.append(await self._numbered(chat, part, below))
            else:
                await self.bot.send_message(chat, part, reply_markup=below, link_preview_options=NO_PREVIEW)
        return numbers
