"""python-telegram-bot over aiohttp: answers, files, timeouts, failures, and no token in any of them."""

import asyncio
import io
import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import ExtBot

from bot.telegram_channel.application import CLIENTS, close, make_application
from bot.telegram_channel.request import AiohttpRequest, UpdatesRequest
from tests.telegram_school import settings_for
from tests.telegram_server import Person, TelegramServer

SECRET = "TEST-canary-token"


@pytest.fixture(autouse=True)
def no_token_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Ours and aiohttp's, at DEBUG; python-telegram-bot's own lines are another file's business."""
    caplog.set_level(logging.DEBUG)
    yield
    told = [one for one in caplog.get_records("call") if not one.name.startswith("telegram")]
    assert not [one for one in told if SECRET in one.getMessage() or SECRET in str(one.exc_info)]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as running:
        yield running
    running.assert_nothing_refused()


@pytest.fixture
async def alice(server: TelegramServer) -> Person:
    person = server.person(1001, "Alice")
    await person.types("/start")
    return person


@asynccontextmanager
async def bot_at(root: str, token: str = f"123456:{SECRET}", **options: object) -> AsyncIterator[ExtBot]:
    """A bot with its connections open; `initialize` would ask getMe first."""
    requests = AiohttpRequest(**options), AiohttpRequest()
    bot = ExtBot(
        token,
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        get_updates_request=requests[1],
        request=requests[0],
    )
    async with requests[0], requests[1]:
        yield bot


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[ExtBot]:
    async with bot_at(server.url) as ready:
        yield ready


@asynccontextmanager
async def answering(raw: bytes | None) -> AsyncIterator[str]:
    """A server that says only this, or nothing at all; its address without the scheme."""
    open_ends: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ends.append(writer)
        if raw is not None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for end in open_ends:
        end.close()
    server.close()


async def failing(kind: type[TelegramError], call: Awaitable[object]) -> TelegramError:
    """The error of this kind; the token is nowhere in it, nor in what it came from."""
    with pytest.raises(kind) as caught:
        await call
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        assert SECRET not in repr(error)
        assert SECRET not in repr(error.args)
        assert not isinstance(error, aiohttp.ClientError)
        error = error.__cause__ or error.__context__
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return caught.value


async def test_bot_asks_who_it_is(bot: ExtBot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username) == (123456, "yousaid_test_bot")


async def test_message_arrives_with_its_keyboard(bot: ExtBot, alice: Person) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes & no", callback_data="a=b&c")]])
    sent = await bot.send_message(1001, "50 % & more: größer 😀\nnext line", reply_markup=keyboard)
    assert sent.message_id == alice.last.id
    assert alice.last.text == "50 % & more: größer 😀\nnext line"
    assert alice.last.buttons == [("Yes & no", "a=b&c")]


@pytest.mark.parametrize("name", ["answers.csv", "Schülerstimmen 2.csv", 'a "quoted" name.csv'])
async def test_document_arrives_under_its_name(bot: ExtBot, alice: Person, name: str) -> None:
    await bot.send_document(1001, b"a,b\r\n1,2", filename=name, caption="Größe")
    assert alice.last.document == (name, b"a,b\r\n1,2")
    assert alice.last.caption == "Größe"


async def test_name_cannot_add_lines_to_the_form(bot: ExtBot, alice: Person) -> None:
    await bot.send_document(1001, b"x", filename="a\r\nX-Other: 1\r\n\r\n.csv")
    assert alice.last.document == ("a  X-Other: 1    .csv", b"x")


async def test_large_document_and_stream_arrive_whole(bot: ExtBot, alice: Person) -> None:
    content = bytes(range(256)) * 8 * 1024
    await bot.send_document(1001, content, filename="large.bin")
    assert alice.last.document == ("large.bin", content)
    await bot.send_document(1001, io.BytesIO(content), filename="stream.bin")
    assert alice.last.document == ("stream.bin", content)


async def test_update_and_voice_are_fetched(bot: ExtBot, alice: Person) -> None:
    await alice.speaks(b"OggS" * 1000)
    updates = await bot.get_updates(timeout=1)
    assert updates[0].message.text == "/start"
    file = await updates[1].message.voice.get_file()
    assert bytes(await file.download_as_bytearray()) == b"OggS" * 1000


