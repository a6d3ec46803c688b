"""How we reach Telegram: by aiohttp or httpx, through the school's proxy, trusting its own certificate authority."""

from __future__ import annotations

import logging
import ssl
from typing import Any

import httpx
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from bot.settings import Settings
from bot.telegram_channel.request import AiohttpRequest, Unanswered, UpdatesRequest, check_is_telegrams
from bot.telegram_channel.token import Token


class HttpxRequest(HTTPXRequest):
    """Python-telegram-bot's own client, with the token put into the address at the last moment (token.py)."""

    def __init__(self, token: Token | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._token = token
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **more: Any
    ) -> tuple[int, bytes]:
        whole = self._token.put_into(url) if self._token else url
        try:
            status, content = await super().do_request(whole, method, request_data, *timeouts, **more)
        except TelegramError as error:
            failure = _failure(error)
        else:
            check_is_telegrams(url, status, content)
            if self._token:
                self._token.heard(whole, status)
            return status, content
        raise failure  # out here, so that the original, which may hold the address, does not hang on it


def _failure(error: TelegramError) -> TelegramError:
    """In words of our own, for those of httpx may hold the address."""
    if isinstance(error.__cause__, httpx.ReadTimeout):
        return Unanswered()
    return TimedOut() if isinstance(error, TimedOut) else NetworkError("httpx could not send it")


def make_request(settings: Settings, token: Token | None = None, updates: bool = False, **options: Any) -> BaseRequest:
    """A client for these settings. `updates`: for getUpdates. `options`: those that both clients know."""
    proxy = settings.proxy.get_secret_value() if settings.proxy else None
    context = trusted(settings)
    if settings.telegram_client == "httpx":
        options.pop("unread", None)
        verify = {"verify": context} if context else {}
        return HttpxRequest(token, proxy=proxy, httpx_kwargs=verify, **({"connection_pool_size": 64} | options))
    kind = UpdatesRequest if updates else AiohttpRequest
    return kind(proxy=proxy, ssl_context=context, token=token, **options)


def trusted(settings: Settings) -> ssl.SSLContext | None:
    """What certificates are believed: the system's and the school's own; None for the client's usual ones."""
    if settings.ca_file is None:
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=settings.ca_file)
    return context
