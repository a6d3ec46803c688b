"""How fast we may speak: one queue with two lanes before Telegram's door (python-telegram-bot's rate limiter).

Telegram takes about 30 messages a second from a bot, about one a second in a chat and 20 a minute in a group, and
answers 429 with a time to wait to whoever sends more (Bots FAQ). So a message to somebody who is waiting goes before
what the bot says on its own account, and one 429 stops everything until its time is over.

Nobody exceeds the window: a place in it is taken from before the request until a second after its answer, so whatever
the line delays, Telegram never sees 31 in a second. Only half of the places go to replies one of which the chat had
within the last second: a chat that asks again and again does not make the others wait.

The window is this process's own. Where several share the bot's work, each is given its share (`most`).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.telegram_channel.errors import seconds_of

REPLY, LETTER = 0, 1  # lanes
MOST = 30  # messages in the window, unless Telegram has granted the bot more
WINDOW = 1.005  # seconds after the answer to a request until its place is free
CATCH_UP = 5  # letters that a loop that woke late may make up for
CHAT_PAUSE = 1.0  # seconds between two letters to one chat, and after which a reply is not one of many
CHAT_BURST = 60  # replies in one chat before they too come one a second
GROUP_MOST, GROUP_SECONDS = 20, 60.0
STRICT = 600.0  # seconds after a refusal in which replies too keep to one a second in a chat
PATIENCE = 2.0  # seconds that a letter waits for a refusal to end; beyond that it goes back to the outbox
SAYS = ("send", "copy", "forward")  # beginnings of methods that put something into a chat
CHANGES = ("edit", "deletemessage")  # of methods that are many at once only where many chats are tidied
AT_ONCE = "answercallbackquery"  # its deadline is short, and nothing depends on it

_lane: ContextVar[int] = ContextVar("lane", default=REPLY)
_reserved: ContextVar[Place | None] = ContextVar("reserved", default=None)


@dataclass(eq=False)
class Place:
    """One message's place in the window; `used` once a request has gone with it."""

    lane: int
    chat: int
    used: bool = False


@dataclass
class _Chat:
    """What was said in a chat lately."""

    spoke_at: float = float("-inf")
    tokens: float = CHAT_BURST
    counted_at: float = 0.0
    minute: deque[float] = field(default_factory=deque)  # of a group


@dataclass(eq=False)
class _Waiter:
    lane: int
    chat: int
    ready: asyncio.Future[Place]


