"""One update from Telegram: answered, decided, committed, then spoken."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

from telegram import InlineKeyboardMarkup, Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.dialogue import Dialogue
from bot.menus import menu_of
from bot.said import JOIN, Reply, Tap
from bot.telegram_channel.channel import NAME, TelegramChannel
from bot.telegram_channel.drawing import keyboard
from bot.telegram_channel.errors import harmless, translated
from bot.telegram_channel.flood import MOST_WAITING, Flood
from bot.telegram_channel.speaker import Speaker, Speech
from bot.telegram_channel.updates import Foreign, Heard, Reachable, read_update
from conversations.channel import Message, Unreachable
from conversations.screening import screen
from data.people import Address, mark_unreachable, person_at

log = logging.getLogger(__name__)


class Conversation:
    """Handles updates one by one; the caller keeps those of one chat in order, and may answer taps itself."""

    def __init__(self, bot: ExtBot[Any], dialogue: Dialogue, speaker: Speaker, answers_taps: bool = True) -> None:
        self.bot = bot
        self.dialogue = dialogue
        self.speaker = speaker
        self.answers_taps = answers_taps
        self.channel = TelegramChannel(bot)
        self.flood = Flood()
        self._answering: set[asyncio.Task[None]] = set()

    async def handle(self, update: Update) -> None:
        """Returns when everything is committed; what is to be said is queued by then."""
        meant = read_update(update)
        if isinstance(meant, Heard):
            await self._hear(meant, update.update_id)
        elif isinstance(meant, Foreign):
            self.speaker.say(meant.chat, lambda: self._leave(meant.chat))
        elif isinstance(meant, Reachable):
            async with self.dialogue.db.transaction() as tx:
                await mark_unreachable(tx, NAME, str(meant.chat), not meant.reachable)

    async def _hear(self, heard: Heard, delivery: int) -> None:
        if self._floods(heard):
            return self._slow_down(heard.chat)
        if heard.query and self.answers_taps:
            self._in_background(heard.query)
        address = Address(NAME, str(heard.chat))
        reply = await self.dialogue.hear(address, heard.said, delivery, heard.language, heard.on or heard.number)
        if reply.stale and self.speaker.spoke_just_now(heard.chat):
            return
        self.speaker.say(heard.chat, _once_each(self, heard, reply))

    def _floods(self, heard: Heard) -> bool:
        """Whether this is one too many of its chat. Words that a human must see never are (SAFE-12)."""
        too_many = not self.flood.admits(heard.chat) or self.speaker.waiting(heard.chat) >= MOST_WAITING
        words = getattr(heard.said, "words", "")
        return too_many and not (words and screen(words, heard.language))

    def apologise(self, update: Update, key: str) -> None:
        """Say that it did not work now; nothing of what was sent is lost, or it cannot be used."""
        meant = read_update(update)
        if isinstance(meant, Heard):
            message = Message(self.dialogue.house.say("en", key))
            self.speaker.say(meant.chat, lambda: self.channel.send(str(meant.chat), message))

    def _slow_down(self, chat: int) -> None:
        """What comes too fast is passed over; it is said once, with what to do."""
        if self.flood.tells(chat):
            message = Message(self.dialogue.house.say("en", "slow-down"))
            self.speaker.say(chat, lambda: self.channel.send(str(chat), message))

    def _in_background(self, query: str) -> None:
        """Callback queries are answered first and at once: their deadline is short, and nothing depends on it."""
        task = asyncio.create_task(self._answer(query))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, query: str) -> None:
        try:
            await self.bot.answer_callback_query(query)
        except TelegramError as error:
            if not (isinstance(error, BadRequest) and harmless(error)):
                log.info("a callback query was not answered: %s", type(error).__name__)

    async def tidy(self, heard: Heard, reply: Reply) -> None:
        """After the commit: the tapped buttons go, or show the new marks; so do messages that show answers (ANON-4)."""
        if reply.tidies:
            await self.channel.tidy(str(heard.chat), reply.tidies, reply.instead)
        if heard.on in reply.tidies or heard.on is None or reply.stale or not isinstance(heard.said, Tap):
            return
        redrawn = next((m for m in reply.messages if m.redraws), None)
        if redrawn is None and not (heard.said.of_run() or heard.said.says.startswith(JOIN + "=")):
            return
        await self._edit_keyboard(heard.chat, heard.on, keyboard(redrawn) if redrawn else None)

    async def _edit_keyboard(self, chat: int, on: int, markup: InlineKeyboardMarkup | None) -> None:
        try:
            with translated():
                await self.bot.edit_message_reply_markup(chat, on, reply_markup=markup)
        except BadRequest as error:
            if not harmless(error):
                raise

    async def set_menu(self, chat: int) -> None:
        """The commands of this person, in their language; none where nobody is known any more."""
        async with self.dialogue.db.reading() as tx:
            person = await person_at(tx, NAME, str(chat))
        try:
            await self.channel.set_menu(chat, menu_of(self.dialogue.house, person) if person else ())
        except TelegramError as error:
            log.info("a menu was not set: %s", type(error).__name__)

    async def _leave(self, chat: int) -> None:
        try:
            with translated():
                await self.bot.leave_chat(chat)
        except (BadRequest, Unreachable):
            log.info("a group was gone before it could be left")


def _once_each(conversation: Conversation, heard: Heard, reply: Reply) -> Speech:
    """A speech that can be tried again without repeating what was already said."""
    left: list[Message] = [m for m in reply.messages if not (m.redraws and heard.on)]
    shown: dict[str, list[int]] = {}  # by run: messages that show its answers
    steps = {"wait": reply.wait > 0, "tidy": True, "menu": reply.roles_changed}

    async def speech() -> None:
        if steps["wait"]:
            steps["wait"] = False
            await asyncio.sleep(reply.wait)
        if steps["tidy"]:
            await conversation.tidy(heard, reply)
            steps["tidy"] = False
        while left:
            numbers = await conversation.channel.say(str(heard.chat), replace(left[0], redraws=False))
            if run := left.pop(0).tells:
                shown.setdefault(run, []).extend(numbers)
        if steps["menu"]:
            steps["menu"] = False
            await conversation.set_menu(heard.chat)
        while shown:
            await conversation.dialogue.remember(*shown.popitem())

    return speech
