"""What people see of their rights: the notice, what is linked to them, deleting and complaining, under axe-core."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from data.looks import note_look
from data.people import add_address
from data.queue import add_item
from tests.browser.serving import Served, serving
from tests.browser.test_pages import SHOTS, WIDTHS
from tests.browser.test_people import entered
from tests.school import School
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_rights import family

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
async def served(school: School) -> AsyncIterator[Served]:
    """A school with one parent of whom there is something of every kind."""
    await school.readers()
    senco, me = await school.person("senco", label="Ms Patel"), await family(school)
    await school.people(11)
    for nth, mode in enumerate(("CONF", "ANON")):
        survey = await sent(school, room(mode, id=f"room-{nth}"))
        await gives(school, me, survey, "1", "1", "He likes the blue chair")
        if mode == "CONF":
            await close(school)
    async with school.db.transaction() as tx:
        item = await add_item(tx, "words", school.clock.now, "The visit was late.\nTwice.", me, "Family Okoro")
        await add_item(tx, "flagged", school.clock.now, "something hard", me, "Family Okoro")
        await note_look(tx, senco, "name", item, "to call", school.clock.now)
        await add_address(tx, me, "telegram", "4711")
    async with serving(school, me) as running:
        yield running


@pytest.mark.parametrize("width", WIDTHS)
async def test_seeing_complaining_and_deleting(served: Served, chromium: Browser, width: int) -> None:
    """6.8, ICO standard 13: `Yes, delete` and `Cancel` are of one size."""
    v = await entered(chromium, served, width, "/privacy")
    await v.check("privacy-page")
    await v.page.goto(f"{served.address}/mydata")
    await v.check("mydata")
    async with v.page.expect_download() as saving:
        await v.press("Save it as a file")
    assert (await saving.value).suggested_filename == "my-data.json"
    await v.page.goto(f"{served.address}/me")
    await v.press("Menu", "See how your data is kept")
    await v.check("privacy")
    await v.press("Complain about my data")
    await v.check("complaint")
    await v.type("You sent my letter to the neighbours.")
    await v.check("complaint-done")
    await v.press("Menu", "Your settings: another phone, log out", "Take back my yes")
    await v.check("take-back")
    await v.press("Cancel", "Menu", "Delete what is linked to you")
    await v.check("delete")
    sizes = [await v.page.get_by_role("button", name=name).bounding_box() for name in ("Yes, delete", "Cancel")]
    assert sizes[0]
    assert sizes[1]
    assert (sizes[0]["width"], sizes[0]["height"]) == (sizes[1]["width"], sizes[1]["height"])
    await v.press("Yes, delete")
    await v.check("deleted")
    await expect(v.page.get_by_role("status")).to_contain_text("no backup holds it any more")


async def test_the_notice_prints_and_is_dark_at_night(served: Served, chromium: Browser) -> None:
    v = await entered(chromium, served, 320, "/privacy", color_scheme="dark")
    await v.check("privacy-page-dark")
    await v.page.goto(f"{served.address}/mydata")
    await v.check("mydata-dark")
    await v.page.emulate_media(media="print")
    await v.page.screenshot(path=SHOTS / "mydata-print.png", full_page=True)
