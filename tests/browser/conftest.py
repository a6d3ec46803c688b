"""The demo, served for real, and Chromium to look at it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from bot.demo import listening, opened, serve
from bot.demo_school import make_school
from tests.chromium import find_chromium


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo school, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("seeded")
    asyncio.run(make_school(folder, datetime.now(UTC)))
    return folder


@pytest.fixture
async def demo(seeded: Path, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a running demo."""
    folder = tmp_path / "demo"
    shutil.copytree(seeded, folder)
    with listening(0) as sock:
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with opened(folder) as (db, people):
            running = asyncio.create_task(serve(sock, db, people, address, folder, open_browser=False))
            yield address
            running.cancel()
            await asyncio.wait({running})


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        await browser.close()
