"""Names, papers, sheets and pauses, as their readers see them, with the oddest labels, under axe-core."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Error, expect

from tests.browser.serving import Served, serving
from tests.browser.test_pages import WIDTHS, tab_to
from tests.browser.test_people import entered, prove
from tests.school import School
from tests.test_privacy_modes import close, gives, room, sent

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ODD = ("W" * 60, "👩‍👩‍👧 Zoë & <b>Söhne</b>", "عائلة الخان 12 (SEND)", "O'Brien\"; DROP TABLE people", "نام " * 15)
SAID = "He likes it <script>alert(1)</script> 😢 שלום " + "x" * 200


@pytest.fixture
async def served(school: School) -> AsyncIterator[Served]:
    """Closed CONF and NAMED questions that families with odd labels have answered."""
    await school.readers()
    me = await school.person("senco", "dsl", "admin", label="Ms 👩‍🏫 <i>Patel</i>" + "a" * 40)
    families = [await school.person("parent", label=label) for label in ODD]
    await school.people(6)
    for mode in ("CONF", "NAMED"):
        survey = await sent(school, room(mode, id=f"room-{mode.lower()}"))
        for person in families:
            await gives(school, person, survey, "1", "1", SAID)
    await close(school)
    async with serving(school, me) as running:
        yield running


@pytest.mark.parametrize("width", WIDTHS)
async def test_names_and_sheets(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width, "/factor?back=/names")
    await prove(v, served)
    await v.check("names")
    await v.page.goto(f"{served.address}/names/room-conf-1")
    await v.check("names-sheets")
    await v.page.locator("a.away").first.click()
    await v.check("names-why")
    await v.page.get_by_role("textbox").fill("To call them <b>tonight</b>")
    await v.press("Show who it is")
    await expect(v.page.get_by_text("It is noted that you looked.")).to_be_visible()
    await v.check("names-who")
    await v.page.goto(f"{served.address}/results/room-conf-1")
    await v.check("results-leads")
    await v.page.get_by_role("link", name="Take out an answer sheet").click()
    await v.check("removal")
    await v.page.goto(f"{served.address}/results/room-conf-1/sheet?number=99")
    await v.check("removal-none")
    await v.page.goto(f"{served.address}/results/room-conf-1/sheet?number=1")
    await v.check("removal-sheet")


@pytest.mark.parametrize("width", WIDTHS)
async def test_papers_and_pauses(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width, "/factor?back=/records")
    await prove(v, served)
    await v.check("records")
    for label in ODD:
        await v.page.goto(f"{served.address}/records")
        await v.page.get_by_role("link", name=label.strip(), exact=True).click()
        await v.page.get_by_role("button", name="Read").click()
        await expect(v.page.get_by_text("<script>alert(1)</script>")).to_be_visible()
        await v.check(f"records-read-{ODD.index(label)}")
    await v.page.goto(f"{served.address}/people")
    await v.page.get_by_role("link", name="SEND parents").click()
    await v.check("people-odd")
    await v.page.get_by_role("link", name="W" * 60).click()
    await v.page.get_by_role("link", name="Pause messages to this family").click()
    await v.check("pause")
    await v.page.goto(f"{served.address}/people/staff?said=not-done")
    await v.check("staff-not-done")


async def test_a_name_by_keyboard_alone(served: Served, chromium: Browser) -> None:
    v = await entered(chromium, served, 320, "/factor?back=/names/room-conf-1")
    await prove(v, served)
    await tab_to(v.page, v.page.locator("a.away").first)
    await v.page.keyboard.press("Enter")
    await tab_to(v.page, v.page.get_by_role("textbox"))
    await v.page.keyboard.type("To call them")
    await tab_to(v.page, v.page.get_by_role("button", name="Show who it is"))
    await v.page.keyboard.press("Enter")
    await expect(v.page.get_by_text("It is noted that you looked.")).to_be_visible()
    await expect(v.page.get_by_role("heading", level=1)).to_be_focused()


async def test_nothing_comes_back_after_signing_out(served: Served, chromium: Browser) -> None:
    """A4.6: neither by Back nor from the browser's store."""
    v = await entered(chromium, served, 320, "/factor?back=/records")
    await prove(v, served)
    await v.page.get_by_role("link", name=ODD[0], exact=True).click()
    await v.page.get_by_role("button", name="Read").click()
    await expect(v.page.get_by_text("It is noted that you opened this.")).to_be_visible()
    await v.press("Sign out here")
    seen = []
    for _ in range(3):
        with contextlib.suppress(Error):  # what was opened by a button: Chromium would have to send the form again
            await v.page.go_back()
        seen.append(await v.page.inner_text("body"))
    assert [words for words in seen if ODD[0] in words or "calm room" in words] == []
    assert "You need a code" in seen[-1]
