"""kill -9 while parents answer: every confirmed answer counted once, everybody can finish."""

from __future__ import annotations

import asyncio
import base64
import itertools
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from data.answers import count_answers
from data.database import Tx
from data.people import add_address
from data.surveys import find_survey
from data.vault import write_private
from tests.listening import listening
from tests.school import MASTER, School, opened
from tests.simulated_parents import BotProcess, Parent, environment, kill_now_and_then
from tests.telegram_server import TelegramServer
from tests.test_dialogue import SURVEY, send


async def invited(school: School, server: TelegramServer, n: int) -> list[Parent]:
    """Parents on Telegram who were sent the questions."""
    await school.readers()
    ids = await school.people(n)
    parents = []
    async with school.db.transaction() as tx:
        for number, id in enumerate(ids):
            parents.append(await on_telegram(tx, server, id, 2000 + number))
    await send(school)
    return parents


async def on_telegram(tx: Tx, server: TelegramServer, id: str, chat: int) -> Parent:
    await add_address(tx, id, "telegram", str(chat))
    person = server.person(chat)
    person.started = True
    return Parent(person, random.Random(chat))


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


async def survive(folder: Path, n: int, kills: int, pauses: tuple[float, float], seconds: float) -> dict[str, float]:
    """Run the drill; what was found: answers lost, counted twice, repeated messages per kill."""
    async with TelegramServer() as server:
        write_private(_made(folder / "keys") / "key", base64.b64encode(MASTER))
        async with opened(folder) as school:
            school.clock.set(datetime.now(UTC))
            parents = await invited(school, server, n)
        bot = BotProcess(environment(server, folder, free_port()))
        await bot.start()
        try:
            killing = asyncio.create_task(kill_now_and_then(bot, kills, random.Random(7), pauses))
            await asyncio.gather(*(parent.answer_all(seconds) for parent in parents))
            await killing
        finally:
            await bot.stop()
        server.assert_nothing_refused()
        return await counted(folder, parents, kills)


@asynccontextmanager
async def balancer(ports: list[int]) -> AsyncIterator[str]:
    """A reverse proxy before several processes: one after another, the next where one is away. Its address."""
    turns = itertools.count()

    async def passes_on(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        for _ in ports:
            port = ports[next(turns) % len(ports)]
            with suppress(aiohttp.ClientError):
                async with session.post(f"http://127.0.0.1:{port}{request.path}", data=body, headers=headers) as answer:
                    return web.Response(
                        status=answer.status, body=await answer.read(), content_type=answer.content_type
                    )
        return web.Response(status=502)

    app = web.Application()
    app.router.add_post("/telegram", passes_on)
    async with aiohttp.ClientSession() as session, listening(app) as address:
        yield address


async def counted(folder: Path, parents: list[Parent], kills: int) -> dict[str, float]:
    """Close the survey and compare with what the parents chose."""
    async with opened(folder) as school:
        school.clock.set(datetime.now(UTC) + timedelta(days=15))
        await school.rounds()
        async with school.db.reading() as tx:
            counts = await count_answers(tx, SURVEY)
            survey = await find_survey(tx, SURVEY)
    assert survey
    lost = twice = 0
    for number, question in enumerate(survey.form.questions[:6], 1):
        wanted = Counter(parent.chosen[number] for parent in parents)
        found = {c.label["en"]: counts[question.id].counts.get(c.id, 0) for c in question.choices}
        lost += sum(max(0, n - found[label]) for label, n in wanted.items())
        twice += sum(max(0, n - wanted[label]) for label, n in found.items())
    shown = Counter((p.person.id, m.text) for p in parents for m in p.person.messages if m.text.startswith("Question"))
    repeats = sum(n - 1 for n in shown.values())
    return {"lost": lost, "twice": twice, "finished": survey.finished or 0, "repeats": repeats, "kills": kills}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, mode=0o700)
    return folder


@pytest.mark.slow
@pytest.mark.both_databases
async def test_kill_nine_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = await survive(tmp_path, n=12, kills=3, pauses=(1.2, 2.4), seconds=120)
    assert (found["lost"], found["twice"], found["finished"]) == (0, 0, 12)


@pytest.mark.slow
@pytest.mark.both_databases
async def test_two_processes_share_the_updates_and_one_dies(tmp_path: Path) -> None:
    """Webhook mode behind a reverse proxy: taps of one chat come to both, and nothing is lost or counted twice."""
    ports = [free_port(), free_port()]
    async with TelegramServer() as server, balancer(ports) as address:
        write_private(_made(tmp_path / "keys") / "key", base64.b64encode(MASTER))
        async with opened(tmp_path) as school:
            school.clock.set(datetime.now(UTC))
            parents = await invited(school, server, 12)
        bots = [
            BotProcess(environment(server, tmp_path, port, "webhook") | {"YOUSAID_PUBLIC_URL": address})
            for port in ports
        ]
        try:
            for number, bot in enumerate(bots, 1):
                await bot.start()
                await server.called("setWebhook", number, timeout=60)
            answering = [asyncio.create_task(parent.answer_all(120)) for parent in parents]
            await server.called("editMessageReplyMarkup", 12, timeout=60)
            await bots[0].kill()
            await asyncio.gather(*answering)
        finally:
            for bot in bots:
                await bot.stop()
        server.assert_nothing_refused()
        found = await counted(tmp_path, parents, 1)
    assert (found["lost"], found["twice"], found["finished"]) == (0, 0, 12)
    assert found["repeats"] <= 12  # at most one to each
