"""Row 1: outgoing sends with 1, 8, 32 and 128 in flight: our client, aiogram's, and python-telegram-bot's own."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiogram import Bot as Aiogram
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from telegram import Bot
from telegram.request import BaseRequest, HTTPXRequest

from benchmarks.finding import Finding
from bot.telegram_channel.application import UNREAD
from bot.telegram_channel.request import AiohttpRequest
from tests.telegram_server import TelegramServerInThread

IN_FLIGHT = (1, 8, 32, 128)
SENDS, LAPS = 400, 3
CHAT = 77
LEAST, AGAINST_STOCK = 0.9, 5.0

Send = Callable[[], Awaitable[object]]


async def measure(_folder: Path) -> list[Finding]:
    """They take turns, lap by lap; the median of each."""
    with TelegramServerInThread() as running:
        running.server.person(CHAT).started = True
        url, token = running.url, running.server.token
        own, plain = AiohttpRequest(unread=UNREAD), HTTPXRequest(connection_pool_size=256, pool_timeout=60)
        async with _ptb(url, token, own) as ours, _aiogram(url, token) as peer, _ptb(url, token, plain) as stock:
            return [f for n in IN_FLIGHT for f in await _compared(n, ours, peer, stock)]


async def _compared(in_flight: int, ours: Send, peer: Send, stock: Send) -> list[Finding]:
    laps = [[await _rate(send, in_flight) for send in (ours, peer, stock)] for _ in range(LAPS)]
    own, theirs, plain = (statistics.median(lap[i] for lap in laps) for i in range(3))
    goal = f">= {LEAST} x aiogram"
    ratio = own / theirs
    found = [Finding(1, f"sends, {in_flight} in flight", own, "/s", ratio, "aiogram", goal, ratio >= LEAST)]
    if in_flight == 32:
        holds = own / plain >= AGAINST_STOCK
        found.append(Finding(1, "sends, 32 in flight", own, "/s", own / plain, "PTB's client", ">= 5 x", holds))
    return found


async def _rate(send: Send, in_flight: int) -> float:
    places = asyncio.Semaphore(in_flight)

    async def one() -> None:
        async with places:
            await send()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(SENDS)))
    return SENDS / (time.perf_counter() - begun)


@asynccontextmanager
async def _ptb(url: str, token: str, request: BaseRequest) -> AsyncIterator[Send]:
    bot = Bot(token, base_url=f"{url}/bot", request=request, get_updates_request=AiohttpRequest())
    async with bot:
        yield lambda: bot.send_message(CHAT, "How is lunch?")


@asynccontextmanager
async def _aiogram(url: str, token: str) -> AsyncIterator[Send]:
    bot = Aiogram(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url), limit=256))
    try:
        yield lambda: bot.send_message(CHAT, "How is lunch?")
    finally:
        await bot.session.close()
