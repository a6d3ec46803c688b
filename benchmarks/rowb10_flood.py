"""Row B10: one chat sends 100 updates a second for a minute while 50 people answer (trust B10)."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import psutil

from benchmarks.finding import Finding
from benchmarks.row2_taps import Bot, our_bot
from tests.telegram_server import Person

SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
A_SECOND, PEOPLE = 100, 50
MOST_MEMORY, SLOWEST = 20.0, 0.25


async def measure(folder: Path) -> list[Finding]:
    """How long people waited for /help, what the flood was told, and what it cost in memory."""
    async with our_bot(folder) as bot:
        loud, others = bot.people[0], bot.people[1 : PEOPLE + 1]
        await asyncio.gather(*(_asks(person, 2) for person in others))
        before = _memory(bot)
        flood = asyncio.create_task(_flood(loud))
        took = [t for one in await asyncio.gather(*(_asks(person, SECONDS) for person in others)) for t in one]
        await flood
        grown = _memory(bot) - before
        told = sum("Please slow down" in message.text for message in loud.messages)
    slow = sorted(took)[int(len(took) * 0.99)]
    return [
        Finding("B10", "reply to others in a flood, p99", slow, "s", goal=f"< {SLOWEST}", holds=slow < SLOWEST),
        Finding("B10", "how often the flood was told", told, "times", goal="1", holds=told <= 1 + SECONDS // 60),
        Finding("B10", "memory", grown, "MiB", goal=f"< {MOST_MEMORY:.0f}", holds=grown < MOST_MEMORY),
        Finding("B10", "replies to the flood", len(loud.messages), "messages"),
    ]


def _memory(bot: Bot) -> float:
    process: psutil.Process = bot.process
    return float(process.memory_info().rss) / 2**20


async def _flood(person: Person) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for _ in range(A_SECOND // 10):
            await person.types("/help")
        await asyncio.sleep(0.1)


async def _asks(person: Person, seconds: float) -> list[float]:
    """Ask every two seconds; how long each answer took."""
    until, took = time.monotonic() + seconds, []
    await asyncio.sleep(person.id % 20 / 10)
    while time.monotonic() < until:
        asked, before = time.monotonic(), len(person.messages)
        await person.types("/help")
        while len(person.messages) == before and time.monotonic() - asked < 30:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)
        took.append(time.monotonic() - asked)
        await asyncio.sleep(2)
    return took
