"""The twelve ways in which tokens and people's data are known to leak (trust A3, M5 and M6), each closed (B7, R10).

The libraries are the real ones and speak at debug level. Where a library leaks by itself, a test says so first: when
that changes, the test says that our own remedy is no longer needed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy import insert
from telegram import File
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest
from typer.testing import CliRunner

import bot.__main__
from bot.serving import make_server
from bot.settings import Settings
from bot.telegram_channel.application import make_application
from bot.telegram_channel.request import AiohttpRequest
from bot.telegram_channel.token import Token
from bot.web_channel.app import make_app
from data.place import PostgresServer
from data.postgres import make_engine
from data.tables import facts
from tests.school import School
from tests.telegram_school import settings_for
from tests.telegram_server import TelegramServer
from tests.test_logs import told
from tests.test_reprs import modules

TOKEN = "123456:TEST-canary-token"
CANARY = "canary"
URL = f"postgresql://me:pass-{CANARY}@db.example/elmfield"
ROOT = Path(__file__).parent.parent
__all__ = ["told"]  # a fixture
pytestmark = pytest.mark.says_secrets
Told = Callable[[], str]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer(TOKEN) as running:
        yield running


@pytest.fixture
async def our_bot(server: TelegramServer, tmp_path: Path) -> AsyncIterator[ExtBot]:
    """As `yousaid run` makes it."""
    application = make_application(settings_for(server, tmp_path))
    async with application.bot as ready:
        yield ready


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[Told]:
    """All lines of all loggers, not pinned and not cleaned."""
    with caplog.at_level(logging.DEBUG):
        for name in ("telegram", "telegram.Bot", "telegram.ext.ExtBot", "httpx", "httpcore", "aiohttp", "asyncio"):
            caplog.set_level(logging.DEBUG, name)
        yield lambda: caplog.text


async def work(bot: ExtBot) -> list[BaseException]:
    """Calls of every kind, with every kind of failure; the errors."""
    errors: list[BaseException] = []
    for call in (bot.get_me, bot.get_updates, lambda: bot.send_message(1001, "Hello"), lambda: bot.get_file("none")):
        try:
            await call()
        except TelegramError as error:
            errors.append(error)
    return errors


def in_full(error: BaseException) -> str:
    """What a traceback with the values of all variables would print, of it and of all that led to it."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


# --- M5: the token ------------------------------------------------------------------------------------------------


async def test_1_the_bot_shows_no_token(our_bot: ExtBot) -> None:
    """repr(Bot) has the token in it; our bot was never told."""
    assert CANARY in repr(ExtBot(TOKEN))
    shown = f"{our_bot!r} {our_bot} {our_bot.token} {our_bot.base_url} {our_bot.base_file_url} {vars(our_bot)}"
    assert CANARY not in shown


async def test_2_the_error_about_a_refused_token_does_not_quote_it() -> None:
    """str(InvalidToken), which a start with a wrong token ends in."""
    async with TelegramServer("123456:another") as server:
        application = make_application(Settings(telegram_token=TOKEN, telegram_api=server.url))
        with pytest.raises(InvalidToken) as caught:
            await application.bot.initialize()
        await application.bot.shutdown()
    assert CANARY not in f"{caught.value} {caught.value!r} {in_full(caught.value)}"


