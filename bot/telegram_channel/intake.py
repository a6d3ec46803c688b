"""What becomes of each update, however it came: handled and committed, to be brought again, or set aside.

A poison update is set aside after three tries (B11).
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from telegram import Update
from telegram.ext import Application, ContextTypes, TypeHandler

from bot.telegram_channel.conversation import Conversation
from bot.telegram_channel.updates import makes_sense
from data.database import DatabaseProblem

log = logging.getLogger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]

TRIES = 3


class Intake:
    """Hands updates to the conversation through python-telegram-bot's handlers."""

    def __init__(self, application: App, conversation: Conversation) -> None:
        self.application = application
        self.conversation = conversation
        self._held: set[int] = set()
        self._tries: Counter[int] = Counter()
        application.add_handler(TypeHandler(Update, self._on_update))

    async def take(self, update: Update) -> bool:
        """Whether it counts as received: what it means is committed, or it is set aside. If not, bring it again."""
        if not makes_sense(update):
            return True
        self._held.discard(update.update_id)
        await self.application.process_update(update)
        return update.update_id not in self._held

    async def _on_update(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        try:
            await self.conversation.handle(update)
            self._tries.pop(update.update_id, None)
        except DatabaseProblem as problem:
            log.error("%s", problem)
            if update.update_id not in self._tries:
                self.conversation.apologise(update, "busy")
            self._tries[update.update_id] += 1
            self._held.add(update.update_id)
        except Exception as error:
            self._failed(update, error)

    def _failed(self, update: Update, error: Exception) -> None:
        self._tries[update.update_id] += 1
        log.error("an update failed with %s", type(error).__name__, exc_info=log.isEnabledFor(logging.DEBUG))
        if self._tries[update.update_id] < TRIES:
            self._held.add(update.update_id)
        else:
            del self._tries[update.update_id]
            self.conversation.apologise(update, "error")
            log.error("an update was set aside after %d tries", TRIES)
