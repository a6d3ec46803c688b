"""The server in a thread of its own, for tests whose own loop is busy or missing."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Self, TypeVar

from tests.telegram_server.server import TelegramServer

Result = TypeVar("Result")


class TelegramServerInThread:
    """`with TelegramServerInThread() as running:` then `running.run(person.types("hello"))`.

    People and server belong to the thread: whatever touches them goes through `run`.
    """

    def __init__(self, server: TelegramServer | None = None, seconds: float = 30) -> None:
        self.server = server or TelegramServer()
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="telegram-server", daemon=True)

    @property
    def url(self) -> str:
        return self.server.url

    def run(self, work: Coroutine[object, object, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(self._seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.server.start())
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.run(self.server.stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(self._seconds)
            self._loop.close()
