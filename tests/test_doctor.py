"""`yousaid doctor`: finds what is wrong, names what mends it, works offline and quickly."""

import asyncio
import json
import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.alerts import start_alert
from data.database import Tx
from data.lock import FileLock
from data.outbox import post
from data.people import add_person, add_role
from data.queue import add_item
from data.vault import new_master_key
from tests.command_line import GROUP, LUNCH, CommandLine, command_line_in
from tests.telegram_server import TelegramServer, TelegramServerInThread


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.set_up()
    return yousaid


def found(yousaid: CommandLine) -> dict[str, tuple[str, str, str]]:
    """State, words and remedy by check; the exit code fits them."""
    ran = yousaid("doctor", "--json")
    told = json.loads(ran.out)
    broken = any(c["state"] == "broken" for c in told["checks"])
    assert (ran.code, told["ok"], ran.err) == (int(broken), not broken, "")
    return {c["check"]: (c["state"], c["says"], c["remedy"]) for c in told["checks"]}


def test_fresh_school_has_nothing_broken(yousaid: CommandLine) -> None:
    checks = found(yousaid)

    assert {c for c, (state, _, _) in checks.items() if state != "ok"} == {
        "telegram",
        "safeguarding",
        "ladder",
        "backup",
        "calendar",
        "web links",
    }


def test_words_name_each_remedy_and_end_with_the_sum(yousaid: CommandLine) -> None:
    ran = yousaid.done("doctor")

    assert "-> yousaid invite --role dsl" in ran.out
    assert ran.lines[-1].startswith("0 broken, 6 to look at, ")


