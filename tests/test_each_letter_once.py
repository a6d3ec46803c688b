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
from sqlalchemy import select

from data.database import Tx
from data.delivery import Delivery, delivery_of
from data.outbox import free_claims, new_owner
from data.people import add_address, addresses_of, person_at, set_stopped
from data.tables import outbox
from data.vault import write_private
from scheduler.sending import AT_ONCE, Sender, send_due
from tests.faults import Killed, Trip, WatchedPhones, survives, watch
from tests.school import MASTER, School, opened
from tests.simulated_parents import BotProcess, environment
from tests.telegram_server import TelegramServer
from tests.test_dialogue import SURVEY, send
from tests.test_kill import free_port

PEOPLE = 12
CHATS = {str(4000 + number) for number in range(PEOPLE)}
EVERY_POINT = 24  # calls: those of the first two letters, or of a whole handful


async def invited(school: School, people: int = PEOPLE) -> None:
    await school.readers()
    ids = await school.people(people)
    async with school.db.transaction() as tx:
        for number, id in enumerate(ids):
            await add_address(tx, id, "telegram", str(4000 + number))
    await send(school)


class Drill:
    """All letters are sent and the sending killed at call k; another process takes over what was claimed."""

    def __init__(self, school: School, k: int, under_way: int) -> None:
        self.school = school
        self.trip = Trip(k, Killed)
        self.phones = WatchedPhones(self.trip)
        self.under_way = under_way
        self.owner = new_owner()
        self.stopped: tuple[str, str] | None = None  # who said STOP while nothing ran, and the chat

    async def run(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            watch(self.trip, patch)
            while not await survives(self.trip, self._begins, self._sends):
                pass

    async def _sends(self) -> None:
        made = Sender(self.school.db, self.school.house.school, self.school.letters.compose,
                      {"telegram": self.phones}, self.owner)  # type: ignore[dict-item]  # fmt: skip
        while await send_due(made, self.school.clock.now, self.under_way):
            pass

    async def _begins(self) -> None:
        """What `yousaid run` does when it begins to keep the time; somebody without a letter has stopped meanwhile."""
        self.owner = new_owner()
        async with self.school.db.transaction() as tx:
            self.stopped = await self._somebody_stops(tx)
            await free_claims(tx, self.owner)

    async def _somebody_stops(self, tx: Tx) -> tuple[str, str] | None:
        """Somebody whose letter was claimed, but has not arrived: it must not come any more."""
        arrived = {chat for chat, _ in self.phones.got}
        rows = await tx.all(select(outbox.c.person).where(outbox.c.state == "sending").order_by(outbox.c.id))
        for row in rows:
            (place,) = await addresses_of(tx, row.person)
            if place.where not in arrived:
                await set_stopped(tx, row.person, True, self.school.clock.now)
                return row.person, place.where
        return None

    async def found(self) -> Delivery:
        async with self.school.db.reading() as tx:
            found = await delivery_of(tx, "invitation", SURVEY)
        assert found
        return found


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("under_way", [1, AT_ONCE])
async def test_killed_at_any_point_none_is_lost_and_one_at_most_repeated(tmp_path: Path, under_way: int) -> None:
    """Between claim, send and mark: none lost, at most one repeat a kill and person, and STOP holds at once.

    Telegram has no way to say "this once only", so what was on the wire at the kill is sent again: with one letter
    under way one at most, with several (28 a second need them) at most so many, and nobody's more than once.
    """
    k, tripped, stops = 0, True, 0
    while tripped:
        k += 1 if k < EVERY_POINT else 23  # the letters that follow are like the first ones
        async with opened(tmp_path / str(k)) as school:
            await invited(school)
            drill = Drill(school, k, under_way)
            await drill.run()
            got, found, tripped = Counter(chat for chat, _ in drill.phones.got), await drill.found(), drill.trip.tripped
        silent = {drill.stopped[1]} if drill.stopped else set()
        stops += len(silent)
        assert set(got) == CHATS - silent, k
        assert (found.sent, found.stopped, found.letters) == (PEOPLE - len(silent), len(silent), PEOPLE), k
        assert sum(n - 1 for n in got.values()) <= under_way, k
        assert max(got.values()) <= 2, k
    assert k > 4 * PEOPLE  # claim, send and mark of each were points of their own
    assert stops


@pytest.mark.slow
@pytest.mark.both_databases
async def test_two_processes_send_each_letter_once_and_one_takes_over(tmp_path: Path) -> None:
    """Webhook mode, two processes: one sends. Killed in the middle, the other goes on within seconds."""
    async with TelegramServer(per_second=30) as server:
        bots = await _two(server, tmp_path, people=90)
        try:
            await server.called("sendMessage", 30, timeout=40)
            await bots[0].kill()
            await _all_have_it(server, 90)
        finally:
            await _end(bots)
        _at_most_one_repeat_each(server, 90, AT_ONCE)
        assert [one for one in server.refused if "Too Many" in one[2]] == []


@pytest.mark.slow
@pytest.mark.both_databases
async def test_killed_while_telegram_takes_its_time_to_answer(tmp_path: Path) -> None:
    """Between send and mark for certain: Telegram has the letters and answers half a second later.

    As many as were under way come again, each to its own chat; STOP said just then holds for whoever had none yet.
    """
    async with TelegramServer(delay=0.5) as server:
        bots = await _two(server, tmp_path, people=40)
        try:
            await server.called("sendMessage", 20, timeout=40)
            await bots[0].kill()
            silent = await _stops_who_has_none(server, tmp_path, 40)
            server.delay = 0.0
            await _all_have_it(server, 39)
        finally:
            await _end(bots)
        _at_most_one_repeat_each(server, 39, AT_ONCE)
        assert silent not in _told(server)


async def _two(server: TelegramServer, folder: Path, people: int) -> list[BotProcess]:
    """Two processes on one database: the first sends, the second has told Telegram where it is."""
    (folder / "keys").mkdir(mode=0o700)
    write_private(folder / "keys" / "key", base64.b64encode(MASTER))
    async with opened(folder) as school:
        school.clock.set(datetime.now(UTC))
        await invited(school, people)
        for number in range(people):
            server.person(4000 + number).started = True
    bots = [BotProcess(environment(server, folder, free_port(), "webhook")) for _ in range(2)]
    await bots[0].start()
    await server.called("sendMessage", 1, timeout=40)
    await bots[1].start()
    return bots


async def _stops_who_has_none(server: TelegramServer, folder: Path, people: int) -> int:
    """The last person without a letter, who wants none from now on."""
    chat = max(set(range(4000, 4000 + people)) - set(_told(server)))
    async with opened(folder) as school, school.db.transaction() as tx:
        person = await person_at(tx, "telegram", str(chat))
        assert person
        await set_stopped(tx, person.id, True, datetime.now(UTC))
    return chat


def _told(server: TelegramServer) -> Counter[int]:
    return Counter(params["chat_id"] for params in server.calls_of("sendMessage"))


def _at_most_one_repeat_each(server: TelegramServer, people: int, under_way: int) -> None:
    got = _told(server)
    assert len(got) == people
    assert sum(got.values()) <= people + under_way  # what was on the wire at the kill
    assert max(got.values()) <= 2


async def _end(bots: list[BotProcess]) -> None:
    for bot in bots:
        with contextlib.suppress(Exception):
            await bot.stop()


async def _all_have_it(server: TelegramServer, people: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while len(_told(server)) < people:
        assert time.monotonic() < until, "letters were lost"
        await asyncio.sleep(0.2)
