"""A place as a calendar file: valid, neutral, read by two readers that know nothing of each other (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import vobject

from data.bookings import COMING
from data.events import cancel_occasion, moved
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.school import School, Talk
from tests.test_booking import DAY, LOCAL_NINE, booking, family, forge, slots
from tests.test_web_channel import signed_in

QUARTER = timedelta(minutes=15)


def files(talk: Talk) -> list[bytes]:
    return [m.file.content for m in talk.messages if m.file]


def both(content: bytes) -> tuple[Any, Any]:
    """The event as icalendar and as vobject read it; both are strict about what is required."""
    calendar = icalendar.Calendar.from_ical(content)
    assert calendar.errors == []
    (event,) = calendar.walk("VEVENT")
    assert event.errors == []
    other = vobject.readOne(content.decode())
    other.validate(raiseException=True)
    return event, other.vevent


def summed(content: bytes) -> tuple[str, str, datetime, datetime, int, str, list[timedelta]]:
    """Method, UID, start, end, sequence, status and alarms, on which both readers agree."""
    event, other = both(content)
    calendar = icalendar.Calendar.from_ical(content)
    alarms = [alarm["trigger"].dt for alarm in event.walk("VALARM")]
    assert alarms == [alarm.trigger.value for alarm in getattr(other, "valarm_list", [])]
    ours = (str(event["uid"]), event["dtstart"].dt, event["dtend"].dt, int(event["sequence"]), str(event["status"]))
    theirs = (other.uid.value, other.dtstart.value, other.dtend.value, int(other.sequence.value), other.status.value)
    assert ours == theirs
    return str(calendar["method"]), *ours, alarms


async def test_a_place_goes_into_a_calendar(school: School) -> None:
    occasion, talk = await slots(school), await family(school)
    await forge(talk, f"slot.{occasion.id}.1")
    await forge(talk, f"file.{occasion.id}")
    (content,) = files(talk)
    method, uid, starts, ends, _, status, alarms = summed(content)
    assert (method, status) == ("PUBLISH", "CONFIRMED")
    assert (starts, ends) == (LOCAL_NINE + QUARTER, LOCAL_NINE + 2 * QUARTER)
    assert alarms == [-timedelta(days=1), -timedelta(hours=1)]
    assert occasion.id not in uid
    assert talk.person not in uid


async def test_it_tells_a_shared_calendar_nothing(school: School) -> None:
    """FAIL-7: no place, no kind, no host, no need; whoever looks at the family's calendar learns of an appointment."""
    occasion, talk = await slots(school, place="Autism base"), await family(school)
    await forge(talk, f"slot.{occasion.id}.0")
    await forge(talk, f"file.{occasion.id}")
    (content,) = files(talk)
    event, _ = both(content)
    assert str(event["summary"]) == "School appointment"
    assert str(event["location"]) == "Elmfield Primary"
    assert b"Autism" not in content
    assert b"rop-in" not in content
    assert [m.file.name for m in talk.messages if m.file] == ["school-appointment.ics"]


@pytest.mark.parametrize(("choice", "hours"), [("both", [24, 1]), ("day", [24]), ("hour", [1]), ("none", [])])
async def test_its_alarms_are_the_reminders_one_chose(school: School, choice: str, hours: list[int]) -> None:
    occasion, talk = await slots(school), await family(school)
    await forge(talk, f"slot.{occasion.id}.0")
    await forge(talk, f"remind.{occasion.id}.{choice}")
    await forge(talk, f"file.{occasion.id}")
    assert summed(files(talk)[0])[-1] == [-timedelta(hours=n) for n in hours]