def test_doctor_changes_nothing_and_needs_no_network(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", "123456:canary-canary")
    monkeypatch.setenv("YOUSAID_TELEGRAM_API", "http://127.0.0.1:9")
    before, begun = yousaid.database.read_bytes(), time.monotonic()

    checks = found(yousaid)

    assert time.monotonic() - begun < 5
    assert checks["telegram"][0] == "look"
    assert yousaid.database.read_bytes() == before
    assert "canary" not in str(checks)


def test_telegram_that_never_answers_takes_no_longer_than_five_seconds(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", "123456:canary-canary")
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        assert found(yousaid)["telegram"][0] == "look"
    assert time.monotonic() - begun < 5


def test_good_token_is_named_and_remembered_for_links(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    with TelegramServerInThread(TelegramServer()) as running:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", running.server.token)
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", running.url)
        checks = found(yousaid)

    assert checks["telegram"][:2] == ("ok", "@yousaid_test_bot")
    assert "groups" not in checks
    assert "https://t.me/yousaid_test_bot?start=" in yousaid.done("invite", "--role", "staff").out


def test_groups_and_webhook_are_noticed(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    server = TelegramServer()
    server.bot["can_join_groups"] = True
    with TelegramServerInThread(server) as running:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", server.token)
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", running.url)
        checks = found(yousaid)

    assert checks["groups"][0] == "look"
    assert "@BotFather" in checks["groups"][2]


def test_wrong_token_is_broken_and_not_shown(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    with TelegramServerInThread(TelegramServer()) as running:
        monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", "999999:WRONG-canary-token")
        monkeypatch.setenv("YOUSAID_TELEGRAM_API", running.url)
        checks = found(yousaid)

    assert checks["telegram"][0] == "broken"
    assert "canary" not in str(checks)


def test_unknown_setting_is_named_with_its_nearest(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_TELEGRAM_TOKE", "x")

    state, says, _ = found(yousaid)["settings"]

    assert (state, "YOUSAID_TELEGRAM_TOKEN?" in says) == ("broken", True)


def test_wrong_value_is_named(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_LOG", "loud")

    assert "YOUSAID_LOG" in found(yousaid)["settings"][1]


def test_missing_open_and_wrong_keys_are_broken(yousaid: CommandLine) -> None:
    yousaid.key_file.chmod(0o644)
    assert found(yousaid)["key"][0] == "broken"
    yousaid.key_file.chmod(0o600)
    yousaid.key_file.write_text(new_master_key())
    assert "another key" in found(yousaid)["database"][1]
    yousaid.key_file.unlink()
    assert found(yousaid)["key"][0] == "broken"


def test_missing_empty_and_damaged_databases_are_broken(yousaid: CommandLine) -> None:
    good = yousaid.database.read_bytes()
    yousaid.database.write_bytes(good[: len(good) // 2])
    assert found(yousaid)["database"][2] == "yousaid restore FILE"
    yousaid.database.write_bytes(b"nonsense" * 1000)
    assert found(yousaid)["database"][2] == "yousaid restore FILE"
    yousaid.database.write_bytes(b"")
    assert found(yousaid)["database"][2] == "yousaid setup"
    yousaid.database.unlink()
    assert found(yousaid)["database"][2] == "yousaid setup"


def test_shared_folder_is_noticed(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    os.rename(yousaid.key_file, yousaid.folder / "var/key")
    monkeypatch.setenv("YOUSAID_KEY_FILE", str(yousaid.folder / "var/key"))

    assert found(yousaid)["key folder"][0] == "look"


def test_address_in_use_is_broken_unless_the_bot_itself_uses_it(
    yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("YOUSAID_LISTEN", f"127.0.0.1:{other.getsockname()[1]}")
        assert found(yousaid)["address"][0] == "broken"
        bot = FileLock(yousaid.database)
        assert asyncio.run(bot.acquire())
        assert found(yousaid)["address"][0] == "ok"
        asyncio.run(bot.release())


def test_lost_box_key_is_broken(yousaid: CommandLine) -> None:
    yousaid.done("form", "add", yousaid.write("lunch.yaml", LUNCH))
    yousaid.join(10)
    yousaid.done("send", "lunch-check", "--group", GROUP)
    assert found(yousaid)["ballot boxes"][:2] == ("ok", "1 open, each with its key")
    (yousaid.key_file.parent / "box-lunch-check-1.key").unlink()

    state, says, remedy = found(yousaid)["ballot boxes"]

    assert (state, "lunch-check-1" in says) == ("broken", True)
    yousaid.done(*remedy.partition("yousaid ")[2].split())
    assert found(yousaid)["ballot boxes"][0] == "ok"


def test_old_items_late_letters_and_joined_readers_show(yousaid: CommandLine) -> None:
    now = datetime.now(UTC)

    async def work(tx: Tx) -> None:
        for role in ("dsl", "deputy"):
            person = await add_person(tx, "en", "", now)
            await add_role(tx, person, role)
        item = await add_item(tx, "flagged", now - timedelta(days=3), "canary words")
        await start_alert(tx, item, now)
        await post(tx, "alert", "x", [person], now - timedelta(hours=3))

    yousaid.change(work)

    checks = found(yousaid)

    assert checks["safeguarding"][0] == "ok"
    assert "Mrs Ahmed (head teacher) has not joined" in checks["ladder"][1]
    assert checks["alerts"][:2] == ("look", "1 not seen by anybody, the oldest for 3 days")
    assert checks["queue"][:2] == ("look", "1 to read, the oldest for 3 days")
    assert checks["messages"] == ("look", "some should have gone out 3 hours ago", "yousaid run")
    assert "canary" not in str(checks)


def test_backup_ends_the_reminder(yousaid: CommandLine) -> None:
    yousaid.done("backup", "copy.db")

    assert found(yousaid)["backup"][0] == "ok"


def test_clock_that_differs_from_telegrams_is_broken() -> None:
    from bot.doctor import _clock

    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert _clock(now, now + timedelta(seconds=30)).state == "ok"
    assert _clock(now, now + timedelta(hours=1)).state == "broken"
    assert _clock(now.replace(year=1970), None).state == "broken"


def test_before_setup_doctor_says_what_to_do_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "yousaid setup" in found(command_line_in(tmp_path, monkeypatch))["key"][2]