async def test_answer_of_telegram_decides_the_error(bot: ExtBot, server: TelegramServer, alice: Person) -> None:
    server.fail_next("sendMessage", 429, "Too Many Requests: retry after 7")
    flood = await failing(RetryAfter, bot.send_message(1001, "x"))
    assert flood.retry_after == timedelta(seconds=7)
    server.fail_next("sendMessage", 502, "Bad Gateway")
    await failing(NetworkError, bot.send_message(1001, "x"))
    alice.blocks_bot()
    blocked = await failing(Forbidden, bot.send_message(1001, "x"))
    assert str(blocked) == "Forbidden: bot was blocked by the user"


async def test_refused_message_and_wrong_token() -> None:
    async with TelegramServer(token="123456:another") as server, bot_at(server.url) as bot:
        await failing(InvalidToken, bot.get_me())
    async with TelegramServer() as server, bot_at(server.url) as bot:
        assert str(await failing(BadRequest, bot.send_message(1, "x"))) == "Chat not found"


async def test_slow_answer_times_out_per_call_and_as_usual(server: TelegramServer) -> None:
    server.delay = 0.2
    async with bot_at(server.url, read_timeout=0.02) as bot:
        await failing(TimedOut, bot.get_me())
        assert (await bot.get_me(read_timeout=5)).id == 123456
        assert (await bot.get_me(read_timeout=None)).id == 123456
    async with bot_at(server.url) as bot:
        assert bot.request.read_timeout == 5.0
        await failing(TimedOut, bot.get_me(read_timeout=0.02))


async def test_upload_has_its_own_time(server: TelegramServer, alice: Person) -> None:
    server.delay = 0.1
    async with bot_at(server.url, read_timeout=0.02, media_write_timeout=5) as bot:
        await bot.send_document(1001, b"x", filename="x.txt")
        await failing(TimedOut, bot.send_document(1001, b"x", filename="x.txt", write_timeout=0.02))


async def test_full_pool_says_that_nothing_was_sent(server: TelegramServer) -> None:
    server.delay = 0.2
    async with bot_at(server.url, connection_pool_size=1, pool_timeout=0.02) as bot:
        first = asyncio.create_task(bot.get_me())
        await server.called("getMe")
        error = await failing(TimedOut, bot.get_me())
        waited = await bot.get_me(pool_timeout=5)
        assert (await first).id == waited.id
    assert str(error) == "Pool timeout: all connections are in use. The request was not sent."
    assert len(server.calls) == 2


async def test_cancelled_call_gives_its_place_back(server: TelegramServer) -> None:
    server.delay = 0.2
    async with bot_at(server.url, connection_pool_size=1, pool_timeout=0.02) as bot:
        first = asyncio.create_task(bot.get_me())
        await server.called("getMe")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        server.delay = 0
        assert (await bot.get_me()).id == 123456


async def test_many_calls_share_kept_connections(server: TelegramServer) -> None:
    async with bot_at(server.url, connection_pool_size=4, pool_timeout=5) as bot:
        await asyncio.gather(*(bot.get_me() for _ in range(40)))
    assert len(server.calls) == 40


async def test_refused_connection() -> None:
    async with TelegramServer() as stopped:
        root = stopped.url
    async with bot_at(root) as bot:
        error = await failing(NetworkError, bot.get_me())
    assert str(error) == "aiohttp.ClientConnectorError ECONNREFUSED"


async def test_silence_while_connecting_times_out() -> None:
    async with answering(None) as place, bot_at(f"https://{place}", connect_timeout=0.05) as bot:
        error = await failing(TimedOut, bot.get_me())
    assert str(error) == "Timed out while connecting. The request was not sent."


