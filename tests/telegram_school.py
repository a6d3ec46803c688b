"""A school whose bot runs against the local Bot API server, over real HTTP with the real python-telegram-bot."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.telegram_channel import limiter
from bot.telegram_channel.application import make_application, running, serve, token_of
from bot.telegram_channel.channel import TelegramChannel
from bot.telegram_channel.intake import App
from bot.telegram_channel.limiter import LETTER
from bot.telegram_channel.token import Token
from data.place import SqliteFile
from tests.school import CHORES, Clock, School, opened
from tests.telegram_server import Person, TelegramServer

_chats = itertools.count(1001)


class TelegramSchool:
    """People with phones, and a school that answers them."""

    def __init__(self, server: TelegramServer, school: School, application: App) -> None:
        self.server = server
        self.school = school
        self.channel = TelegramChannel(application.bot, lane=LETTER)
        self.token: Token = token_of(application)

    async def joins(self, role: str, group: str | None = None) -> Person:
        """Somebody opens the link with their code and says yes."""
        person = self.server.person(next(_chats))
        code = await self.school.code(role, group)
        await person.types(f"/start {code}")
        await person.reads_until("Do you want to join?")
        await person.taps("Yes, start")
        await person.reads_until("You have joined")
        return person

    async def rounds(self, without: Iterable[str] = CHORES) -> None:
        """Everything that is due, sent over Telegram; a wait that Telegram or a broken line asked for first."""
        await asyncio.sleep(self.channel.pause)
        await self.school.rounds({"telegram": self.channel}, without)


def settings_for(server: TelegramServer, folder: Path) -> Settings:
    return Settings(
        telegram_token=server.token,
        telegram_api=server.url,
        telegram_per_second=server.per_second or 1000,
        database=SqliteFile(folder / "data" / "yousaid.db"),
    )


@asynccontextmanager
async def without_pauses() -> AsyncIterator[None]:
    """Messages of one chat follow each other at once: the time between them is for tests of the limiter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limiter, "CHAT_PAUSE", 0.01)
        yield


@asynccontextmanager
async def telegram_school(
    folder: Path, server: TelegramServer | None = None, clock: Clock | None = None, **facts: object
) -> AsyncIterator[TelegramSchool]:
    """Everything started; a refusal of Telegram's fails the test that caused it. Given a server, the bot restarts."""
    own = server or TelegramServer()
    if server is None:
        await own.start()
    try:
        async with opened(folder, clock or Clock(), **facts) as school:
            application = make_application(settings_for(own, folder))
            async with without_pauses(), running(application):
                task = asyncio.create_task(serve(application, school.dialogue))
                try:
                    yield TelegramSchool(own, school, application)
                finally:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
    finally:
        if server is None:
            await own.stop()
    own.assert_nothing_refused()
