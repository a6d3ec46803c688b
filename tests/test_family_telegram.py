"""Families on Telegram, over real HTTP and the strict server: book, take the file, reminder, give the place back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import vobject

from data.people import find_group
from tests.event_days import add_meeting, add_slots
from tests.school import MONDAY
from tests.telegram_school import TelegramSchool, telegram_school

DAY = timedelta(days=1)


async def planned(bot: TelegramSchool) -> None:
    async with bot.school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await add_slots(tx, group, MONDAY.replace(hour=9) + 2 * DAY, 2)
        await add_meeting(tx, group, MONDAY + 4 * DAY)


async def test_a_place_from_the_first_tap_to_the_last(tmp_path: Path) -> None:
    """Three taps, a document that a calendar takes, a neutral reminder with Open, and "I can't come" behind it."""
    async with telegram_school(tmp_path) as bot:
        parent = await bot.joins("parent", "SEND parents")
        await planned(bot)
        await parent.types("/dropins")
        await parent.reads_until("Wednesday 4 November, 9:00, Room 4")
        await parent.taps("Wednesday 4 November, 9:00")
        await parent.reads_until("9:00 to 9:30")
        await parent.taps("9:15")
        await parent.reads_until("Done. You have a place at 9:15.")
        await parent.taps("Put it in my calendar")
        await parent.reads_until("Open this file")
        name, content = next(m.document for m in parent.messages if m.document)
        assert name == "school-appointment.ics"
        assert vobject.readOne(content.decode()).vevent.summary.value == "School appointment"
        bot.school.clock.move(days=1)
        await bot.rounds()
        await parent.reads_until("Your school appointment tomorrow, 9:15.")
        await parent.taps("Open")
        await parent.reads_until("You have a place at 9:15.")
        await parent.taps("I can't come")
        await parent.reads_until("Is it in your calendar?")
        assert b"METHOD:CANCEL" in [m.document[1] for m in parent.messages if m.document][-1]


async def test_a_double_tap_books_once(tmp_path: Path) -> None:
    async with telegram_school(tmp_path) as bot:
        parent = await bot.joins("parent", "SEND parents")
        await planned(bot)
        await parent.types("/events")
        await parent.reads_until("Coffee morning")
        await parent.taps("Friday 6 November, 10:00: Coffee morning")
        await parent.reads_until("10:00 to 12:00")
        await parent.taps("We are coming")
        await parent.taps("We are coming")
        await parent.reads_until("You are coming: 1 person.")
        await parent.taps("How many of us")
        await parent.reads_until("How many of you")
        await parent.taps("4")
        await parent.reads_until("You are coming: 4 people.")


async def test_a_pupil_reaches_the_senco(tmp_path: Path) -> None:
    async with telegram_school(tmp_path) as bot:
        senco = await bot.joins("senco")
        child = bot.school.on(await bot.school.person("pupil", label="Sam B."))
        await child.types("/dropins")
        await child.taps("I want to talk to Ms Patel")
        await bot.rounds()
        await senco.reads_until("Somebody asks for a few minutes of your time.")
        await senco.taps("Open")
        await senco.reads_until("Sam B. asks to talk with you")
        await child.types("/dropins")
        assert "Ms Patel knows." in child.text
        await senco.taps("I have been with them")
        await senco.reads_until("It is done.")
