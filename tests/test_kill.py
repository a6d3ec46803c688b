"""kill -9 while parents answer: every confirmed answer counted once, everybody can finish."""

from __future__ import annotations

import asyncio
import base64
import random
import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.answers import count_answers
from data.database import Tx
from data.people import add_address
from data.surveys import find_survey
from data.vault import write_private
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
