"""No token, key, code, name or answer in any log line: canaries are sent through everything that logs."""

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from telegram.error import InvalidToken
from telegram.ext import ExtBot

from bot.logs import HIDDEN, THIRD_PARTIES, RedactingHandler, Redactor, loop_problem, secrets_of, set_up_logging
from bot.settings import read_settings
from bot.telegram_channel.request import AiohttpRequest
from tests.command_line import CommandLine, command_line_in
from tests.telegram_server import TelegramServer

TOKEN = "123456:TEST-canary-token"
KEY = "Zm9yIHRlc3RzIG9ubHksIGFuZCAzMiBieXRlcyBsb24="  # 32 bytes that open nothing
CODE = "ABCD-EFGH-JK"
CANARIES = ("canary", KEY, KEY[:43], CODE)
Told = Callable[[], str]

log = logging.getLogger("bot.test")
pytestmark = pytest.mark.says_secrets


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Everything logged since, at debug; afterwards logging is as it was."""
    names = ("", *THIRD_PARTIES)
    levels = {name: logging.getLogger(name).level for name in names}
    hooks, raising = (sys.excepthook, sys.unraisablehook, threading.excepthook), logging.raiseExceptions
    handlers = logging.getLogger().handlers[:]
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)  # a server of ours switches it off
    set_up_logging("debug", [TOKEN, KEY])
    yield stream.getvalue
    logging.getLogger().handlers[:] = handlers
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    logging.raiseExceptions = raising
    for name in names:
        logging.getLogger(name).setLevel(levels[name])


def bot_at(server: TelegramServer) -> ExtBot[None]:
    requests = AiohttpRequest(), AiohttpRequest()
    return ExtBot(TOKEN, base_url=f"{server.url}/bot", request=requests[0], get_updates_request=requests[1])


def clean(said: str) -> bool:
    assert said
    return not any(canary in said for canary in CANARIES)


@pytest.mark.parametrize(
    "words",
    [
        TOKEN,
        TOKEN.partition(":")[2],
        "https://api.telegram.org/bot123456%3ATEST-canary-token/getMe",
        "654321:AAcanary-canary-canary-canary-canary-ok",
        KEY,
        " ".join(KEY[i : i + 4] for i in range(0, 44, 4)),
        CODE,
        CODE.lower(),
        f"/start {CODE}",
        "GET /join/ABCDEFGHJKcanary HTTP/1.1",
        "https://t.me/bot?start=ABCDEFGHJKcanary",
        f"<b>{CODE}</b>",
    ],
)
def test_secrets_are_hidden_in_messages_and_arguments(told: Told, words: str) -> None:
    log.info(f"said {words}.")
    log.info("said %s and %r", words, {"text": words})
    log.info("said %(words)s", {"words": words})

    said = told()
    assert clean(said.replace(CODE.lower(), CODE))
    assert said.count(HIDDEN) == 4


def test_plain_words_stay_as_they_are(told: Told) -> None:
    log.info("letter 12 at 2026-11-21 18:00 for drop-in-feedback-1, 0161 496 0000")

    assert "letter 12 at 2026-11-21 18:00 for drop-in-feedback-1, 0161 496 0000" in told()


def test_exceptions_are_told_by_type_and_place_without_their_words(told: Told) -> None:
    try:
        try:
            raise ValueError(f"{TOKEN} canary")
        except ValueError as error:
            raise RuntimeError("canary") from error
    except RuntimeError:
        log.exception("it broke")

    said = told()
    assert clean(said)
    assert "it broke [RuntimeError at tests/test_logs.py:" in said
    assert "caused by ValueError at tests/test_logs.py:" in said


def test_line_that_cannot_be_put_together_prints_no_arguments(told: Told) -> None:
    log.info("%d", "canary")
    log.info("one %s two %s", "canary")

    assert clean(told())


def test_handlers_after_ours_get_the_cleaned_record(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    log.warning("said %s", TOKEN)

    assert "canary" not in caplog.text


def test_there_is_one_handler_of_ours_however_often_it_is_set_up(told: Told) -> None:
    set_up_logging("info", [])
    set_up_logging("info", [TOKEN])

    handlers = [h for h in logging.getLogger().handlers if isinstance(h, RedactingHandler)]
    assert len(handlers) == 1


async def test_bot_at_work_at_debug_shows_no_token(told: Told) -> None:
    """B7"""
    async with TelegramServer(TOKEN) as server:
        alice = server.person(1001, "canary")
        await alice.types("/start canary")
        bot = ExtBot(
            TOKEN, base_url=f"{server.url}/bot", request=AiohttpRequest(), get_updates_request=AiohttpRequest()
        )
        async with bot:
            logging.getLogger("telegram").error("%r", bot)
            await bot.get_updates(timeout=0)
            await bot.send_message(1001, "canary")
            server.fail_next("sendMessage", 400, "Bad Request: chat not found")
            try:
                await bot.send_message(1001, "canary")
            except Exception:
                log.exception("sending failed")
    log.info("done")

    assert clean(told())


async def test_token_that_is_refused_is_not_in_the_log(told: Told) -> None:
    """B7"""
    async with TelegramServer("123456:another") as server:
        bot = ExtBot(
            TOKEN, base_url=f"{server.url}/bot", request=AiohttpRequest(), get_updates_request=AiohttpRequest()
        )
        try:
            await bot.initialize()
        except InvalidToken as error:
            log.error("refused: %s", error)
            log.exception("refused")
        await bot.shutdown()

    assert clean(told())


async def test_database_errors_show_no_values(told: Told, tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", echo=False)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT * FROM nowhere WHERE words = :words"), {"words": "canary"})
    except Exception:
        log.exception("storage failed")
    await engine.dispose()

    said = told()
    assert clean(said)
    assert "OperationalError" in said


def test_what_pydantic_found_wrong_is_not_quoted(told: Told) -> None:
    class Age(BaseModel):
        age: int

    try:
        Age.model_validate({"age": "canary"})
    except ValueError:
        log.exception("wrong input")

    assert clean(told())


async def test_tasks_that_fail_unseen_show_no_values(told: Told) -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    async def fails() -> None:
        raise ValueError("canary")

    for handler in (None, loop_problem):
        loop.set_exception_handler(handler)
        task = loop.create_task(fails(), name="canary")
        await asyncio.wait([task])
        del task
    loop.set_exception_handler(before)

    said = told()
    assert clean(said)
    assert said.count("ValueError at ") == 2


def test_what_nobody_caught_is_told_by_type_and_place(told: Told) -> None:
    try:
        raise ValueError("canary")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    thread = threading.Thread(target=lambda: int("canary"))
    thread.start()
    thread.join()

    said = told()
    assert clean(said)
    assert said.count("ValueError at ") == 2


def test_other_peoples_libraries_speak_from_warning_on(told: Told) -> None:
    for name in THIRD_PARTIES:
        logging.getLogger(name).info("canary")
        logging.getLogger(f"{name}.deeper").debug("canary")
        logging.getLogger(name).warning("heard %s", name)

    said = told()
    assert clean(said)
    assert said.count("heard") == len(THIRD_PARTIES)


def test_secrets_come_from_settings_and_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yousaid: CommandLine = command_line_in(tmp_path, monkeypatch)
    monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", TOKEN)
    assert secrets_of(read_settings()) == [TOKEN]
    yousaid.key_file.parent.mkdir()
    yousaid.key_file.write_text(KEY + "\n")

    assert secrets_of(read_settings()) == [TOKEN, KEY]
    assert Redactor(secrets_of(read_settings())).clean(f"{KEY[:43]} {TOKEN[7:]}") == f"{HIDDEN} {HIDDEN}"
