"""Row 4, through polling and webhook: kill -9 at 20 random moments while 50 parents answer.

The drill is that of tests/test_kill.py. Here the parents take time to think, so that every kill falls among answers.
A repeated message is the same question sent again; it belongs to the last kill before it.
"""

from __future__ import annotations

import asyncio
import base64
import random
import time
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.finding import Finding
from benchmarks.row2_taps import MODES
from data.vault import write_private
from tests.school import MASTER, opened
from tests.simulated_parents import BotProcess, Parent, environment
from tests.telegram_server import Message, TelegramServer
from tests.test_kill import counted, free_port, invited

PARENTS, KILLS = 50, 20
PAUSES = (1.5, 4.0)  # seconds between kills; a start takes about one of them
THINKING = (2.0, 7.0)  # seconds a parent thinks before a tap
SECONDS = 400
GOAL = "0 lost, 0 twice, at most 1 repeat a kill and person"


class ThinkingParent(Parent):
    """Takes time before each tap."""

    async def _act(self, message: Message) -> None:
        before = self._look()
        await asyncio.sleep(self.dice.uniform(*THINKING))
        if self._look() == before:
            await super()._act(message)


async def measure(folder: Path) -> list[Finding]:
    """In each mode."""
    return [finding for mode in MODES for finding in await _through(mode, folder / mode)]


async def _through(mode: str, folder: Path) -> list[Finding]:
    """Parents answer, the bot is killed, everything is counted."""
    keys = folder / "school" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    write_private(keys / "key", base64.b64encode(MASTER))
    async with TelegramServer() as server:
        async with opened(folder / "school") as school:
            school.clock.set(datetime.now(UTC))
            parents = [ThinkingParent(p.person, p.dice) for p in await invited(school, server, PARENTS)]
        answering, kills = await _drill(server, folder / "school", parents, mode)
        server.assert_nothing_refused()
        found = await counted(folder / "school", list(parents), KILLS)
        repeated = Counter((bisect(kills, at), chat) for at, chat in _repeats(server))
    worst = max(repeated.values(), default=0)
    lost, twice, unfinished = found["lost"], found["twice"], PARENTS - found["finished"]
    mean = repeated.total() / KILLS
    return [
        Finding(4, f"confirmed answers lost, {mode}", lost, "answers", goal="0", holds=lost == 0),
        Finding(4, f"answers counted twice, {mode}", twice, "answers", goal="0", holds=twice == 0),
        Finding(4, f"could not go on, {mode}", unfinished, "people", goal="0", holds=unfinished == 0),
        Finding(4, f"repeats, most for one kill and person, {mode}", worst, "messages", goal="1", holds=worst <= 1),
        Finding(4, f"repeats a kill, mean, {mode}", mean, "messages"),
        Finding(4, f"kills amid answers, {mode}", answering, "kills", goal=f"{KILLS}", holds=answering == KILLS),
    ]


async def _drill(
    server: TelegramServer, folder: Path, parents: list[ThinkingParent], mode: str
) -> tuple[int, list[float]]:
    """How many kills came before the last parent had finished, and when each was."""
    bot = BotProcess(environment(server, folder, free_port(), mode))
    await bot.start()
    kills: list[float] = []
    killing = asyncio.create_task(_kill(bot, kills))
    try:
        await asyncio.gather(*(parent.answer_all(SECONDS) for parent in parents))
        answering = len(kills)
        await killing
    finally:
        killing.cancel()
        await bot.stop()
    return answering, kills


async def _kill(bot: BotProcess, kills: list[float]) -> None:
    dice = random.Random(7)
    for _ in range(KILLS):
        await asyncio.sleep(dice.uniform(*PAUSES))
        await bot.kill()
        kills.append(time.monotonic())
        await bot.start()


def _repeats(server: TelegramServer) -> Iterator[tuple[float, int]]:
    """When and in which chat a question was sent that had been sent there before."""
    seen = set()
    for call in server.calls:
        if call.method == "sendMessage" and str(call.params.get("text")).startswith("Question"):
            sent = (call.params["chat_id"], call.params["text"])
            if sent in seen:
                yield call.at, call.params["chat_id"]
            seen.add(sent)
