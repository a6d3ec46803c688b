"""The peer of row 2: a toy survey bot on aiogram 3 that does the same durable work for a tap, and nothing else.

One SQLite connection, WAL, synchronous=FULL, one commit for each tap: the mark of the update, the answer and the
person's step. Then the callback query is answered, the keyboard edited away and the next question sent. No
encryption, languages, safeguarding or web page; aiogram's own polling, or its webhook that answers after the commit.
"""

from __future__ import annotations

import asyncio
import os

import aiosqlite
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from benchmarks.questions import CHOICES, HOW_MANY, wording

SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS updates (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS answers (person INTEGER, lap INTEGER, question INTEGER, value TEXT,
                                    PRIMARY KEY (person, lap, question)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS states (person INTEGER PRIMARY KEY, lap INTEGER, step INTEGER);
"""


SECRET = "toy-secret-0123456789"


class Store:
    """The one writing connection; tasks that share it take turns."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self.db = db
        self.taking_turns = asyncio.Lock()

    async def start(self, person: int, lap: int) -> None:
        async with self.taking_turns:
            await self.db.execute("INSERT OR REPLACE INTO states VALUES (?, ?, 1)", (person, lap))
            await self.db.commit()

    async def save(self, update: int, person: int, lap: int, step: int, value: str) -> bool:
        """False when the tap is a repeated or an old one."""
        async with self.taking_turns:
            moved = "UPDATE states SET step = step + 1 WHERE person = ? AND lap = ? AND step = ?"
            cursor = await self.db.execute(moved, (person, lap, step))
            if cursor.rowcount != 1:
                await self.db.rollback()
                return False
            await self.db.execute("INSERT INTO updates VALUES (?)", (update,))
            await self.db.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", (person, lap, step, value))
            await self.db.commit()
            return True


def screen(lap: int, step: int) -> tuple[str, InlineKeyboardMarkup | None]:
    if step > HOW_MANY:
        return "Thank you. We have your answers.", None
    rows = [[InlineKeyboardButton(text=label, callback_data=f"{lap}:{step}:{id}")] for id, label in CHOICES.items()]
    return wording(step), InlineKeyboardMarkup(inline_keyboard=rows)


dispatcher = Dispatcher()


@dispatcher.message(CommandStart())
async def started(message: Message, store: Store) -> None:
    lap = int((message.text or "").split()[1])
    await store.start(message.chat.id, lap)
    text, markup = screen(lap, 1)
    await message.answer(text, reply_markup=markup)


@dispatcher.callback_query()
async def tapped(query: CallbackQuery, store: Store, event_update: Update) -> None:
    lap, step, value = (query.data or "").split(":")
    saved = await store.save(event_update.update_id, query.from_user.id, int(lap), int(step), value)
    await query.answer()
    if saved and isinstance(query.message, Message):
        await query.message.edit_reply_markup()
        text, markup = screen(int(lap), int(step) + 1)
        await query.message.answer(text, reply_markup=markup)


async def main() -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["TOY_API"]), limit=256)
    bot = Bot(os.environ["TOY_TOKEN"], session=session)
    async with aiosqlite.connect(os.environ["TOY_DATABASE"]) as db:
        await db.executescript(SCHEMA)
        if port := os.environ.get("TOY_PORT"):
            await take_webhook(bot, Store(db), int(port))
        else:
            await dispatcher.start_polling(bot, store=Store(db))


async def take_webhook(bot: Bot, store: Store, port: int) -> None:
    app = web.Application()
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=SECRET, store=store)
    handler.register(app, "/toy")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await bot.set_webhook(f"http://127.0.0.1:{port}/toy", secret_token=SECRET, max_connections=100)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
