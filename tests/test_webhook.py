"""Webhook mode: Telegram brings updates to our page; 200 only after the commit; nobody else gets in."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.serving import make_server
from bot.settings import Settings, SettingsProblem, read_settings
from bot.telegram_channel.application import Hook, end_webhook, make_application, running, serve, token_of
from bot.telegram_channel.channel import TelegramChannel
from bot.telegram_channel.limiter import LETTER
from bot.telegram_channel.webhook import PATH, Answer, Webhook
from bot.web_channel.app import make_app
from bot.web_channel.telegram_page import TelegramPage
from data.lock import jobs_lock, run_lock
from data.problems import DatabaseBusy
from tests.school import School, opened, place_for
from tests.telegram_school import TelegramSchool, settings_for
from tests.telegram_server import TelegramServer
from tests.test_kill import free_port

SECRET = "a-secret-of-forty-characters_0123456789ab"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


class HookedSchool(TelegramSchool):
    """One to which Telegram comes."""

    hook: Webhook


@asynccontextmanager
async def hooked(folder: Path, server: TelegramServer, secret: str = SECRET) -> AsyncIterator[HookedSchool]:
    """A school to which Telegram brings updates; without a secret one is made as in `yousaid run`."""
    port = free_port()
    async with opened(folder) as school:
        application = make_application(settings_for(server, folder))
        page = TelegramPage(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
        web = make_server(page, "127.0.0.1", port)
        opens: list[Webhook] = []

        def taken(webhook: Webhook | None) -> None:
            page.webhook = webhook
            opens.extend([webhook] if webhook else [])

        def secrets() -> tuple[str, ...]:
            made = school.db.vault.lookups("telegram-webhook", token_of(application).value)
            return (secret,) if secret else made

        hook = Hook(f"http://127.0.0.1:{port}{PATH}", secrets, taken)
        async with running(application):
            tasks = [asyncio.create_task(web.serve()), asyncio.create_task(serve(application, school.dialogue, hook))]
            try:
                await server.called("setWebhook")
                while not web.started:  # noqa: ASYNC110 - uvicorn says it so
                    await asyncio.sleep(0.01)
                found = HookedSchool(server, school, application)
                found.channel = TelegramChannel(application.bot, lane=LETTER)
                found.hook = opens[0]
                yield found
            finally:
                web.should_exit = True
                tasks[1].cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as running_server:
        yield running_server


async def test_people_join_and_are_answered(tmp_path: Path, server: TelegramServer) -> None:
    """Own route, set at start with the secret and the kinds we handle; nothing is polled."""
    async with hooked(tmp_path, server) as bot:
        person = await bot.joins("parent", "SEND parents")
        await person.types("/help")
        await person.reads_until("What you can do")
        told = server.calls_of("setWebhook")[0]
    assert told["secret_token"] == SECRET
    assert set(told["allowed_updates"]) == {"message", "edited_message", "callback_query", "my_chat_member"}
    assert server.calls_of("getUpdates") == []
    server.assert_nothing_refused()


async def test_a_tap_is_answered_with_its_update(tmp_path: Path, server: TelegramServer) -> None:
    """The phone's little clock ends with the commit, without a request of its own."""
    async with hooked(tmp_path, server) as bot:
        person = await bot.joins("parent", "SEND parents")
        await person.types("/settings")
        await person.reads_until("settings")
        before = len(server.calls_of("answerCallbackQuery"))
        await person.taps("Log out on this phone")
        await bot.server.idle()
        assert len(server.calls_of("answerCallbackQuery")) == before + 1
    assert server.unanswered == []
    server.assert_nothing_refused()


async def _post(server: TelegramServer, body: object, secret: str | None) -> int:
    assert server.webhook
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({HEADER: secret} if secret is not None else {})
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.webhook.url, data=io.BytesIO(data), headers=headers) as answer,
    ):
        return answer.status


