"""Sending to a Telegram chat."""

from __future__ import annotations

from telegram import Bot, BotCommand, BotCommandScopeChat, InputFile, LinkPreviewOptions

from bot.telegram_channel.clearing import clear
from bot.telegram_channel.drawing import CAPTION, keyboard, pieces
from bot.telegram_channel.errors import NETWORK_PAUSE, translated
from conversations.channel import Menu, Message, TryLater

NAME = "telegram"
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)  # a preview would open a one-time link


class TelegramChannel:
    """A way to reach people through one bot. Addresses are chat numbers as text."""

    name = NAME

    def __init__(self, bot: Bot, up: bool = True) -> None:
        self.bot = bot
        self.up = up  # False until Telegram was reached for the first time

    async def send(self, address: str, message: Message) -> None:
        """Deliver, or raise Unreachable or TryLater."""
        if not self.up:
            raise TryLater(NETWORK_PAUSE)
        with translated():
            await self._send(int(address), message)

    async def forget(self, address: str, goodbye: Message) -> None:
        """Take the menu away, say goodbye, and clear what came before it; may raise Unreachable or TryLater."""
        if not self.up:
            raise TryLater(NETWORK_PAUSE)
        with translated():
            await self.set_menu(int(address), ())
            await clear(self.bot, int(address), await self._say_last(int(address), goodbye.as_text()))

    async def _say_last(self, chat: int, words: str) -> int:
        """The number of this message. Spelled with a capital, because nobody reads the answer to the usual name."""
        sent = await self.bot.do_api_request("SendMessage", api_kwargs={"chat_id": chat, "text": words})
        return int(sent["message_id"])

    async def set_menu(self, chat: int, menu: Menu) -> None:
        """These commands, in this chat only; none for the ones everybody sees."""
        commands = [BotCommand(name, what) for name, what in menu]
        if commands:
            await self.bot.set_my_commands(commands, scope=BotCommandScopeChat(chat))
        else:
            await self.bot.delete_my_commands(scope=BotCommandScopeChat(chat))

    async def _send(self, chat: int, message: Message) -> None:
        if message.menu is not None:
            await self.set_menu(chat, message.menu)
        markup = keyboard(message)
        if message.picture:
            caption = message.picture.caption[:CAPTION]
            await self.bot.send_photo(chat, message.picture.png, caption=caption, reply_markup=markup)
            return
        if message.file:
            document = InputFile(message.file.content, filename=message.file.name)
            words = message.as_text()[:CAPTION]
            await self.bot.send_document(chat, document, caption=words or None, reply_markup=markup)
            return
        parts = pieces(message.as_text())
        for part in parts:
            last = part is parts[-1]
            await self.bot.send_message(
                chat, part, reply_markup=markup if last else None, link_preview_options=NO_PREVIEW
            )