async def test_3_a_file_shows_no_token(our_bot: ExtBot, server: TelegramServer) -> None:
    """File.file_path is an address with the token in it, and so are the file's repr and JSON."""
    kept = server.files.keep(b"a voice", "voice.oga")
    plain = ExtBot(TOKEN, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot")
    async with plain:
        assert CANARY in repr(await plain.get_file(kept.id))
    file: File = await our_bot.get_file(kept.id)
    assert file.file_path
    assert CANARY not in f"{file.file_path} {file!r} {file.to_json()} {json.dumps(file.to_dict())}"


def httpx_bot(server: TelegramServer) -> ExtBot:
    """python-telegram-bot's own way, which is not ours."""
    requests = HTTPXRequest(), HTTPXRequest()
    return ExtBot(TOKEN, base_url=f"{server.url}/bot", request=requests[0], get_updates_request=requests[1])


async def test_4_httpx_writes_no_address_into_our_log(told: Told, server: TelegramServer) -> None:
    """httpx names every address at INFO. We do not use it; if a library did, its lines would be held back."""
    async with httpx_bot(server) as bot:
        await work(bot)
    logging.getLogger("bot.test").info("done")
    assert "done" in told()
    assert CANARY not in told()


async def test_4_httpx_would_have_written_it(server: TelegramServer, everything: Told) -> None:
    """So holding back is still needed where it is used."""
    async with httpx_bot(server):
        pass
    assert f"bot{TOKEN}/getMe" in everything()


async def test_5_python_telegram_bot_knows_no_token_to_write_at_debug(our_bot: ExtBot, everything: Told) -> None:
    """telegram.Bot logs calls, addresses and itself at DEBUG: nothing is held back here, and nothing leaks."""
    errors = await work(our_bot)
    assert errors
    assert "telegram" in everything()
    assert CANARY not in everything()


@pytest.mark.parametrize("how", ["refused", "no JSON", "no address", "broken", "too late"])
async def test_6_no_error_of_aiohttp_names_the_address(server: TelegramServer, how: str) -> None:
    """ClientResponseError, ContentTypeError and InvalidUrlClientError have it in their text."""
    root = {"no address": "http://[half", "no JSON": server.url.replace("/bot", "")}.get(how, server.url)
    request = AiohttpRequest(read_timeout=0.05, token=Token(TOKEN))
    bot = ExtBot("0:the-token-stands-elsewhere", base_url=f"{root}/bot", request=request, get_updates_request=request)
    server.delay = 0.2 if how == "too late" else 0
    {"broken": lambda: server.drop_connection_next("sendMessage", midway=True)}.get(how, lambda: None)()
    async with request:
        with pytest.raises(TelegramError) as caught:
            await bot.send_message(1001, "Hello")
    assert CANARY not in f"{caught.value} {caught.value!r} {in_full(caught.value)}"


async def test_6_those_errors_would_have_named_it(server: TelegramServer) -> None:
    """So the translation in request.py is still needed."""
    told = []
    async with aiohttp.ClientSession() as session:
        for address, read in ((f"{server.url}/bot{TOKEN}/nothing", "json"), (f"http://[half/bot{TOKEN}/getMe", "text")):
            try:
                async with session.get(address) as response:
                    response.raise_for_status()
                    await getattr(response, read)()
            except aiohttp.ClientError as error:
                told.append(repr(error))
    assert all(CANARY in one for one in told)
    assert len(told) == 2


async def test_7_no_response_of_aiohttp_leaves_the_request(server: TelegramServer) -> None:
    """repr(response) has the address: what comes out of our request is a number and bytes."""
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/bot{TOKEN}/getMe") as response:
        assert CANARY in repr(response)
    request = AiohttpRequest(token=Token(TOKEN))
    async with request:
        found = await request.do_request(f"{server.url}/bot0:the-token-stands-elsewhere/getMe", "POST")
    assert [type(part) for part in found] == [int, bytes]
    assert CANARY not in repr(found)


async def test_8_a_traceback_with_all_variables_shows_no_token(our_bot: ExtBot, server: TelegramServer) -> None:
    """Crash reporters and pretty tracebacks print them; the errors that reach our code have no such variable."""
    server.drop_connection_next("sendMessage")
    server.fail_next("getMe", 400, "Bad Request")
    errors = await work(our_bot)
    assert len(errors) >= 2
    assert not [error for error in errors if CANARY in in_full(error)]


def test_8_the_command_line_prints_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typer and rich can: switched off, and --debug prints files and lines only."""
    assert bot.__main__.app.pretty_exceptions_enable is False
    assert bot.__main__.app.pretty_exceptions_show_locals is False

    def fails(*_: object) -> None:
        words = f"{CANARY} in a variable"
        raise ZeroDivisionError(words)

    monkeypatch.setattr("bot.settings.read_settings", fails)
    ran = CliRunner().invoke(bot.__main__.app, ["--debug", "audit", "verify"], prog_name="yousaid")
    assert ran.exit_code == 1
    assert "in fails" in ran.stderr
    assert CANARY not in ran.output


# --- M6: people's data --------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_9_an_error_of_the_database_has_no_values(school: School) -> None:
    """SQLAlchemy prints the parameters, PostgreSQL the row that was there already."""
    async with school.db.transaction() as tx:
        await tx.run(insert(facts).values(name=f"a {CANARY}", value=b""))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is
        async with school.db.transaction() as tx:
            await tx.run(insert(facts).values(name=f"a {CANARY}", value=b""))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def models() -> list[type[BaseModel]]:
    found = {value for module in modules() for value in vars(module).values() if isinstance(value, type)}
    return sorted((m for m in found if issubclass(m, BaseModel) and m.__module__.startswith(OURS)), key=str)


OURS = ("bot.", "conversations.", "data.", "scheduler.")


@pytest.mark.parametrize("model", models(), ids=lambda m: m.__name__)
def test_10_pydantic_quotes_no_input(model: type[BaseModel]) -> None:
    """Its message has the input unless it is told to hide it."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate([f"{CANARY} words"])
    assert CANARY not in f"{caught.value} {caught.value!r}"


def test_10_nobody_asks_pydantic_for_errors_with_the_input() -> None:
    """errors() has it even then, and so has json()."""
    sources = [path.read_text(encoding="utf-8") for package in OURS for path in (ROOT / package[:-1]).rglob("*.py")]
    options = [found for source in sources for found in re.findall(r"\.errors\(([^)]*)\)", source)]
    assert len(options) >= 3
    assert not [given for given in options if "include_input=False" not in given]


def test_11_the_database_password_is_in_no_repr() -> None:
    """A plain string setting would show it."""
    place = PostgresServer(URL)
    settings = Settings(database=place)
    engine = make_engine(place)
    shown = f"{place!r} {place} {settings!r} {settings} {engine!r} {engine.url!r}"
    assert CANARY not in shown
    assert "elmfield on db.example" in str(place)


async def test_12_the_web_server_logs_no_query_and_does_not_name_itself(school: School, told: Told) -> None:
    """uvicorn logs the whole query string, and sends "server: uvicorn"."""
    app = make_app(school.dialogue, school.db, school.house, school.letters, school.clock)
    server = make_server(app, "127.0.0.1", 0)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for path in (f"/?code={CANARY}", f"/join/{CANARY}", f"/nothing/{CANARY}?{CANARY}", f"/mydata?x={CANARY}"):
            answer = await http.get(path)
            assert "server" not in answer.headers
    server.should_exit = True
    await serving
    logging.getLogger("bot.test").info("done")
    assert "done" in told()
    assert not re.search(CANARY, told())