async def test_nobody_gets_in_without_the_secret(
    tmp_path: Path, server: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    """B5: 403, nothing handled, and in the log only that it happened."""
    async with hooked(tmp_path, server) as bot:
        person = server.person(77)
        person.started = True
        content = {"message_id": 1, "date": 1, "chat": person.described(), "from": person.user, "text": "/start secret"}
        for wrong in (None, "", "x", SECRET[:-1], SECRET + "a", "é" * 40):
            sent = wrong.encode().decode("latin-1") if wrong else wrong
            assert await _post(server, {"update_id": 5, "message": content}, sent) == 403
        assert await _post(server, {"update_id": 5, "message": content}, SECRET) == 200
        await bot.server.idle()
        assert len(person.messages) == 1
    assert "secret" not in "".join(r.getMessage() for r in caplog.records if "without the secret" not in r.getMessage())


async def test_only_what_telegram_does_gets_in(tmp_path: Path, server: TelegramServer) -> None:
    """B5: of every way to ask, with whatever header, address, method and kind of content, one is taken."""
    async with hooked(tmp_path, server):
        assert server.webhook
        root = server.webhook.url.removesuffix(PATH)
        person = server.person(77)
        person.started = True
        text = {"message_id": 1, "date": 1, "chat": person.described(), "from": person.user, "text": "/help"}
        names = (HEADER, "Authorization", "Cookie")
        secrets = (SECRET, SECRET.upper(), f"Bearer {SECRET}", "")
        paths = (PATH, f"{PATH}/", PATH.upper(), f"/{PATH}", f"{PATH}/{SECRET}", f"{PATH}.json")
        kinds = ("application/json", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json")
        ways = list(
            itertools.product(("POST", "PUT", "PATCH", "GET", "DELETE", "OPTIONS"), paths, names, secrets, kinds)
        )
        taken = []
        async with aiohttp.ClientSession() as session:
            for number, (method, path, name, secret, kind) in enumerate(ways, 100):
                body = json.dumps({"update_id": number, "message": text}).encode()
                headers = {name: secret, "Content-Type": kind}
                async with session.request(method, root + path, data=body, headers=headers) as answer:
                    taken += [(method, path, name, secret, kind)] if answer.status < 400 else []
        await server.idle()
    assert taken == [("POST", PATH, HEADER, SECRET, "application/json")]
    assert len(person.messages) == 1


async def test_what_cannot_be_read_is_passed_over_once(tmp_path: Path, server: TelegramServer) -> None:
    """B11: never an endless redelivery; too much at once is refused before it is read."""
    async with hooked(tmp_path, server):
        for body in (b"", b"{", b"[1]", b'{"update_id": 1}', b'{"update_id": "x", "message": 5}', b"\xff"):
            assert await _post(server, body, SECRET) == 200
        assert await _post(server, b" " * (1024 * 1024 + 1), SECRET) == 413


async def test_without_the_database_telegram_comes_again(
    tmp_path: Path, server: TelegramServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 until the commit; the person is answered once it works."""
    async with hooked(tmp_path, server) as bot:
        person = await bot.joins("parent", "SEND parents")
        person.read_all()
        plain, calls = bot.school.dialogue.hear, []

        async def hear(*args: object, **more: object) -> object:
            calls.append(1)
            if len(calls) < 3:
                raise DatabaseBusy("The database is busy.")
            return await plain(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(bot.school.dialogue, "hear", hear)
        await person.types("/help")
        await person.reads_until("What you can do")
        assert len(calls) == 3


async def test_whatever_fails_here_is_brought_again(
    tmp_path: Path, server: TelegramServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """503 and one line, with no word of what was sent; a page that is asked for in another way is not there."""
    async with hooked(tmp_path, server) as bot:
        monkeypatch.setattr(bot.hook.speaker, "drain", lambda **_: 1 / 0)
        text = {"message_id": 1, "date": 1, "chat": {"id": 77, "type": "private"}, "text": "Sam is in 4B"}
        assert await _post(server, {"update_id": 5, "message": text}, SECRET) == 503
        assert server.webhook
        async with aiohttp.ClientSession() as session, session.get(server.webhook.url) as answer:
            assert answer.status == 404
    assert "ZeroDivisionError" in caplog.text
    assert "4B" not in caplog.text


async def test_two_updates_of_a_chat_are_never_handled_at_once(
    tmp_path: Path, server: TelegramServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one comes in just as another ends and a third waits."""
    async with hooked(tmp_path, server) as bot:
        person = await bot.joins("parent", "SEND parents")
        plain, inside, most, after = bot.school.dialogue.hear, 0, 0, list[asyncio.Task[Answer]]()

        async def hear(*args: object, **more: object) -> object:
            nonlocal inside, most
            inside, most = inside + 1, max(most, inside + 1)
            await asyncio.sleep(0.01)
            inside -= 1
            return await plain(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(bot.school.dialogue, "hear", hear)
        hook = bot.hook

        def take(id: int) -> asyncio.Task[Answer]:
            text = {"message_id": id, "date": 1, "chat": person.described(), "from": person.user, "text": "/help"}
            body = json.dumps({"update_id": 9000 + id, "message": text}).encode()
            return asyncio.create_task(hook.take(SECRET, body))

        first, second = take(1), take(2)
        first.add_done_callback(lambda _: after.append(take(3)))
        assert [await first, await second, await after[0]] == [Answer(200)] * 3
        assert most == 1


async def test_polling_takes_our_webhook_away_and_only_ours(tmp_path: Path, server: TelegramServer) -> None:
    """Starting in polling mode after webhook mode."""
    application = make_application(settings_for(server, tmp_path))
    async with running(application):
        await application.bot.set_webhook("http://127.0.0.1:1/telegram", secret_token=SECRET)
        await end_webhook(application, "http://127.0.0.1:2/telegram")
        assert server.webhook
        await end_webhook(application, "http://127.0.0.1:1/telegram")
        assert server.webhook is None


@pytest.mark.both_databases
async def test_several_share_webhook_mode_and_one_keeps_the_time(tmp_path: Path) -> None:
    """Polling is alone; in webhook mode several run, and the jobs run in one of them at a time."""
    place = place_for(tmp_path)
    tmp_path.joinpath("data").mkdir(exist_ok=True)
    one, two, alone = run_lock(place, shared=True), run_lock(place, shared=True), run_lock(place)
    assert await one.acquire()
    assert await two.acquire()
    assert not await alone.acquire()
    assert await alone.held_elsewhere()
    first, second = jobs_lock(place), jobs_lock(place)
    assert await first.acquire()
    assert not await second.acquire()
    await first.release()
    assert await second.acquire()
    for lock in (one, two, second):
        await lock.release()
    assert await alone.acquire()
    await alone.release()


def _refused(monkeypatch: pytest.MonkeyPatch, folder: Path, **names: str) -> str:
    monkeypatch.chdir(folder)
    for name, value in names.items():
        monkeypatch.setenv(f"YOUSAID_{name}", value)
    with pytest.raises(SettingsProblem) as problem:
        read_settings()
    return str(problem.value)


@pytest.mark.parametrize("address", ["", "http://voice.example.sch.uk"])
def test_webhook_mode_needs_an_https_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    line = _refused(monkeypatch, tmp_path, TELEGRAM_MODE="webhook", PUBLIC_URL=address)
    assert "YOUSAID_PUBLIC_URL" in line
    assert "https" in line


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, "x" * 257, "with spaces in it, and a comma, so no good"])
def test_a_weak_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    address = "https://voice.example.sch.uk"
    line = _refused(monkeypatch, tmp_path, TELEGRAM_SECRET=secret, TELEGRAM_MODE="webhook", PUBLIC_URL=address)
    assert "YOUSAID_TELEGRAM_SECRET" in line
    assert secret == "" or secret not in line


def test_settings_show_no_secret(school_settings: Settings) -> None:
    assert SECRET not in repr(school_settings)
    assert "hunter2" not in repr(school_settings)


@pytest.fixture
def school_settings() -> Settings:
    return Settings(telegram_secret=SECRET, proxy="http://me:hunter2@proxy.example:3128")  # type: ignore[arg-type]


async def test_the_secret_follows_from_key_and_token(school: School) -> None:
    """Without a setting there still is one: another key or another token makes another."""
    vault = school.db.vault
    made = vault.lookups("telegram-webhook", "1:a")[0]
    assert 32 <= len(made) <= 256
    assert made != vault.lookups("telegram-webhook", "1:b")[0]
