"""A stolen token is made worthless while the bot runs: revoked, the new one put in .env, and nothing lost (B6)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.cli.telegram_me import Me
from bot.our_bot import OTHER_BOT, REFUSED, Identity, last_sharing, note_sharing, remember_bot, token_trouble
from bot.settings import Settings
from bot.telegram_channel import token_watch
from bot.telegram_channel.token import PLACE, Token
from bot.telegram_channel.token_watch import TokenWatch
from data.audit import entries
from data.key_ring import write_ring
from tests.school import MASTER, School, opened
from tests.telegram_school import TelegramSchool, settings_for, telegram_school
from tests.telegram_server import TelegramServer
from tests.test_stolen_token import page_of
from tests.test_webhook import hooked

NEW = "123456:NEW-canary-token-after-the-theft"
SECRET_PARTS = ("TEST-canary", "NEW-canary")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def write_env(folder: Path, token: str) -> None:
    (folder / ".env").write_text(f"YOUSAID_TELEGRAM_TOKEN={token}\n")


async def trouble(school: School) -> str | None:
    async with school.db.reading() as tx:
        noted = await token_trouble(tx)
    return noted.how if noted else None


async def until(condition: object, seconds: float = 60) -> float:
    """Wait until an async condition holds; how long that took. It fails after a minute: the promise of B6."""
    began = time.monotonic()
    while not await condition():  # type: ignore[operator]
        assert time.monotonic() - began < seconds, "not within a minute"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


def bot_is_refused(bot: TelegramSchool) -> Callable[[], Awaitable[bool]]:
    async def refused() -> bool:
        return not bot.token.usable.is_set()

    return refused


def only_unauthorized(server: TelegramServer) -> None:
    """What Telegram refused was the token and nothing else."""
    assert {why for _, _, why in server.refused} <= {"Unauthorized"}
    server.refused.clear()


@asynccontextmanager
async def watched(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str = "polling"
) -> AsyncIterator[TelegramSchool]:
    """A school on Telegram with its token in .env, looked after as in `yousaid run`."""
    for name in [n for n in os.environ if n.startswith("YOUSAID_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("YOUSAID_KEY_FILE", str(folder / "keys/key"))
    monkeypatch.setattr(token_watch, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(token_watch, "ASK_EVERY", 0.2)
    async with _served(folder, mode) as bot:
        write_env(folder, bot.server.token)
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", bot.server.url)
        async with bot.school.db.transaction() as tx:
            await remember_bot(tx, Identity(123456, "yousaid_test_bot", "YouSaid"))
        settings = settings_for(bot.server, folder)
        watch = TokenWatch(settings, bot.token, bot.school.db, bot.school.clock)
        task = asyncio.create_task(watch.run())
        try:
            yield bot
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def _served(folder: Path, mode: str) -> AsyncIterator[TelegramSchool]:
    if mode == "polling":
        async with telegram_school(folder) as bot:
            yield bot
        return
    async with TelegramServer() as server, hooked(folder, server, secret="") as bot:
        yield bot


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_the_admin_is_told_on_the_page_and_the_bot_goes_on_with_the_new_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """B6: revoked, told within a minute on the web and not in the chat, changed without a restart, nothing lost."""
    async with watched(tmp_path, monkeypatch, mode) as bot:
        admin, parent = await bot.joins("admin"), await bot.joins("parent", "SEND parents")
        async with bot.school.db.transaction() as tx:
            await note_sharing(tx, "reader", bot.school.clock.now)
        before = len(admin.messages)
        bot.server.token = NEW
        for words in ("/help", "/whoreads", "/help"):
            await parent.types(words)

        async def told() -> bool:
            return await trouble(bot.school) == REFUSED

        await until(told)
        assert "does not take the token" in await page_of(bot.school, "admin")
        assert "does not take the token" not in await page_of(bot.school, "head")
        heard = len([m for m in parent.messages if "What you can do" in m.text])
        write_env(tmp_path, NEW)

        async def answered() -> bool:
            return len([m for m in parent.messages if "What you can do" in m.text]) >= heard + 2

        took = await until(answered)
        assert took < 30
        assert await trouble(bot.school) is None
        assert "does not take the token" not in await page_of(bot.school, "admin")
        async with bot.school.db.reading() as tx:
            assert await last_sharing(tx, bot.school.clock.now) is None  # what the thief did is over
            assert len(await entries(tx, "bot", "token-changed")) == 1
        assert len(admin.messages) == before
        only_unauthorized(bot.server)
        # Telegram was told where to come anew, with a secret that follows from the new token.
        told_where = [call["secret_token"] for call in bot.server.calls_of("setWebhook")]
        assert len(set(told_where)) == (2 if mode == "webhook" else 0)


async def test_what_waits_in_the_outbox_goes_out_with_the_new_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B6: nobody is marked as unreachable, no letter as failed."""
    from tests.test_dialogue import send

    async with watched(tmp_path, monkeypatch) as bot:
        await bot.school.readers()
        parent = await bot.joins("parent", "SEND parents")
        await bot.school.people(11)
        bot.server.token = NEW
        await send(bot.school)
        await bot.rounds()
        assert not [m for m in parent.messages if "Open" in m.labels]
        write_env(tmp_path, NEW)

        async def arrived() -> bool:
            bot.school.clock.move(seconds=5)  # a letter that met the old token once more is due again in 2
            await bot.rounds()
            return any("Open" in m.labels for m in parent.messages)

        await until(arrived)
        only_unauthorized(bot.server)


