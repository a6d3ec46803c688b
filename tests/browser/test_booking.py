"""What families see of drop-ins and events: book in three taps, wait, cannot come, and the calendar file (S3, S15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import icalendar
import pytest
from playwright.async_api import Browser, expect

from data.bookings import COMING, Booking, book, booking_of
from data.events import coming_occasions
from data.moments import new_id
from data.people import find_group
from data.wishes import wish
from tests.browser.serving import Served, serving
from tests.browser.test_pages import WIDTHS, Viewer, tab_to
from tests.browser.test_people import entered
from tests.event_days import add_meeting, add_slots
from tests.school import MONDAY, School
from tests.test_booking import LOCAL_NINE
from tests.test_family_events import ACCESS

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TALK, FULL = "Tuesday 3 November, 9:00", "Wednesday 4 November, 9:00"
COFFEE = "Thursday 5 November, 10:00: Coffee with cake"


@pytest.fixture
async def served(school: School) -> AsyncIterator[Served]:
    """A drop-in with many times, one that is full, a coffee morning at two times, and a charity event."""
    senco = await school.person("senco", label="Ms Patel")
    me, other = await school.person("parent"), await school.person("parent")
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await add_slots(tx, group, LOCAL_NINE, 9, host=senco, ways=("in-person", "phone", "video"), capacity=1)
        full = await add_slots(tx, group, LOCAL_NINE + timedelta(days=1), 1, host=senco)
        await book(tx, full, Booking(new_id(), full.id, other, COMING, slot=0, made_at=school.clock.now))
        days = [MONDAY + timedelta(days=n) for n in (3, 4)]
        await add_meeting(tx, group, *days, title="Coffee with cake", access=ACCESS, capacity=20, host=senco)
        await add_meeting(tx, group, MONDAY + timedelta(days=8), kind="charity", title="Fun run")
        await wish(tx, me, "charity")
    async with serving(school, me) as running:
        yield running


async def state(served: Served, nth: int) -> str:
    """How this person stands at the nth time that is to come."""
    async with served.school.db.reading() as tx:
        occasion = (await coming_occasions(tx, None, served.school.clock.now))[nth]
        mine = await booking_of(tx, occasion.id, served.person)
    return mine.state if mine else ""


async def saved(v: Viewer, name: str) -> icalendar.Calendar:
    """The file behind this button or link, as a browser saves it."""
    async with v.page.expect_download() as saving:
        await v.page.get_by_text(name, exact=True).first.click()
    download = await saving.value
    assert download.suggested_filename == "school-appointment.ics"
    return icalendar.Calendar.from_ical(Path(await download.path()).read_bytes())


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_time_in_three_taps(served: Served, chromium: Browser, width: int) -> None:
    """S15: the list, the drop-in, the time. All else is offered afterwards, and each screen passes."""
    v = await entered(chromium, served, width, "/me")
    await v.press("Menu", "Drop-ins for you")
    await v.check("dropins")
    await v.press(TALK)
    await v.check("dropin")
    await v.press("Later times")
    await v.check("dropin-later")
    await v.press("10:45")
    await expect(v.page.get_by_text("Done. You have a place at 10:45.")).to_be_visible()
    await v.check("dropin-booked")
    await v.press("How we meet")
    await v.check("dropin-way")
    await v.press("By phone", "What it is about")
    await v.check("dropin-topic")
    await v.press("Learning", "Make it easier for us")
    await v.check("dropin-easier")
    await v.press("A quiet space", "Done", "Reminders for this one")
    await v.check("dropin-reminders")
    await v.press("The day before only")
    file = await saved(v, "Put it in my calendar")
    assert (file["method"], len(file.walk("VALARM"))) == ("PUBLISH", 1)
    await v.press("Change the time")
    await v.check("dropin-move")
    await v.press("9:15", "I can't come")
    await v.check("dropin-cannot")
    assert await state(served, 0) == "cannot"
    assert (await saved(v, "Save the file school-appointment.ics"))["method"] == "CANCEL"


@pytest.mark.parametrize("width", WIDTHS)
async def test_waiting_and_talking_sooner(served: Served, chromium: Browser, width: int) -> None:
    v = await entered(chromium, served, width, "/me")
    await v.press("Menu", "Drop-ins for you", FULL)
    await expect(v.page.get_by_text("All places are taken.")).to_be_visible()
    await v.check("dropin-full")
    await v.press("Wait for a place")
    await v.check("dropin-waits")
    assert await state(served, 1) == "waiting"
    await v.press("Menu", "Drop-ins for you", "I need to talk sooner")
    await v.check("dropin-sooner")


@pytest.mark.parametrize("width", WIDTHS)
async def test_coming_to_an_event(served: Served, chromium: Browser, width: int) -> None:
    """S3, S13: what it is like stands there before one decides."""
    v = await entered(chromium, served, width, "/me")
    await v.press("Menu", "Events for families")
    await v.check("family-events")
    await v.press(COFFEE)
    await expect(v.page.get_by_text("Next to the hall")).to_be_visible()
    await v.check("family-event")
    await v.press("We are coming", "How many of us")
    await v.check("family-event-heads")
    await v.press("3", "I can help at this event")
    await v.check("family-event-helps")
    assert await state(served, 2) == "coming"
    await v.press("Menu", "Events for families", "Tuesday 10 November, 10:00: Fun run")
    await v.check("family-event-charity")
    await v.press("Stop messages like this")
    await v.check("family-event-stopped")


async def test_booking_works_without_javascript(served: Served, chromium: Browser) -> None:
    v = await entered(chromium, served, 320, "/me", java_script_enabled=False)
    await v.press("Menu", "Drop-ins for you", TALK, "9:15")
    await expect(v.page.get_by_text("Done. You have a place at 9:15.")).to_be_visible()
    assert (await saved(v, "Put it in my calendar"))["method"] == "PUBLISH"
    await v.press("I can't come")
    assert await state(served, 0) == "cannot"


async def test_booking_works_by_keyboard(served: Served, chromium: Browser) -> None:
    v = await entered(chromium, served, 320, "/me")
    for label in ("Menu", "Drop-ins for you", TALK, "9:15", "I can't come"):
        await tab_to(v.page, v.page.get_by_role("button", name=label, exact=True))
        await v.page.keyboard.press("Enter")
        await v.page.wait_for_load_state()
    await expect(v.page.get_by_text("We know that you cannot come.")).to_be_visible()
    assert await state(served, 0) == "cannot"
