"""The web channel's server: uvicorn inside our own loop, without its signal handling, access log or name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bot.dialogue import Dialogue
from bot.letters import Letters
from bot.settings import Settings
from bot.telegram_channel.webhook import Webhook
from bot.web_channel.app import make_app
from bot.web_channel.telegram_page import TelegramPage


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the program stops everything together


def make_server(app: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """A server for an app; `serve()` ends after `should_exit` is set."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        date_header=True,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
    return _Server(config)


class WebServer:
    """The web channel of a running bot."""

    def __init__(self, settings: Settings, dialogue: Dialogue, letters: Letters) -> None:
        pages = make_app(dialogue, dialogue.db, dialogue.house, letters, dialogue.clock)
        self._telegram = TelegramPage(pages)
        self._server = make_server(self._telegram, settings.host, settings.port)

    def take_updates(self, webhook: Webhook | None) -> None:
        """The page for Telegram hands updates to this webhook from now on; without one it is not there."""
        self._telegram.webhook = webhook

    async def serve(self) -> None:
        """Until stopped; OSError when the address is taken."""
        try:
            await self._server.serve()
        except SystemExit:  # uvicorn's way to say that it cannot listen
            raise OSError("the address is in use") from None

    def stop(self) -> None:
        self._server.should_exit = True
