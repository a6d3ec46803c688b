"""Updates that wait for the bot, and the long polling that hands them out."""

import asyncio
import random
import time
from collections.abc import Callable

from tests.telegram_server.parameters import UPDATE_KINDS
from tests.telegram_server.refusals import conflict

ALLOWED_UNLESS_TOLD = UPDATE_KINDS - {"chat_member", "message_reaction", "message_reaction_count"}
MOST_AT_ONCE = 100
MOST_SECONDS = 50
TAKEN_OVER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_SET = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Bell:
    """Wakes everybody who waits for something to change."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for one in self._waiting:
            if not one.done():
                one.set_result(None)

    async def heard(self, seconds: float) -> bool:
        """False when nothing changed in that time."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait_for(waiting, seconds)
            return True
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)


class Updates:
    """What happened and is not confirmed yet; confirmed by asking for a later update_id."""

    def __init__(self, bell: Bell) -> None:
        self.bell = bell
        self.next_id = random.randint(100_000_000, 900_000_000)
        self.allowed = ALLOWED_UNLESS_TOLD
        self.waiting: list[dict] = []
        self.again: list[dict] = []
        self.asked_at = float("-inf")
        self._poll: Poll | None = None

    def put(self, kind: str, content: object) -> tuple[dict, bool]:
        """The update, and whether it will reach the bot: kinds it did not ask for never do."""
        update = {"update_id": self.next_id, kind: content}
        self.next_id += 1
        wanted = kind in self.allowed
        if wanted:
            self.waiting.append(update)
            self.bell.ring()
        return update, wanted

    def redeliver(self, update: dict) -> None:
        self.again.append(update)
        self.bell.ring()

    def allow(self, kinds: list[str] | None) -> None:
        """No list keeps what was said before, an empty one means the usual kinds."""
        if kinds is not None:
            self.allowed = frozenset(kinds) or ALLOWED_UNLESS_TOLD

    def confirm_before(self, offset: int) -> None:
        if offset < 0:
            self.waiting = self.waiting[offset:]
        else:
            self.waiting = [one for one in self.waiting if one["update_id"] >= offset]

    def done(self, update: dict) -> None:
        self.waiting = [one for one in self.waiting if one is not update]
        self.bell.ring()

    def drop(self) -> None:
        self.waiting, self.again = [], []

    def end_poll(self, reason: str = TAKEN_OVER) -> None:
        if self._poll:
            self._poll.ended = reason
            self.bell.ring()

    async def poll(self, params: dict, stopped: Callable[[], bool]) -> list[dict]:
        self.end_poll()
        self.allow(params.get("allowed_updates"))
        self.confirm_before(params.get("offset", 0))
        self._poll = poll = Poll()
        try:
            return await self._wait(poll, params, stopped)
        finally:
            self.asked_at = time.monotonic()
            self._poll = None if self._poll is poll else self._poll

    async def _wait(self, poll: "Poll", params: dict, stopped: Callable[[], bool]) -> list[dict]:
        until = time.monotonic() + min(max(params.get("timeout", 0), 0), MOST_SECONDS)
        while True:
            if poll.ended:
                raise conflict(poll.ended)
            if batch := self._take(params.get("limit", MOST_AT_ONCE)):
                return batch
            left = until - time.monotonic()
            if stopped() or left <= 0 or not await self.bell.heard(left):
                return []

    def _take(self, limit: int) -> list[dict]:
        limit = min(max(limit, 1), MOST_AT_ONCE)
        again, self.again = self.again[:limit], self.again[limit:]
        return again + self.waiting[: limit - len(again)]


class Poll:
    """One getUpdates that is waiting; `ended` says why it must not go on."""

    def __init__(self) -> None:
        self.ended: str | None = None
