"""Telegram brings updates to a page of ours instead of being asked for them; 200 only after the commit.

python-telegram-bot's own server answers before an update is handled, so a kill would lose what was in flight. Whoever
knows the secret in the header is Telegram (Bot API, setWebhook, secret_token); nothing else is looked at.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from telegram import Bot, Update
from telegram.error import TelegramError

from bot.our_bot import WEBHOOK, note_sharing
from bot.telegram_channel.intake import App, Intake
from bot.telegram_channel.speaker import WAITING, Speaker
from bot.telegram_channel.token import Token
from bot.telegram_channel.updates import ALLOWED, without_screen
from data.database import DatabaseProblem

log = logging.getLogger(__name__)

PATH = "/telegram"
CONNECTIONS = 100  # that Telegram opens at once, the most it allows
MOST = 400  # updates under way, above which Telegram is asked to come again
LOOK_EVERY = 60.0  # seconds between looks whether Telegram still comes to us
SET_AGAIN = 5.0  # seconds before trying once more to tell Telegram where to come

TAKEN, REFUSED, AGAIN = 200, 403, 503


@dataclass(frozen=True)
class Answer:
    """To Telegram: a status, and perhaps a method that it carries out as if we had called it.

    Nobody is told its result (Bot API, "Making requests when getting updates").
    """

    status: int
    call: dict[str, str] | None = field(default=None, repr=False)


Secrets = Callable[[], tuple[str, ...]]  # the one to tell Telegram, then others that are still right


@dataclass
class _Queue:
    """Of one chat: who is at its head, and how many stand in it."""

    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Webhook:
    """Takes updates from the page, and tells Telegram where it is."""

    def __init__(self, application: App, intake: Intake, speaker: Speaker, address: str, secrets: Secrets) -> None:
        self.application = application
        self.intake = intake
        self.speaker = speaker
        self.address = address
        self._secrets = secrets
        self._queues: dict[int, _Queue] = {}
        self._under_way = 0

    async def take(self, given: str, body: bytes) -> Answer:
        """TAKEN after the commit, which also answers a tap; REFUSED without the secret; AGAIN where it did not work."""
        if not self._knows(given):
            log.warning("somebody without the secret came to the page for Telegram")
            return Answer(REFUSED)
        if self._under_way >= MOST:
            return Answer(AGAIN)
        self._under_way += 1
        try:
            return await self._taken(_read(body, self.application.bot))
        finally:
            self._under_way -= 1

    def _knows(self, given: str) -> bool:
        known = [hmac.compare_digest(given.encode(), secret.encode()) for secret in self._secrets()]
        return any(known)

    async def _taken(self, update: Update | None) -> Answer:
        """Those of one chat in the order in which they came, chats at once."""
        if update is None:
            return Answer(TAKEN)  # it would never become readable
        await self.speaker.drain(below=WAITING)
        chat = update.effective_chat.id if update.effective_chat and type(update.effective_chat.id) is int else 0
        async with self._turn(chat):
            return Answer(TAKEN, _tap_answered(update)) if await self.intake.take(update) else Answer(AGAIN)

    @asynccontextmanager
    async def _turn(self, chat: int) -> AsyncIterator[None]:
        """One at a time; the chat's queue is kept until the last who waits in it has gone."""
        queue = self._queues.setdefault(chat, _Queue())
        queue.length += 1
        try:
            async with queue.first:
                yield
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[chat]

    async def run(self, token: Token) -> None:
        """Keep Telegram coming here until cancelled: told at the start, after a new token, and when lost."""
        while True:
            token.changed.clear()
            told = await self._tell()
            try:
                await asyncio.wait_for(token.changed.wait(), LOOK_EVERY if told else SET_AGAIN)
            except TimeoutError:
                if told:
                    await self._until_lost(token)

    async def _until_lost(self, token: Token) -> None:
        """While Telegram comes to our page all is well; another address is noted where the admin looks (B6)."""
        while not token.changed.is_set():
            try:
                info = await self.application.bot.get_webhook_info()
            except TelegramError:
                return
            if info.url != self.address:
                return await self._note(bool(info.url))
            try:
                await asyncio.wait_for(token.changed.wait(), LOOK_EVERY)
            except TimeoutError:
                continue

    async def _tell(self) -> bool:
        bot: Bot = self.application.bot
        try:
            return await bot.set_webhook(
                self.address,
                secret_token=self._secrets()[0],
                allowed_updates=list(ALLOWED),
                max_connections=CONNECTIONS,
            )
        except TelegramError as error:
            log.warning("Telegram was not told where to bring updates: %s", type(error).__name__)
            return False

    async def _note(self, elsewhere: bool) -> None:
        log.error("the webhook was %s", "set to another address" if elsewhere else "taken away")
        dialogue = self.intake.conversation.dialogue
        try:
            async with dialogue.db.transaction() as tx:
                await note_sharing(tx, WEBHOOK, dialogue.clock())
        except DatabaseProblem as problem:
            log.error("%s", problem)


def _tap_answered(update: Update) -> dict[str, str] | None:
    """The end of a tap's little clock, in the answer to the update: it costs no request of its own."""
    query = update.callback_query.id if update.callback_query else None
    return {"method": "answerCallbackQuery", "callback_query_id": query} if isinstance(query, str) else None


def _read(body: bytes, bot: Bot) -> Update | None:
    """The update; None for what nobody could ever read, which is passed over (B11)."""
    try:
        raw: Any = without_screen(json.loads(body))
        return Update.de_json(raw, bot)
    except Exception as error:
        log.error("an update cannot be read and is passed over: %s", type(error).__name__)
        return None
