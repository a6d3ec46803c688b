"""Each letter once: killed at any call between claim, send and mark, and with two processes on one database."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.delivery import delivery_of
from data.outbox import free_claims, new_owner
from data.people import add_address
from data.vault import write_private
from scheduler.sending import Sender, send_due
from tests.faults import Killed, Trip, WatchedPhones, survives, watch
from tests.school import MASTER, School, opened
from tests.simulated_parents import BotProcess, environment
from tests.telegram_server import TelegramServer
from tests.test_dialogue import SURVEY, send
from tests.test_kill import free_port

PEOPLE = 12


async def invited(school: School, people: int = PEOPLE) -> None:
    await school.readers()
    ids = await school.people(people)
    async with school.db.transaction() as tx:
        for number, id in enumerate(ids):
            await add_address(tx, id, "telegram", str(4000 + number))
    await send(school)


async def killed_at(folder: Path, k: int) -> tuple[Trip, Counter[str]]:
    """Send all, killed at call k; another process takes over. How often each person got their letter."""
    trip = Trip(k, Killed)
    phones = WatchedPhones(trip)
    async with opened(folder) as school:
        await invited(school)
        with pytest.MonkeyPatch.context() as patch:
            watch(trip, patch)
            owner = new_owner()

            async def sends() -> None:
                made = Sender(school.db, school.house.school, school.letters.compose, {"telegram": phones}, owner)  # type: ignore[dict-item]
                while await send_due(made, school.clock.now, 1):
                    pass

            async def begins() -> None:
                nonlocal owner
                owner = new_owner()
                async with school.db.transaction() as tx:
                    await free_claims(tx, owner)

            while not await survives(trip, begins, sends):
                pass
        async with school.db.reading() as tx:
            found = await delivery_of(tx, "invitation", SURVEY)
    assert found
    assert found.sent == PEOPLE, k
    return trip, Counter(address for address, _ in phones.got)


@pytest.mark.both_databases
async def test_killed_at_any_point_none_is_lost_and_one_at_most_repeated(tmp_path: Path) -> None:
    """Between claim, send and mark, one letter under way: at most one repeat a kill, none lost."""
    calls = (await killed_at(tmp_path / "all", 0))[0].calls
    for k in range(1, min(calls, 40) + 1, 2):
        trip, got = await killed_at(tmp_path / str(k), k)
        assert trip.tripped
        assert len(got) == PEOPLE, k
        assert sum(got.values()) <= PEOPLE + 1, k


@pytest.mark.slow
@pytest.mark.both_databases
async def test_two_processes_send_each_letter_once_and_one_takes_over(tmp_path: Path) -> None:
    """Webhook mode, two processes: one sends. Killed in the middle, the other goes on within seconds."""
    people = 90
    async with TelegramServer(per_second=30) as server:
        (tmp_path / "keys").mkdir(mode=0o700)
        write_private(tmp_path / "keys" / "key", base64.b64encode(MASTER))
        async with opened(tmp_path) as school:
            school.clock.set(datetime.now(UTC))
            await invited(school, people)
            for number in range(people):
                server.person(4000 + number).started = True
        bots = [BotProcess(_webhook(server, tmp_path)) for _ in range(2)]
        try:
            for bot in bots:
                await bot.start()
                await server.called("sendMessage" if bot is bots[0] else "setWebhook", 1, timeout=40)
            await server.called("sendMessage", 30, timeout=40)
            await bots[0].kill()
            await _all_have_it(server, people)
            got = Counter(params["chat_id"] for params in server.calls_of("sendMessage"))
            assert len(got) == people
            assert sum(got.values()) <= people + 2  # what was under way at the moment of the kill
            assert max(got.values()) <= 2
        finally:
            for bot in bots:
                with contextlib.suppress(Exception):
                    await bot.stop()
        assert [one for one in server.refused if "Too Many" in one[2]] == []


async def _all_have_it(server: TelegramServer, people: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while len({params["chat_id"] for params in server.calls_of("sendMessage")}) < people:
        assert time.monotonic() < until, "letters were lost"
        await asyncio.sleep(0.2)


def _webhook(server: TelegramServer, folder: Path) -> dict[str, str]:
    port = free_port()
    more = {"YOUSAID_TELEGRAM_MODE": "webhook", "YOUSAID_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return environment(server, folder, port) | more
