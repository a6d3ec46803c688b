"""What the office and the admin see: the second factor, who has joined, letters, staff and files, under axe-core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.joining import join
from data.codes import read_code
from data.people import add_address, mark_unreachable, set_stopped
from data.sessions import start_session
from tests.browser.serving import Served, serving
from tests.browser.test_pages import SHOTS, WIDTHS, Viewer, window
from tests.school import School
from tests.test_people_page import letters, person_of, waiting_code
from tests.test_results_page import closed
from tests.test_second_factor import digits_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = ("Khan family", "Family 12", "The Nowak and Kowalczyk household, upstairs flat", "Lee", "O'Connor", "Okoro")
WRONG = "family,group,language\nKhan,Year 9,en\nLee,SEND parents,xx\nA123456789012,SEND parents,en\n"


@pytest.fixture
async def served(school: School) -> AsyncIterator[Served]:
    """A school with letters of every kind of fate, colleagues, a role that waits and a closed survey."""
    admin = await school.person("admin", label="Sam Green")
    await school.person("office", label="Pat Brown")
    head = await school.person("head", "senco", label="Mrs Ahmed")
    await _letters(school)
    await waiting_code(school, head)
    await closed(school)
    async with serving(school, admin) as running:
        yield running


async def _letters(school: School) -> None:

    codes = await letters(school, "".join(f'"{name}",Year 3 parents,en\n' for name in NAMES))
    async with school.db.transaction() as tx:
        for code in codes[:4]:
            assert await join(tx, school.house, read_code(code) or "", school.clock.now, "en")
    blocked, stopped = await person_of(school, NAMES[1]), await person_of(school, NAMES[2])
    async with school.db.transaction() as tx:
        await add_address(tx, blocked, "telegram", "1")
        await mark_unreachable(tx, "telegram", "1", True)
        await set_stopped(tx, stopped, True, school.clock.now)


async def entered(chromium: Browser, served: Served, width: int, path: str, **more: object) -> Viewer:
    v = await window(chromium, width, **more)
    async with served.school.db.transaction() as tx:
        secret = await start_session(tx, served.person, served.school.clock.now)
    await v.page.context.add_cookies([{"name": "yousaid", "value": secret, "url": served.address}])
    await v.page.goto(served.address + path)
    return v


async def prove(v: Viewer, served: Served) -> str:
    """Set up the app; the secret in it."""
    secret = (await v.page.locator(".letters").inner_text()).replace(" ", "")
    await v.page.get_by_label("Six digits").fill(digits_of(served.school, secret))
    await v.press("Go on")
    return secret


async def follow(v: Viewer, *names: str) -> None:
    for name in names:
        await v.page.get_by_role("link", name=name, exact=True).first.click()
        await v.page.wait_for_load_state()


@pytest.mark.parametrize("width", WIDTHS)
async def test_second_factor_and_lock(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width, "/factor?back=/people")
    await expect(v.page.locator("img.scan")).to_have_js_property("complete", True)
    assert await v.page.locator("img.scan").evaluate("i => i.naturalWidth") > 100
    await v.check("factor-new")
    secret = await prove(v, served)
    await v.page.goto(f"{served.address}/factor?back=/people")
    await v.check("factor")
    for _ in range(5):
        await v.page.get_by_label("Six digits").fill("000000")
        await v.press("Go on")
    await v.check("factor-wait")
    served.school.clock.move(minutes=20)
    await v.page.goto(f"{served.address}/people")
    await v.check("locked")
    await v.page.get_by_label("Six digits").fill(digits_of(served.school, secret))
    await v.press("Go on")
    await expect(v.page.get_by_role("heading", level=1)).to_have_text("Who has joined")


@pytest.mark.parametrize("width", WIDTHS)
async def test_families_and_letters(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width, "/people")
    await v.check("people")
    await follow(v, "Year 3 parents")
    await prove(v, served)
    await v.check("people-group")
    await follow(v, "Khan family")
    await v.check("people-letter")
    await v.press("End it and make a new letter")
    await v.check("letters-made")
    async with v.page.expect_download() as saving:
        await follow(v, "Save the letters (PDF)")
    assert (await (await saving.value).path()).read_bytes().startswith(b"%PDF")
    await follow(v, "Back", "Make letters")
    await v.check("letters")
    await v.page.get_by_label("Paste the list here").fill(WRONG)
    await v.press("Check the list")
    await v.check("letters-wrong")
    await v.page.get_by_label("Paste the list here").fill("Mensah,SEND parents,en\nPatel,Year 3 parents,en")
    await v.press("Check the list")
    await v.check("letters-check")
    await v.press("Make 2 letters")
    await expect(v.page.get_by_role("heading", level=1)).to_have_text("2 letters are ready")
    await follow(v, "Back", "Whom to call")
    await v.check("people-calls")
    await v.page.emulate_media(media="print")
    await v.page.screenshot(path=SHOTS / f"people-calls-print-{width}.png", full_page=True)


@pytest.mark.parametrize("width", WIDTHS)
async def test_staff_and_files(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width, "/people/staff")
    await prove(v, served)
    await v.check("people-staff")
    await v.press("Yes, they may")
    await follow(v, "Mrs Ahmed")
    await v.check("people-colleague")
    await v.page.goto(f"{served.address}/results")
    await v.check("results")
    await v.page.get_by_role("link", name="After a drop-in").click()
    await v.check("results-files")
    for label, kind in (("Counts", "counts"), ("Answers, a line for each sheet", "answers")):
        async with v.page.expect_download() as saving:
            await v.page.get_by_role("button", name=label).click()
        assert (await saving.value).suggested_filename == f"drop-in-feedback-1-{kind}.csv"


async def test_a_list_in_a_file_and_everything_without_javascript(
    served: Served, chromium: Browser, tmp_path: Path
) -> None:
    v = await entered(chromium, served, 320, "/people/letters", java_script_enabled=False)
    await prove(v, served)
    (tmp_path / "list.csv").write_text("family,group,language\nMensah,SEND parents,en\n", encoding="utf-8")
    await v.page.get_by_label("Or choose a CSV file").set_input_files(tmp_path / "list.csv")
    await v.press("Check the list", "Make 1 letter")
    await expect(v.page.get_by_role("heading", level=1)).to_have_text("1 letter is ready")
    await v.page.goto(f"{served.address}/people")
    await v.press("Sign out everywhere")
    await expect(v.page.get_by_role("heading", level=1)).to_have_text("You need a code")


async def test_dark_pages_have_contrast_too(served: Served, chromium: Browser) -> None:
    v = await entered(chromium, served, 320, "/people/letters", color_scheme="dark")
    await v.check("factor-dark")
    await prove(v, served)
    await v.check("letters-dark")
    for path, name in (("/people/staff", "staff-dark"), ("/people/calls", "calls-dark")):
        await v.page.goto(served.address + path)
        await v.check(name)


async def test_names_leave_a_screen_that_nobody_uses(served: Served, chromium: Browser) -> None:
    """A4.5: the page locks by itself, in a browser whose clock is moved on."""
    v = await window(chromium, 320)
    await v.page.clock.install()
    async with served.school.db.transaction() as tx:
        secret = await start_session(tx, served.person, served.school.clock.now)
    await v.page.context.add_cookies([{"name": "yousaid", "value": secret, "url": served.address}])
    await v.page.goto(f"{served.address}/people/staff")
    await prove(v, served)
    await expect(v.page.get_by_text("Pat Brown")).to_be_visible()
    served.school.clock.move(minutes=15, seconds=1)
    await v.page.clock.run_for("15:03")
    await expect(v.page.get_by_role("heading", level=1)).to_have_text("This page is locked")
    await expect(v.page.get_by_text("Pat Brown")).not_to_be_visible()
