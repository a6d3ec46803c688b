"""Our own getUpdates loop: what was fetched counts as received only when its effect is committed.

python-telegram-bot's Updater acknowledges updates before they are handled, so a kill loses what was in flight. Here
the offset moves only after the commits of a batch (and, to be kind to people whose reply was cut off, a moment after
for speaking). A batch is worked off chat by chat in order and all chats at once; fetching waits while too much is
unsaid.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut

from bot.our_bot import READER, WEBHOOK, note_sharing
from bot.telegram_channel.intake import App, Intake
from bot.telegram_channel.speaker import WAITING, Speaker
from bot.telegram_channel.updates import ALLOWED, makes_sense
from data.database import DatabaseProblem

log = logging.getLogger(__name__)

LONG_POLL = 25  # seconds
MOMENT = 0.25  # seconds a batch may wait for its replies before it counts as received
SHARED_PAUSE = 5.0  # seconds


class Polling:
    """Fetches and hands on until stopped."""

    def __init__(self, application: App, intake: Intake, speaker: Speaker, usable: asyncio.Event) -> None:
        self.application = application
        self.intake = intake
        self.speaker = speaker
        self._usable = usable  # clear while Telegram refuses the token (token_watch.py)
        self._held: set[int] = set()

    async def run(self) -> None:
        """Until cancelled. While Telegram does not know the token it waits for one that it knows."""
        offset: int | None = None
        while True:
            await self.speaker.drain(below=WAITING)
            updates = await self._fetch(offset)
            if updates:
                offset = await self._work_off(updates)

    async def _fetch(self, offset: int | None) -> Sequence[Update]:
        try:
            return await self._updates(offset)
        except TimedOut:
            return ()
        except InvalidToken:
            await self._usable.wait()
        except Conflict:
            await self._shared()
        except RetryAfter as error:
            after = error.retry_after
            await asyncio.sleep(after if isinstance(after, int) else after.total_seconds())
        except TelegramError as error:  # whatever it is, the page and the clock go on, and so does this
            log.warning("Telegram cannot be reached: %s", type(error).__name__)
            await asyncio.sleep(2)
        return ()

    async def _shared(self) -> None:
        """Somebody else uses our token, or a second copy of this program does: noted where the admin looks (B6)."""
        diverted = await self._diverted()
        log.error("a webhook was set on this bot" if diverted else "another program uses this bot's token; waiting")
        dialogue = self.intake.conversation.dialogue
        try:
            async with dialogue.db.transaction() as tx:
                await note_sharing(tx, WEBHOOK if diverted else READER, dialogue.clock())
        except DatabaseProblem as problem:
            log.error("%s", problem)
        if not diverted:
            await asyncio.sleep(SHARED_PAUSE)

    async def _diverted(self) -> bool:
        """Whether Telegram sends our updates to an address that is not ours; that is ended here."""
        bot = self.application.bot
        try:
            hook = await bot.get_webhook_info()
            return bool(hook.url) and await bot.delete_webhook()
        except TelegramError as error:
            log.warning("whether a webhook is set could not be asked: %s", type(error).__name__)
            return False

    async def _updates(self, offset: int | None) -> Sequence[Update]:
        bot = self.application.bot
        try:
            updates: Sequence[Update] = await bot.get_updates(
                offset=offset, timeout=timedelta(seconds=LONG_POLL), allowed_updates=list(ALLOWED)
            )
            return updates
        except TelegramError:
            raise
        except Exception as error:
            log.error("an update cannot be read and is passed over: %s", type(error).__name__)
        # Spelled with a capital, as Telegram allows, because python-telegram-bot warns of the usual name.
        asked = {"timeout": 0, "allowed_updates": list(ALLOWED)} | ({} if offset is None else {"offset": offset})
        raw: Any = await bot.do_api_request("GetUpdates", api_kwargs=asked)
        return [_readable(one, bot) for one in raw]

    async def _work_off(self, updates: Sequence[Update]) -> int:
        """Handle a batch; the offset to go on from."""
        self._held.clear()
        chats: dict[int, list[Update]] = {}
        for update in filter(makes_sense, updates):
            chats.setdefault(update.effective_chat.id if update.effective_chat else 0, []).append(update)
        await asyncio.gather(*(self._in_order(of_chat) for of_chat in chats.values()))
        await self.speaker.drain(below=1 + len(updates) // 4, seconds=MOMENT)  # most replies are out: fetch the next
        if self._held:
            await asyncio.sleep(1)
            return min(self._held)
        return updates[-1].update_id + 1

    async def _in_order(self, updates: list[Update]) -> None:
        for update in updates:
            if not await self.intake.take(update):
                self._held.add(update.update_id)
                return  # what comes after it in this chat waits


def _readable(raw: dict[str, Any], bot: Bot) -> Update:
    """The update, or an empty one where python-telegram-bot cannot read it, so that the offset moves past it."""
    try:
        return Update.de_json(raw, bot)
    except Exception:
        return Update(raw["update_id"])