async def test_a_token_changed_before_it_is_revoked_is_taken_up_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(tmp_path, monkeypatch) as bot:
        parent = await bot.joins("parent", "SEND parents")
        bot.server.token = NEW
        write_env(tmp_path, NEW)
        await parent.types("/help")
        await parent.reads_until("What you can do")
        assert await trouble(bot.school) is None
        only_unauthorized(bot.server)


async def test_another_bots_token_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B16: getMe is another bot. All chats belong to ours, so the bot says so and stays as it is."""
    async with watched(tmp_path, monkeypatch) as bot:
        parent = await bot.joins("parent", "SEND parents")
        ours = bot.server.bot["id"]
        bot.server.token, bot.server.bot["id"] = NEW, 654321
        write_env(tmp_path, NEW)

        async def told() -> bool:
            return await trouble(bot.school) == OTHER_BOT

        await until(told)
        await parent.types("/help")
        await until(bot_is_refused(bot))
        await asyncio.sleep(0.5)  # asked again whether the old token is taken: that does not hide the cause
        assert "belongs to another bot" in await page_of(bot.school, "admin")
        assert bot.token.value != NEW
        bot.server.bot["id"] = ours
        bot.server.token = NEW + "er"
        write_env(tmp_path, NEW + "er")
        await parent.reads_until("What you can do")
        assert await trouble(bot.school) is None
        only_unauthorized(bot.server)


async def test_the_right_token_put_back_into_env_ends_the_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another bot's token was pasted and taken out again; ours was never revoked."""
    async with watched(tmp_path, monkeypatch) as bot:
        right = bot.server.token

        async def another(settings: Settings) -> Me:
            return Me(identity=Identity(654321, "their_bot", "Theirs"))

        monkeypatch.setattr(token_watch, "ask_me", another)
        for token, expected in ((NEW, OTHER_BOT), (right, None)):
            write_env(tmp_path, token)

            async def told(expected: str | None = expected) -> bool:
                return await trouble(bot.school) == expected

            await until(told)
        assert bot.token.value == right


