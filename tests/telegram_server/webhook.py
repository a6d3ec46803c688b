"""Posting updates to the bot's own address, in order for each chat, until it answers 2xx."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

from tests.telegram_server.refusals import bad

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
PORTS = (443, 80, 88, 8443)


class Webhook:
    """Where updates go instead of getUpdates; a failed post is tried again, and a call in the answer carried out."""

    def __init__(
        self,
        params: dict,
        posted: Callable[[dict], None],
        called: Callable[[dict], Awaitable[None]],
        retry_seconds: float,
    ) -> None:
        self.url: str = params["url"]
        self.most = params.get("max_connections", 40)
        self._secret: str | None = params.get("secret_token")
        self._posted = posted
        self._called = called
        self._retry_seconds = retry_seconds
        self._slots = asyncio.Semaphore(self.most)
        self._turns: defaultdict[object, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        self.last_error: tuple[int, str] | None = None

    def deliver(self, update: dict) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(update))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _deliver(self, update: dict) -> None:
        async with self._turns[_chat_of(update)]:
            while not await self._post(update):  # noqa: ASYNC110 - nothing tells when the bot is back
                await asyncio.sleep(self._retry_seconds)
        self._posted(update)

    async def _post(self, update: dict) -> bool:
        headers = {SECRET_HEADER: self._secret} if self._secret else {}
        try:
            async with (
                self._slots,
                self._session.post(self.url, json=update, headers=headers, allow_redirects=False) as answer,
            ):
                said = await answer.read()
                if taken := self._taken(answer.status):
                    await self._carry_out(answer.content_type, said)
                return taken
        except (aiohttp.ClientError, TimeoutError) as error:
            self.last_error = int(time.time()), type(error).__name__
            return False

    async def _carry_out(self, kind: str, said: bytes) -> None:
        """A method named in a JSON answer; other answers are not looked at."""
        call = json.loads(said) if kind == "application/json" and said else None
        if isinstance(call, dict) and "method" in call:
            await self._called(call)

    def _taken(self, status: int) -> bool:
        if 200 <= status < 300:
            return True
        self.last_error = int(time.time()), f"Wrong response from the webhook: {status}"
        return False


def check_webhook(params: dict) -> None:
    """Https on Telegram's ports; plain http only on this machine, as a local server allows."""
    address = urlsplit(params["url"])
    local = address.hostname in ("127.0.0.1", "localhost")
    if address.scheme != "https" and not (address.scheme == "http" and local):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if not local and (address.port or 443) not in PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    secret = params.get("secret_token", "")
    if len(secret) > 256 or not all(char.isascii() and (char.isalnum() or char in "_-") for char in secret):
        raise bad("secret token contains unallowed characters")
    if not 1 <= params.get("max_connections", 40) <= 100:
        raise bad("max_connections must be between 1 and 100")


def _chat_of(update: dict) -> object:
    for content in update.values():
        if isinstance(content, dict):
            message = content.get("message", content)
            return message.get("chat", content.get("from", {})).get("id")
    return None