@pytest.mark.parametrize("how", [{}, {"after": True}, {"midway": True}])
async def test_broken_connection(bot: ExtBot, server: TelegramServer, how: dict[str, bool]) -> None:
    server.drop_connection_next("getMe", **how)
    error = await failing(NetworkError, bot.get_me())
    assert not isinstance(error, TimedOut)
    assert (await bot.get_me()).id == 123456


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: gzip\r\n\r\nnope",
        b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
    ],
)
async def test_nonsense_is_a_network_error(raw: bytes) -> None:
    async with answering(raw) as place, bot_at(f"http://{place}") as bot:
        await failing(NetworkError, bot.get_me())


@pytest.mark.parametrize("root", ["http://[half", "nowhere", "http://a..b.invalid", "ftp://127.0.0.1", "http://:0"])
async def test_impossible_address_is_a_network_error(root: str) -> None:
    async with bot_at(root) as bot:
        await failing(NetworkError, bot.get_me())


async def test_proxy_that_refuses_is_a_network_error() -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with (
        answering(refusal) as place,
        bot_at("https://api.school.example", proxy=f"http://user:{SECRET}@{place}") as bot,
    ):
        await failing(NetworkError, bot.get_me())


async def test_proxy_is_used() -> None:
    answer = b'{"ok": true, "result": true}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    async with (
        answering(head + answer) as place,
        bot_at("http://api.invalid", proxy=f"http://{place}") as bot,
    ):
        assert await bot.delete_webhook() is True


async def test_answer_that_is_too_large_is_not_read_to_its_end(server: TelegramServer, alice: Person) -> None:
    kept = server.files.keep(b"x" * 300_000, "big.bin")
    async with bot_at(server.url, max_response_bytes=100_000) as bot:
        file = await bot.get_file(kept.id)
        error = await failing(NetworkError, file.download_as_bytearray())
        assert (await bot.get_me()).id == 123456
    assert str(error) == "The answer has more than 100000 bytes"


async def test_request_opens_again_after_shutdown(server: TelegramServer) -> None:
    request = AiohttpRequest()
    url = f"{server.url}/bot{server.token}/getMe"
    for _ in range(2):
        await request.initialize()
        await request.initialize()
        assert (await request.post(url))["id"] == 123456
        await request.shutdown()
        await request.shutdown()
    await failing(NetworkError, request.post(url))


async def test_a_result_nobody_reads_is_true_and_a_refusal_still_one(server: TelegramServer, alice: Person) -> None:
    async with bot_at(server.url, unread=frozenset({"sendMessage"})) as bot:
        assert await bot.send_message(alice.id, "Hello") is True
        server.fail_next("sendMessage", 403, "Forbidden: bot was blocked by the user")
        with pytest.raises(Forbidden):
            await bot.send_message(alice.id, "Hello again")
    assert alice.last.text == "Hello"


async def test_of_a_tapped_message_only_its_place_is_kept() -> None:
    tapped = b'{"chat":{"id":1},"message_id":7,"text":"Question 1","reply_markup":{}}'
    typed = b'{"chat":{"id":1},"message_id":8,"text":"Hello"}'
    updates = b'{"ok":true,"result":[{"callback_query":{"message":%s}},{"message":%s}]}' % (tapped, typed)
    first, second = UpdatesRequest.parse_json_payload(updates)["result"]
    assert first["callback_query"]["message"] == {"chat": {"id": 1}, "message_id": 7}
    assert second["message"]["text"] == "Hello"


@pytest.mark.parametrize("poison", ["5", "null", "[]", '{"callback_query":null}', '{"callback_query":{"message":[1]}}'])
def test_of_an_update_that_makes_no_sense_nothing_is_taken(poison: str) -> None:
    """B11: one of them does not cost the others that came with it."""
    updates = f'[{poison},{{"message":{{"message_id":8}}}}]'
    read = UpdatesRequest.parse_json_payload(f'{{"ok":true,"result":{updates}}}'.encode())
    assert read["result"] == json.loads(updates)


@pytest.mark.parametrize("turns", range(6))
async def test_a_start_that_is_interrupted_leaves_no_connection(
    server: TelegramServer, tmp_path: Path, turns: int
) -> None:
    """At whatever turn of the loop the signal comes."""
    application = make_application(settings_for(server, tmp_path))
    starting = asyncio.create_task(application.bot.initialize())
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await close(application)
    assert [client._session for client in application.bot_data[CLIENTS]] == [None, None]