@pytest.mark.parametrize("content", ["", "YOUSAID_TELEGRAM_TOKEN=\n", "YOUSAID_TOKEN=x\n", "YOUSAID_LISTEN=nowhere\n"])
async def test_a_damaged_env_file_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    async with watched(tmp_path, monkeypatch) as bot:
        parent = await bot.joins("parent", "SEND parents")
        (tmp_path / ".env").write_text(content)
        await asyncio.sleep(0.3)
        await parent.types("/help")
        await parent.reads_until("What you can do")
        assert await trouble(bot.school) is None


async def test_a_token_that_is_taken_again_ends_the_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram had a bad minute: no new token is needed."""
    async with watched(tmp_path, monkeypatch) as bot:
        parent = await bot.joins("parent", "SEND parents")
        old, bot.server.token = bot.server.token, NEW
        await parent.types("/help")

        async def told() -> bool:
            return await trouble(bot.school) == REFUSED

        await until(told)
        bot.server.token = old
        await parent.reads_until("What you can do")
        assert await trouble(bot.school) is None
        only_unauthorized(bot.server)


async def test_python_telegram_bot_never_learns_the_token(tmp_path: Path) -> None:
    """B7: its reprs and errors print what it was told, and that is no token."""
    async with telegram_school(tmp_path) as bot:
        await bot.joins("parent", "SEND parents")
        shown = [repr(bot.channel.bot), repr(bot.token), bot.channel.bot.token, bot.channel.bot.base_url]
        assert bot.token.value == bot.server.token
        assert not [words for words in shown if "canary" in words]
        assert bot.channel.bot.token == PLACE


def test_a_late_no_to_an_old_token_does_not_count() -> None:
    token = Token("1:old")
    token.change("1:new")
    token.heard("http://x/bot1:old/getUpdates", 401)
    token.heard("http://x/file/bot1:new/a", 404)
    assert token.usable.is_set()
    token.heard("http://x/bot1:new/getUpdates", 401)
    assert not token.usable.is_set()


# --- the whole program --------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_the_program_itself_from_theft_to_new_token(tmp_path: Path) -> None:
    """B6, B7: `yousaid run` as a process. The page answers all the while, and no log line holds either token."""
    async with TelegramServer() as server:
        (tmp_path / "keys").mkdir(mode=0o700)
        write_ring(tmp_path / "keys/key", MASTER)
        async with opened(tmp_path) as school:
            code = await school.code("parent", "SEND parents", days=4000)
            port = free_port()
            write_env(tmp_path, server.token)
            process = await started(tmp_path, server, port)
            try:
                parent = server.person(1001)
                await parent.types(f"/start {code}")
                await parent.reads_until("Do you want to join?")
                server.token = NEW  # /revoke
                await parent.taps("Yes, start")
                began = time.monotonic()

                async def told() -> bool:
                    return await trouble(school) == REFUSED

                assert await until(told) < 60
                assert await health(port) == "ok"
                write_env(tmp_path, NEW)
                await parent.reads_until("You have joined", timeout=60)
                assert time.monotonic() - began < 600
                assert await trouble(school) is None
                assert await health(port) == "ok"
                assert process.returncode is None
            finally:
                process.terminate()
                _, said = await process.communicate()
        assert b"does not know this token" in said
        assert b"the new token is in use" in said
        assert not [part for part in SECRET_PARTS if part.encode() in said]
        only_unauthorized(server)


async def started(folder: Path, server: TelegramServer, port: int) -> asyncio.subprocess.Process:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YOUSAID_")}
    env = kept | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "YOUSAID_TELEGRAM_API": server.url,
        "YOUSAID_DATABASE": str(folder / "data" / "yousaid.db"),
        "YOUSAID_KEY_FILE": str(folder / "keys" / "key"),
        "YOUSAID_LISTEN": f"127.0.0.1:{port}",
        "YOUSAID_LOG": "debug",
    }
    command = (sys.executable, "-m", "bot", "run")
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=pipe, stderr=pipe)


async def health(port: int) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as answer:
        return await answer.text()
