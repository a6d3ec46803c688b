"""The last reply of each browser, in memory only and for minutes: the page is drawn from it and from the run."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from conversations.channel import Message

KEPT_FOR = timedelta(minutes=15)
MOST = 300  # browsers; the oldest reply makes way
LONGEST = 12  # messages of one reply


@dataclass
class Last:
    """What was said last. `typed` marks the words handled last (where, hash, when): a double click is one answer."""

    messages: list[Message] = field(default_factory=list)
    at: datetime | None = None
    typed: tuple[str, str, datetime] | None = field(default=None, repr=False)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class LastReplies:
    """By keyed hash of the session. Nothing of it is ever on disk; every POST replaces it."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, Last] = OrderedDict()

    def of(self, session: str) -> Last:
        """The place of this browser; made when new."""
        if session not in self._last:
            self._last[session] = Last()
            while len(self._last) > MOST:
                self._last.popitem(last=False)
        self._last.move_to_end(session)
        return self._last[session]

    def keep(self, session: str, messages: Sequence[Message], now: datetime) -> None:
        last = self.of(session)
        last.messages, last.at = list(messages[-LONGEST:]), now

    def move(self, session: str, to: str) -> None:
        """The same browser has a fresh session."""
        if session in self._last:
            self._last[to] = self._last.pop(session)

    def messages(self, session: str, now: datetime) -> list[Message]:
        """What was said last, if that was just now."""
        last = self._last.get(session)
        if last is None or last.at is None:
            return []
        if now - last.at > KEPT_FOR:
            last.messages = []
        return last.messages