class Limiter(BaseRateLimiter[int]):
    """Decides when each request goes: at most `most` messages a second. Times are seconds of `clock`, which only rises.

    Letters keep a distance, so that a reply never waits for a burst of them to pass.
    """

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._spacing = WINDOW / most
        self._clock = clock
        self._queues: tuple[list[_Waiter], list[_Waiter]] = ([], [])
        self._under_way: set[Place] = set()
        self._freed: deque[float] = deque()  # when the places of answered requests become free
        self._freed_replies: deque[float] = deque()  # the same of replies only
        self._chats: dict[int, _Chat] = {}
        self._letter_at = float("-inf")
        self._halted_until = float("-inf")
        self._strict_until = float("-inf")
        self._bell: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return "Limiter()"

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Whoever still waits is told that it is over."""
        if self._bell:
            self._bell.cancel()
        for queue in self._queues:
            for waiter in queue:
                waiter.ready.cancel()
            queue.clear()

    @property
    def halted_for(self) -> float:
        """Seconds until Telegram takes messages again after a refusal; 0 as a rule."""
        return max(0.0, self._halted_until - self._clock())

    def waiting(self, lane: int) -> int:
        return len(self._queues[lane])

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Wait for a turn, then do it. RetryAfter goes up after everybody has been stopped."""
        method = endpoint.lower()
        if method == AT_ONCE:
            return await self._heeding(callback, args, kwargs)
        if not method.startswith(SAYS if _lane.get() == REPLY else (*SAYS, *CHANGES)):
            await self._until_taken_again()
            return await self._heeding(callback, args, kwargs)
        place = self._spend() or await self._turn(_lane.get(), _chat_of(data))
        try:
            place.used = True
            return await self._heeding(callback, args, kwargs)
        finally:
            self._leave(place)

    @asynccontextmanager
    async def turn(self, lane: int, chat: int) -> AsyncIterator[None]:
        """Inside, the next message goes at once, and others of this task in this lane. RetryAfter in a long halt."""
        place = await self._turn(lane, chat)
        reserved, own = _reserved.set(place), _lane.set(lane)
        try:
            yield
        finally:
            _reserved.reset(reserved)
            _lane.reset(own)
            if not place.used:
                self._give_back(place)

    def _spend(self) -> Place | None:
        """The place that was kept for this task; what was decided before a halt is decided anew after it."""
        place = _reserved.get()
        if place is None or place.used:
            return None
        if self.halted_for > 0:
            raise self._refusal()
        return place

    def _refusal(self) -> RetryAfter:
        return RetryAfter(timedelta(seconds=max(self.halted_for, 0.1)))

    async def _heeding(self, callback: Callable[..., Coroutine[Any, Any, Any]], args: Any, kwargs: Any) -> Any:
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as error:
            self.halt(seconds_of(error))
            raise

    def halt(self, seconds: float) -> None:
        """Nobody sends until then: who goes on is made to wait longer. In a long halt letters go back to the outbox."""
        now = self._clock()
        self._halted_until = max(self._halted_until, now + seconds)
        self._strict_until = max(self._strict_until, self._halted_until + STRICT)
        if self.halted_for > PATIENCE:
            letters = self._queues[LETTER]
            for waiter in letters:
                waiter.ready.set_exception(self._refusal())
            letters.clear()

    async def _until_taken_again(self) -> None:
        while (seconds := self.halted_for) > 0:  # noqa: ASYNC110 - another refusal may have come meanwhile
            await asyncio.sleep(seconds)

    # --- turns ------------------------------------------------------------------------------------------------------

    async def _turn(self, lane: int, chat: int) -> Place:
        if lane == LETTER and self.halted_for > PATIENCE:
            raise self._refusal()
        waiter = _Waiter(lane, chat, asyncio.get_running_loop().create_future())
        self._queues[lane].append(waiter)
        self._pump()
        try:
            return await waiter.ready
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise

    def _withdraw(self, waiter: _Waiter) -> None:
        if waiter in self._queues[waiter.lane]:
            self._queues[waiter.lane].remove(waiter)
        elif waiter.ready.done() and not waiter.ready.cancelled() and not waiter.ready.exception():
            self._give_back(waiter.ready.result())

    def _pump(self) -> None:
        """Let go who may go now, replies first; ring again when the next one may."""
        now = self._clock()
        if self._bell:
            self._bell.cancel()
            self._bell = None
        self._tidy(now)
        soonest = self._let_go(REPLY, now)
        soonest = min(soonest, self._let_go(LETTER, now))
        if soonest < float("inf"):
            self._bell = asyncio.get_running_loop().call_later(max(soonest - now, 0.001), self._pump)

    def _let_go(self, lane: int, now: float) -> float:
        """When the next of those who still wait may go; those of one chat keep their order."""
        soonest, passed = float("inf"), set[int]()
        for waiter in list(self._queues[lane]):
            if (opens := self._lane_at(lane, now)) > now:
                return min(soonest, opens)
            if waiter.chat in passed:
                continue
            at = self._chat_at(waiter, now)
            if at <= now:
                self._queues[lane].remove(waiter)
                waiter.ready.set_result(self._take(waiter, now))
                continue
            passed.add(waiter.chat)
            soonest = min(soonest, at)
        return soonest

    def _lane_at(self, lane: int, now: float) -> float:
        """When the next of this lane may go, whoever it is."""
        at = max(self._halted_until, _free_at(len(self._under_way), self._freed, self._most, now))
        return max(at, self._letter_at) if lane == LETTER else at

    def _half_at(self, now: float) -> float:
        """When replies take less than half of the places."""
        replies = sum(1 for place in self._under_way if place.lane == REPLY)
        return _free_at(replies, self._freed_replies, self._most // 2, now)

    def _chat_at(self, waiter: _Waiter, now: float) -> float:
        chat = self._chats.get(waiter.chat)
        if chat is None:
            return now
        while chat.minute and chat.minute[0] <= now - GROUP_SECONDS:
            chat.minute.popleft()
        at = chat.minute[0] + GROUP_SECONDS if len(chat.minute) >= GROUP_MOST else now
        rested = chat.spoke_at + CHAT_PAUSE
        if waiter.lane == LETTER or now < self._strict_until:
            return max(at, rested)
        if now < rested:
            at = max(at, min(rested, self._half_at(now)))
        tokens = _tokens(chat, now)
        return at if tokens >= 1 else max(at, now + (1 - tokens) * CHAT_PAUSE)

    def _take(self, waiter: _Waiter, now: float) -> Place:
        chat = self._chats.setdefault(waiter.chat, _Chat())
        chat.tokens, chat.counted_at, chat.spoke_at = _tokens(chat, now) - 1, now, now
        if waiter.chat < 0:
            chat.minute.append(now)
        if waiter.lane == LETTER:
            self._letter_at = max(self._letter_at, now - CATCH_UP * self._spacing) + self._spacing
        place = Place(waiter.lane, waiter.chat)
        self._under_way.add(place)
        return place

    def _leave(self, place: Place) -> None:
        """Answered, or broken off: the place is free a second later."""
        if place in self._under_way:
            self._under_way.discard(place)
            free_at = self._clock() + WINDOW
            self._freed.append(free_at)
            if place.lane == REPLY:
                self._freed_replies.append(free_at)
        self._pump()

    def _give_back(self, place: Place) -> None:
        """Nothing was sent with it: the next letter need not keep away from it."""
        self._under_way.discard(place)
        if place.lane == LETTER:
            self._letter_at -= self._spacing
        self._pump()

    def _tidy(self, now: float) -> None:
        for freed in (self._freed, self._freed_replies):
            while freed and freed[0] <= now:
                freed.popleft()
        if len(self._chats) > 10_000:
            self._chats = {id: chat for id, chat in self._chats.items() if now - chat.spoke_at < GROUP_SECONDS}


@contextmanager
def in_lane(lane: int) -> Iterator[None]:
    """What this task sends inside goes in this lane."""
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


def _free_at(under_way: int, freed: deque[float], most: int, now: float) -> float:
    """When fewer than so many places are taken; the answers to requests under way are not known yet."""
    over = under_way + len(freed) - most
    if over < 0:
        return now
    return freed[over] if over < len(freed) else float("inf")  # an answer pumps again


def _tokens(chat: _Chat, now: float) -> float:
    return min(CHAT_BURST, chat.tokens + (now - chat.counted_at) / CHAT_PAUSE)


def _chat_of(data: dict[str, Any]) -> int:
    try:
        return int(data.get("chat_id") or 0)
    except (TypeError, ValueError):
        return 0
