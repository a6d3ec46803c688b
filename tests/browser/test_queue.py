"""What the safeguarding lead sees on a Friday at 17:59: the queue under axe-core, on a phone and a desk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from data.people import add_address
from data.queue import add_item, find_item, mark_read, route_item
from data.sessions import start_session
from scheduler.ladder import raise_alert
from tests.browser.serving import Served, serving
from tests.browser.test_pages import WIDTHS, Viewer, window
from tests.school import School
from tests.test_queue_pages import FRIDAY, a_survey
from tests.test_second_factor import digits_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DISCLOSED = "My son says a grown-up at the club hurts him.\nHe does not want to go back."
COMMENT = "The drop-ins with Ms Patel are good. Please tell Tom's class earlier when the routine changes."


@pytest.fixture
async def served(school: School) -> AsyncIterator[Served]:
    """A school on a Friday evening, with something of everything in its queue."""
    dsl = await school.person("dsl", label="Mr Okafor")
    async with school.db.transaction() as tx:
        await add_address(tx, dsl, "telegram", "1")
    await _fill(school, dsl)
    async with serving(school, dsl) as running:
        yield running


async def _fill(school: School, dsl: str) -> None:
    parent = await school.person("parent", label="The Khan family")
    survey = await a_survey(school)
    school.clock.set(FRIDAY.replace(day=4))
    async with school.db.transaction() as tx:
        await add_item(tx, "words", school.clock.now, COMMENT, parent, "The Khan family", survey, quote=True)
        done = await add_item(tx, "talk", school.clock.now, "", parent, "The Khan family, parent or carer")
        item = await find_item(tx, done)
        assert item
        await mark_read(tx, done, dsl, school.clock.now)
        await route_item(tx, item, "welfare", (), "", dsl, school.clock.now)
    school.clock.set(FRIDAY)
    async with school.db.transaction() as tx:
        id = await add_item(tx, "flagged", FRIDAY, DISCLOSED, parent, "The Khan family, parent or carer")
        await raise_alert(tx, school.house.school, id, FRIDAY)
    school.clock.move(minutes=1)


async def entered(chromium: Browser, served: Served, width: int, **more: object) -> Viewer:
    v = await window(chromium, width, **more)
    async with served.school.db.transaction() as tx:
        secret = await start_session(tx, served.person, served.school.clock.now)
    await v.page.context.add_cookies([{"name": "yousaid", "value": secret, "url": served.address}])
    await v.page.goto(f"{served.address}/queue")
    return v


@pytest.mark.parametrize("width", WIDTHS)
async def test_from_the_list_to_the_record(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width)
    await v.check("queue-list")
    await v.press("Read")
    await expect(v.page.get_by_text("Then say where it goes.")).to_be_in_viewport()
    await v.check("queue-disclosure")
    await v.page.get_by_label("About an adult who works here").check()
    await v.check("queue-about-adult")
    await v.page.get_by_label("A child's welfare").check()
    await v.press("Send it there")
    await v.check("queue-sent-on")
    await v.press("Show the text to copy")
    await v.check("queue-copy")
    await v.page.get_by_label("I have checked that it is complete there.").check()
    await v.press("It is in our record")
    await v.check("queue-in-record")


@pytest.mark.parametrize("width", WIDTHS)
async def test_to_the_name(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width)
    await v.press("Read", "Show who it is")
    secret = (await v.page.locator(".letters").inner_text()).replace(" ", "")
    await v.page.get_by_role("textbox").fill(digits_of(served.school, secret))
    await v.press("Go on")
    await v.check("queue-why")
    await v.page.get_by_role("textbox").fill("To call the family tonight")
    await v.press("Show who it is")
    await expect(v.page.get_by_text("The Khan family")).to_be_visible()
    await v.check("queue-name")


@pytest.mark.parametrize("width", WIDTHS)
async def test_moderating_a_comment(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width)
    await v.page.get_by_role("button", name="Read", exact=True).nth(1).click()
    await v.check("queue-comment")
    await v.page.get_by_label("Theme 1").fill("drop-ins")
    await v.press("Allow it as a quote")
    await expect(v.page.get_by_text("This still names somebody: Ms Patel")).to_be_visible()
    await v.check("queue-comment-named")
    await v.page.get_by_label("The words as others may see them").fill("The drop-ins are good.")
    await v.press("Allow it as a quote")
    await expect(v.page.get_by_text("It may be quoted: The drop-ins are good.")).to_be_visible()
    await v.check("queue-quote")


async def test_the_way_to_the_record_works_without_javascript_and_in_the_dark(
    served: Served, chromium: Browser
) -> None:
    v = await entered(chromium, served, 320, java_script_enabled=False)
    await v.press("Read")
    await v.page.get_by_label("A child's welfare").check()
    await v.press("Send it there", "Show the text to copy")
    await v.page.get_by_label("I have checked that it is complete there.").check()
    await v.press("It is in our record")
    await expect(v.page.get_by_text("The words here are deleted on 13 November 2026.")).to_be_visible()
    dark = await entered(chromium, served, 320, color_scheme="dark")
    await dark.check("queue-dark")


async def test_a_pdf_leaves_the_page_ready_for_the_next_step(served: Served, chromium: Browser) -> None:
    v = await entered(chromium, served, 320)
    await v.press("Read")
    await v.page.get_by_label("A child's welfare").check()
    await v.press("Send it there", "Show the text to copy")
    async with v.page.expect_download() as download:
        await v.page.get_by_role("button", name="Save as PDF").click()
    assert (await download.value).suggested_filename == "record.pdf"
    await v.page.get_by_label("I have checked that it is complete there.").check()
    await v.press("It is in our record")
    await expect(v.page.get_by_text("That is saved.")).to_be_visible()
