"""python-telegram-bot's HTTP, over aiohttp; no error ever says the address, because the token is in it."""

import asyncio
import errno
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.telegram_channel.token import Token
from bot.telegram_channel.updates import without_screen

JSONDict = dict[str, Any]

CHUNK_BYTES = 64 * 1024
FORM = "application/x-www-form-urlencoded"
DONE = b'{"ok":true,"result":true}'


class AiohttpRequest(BaseRequest):
    """Pooled, kept-alive connections. Timeouts are in seconds; None waits for ever.

    aiohttp has no timeout for writing: what an upload may take is added to the wait for the answer.
    `unread` names methods whose result nobody looks at, such as the message that was just sent: their success is passed
    on as plain True, because making python-telegram-bot's objects of it costs as much as sending.
    `token` is put into each address; without it the addresses have theirs.
    """

    def __init__(
        self,
        connection_pool_size: int = 256,
        read_timeout: float | None = 5.0,
        write_timeout: float | None = 5.0,
        connect_timeout: float | None = 5.0,
        pool_timeout: float | None = 1.0,
        media_write_timeout: float | None = 20.0,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_response_bytes: int | None = None,
        unread: frozenset[str] = frozenset(),
        token: Token | None = None,
    ) -> None:
        self._pool_size = connection_pool_size
        self._read_timeout = read_timeout
        self._write_timeout = write_timeout
        self._connect_timeout = connect_timeout
        self._pool_timeout = pool_timeout
        self._media_write_timeout = media_write_timeout
        self._proxy = proxy
        self._ssl_context = ssl_context
        self._max_response_bytes = max_response_bytes
        self._unread = unread
        self._token = token
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(connection_pool_size)

    @property
    def read_timeout(self) -> float | None:
        return self._read_timeout

    async def initialize(self) -> None:
        if self._session is not None:
            return
        # Waiting for a free connection is done here (`_free`), so that its timeout is its own.
        connector = aiohttp.TCPConnector(limit=self._pool_size, ssl=self._ssl_context if self._ssl_context else True)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self.USER_AGENT},
            proxy=self._proxy,
        )
        self._free = asyncio.Semaphore(self._pool_size)

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        session = self._session
        if session is None:
            raise RuntimeError("This AiohttpRequest is not initialized")
        timeout = self._timeout(request_data, read_timeout, write_timeout, connect_timeout)
        try:
            async with self._connection(_chosen(pool_timeout, self._pool_timeout)):
                return await self._exchange(session, url, method, request_data, timeout)
        except TelegramError:
            raise
        # Everything: what got through, python-telegram-bot would print, and many a text has the address.
        except Exception as error:
            failure = _translated(error)
        raise failure  # out here, so that the original does not hang on it as its context

    def _timeout(
        self, request_data: RequestData | None, read: object, write: object, connect: object
    ) -> aiohttp.ClientTimeout:
        reading = _chosen(read, self._read_timeout)
        if request_data and request_data.contains_files:
            reading = _sum(reading, _chosen(write, self._media_write_timeout))
        elif write is not BaseRequest.DEFAULT_NONE:
            reading = _sum(reading, _chosen(write, self._write_timeout))
        connecting = _chosen(connect, self._connect_timeout)
        return aiohttp.ClientTimeout(total=None, connect=connecting, sock_read=reading)

    @asynccontextmanager
    async def _connection(self, pool_timeout: float | None) -> AsyncIterator[None]:
        """One of the pool's places, as soon as one is free."""
        free = self._free
        if free.locked():
            await _acquire(free, pool_timeout)
        else:
            await free.acquire()
        try:
            yield
        finally:
            free.release()

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        url: str,
        method: str,
        request_data: RequestData | None,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own, in four parts
    ) -> tuple[int, bytes]:
        body = _body(request_data)
        headers = {"Content-Type": FORM} if isinstance(body, bytes) else None
        # A redirect would carry the token to a place nobody chose.
        whole = self._token.put_into(url) if self._token else url
        async with session.request(
            method, whole, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            content = await self._content(response)
            check_is_telegrams(url, response.status, content)
            if self._token:
                self._token.heard(whole, response.status)
            done = response.status == 200 and url.rpartition("/")[2] in self._unread
            return response.status, DONE if done else content

    async def _content(self, response: aiohttp.ClientResponse) -> bytes:
        most = self._max_response_bytes
        if most is None:
            return await response.read()
        content = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            content += chunk
            if len(content) > most:
                raise NetworkError(f"The answer has more than {most} bytes")
        return bytes(content)


class UpdatesRequest(AiohttpRequest):
    """For getUpdates: of messages whose button was tapped only the place is read."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> JSONDict:
        answer = BaseRequest.parse_json_payload(payload)
        updates = answer.get("result")
        for update in updates if isinstance(updates, list) else ():
            without_screen(update)
        return answer


class Unanswered(TimedOut):
    """It was sent and no answer came: perhaps it arrived."""


class NotTelegram(NetworkError):
    """Something on the way answered instead; logs name it by this type."""


def check_is_telegrams(url: str, status: int, content: bytes) -> None:
    """NotTelegram for what something else on the way says, such as the page of a school's web filter.

    Telegram answers every call with JSON, a refusal too. Else a filter's 403 would mean that somebody has blocked us,
    its 404 that our token is wrong, and its 200 that a message was sent.
    """
    if "/file/" not in url and not content.lstrip().startswith(b"{"):
        raise NotTelegram(f"Something else than Telegram answered ({status})")


async def _acquire(free: asyncio.Semaphore, pool_timeout: float | None) -> None:
    try:
        async with asyncio.timeout(pool_timeout):
            await free.acquire()
    except TimeoutError:
        raise TimedOut("Pool timeout: all connections are in use. The request was not sent.") from None


def _chosen(given: object, usual: float | None) -> float | None:
    """The timeout of this call; the usual one where the call names none."""
    return given if given is None or isinstance(given, int | float) else usual


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _body(request_data: RequestData | None) -> aiohttp.FormData | bytes | None:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.url_encoded_parameters().encode()
    # Telegram reads names as they are; percent signs would stay in them.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, kind) in request_data.multipart_data.items():
        # As a stream, so that a large file goes in pieces and the loop is not held up.
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=_one_line(filename), content_type=kind)
    return form


def _one_line(filename: str) -> str:
    return filename.replace("\r", " ").replace("\n", " ")


def _translated(error: Exception) -> NetworkError:
    """In words of our own: what aiohttp says may hold the address."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TimedOut("Timed out while connecting. The request was not sent.")
    if isinstance(error, TimeoutError):
        return Unanswered()
    number = error.errno if isinstance(error, OSError) else None
    reason = errno.errorcode.get(number, "") if number else ""
    return NetworkError(f"{type(error).__module__.split('.')[0]}.{type(error).__name__} {reason}".strip())