async def test_every_change_replaces_the_file_before(school: School) -> None:
    """One UID for good, a SEQUENCE that grows: own slot, moved by the school, given back, taken again."""
    occasion, talk = await slots(school), await family(school)
    await forge(talk, f"slot.{occasion.id}.0")
    await forge(talk, f"file.{occasion.id}")
    seen = [summed(files(talk)[0])]
    school.clock.move(minutes=5)
    await forge(talk, f"slot.{occasion.id}.2")
    seen.append(summed(files(talk)[0]))
    school.clock.move(minutes=5)
    async with school.db.transaction() as tx:
        await moved(tx, occasion, starts_at=occasion.starts_at + DAY, ends_at=occasion.ends_at + DAY)
    await forge(talk, f"news.{occasion.id}")
    seen.append(summed(files(talk)[0]))
    school.clock.move(minutes=5)
    await forge(talk, f"cannot.{occasion.id}")
    seen.append(summed(files(talk)[0]))
    school.clock.move(minutes=5)
    await forge(talk, f"slot.{occasion.id}.1")
    await forge(talk, f"file.{occasion.id}")
    seen.append(summed(files(talk)[0]))
    assert len({uid for _, uid, *_ in seen}) == 1
    sequences = [row[4] for row in seen]
    assert sequences == sorted(set(sequences))
    assert [row[0] for row in seen] == ["PUBLISH", "PUBLISH", "PUBLISH", "CANCEL", "PUBLISH"]
    assert [row[2] - LOCAL_NINE for row in seen[:3]] == [0 * QUARTER, 2 * QUARTER, DAY + 2 * QUARTER]


async def test_what_the_school_calls_off_leaves_the_calendar(school: School) -> None:
    occasion, talk = await slots(school), await family(school)
    await forge(talk, f"slot.{occasion.id}.0")
    await forge(talk, f"file.{occasion.id}")
    before = summed(files(talk)[0])
    async with school.db.transaction() as tx:
        await cancel_occasion(tx, occasion, school.clock.now)
    await forge(talk, f"news.{occasion.id}")
    after = summed(files(talk)[0])
    assert (after[0], after[5], after[1]) == ("CANCEL", "CANCELLED", before[1])
    assert after[4] > before[4]


async def test_summer_time_is_not_a_riddle_for_phones(school: School) -> None:
    """Times are in UTC: 9:00 in June in London is 8:00."""
    june = datetime(2027, 6, 8, 8, 0, tzinfo=UTC)
    occasion, talk = await slots(school, at=june), await family(school)
    await forge(talk, f"open.{occasion.id}")
    assert "Tuesday 8 June, 9:00 to 10:00" in talk.text
    await forge(talk, f"slot.{occasion.id}.0")
    await forge(talk, f"file.{occasion.id}")
    assert b"DTSTART:20270608T080000Z" in files(talk)[0]


async def test_two_parents_have_one_each(school: School) -> None:
    """In a calendar that two parents share, neither replaces the other's."""
    occasion = await slots(school)
    uids = set()
    for n, talk in enumerate([await family(school), await family(school)]):
        await forge(talk, f"slot.{occasion.id}.{n}")
        await forge(talk, f"file.{occasion.id}")
        uids.add(summed(files(talk)[0])[1])
    assert len(uids) == 2


async def test_the_page_hands_it_to_ones_own_browser_only(school: School, browsers: NewBrowser) -> None:
    """No token in the address: the session says whose place it is; everybody else gets nothing."""
    occasion, person = await slots(school), await school.person("parent")
    mine, other = browsers(), browsers()
    await signed_in(school, mine, person)
    await signed_in(school, other, await school.person("parent"))
    await tap(mine, "Menu", "Drop-ins for you", "Tuesday 3 November, 9:00", "9:15", "Put it in my calendar")
    assert summed(mine.answer.content)[2] == LOCAL_NINE + QUARTER
    assert mine.answer.headers["content-type"].startswith("text/calendar")
    assert (await other.http.get(f"/calendar/{occasion.id}")).status_code == 404
    assert b"VCALENDAR" not in (await browsers().http.get(f"/calendar/{occasion.id}")).content
    made = await booking(school, occasion, school.on(person))
    assert made
    assert made.state == COMING


async def tap(browser: PlainBrowser, *labels: str) -> None:
    for label in labels:
        await browser.press(label)
