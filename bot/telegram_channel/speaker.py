"""Speaking after the commit: one chat in order, chats at once, bounded."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from conversations.channel import TryLater, Unreachable

log = logging.getLogger(__name__)

AT_ONCE = 64  # requests under way
WAITING = 400  # speeches not yet ended, above which nothing new is fetched
TRIES = 5
SLOW = 3  # speeches that wait for one chat
JUST_NOW = 5.0  # seconds in which a repeated tap needs no second answer

Speech = Callable[[], Awaitable[None]]


class Speaker:
    """Runs speeches. Each chat's follow one another; a failing one does not stop the next.

    While `ready` is clear (Telegram refuses the token) they wait.
    """

    def __init__(self, ready: asyncio.Event) -> None:
        self._ready = ready
        self._last: dict[int, asyncio.Task[None]] = {}
        self._spoke_at: dict[int, float] = {}
        self._waiting: Counter[int] = Counter()
        self._places = asyncio.Semaphore(AT_ONCE)

    def say(self, chat: int, speech: Speech) -> asyncio.Task[None]:
        """Queue a speech behind the chat's others."""
        task = asyncio.create_task(self._after(self._last.get(chat), chat, speech))
        self._last[chat] = task
        self._waiting[chat] += 1
        task.add_done_callback(lambda done: self._forget(chat, done))
        return task

    def waiting(self, chat: int) -> int:
        """How many speeches to this chat have not ended yet."""
        return self._waiting[chat]

    def spoke_just_now(self, chat: int) -> bool:
        """Whether this process is answering this chat, or did a moment ago."""
        return chat in self._last or time.monotonic() - self._spoke_at.get(chat, -JUST_NOW) < JUST_NOW

    async def drain(self, below: int = 1, seconds: float | None = None) -> None:
        """Wait until fewer than `below` chats are being answered, or the time is over.

        Nobody waits for a chat that is answered slowly because it asks too much (B10).
        """
        until = None if seconds is None else time.monotonic() + seconds
        while len(self._last) - self._slow() >= below:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            await asyncio.wait(list(self._last.values()), timeout=left, return_when=asyncio.FIRST_COMPLETED)

    def _slow(self) -> int:
        return sum(1 for n in self._waiting.values() if n >= SLOW)

    async def _after(self, before: asyncio.Task[None] | None, chat: int, speech: Speech) -> None:
        if before:
            await asyncio.wait([before])
        for attempt in range(TRIES):
            await self._ready.wait()
            try:
                async with self._places:
                    await speech()
            except TryLater as later:
                await asyncio.sleep(later.seconds * (attempt + 1))
            except Unreachable:
                return
            except Exception as error:
                log.error("a reply failed with %s", type(error).__name__)
                return
            else:
                self._spoke_at[chat] = time.monotonic()
                return

    def _forget(self, chat: int, done: asyncio.Task[None]) -> None:
        self._waiting[chat] -= 1
        if not self._waiting[chat]:
            del self._waiting[chat]
        if self._last.get(chat) is done:
            del self._last[chat]
        if len(self._spoke_at) > 10_000:
            now = time.monotonic()
            self._spoke_at = {c: at for c, at in self._spoke_at.items() if now - at < JUST_NOW}
