"""A token that was revoked or changed: the running bot reads its settings again and goes on with the new one (B6, B16).

Nothing is started again: the page and the clock go on, messages wait, and Telegram keeps what people write meanwhile.
Until the right token is there the admin's page and `yousaid doctor` say so, and no chat does: whoever stole the token
could read it there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from bot.cli.telegram_me import Me, ask_me
from bot.logs import hide_also
from bot.our_bot import OTHER_BOT, REFUSED, known_bot, note_token, token_is_right, token_was_changed
from bot.settings import Settings, SettingsProblem, read_settings
from bot.telegram_channel.token import Token
from data.database import Database, DatabaseProblem

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between looks at .env, and at whether the token is still taken
ASK_EVERY = 15.0  # seconds between questions whether Telegram takes a refused token again
ENV_FILE = Path(".env")


class TokenWatch:
    """Looks after one token until cancelled."""

    def __init__(self, settings: Settings, token: Token, db: Database, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.token = token
        self.db = db
        self.clock = clock
        self._env = _stamp()
        self._asked_at = -ASK_EVERY
        self._told = ""  # the trouble that was noted last
        self._rejected = ""  # a new token that is not ours, so that it is told once

    async def run(self) -> None:
        """Until cancelled. Problems of the database are logged, and the next look tries again."""
        while True:
            try:
                await self.look()
            except DatabaseProblem as problem:
                log.error("%s", problem)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """One look: at a token that is refused, or at settings that were changed."""
        if not self.token.usable.is_set():
            await self._refused()
        elif (stamp := _stamp()) != self._env and await self._settled():
            self._env = stamp

    async def _refused(self) -> None:
        """Telegram says no: tell the admin, and go on as soon as the old token is taken again or a new one is there."""
        if time.monotonic() - self._asked_at >= ASK_EVERY:
            self._asked_at = time.monotonic()
            me = await ask_me(self.settings)
            if not me.trouble:
                return await self._taken_again()
            if me.trouble == "refused" and not self._rejected:  # a wrong token in .env is told already, and says more
                await self._tell(REFUSED)
        if await self._settled():
            self._env = _stamp()

    async def _taken_again(self) -> None:
        async with self.db.transaction() as tx:
            await token_is_right(tx)
        self._told = ""
        self.token.usable.set()

    async def _settled(self) -> bool:
        """Whether the settings have been dealt with: nothing new in them, or the new token is in use or rejected."""
        try:
            new = read_settings().telegram_token
        except SettingsProblem as problem:
            log.error("%s", problem)
            return True
        if new is None or new.get_secret_value() == self._rejected:
            return True
        if new.get_secret_value() == self.token.value:
            return await self._put_back()
        hide_also(new.get_secret_value())
        return await self._try(new)

    async def _put_back(self) -> bool:
        """The settings hold the token in use again: a wrong one that stood there is over."""
        self._rejected = ""
        if self._told and self.token.usable.is_set():
            await self._taken_again()
        return True

    async def _try(self, new: SecretStr) -> bool:
        settings = self.settings.model_copy(update={"telegram_token": new})
        me = await ask_me(settings)
        if me.trouble == "unreachable" or (me.identity is None and not me.trouble):
            return False
        if me.trouble or not await self._is_ours(me):
            self._rejected = new.get_secret_value()
            await self._tell(REFUSED if me.trouble else OTHER_BOT)
            return True
        async with self.db.transaction() as tx:
            await token_was_changed(tx, self.clock())
        self.settings, self._told, self._rejected = settings, "", ""
        self.token.change(new.get_secret_value())
        log.warning("the new token is in use")
        return True

    async def _is_ours(self, me: Me) -> bool:
        """All chats belong to one bot: with another's token nobody could be reached, so it is not taken (B16)."""
        async with self.db.reading() as tx:
            known = await known_bot(tx)
        return me.identity is not None and (known is None or known.id == me.identity.id)

    async def _tell(self, how: str) -> None:
        if how == self._told:
            return
        self._told = how
        log.error("the new token is another bot's" if how == OTHER_BOT else "Telegram does not know this token")
        async with self.db.transaction() as tx:
            await note_token(tx, how, self.clock())


def _stamp() -> tuple[int, int, int]:
    """When and how .env was changed last, its owner and rights too; zeros where there is none."""
    try:
        seen = os.stat(ENV_FILE)
    except OSError:
        return (0, 0, 0)
    return seen.st_ctime_ns, seen.st_ino, seen.st_size
