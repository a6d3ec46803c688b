"""What people see: every page under axe-core at phone and desk width, without JavaScript, and by keyboard alone."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python  # type: ignore[import-untyped]
import pytest
from playwright.async_api import Browser, FrameLocator, Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SHOTS = Path("var/screenshots")
WIDTHS = {320: 720, 1280: 900}


class Viewer:
    """A window that is checked by axe-core and photographed at every stop."""

    def __init__(self, page: Page, width: int) -> None:
        self.page = page
        self.width = width

    async def press(self, *labels: str) -> None:
        for label in labels:
            await self.page.get_by_role("button", name=label, exact=True).first.click()
            await self.page.wait_for_load_state()

    async def type(self, words: str) -> None:
        await self.page.get_by_role("textbox").fill(words)
        await self.press("Send")

    async def check(self, name: str) -> None:
        """No violation of WCAG 2.2 A and AA or of good practice, nothing wider than the window."""
        await self.page.screenshot(path=SHOTS / f"{name}-{self.width}.png", full_page=True)
        await self.page.evaluate(AXE)
        found = await self.page.evaluate("axe.run(document, {iframes: false})")
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
        wide = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, name
        await self.check_targets()

    async def check_targets(self) -> None:
        """Every button is at least 44 px high; answers and controls 48."""
        for button in await self.page.get_by_role("button").all():
            box = await button.bounding_box()
            least = 44 if await button.get_attribute("class") == "menu" else 48
            assert box
            assert box["height"] >= least, await button.inner_text()


async def window(chromium: Browser, width: int, **more: object) -> Viewer:
    size = {"width": width, "height": WIDTHS[width]}
    context = await chromium.new_context(viewport=size, bypass_csp=True, **more)  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(8000)
    return Viewer(page, width)


@pytest.mark.parametrize("width", WIDTHS)
async def test_parents_pages_are_accessible(demo: str, chromium: Browser, width: int) -> None:
    v = await window(chromium, width)
    await v.page.goto(f"{demo}/parent/")
    await v.check("home")
    await v.press("Open")
    await v.check("first-screen")
    await v.press("Yes, start")
    await v.check("question")
    await v.type("blue")
    await v.check("not-understood")
    await v.press("Menu")
    await v.check("menu")
    await v.press("Easier words", "Very well", "Some", "A lot", "Skip", "Easy", "A clearer plan")
    await v.check("marks")
    await v.press("Done")
    await v.check("words")
    await v.press("I need help")
    await v.check("help")
    await v.press("Go on", "Skip")
    await v.check("review")
    await v.press("Change an answer")
    await v.check("change")
    await v.press("Back", "Send my answers")
    await v.check("sent")


@pytest.mark.parametrize("width", WIDTHS)
async def test_staff_pages_are_accessible(demo: str, chromium: Browser, width: int) -> None:
    v = await window(chromium, width)
    await v.page.goto(f"{demo}/senco/")
    await v.press("Menu")
    await v.check("staff-menu")
    await v.type("/summary")
    await v.check("which-survey")
    await v.press("Help for extra needs (SEND) (parent-send-provision-1)")
    await expect(v.page.locator("img.chart")).to_have_js_property("complete", True)
    await v.check("summary")
    await v.type("/queue")
    await v.press("Open")
    await v.check("queue")
    await v.press("Read")
    await v.check("queue-item")


@pytest.mark.parametrize("width", WIDTHS)
async def test_strangers_pages_are_accessible(demo: str, chromium: Browser, width: int) -> None:
    v = await window(chromium, width)
    for path, name in (("/me", "code"), ("/join/AAAA-BBBB-11", "bad-code"), ("/nothing", "no-page")):
        await v.page.goto(demo + path)
        await v.check(name)


@pytest.mark.parametrize("width", WIDTHS)
async def test_demo_page_is_accessible(demo: str, chromium: Browser, width: int) -> None:
    v = await window(chromium, width)
    await v.page.goto(demo)
    await expect(v.page.frame_locator("iframe >> nth=2").get_by_role("heading", level=1)).to_be_visible()
    await v.check("demo")


@pytest.mark.parametrize("width", WIDTHS)
async def test_dark_pages_have_contrast_too(demo: str, chromium: Browser, width: int) -> None:
    v = await window(chromium, width, color_scheme="dark")
    await v.page.goto(f"{demo}/pupil/")
    await v.check("dark-home")
    await v.press("Open", "Yes, start", "Good", "A bit", "Library")
    await v.check("dark-marks")


async def test_everything_works_without_javascript(demo: str, chromium: Browser) -> None:
    v = await window(chromium, 320, java_script_enabled=False)
    await v.page.goto(f"{demo}/parent/")
    await v.press("Open", "Yes, start", "Very well", "A lot", "Some", "It gets sorted", "Easy")
    await v.press("A clearer plan", "Done")
    await v.type("Keep the drop-ins.")
    await v.press("Send my answers")
    await expect(v.page.get_by_role("heading", level=1)).to_have_text("Thank you. We have your answers.")


async def test_everything_works_by_keyboard(demo: str, chromium: Browser) -> None:
    v = await window(chromium, 320)
    await v.page.goto(f"{demo}/parent/")
    await v.page.keyboard.press("Tab")
    await expect(v.page.get_by_role("link", name="Go to the question")).to_be_focused()
    await v.page.keyboard.press("Enter")
    for label in ("Open", "Yes, start", "Quite well"):
        await tab_to(v.page, v.page.get_by_role("button", name=label, exact=True))
        await v.page.keyboard.press("Enter")
        await v.page.wait_for_load_state()
    await expect(v.page.get_by_role("heading", level=1)).to_have_text("How much does the help make a difference?")


async def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("e => e === document.activeElement"):
            return
    pytest.fail("not reachable by keyboard")


async def test_closing_on_one_phone_shows_on_the_others(demo: str, chromium: Browser) -> None:
    """The whole demo in real frames, under the real policy: nothing is blocked, nothing is logged."""
    page = await chromium.new_page(viewport={"width": 1280, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(demo)
    parent, senco = page.frame_locator("iframe >> nth=0"), page.frame_locator("iframe >> nth=2")
    await taps(parent, "Open", "Yes, start", "Very well")
    await senco.get_by_role("textbox").fill("/close")
    await taps(senco, "Send", "Help for extra needs (SEND) (parent-send-provision-2)", "Close and count")
    await expect(senco.get_by_text("14 of 40 people answered (35 %)")).to_be_visible()
    await expect(senco.locator("img.chart").first).to_be_visible()
    await expect(parent.get_by_text("the questions have closed")).to_be_visible(timeout=15_000)
    await page.screenshot(path=SHOTS / "demo-closed.png", full_page=True)
    await page.close()
    assert said == []


async def taps(frame: FrameLocator, *labels: str) -> None:
    for label in labels:
        await frame.get_by_role("button", name=label, exact=True).first.click()


async def test_nothing_is_reloaded_while_somebody_types(demo: str, chromium: Browser) -> None:
    first, second = await window(chromium, 320), await window(chromium, 320)
    await first.page.goto(f"{demo}/pupil/")
    await first.page.get_by_role("textbox").fill("half a wo")
    await second.page.goto(f"{demo}/pupil/")
    await second.press("Open", "Yes, start")
    await first.page.wait_for_timeout(3600)
    await expect(first.page.get_by_role("textbox")).to_have_value("half a wo")
    await first.page.get_by_role("textbox").fill("")
    await expect(first.page.get_by_text("Question 1 of 7")).to_be_visible(timeout=8000)
