"""What staff see of drop-ins and events on a phone and on a desk, under axe-core."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from bot.events.importing import Reader, import_term, read_term
from tests.browser.serving import Served, serving
from tests.browser.test_pages import WIDTHS
from tests.browser.test_people import entered
from tests.school import School
from tests.test_event_pages import over
from tests.test_hosting import a_day
from tests.test_importing import TABLE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
async def served(school: School) -> AsyncIterator[Served]:
    """A term that has begun, and one day with a list."""
    talk, _ = await a_day(school)
    await over(school, 5, 8, 2, "learning", "friends", walked=2)
    await school.person("senco", label="Ms Patel")
    async with school.db.transaction() as tx:
        reader = Reader(tx, school.house, school.clock.now)
        await import_term(reader, await read_term(reader, TABLE))
    async with serving(school, talk.person) as running:
        yield running


@pytest.mark.parametrize("width", WIDTHS)
async def test_the_pages_of_events_pass(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width, "/events")
    await v.check("events")
    await v.page.get_by_role("link", name="Tuesday 10 November, 9:00 to 10:00").click()
    await expect(v.page.get_by_role("button", name="Save the list as a PDF")).to_be_visible()
    await v.check("event")
    await v.page.goto(f"{served.address}/events/import")
    await v.check("import")
    await v.page.get_by_label("Or paste it here").fill(TABLE.replace("10/11/2026", "31/2/2026"))
    await v.page.get_by_role("button", name="Look at it first").click()
    await v.check("import-wrong")
    await v.page.get_by_label("Or paste it here").fill("date,starts,group\n1/12/2026,9:00,SEND parents\n")
    await v.page.get_by_role("button", name="Look at it first").click()
    await v.check("import-check")
    await v.page.get_by_role("button", name="Plan this 1 time").click()
    await expect(v.page.get_by_role("heading", name="Drop-ins and events")).to_be_visible()
