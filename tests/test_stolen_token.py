"""Somebody else uses the bot's token (B6), or it is not the bot that setup knew (B16): doctor and the page say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.our_bot import READER, WEBHOOK, last_sharing
from bot.telegram_channel import polling
from bot.web_channel.app import make_app
from conversations.roles import ROLES
from tests.browser.plain import PlainBrowser
from tests.command_line import CommandLine, command_line_in
from tests.school import School
from tests.telegram_school import telegram_school
from tests.telegram_server import TelegramServer, TelegramServerInThread
from tests.telegram_server.updates import TAKEN_OVER
from tests.test_doctor import found
from tests.test_web_channel import signed_in

FETCHED, ELSEWHERE = "has fetched the messages of our bot", "to send the messages of our bot elsewhere"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "SHARED_PAUSE", 0.0)


async def page_of(school: School, role: str) -> str:
    """What somebody of this role finds on their page."""
    browser = PlainBrowser(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
    try:
        await signed_in(school, browser, await school.person(role))
        return browser.answer.text
    finally:
        await browser.close()


async def shared(school: School) -> str | None:
    async with school.db.reading() as tx:
        noted = await last_sharing(tx, school.clock.now)
    return noted.how if noted else None


async def test_a_second_reader_is_told_to_the_admin_on_the_page_and_not_in_the_chat(tmp_path: Path) -> None:
    """B6: 409 from getUpdates. The bot goes on, and nobody but the admin is told."""
    async with telegram_school(tmp_path) as bot:
        admin = await bot.joins("admin")
        parent = await bot.joins("parent", "SEND parents")
        before = len(admin.messages)
        bot.server.fail_next("getUpdates", 409, f"Conflict: {TAKEN_OVER}")
        await parent.types("/help")
        await parent.reads_until("What you can do")
        assert await shared(bot.school) == READER
        await bot.rounds()
        assert len(admin.messages) == before
        told = {role for role in ROLES if FETCHED in await page_of(bot.school, role)}
        assert told == {"admin"}
        bot.school.clock.move(days=8)
        assert FETCHED not in await page_of(bot.school, "admin")


async def test_a_foreign_webhook_is_ended_and_told(tmp_path: Path) -> None:
    """B6: an unexpected webhook address. Polling goes on with nothing lost."""
    async with telegram_school(tmp_path) as bot:
        parent = await bot.joins("parent", "SEND parents")
        await bot.server.set_webhook({"url": "https://evil.example/hook", "allowed_updates": ["message"]})
        await parent.types("/help")
        await parent.reads_until("What you can do")
        assert bot.server.webhook is None
        assert await shared(bot.school) == WEBHOOK
        assert ELSEWHERE in await page_of(bot.school, "admin")
        assert "evil" not in await page_of(bot.school, "admin")


async def test_nobody_else_and_nothing_is_said(school: School) -> None:
    assert await shared(school) is None
    text = await page_of(school, "admin")
    assert FETCHED not in text
    assert ELSEWHERE not in text


# --- doctor -------------------------------------------------------------------------------------------------------


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line_in(tmp_path, monkeypatch)


def with_bot(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch, server: TelegramServer, setup: bool) -> dict:
    """What doctor finds with this bot, after setup with it if so asked."""
    with TelegramServerInThread(server) as running:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", server.token)
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", running.url)
        if setup:
            yousaid.set_up()
        return found(yousaid)


def other(**changed: object) -> TelegramServer:
    server = TelegramServer()
    server.bot |= changed
    return server


def test_the_bot_that_setup_knew_is_fine(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "our bot" not in with_bot(yousaid, monkeypatch, TelegramServer(), setup=True)
    assert "our bot" not in with_bot(yousaid, monkeypatch, TelegramServer(), setup=False)


@pytest.mark.parametrize(
    ("changed", "state", "says"),
    [
        ({"id": 654321}, "broken", "setup knew @yousaid_test_bot, 123456"),
        ({"username": "yousaid_tests_bot"}, "broken", "this token is of @yousaid_tests_bot"),
        ({"first_name": "Free gifts"}, "look", "it is called 'Free gifts' now; setup knew 'YouSaid'"),
    ],
)
def test_another_bot_is_noticed_until_setup_says_it_is_ours(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch, changed: dict[str, object], state: str, says: str
) -> None:
    """B16: getMe differs from what setup recorded."""
    with_bot(yousaid, monkeypatch, TelegramServer(), setup=True)
    for _ in range(2):  # looking at it does not make it right
        checks = with_bot(yousaid, monkeypatch, other(**changed), setup=False)
        assert checks["our bot"][0] == state
        assert says in checks["our bot"][1]
        assert "yousaid setup --from" in checks["our bot"][2]
    assert "our bot" not in with_bot(yousaid, monkeypatch, other(**changed), setup=True)


@pytest.mark.parametrize(
    ("switch", "check"),
    [
        ("can_join_groups", "groups"),
        ("can_read_all_group_messages", "privacy"),
        ("supports_inline_queries", "inline"),
        ("supports_guest_queries", "guests"),
    ],
)
def test_what_the_bot_must_not_listen_to_is_named(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch, switch: str, check: str
) -> None:
    """B12: groups off, privacy on, inline off, guest mode off."""
    checks = with_bot(yousaid, monkeypatch, other(**{switch: True}), setup=True)
    assert checks[check][0] == "look"
    assert "@BotFather" in checks[check][2]
    assert {"groups", "privacy", "inline", "guests"} & set(checks) == {check}


def test_doctor_tells_of_a_shared_token(yousaid: CommandLine) -> None:
    """B6"""
    from datetime import UTC, datetime

    from bot.our_bot import note_sharing

    yousaid.set_up()
    assert "token" not in found(yousaid)
    yousaid.change(lambda tx: note_sharing(tx, READER, datetime.now(UTC)))
    state, says, remedy = found(yousaid)["token"]
    assert (state, "fetched the bot's messages" in says, "/revoke" in remedy) == ("broken", True, True)
