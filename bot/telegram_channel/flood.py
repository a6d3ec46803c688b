"""A chat that sends more than a person can: its updates are passed over for a while, and it is told so once (B10)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

BURST, PER_SECOND = 60.0, 5.0  # updates that are handled at once, and in the long run; nobody types or taps faster
MOST_WAITING = 20  # replies on their way to one chat, above which nothing more of it is handled
TELL_EVERY = 60.0  # seconds
MOST_CHATS = 10_000


@dataclass
class _Chat:
    tokens: float
    at: float
    told_at: float = float("-inf")


class Flood:
    """Counts what each chat sends. Times are seconds of `clock`, which only rises."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._chats: dict[int, _Chat] = {}

    def admits(self, chat: int) -> bool:
        """Whether this update of the chat is to be handled; it is counted."""
        now = self._clock()
        found = self._chats.get(chat)
        if found is None:
            self._make_room(now)
            found = self._chats[chat] = _Chat(BURST, now)
        found.tokens, found.at = min(BURST, found.tokens + (now - found.at) * PER_SECOND), now
        if found.tokens < 1:
            return False
        found.tokens -= 1
        return True

    def tells(self, chat: int) -> bool:
        """Whether the chat is to be asked to slow down: once a minute."""
        found, now = self._chats.get(chat), self._clock()
        if found is None or now - found.told_at < TELL_EVERY:
            return False
        found.told_at = now
        return True

    def _make_room(self, now: float) -> None:
        if len(self._chats) >= MOST_CHATS:
            self._chats = {id: chat for id, chat in self._chats.items() if now - chat.at < TELL_EVERY}
