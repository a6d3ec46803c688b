"""Row 3: taps while the Bot API takes 50 ms to answer: a hundred people at once against one after another."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

from benchmarks.finding import Finding
from benchmarks.questions import HOW_MANY
from benchmarks.row2_taps import UNLIMITED, Bot, our_bot

DELAY = 0.05  # seconds
GOAL = 10


async def measure(folder: Path) -> list[Finding]:
    """One person answers everything alone, then all answer everything."""
    async with our_bot(folder, more=UNLIMITED) as bot:
        bot.server.delay = DELAY
        alone = await _rate(bot, 1, lap=1)
        together = await _rate(bot, len(bot.people), lap=2)
    ratio = together / alone
    return [
        Finding(3, "taps, one person alone", alone, "taps/s"),
        Finding(3, f"taps, {len(bot.people)} people at once", together, "taps/s", ratio, "one at a time",
                f">= {GOAL} x", ratio >= GOAL),
    ]  # fmt: skip


async def _rate(bot: Bot, people: int, lap: int) -> float:
    some = bot.people[:people]
    await asyncio.gather(*(p.gets(partial(bot.to_first_question, p, lap)) for p in some))
    begun = time.perf_counter()
    await asyncio.gather(*(p.gets(partial(p.taps_often, HOW_MANY)) for p in some))
    return HOW_MANY * people / (time.perf_counter() - begun)
