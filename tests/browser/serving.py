"""The web channel of a test's school, served for real on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.demo import listening
from bot.serving import make_server
from bot.web_channel.app import make_app
from tests.school import School


@dataclass
class Served:
    """Where the pages are, of which school, and the person whom the test is about."""

    address: str
    school: School
    person: str


@asynccontextmanager
async def serving(school: School, person: str) -> AsyncIterator[Served]:
    app = make_app(school.dialogue, school.db, school.house, school.letters, school.clock)
    with listening(0) as sock:
        server = make_server(app, "127.0.0.1", 0)
        running = asyncio.create_task(server.serve(sockets=[sock]))
        yield Served(f"http://127.0.0.1:{sock.getsockname()[1]}", school, person)
        server.should_exit = True
        await running
