"""Not too often: two consultations a half term, one reminder each, and nothing in the middle of something (6.9)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.errands.send import Refused, check_sending, default_sending, send_survey
from conversations.channel import Message
from data.calendar import Calendar, Stretch, save_calendar
from data.people import add_address, find_group, set_stopped
from data.school import check_school
from data.surveys import Survey, find_survey
from scheduler.closing import close_survey
from scheduler.nudging import nudge_due
from scheduler.plan import nudge_time
from scheduler.sending import BUSY, QUIET_FOR
from tests.event_days import add_dropin
from tests.school import ELMFIELD, MONDAY, School
from tests.test_privacy_modes import room

pytestmark = pytest.mark.both_databases

TERM = (
    Stretch("term", date(2026, 9, 2), date(2026, 12, 18)),
    Stretch("half-term", date(2026, 11, 16), date(2026, 11, 20)),
)


class Phones:
    """The network edge: who got what, when."""

    name = "telegram"

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []

    async def send(self, address: str, message: Message) -> None:
        self.got.append((address, message.text))

    def new(self) -> list[tuple[str, str]]:
        found, self.got = sorted(self.got), []
        return found


async def families(school: School, n: int, first: int = 0) -> list[str]:
    people = await school.people(n)
    async with school.db.transaction() as tx:
        for i, person in enumerate(people, first):
            await add_address(tx, person, "telegram", f"phone {i:02}")
    return people


async def send(school: School, mode: str, id: str) -> Survey:
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, room(mode, id=id), group, school.clock.now.date())
        return await send_survey(tx, school.house, sending, school.clock.now)


async def close(school: School, survey: Survey) -> None:
    async with school.db.transaction() as tx:
        await close_survey(tx, survey, school.clock.now, school.clock.now.date())


async def refusal(school: School, mode: str) -> tuple[str, dict[str, object]]:
    with pytest.raises(Refused) as caught:
        await send(school, mode, "third")
    return caught.value.key, dict(caught.value.facts)


# --- two in a half term -------------------------------------------------------------------------------------------


async def test_nobody_is_asked_a_third_time_in_a_half_term(school: School) -> None:
    """6.9: open and closed consultations count alike; from the next half on all can be asked again."""
    await school.readers()
    people = await families(school, 12)
    async with school.db.transaction() as tx:
        await save_calendar(tx, TERM)
    await close(school, await send(school, "CONF", "first"))
    await send(school, "CONF", "second")
    assert await refusal(school, "CONF") == ("staff.enough", {"date": "21 November 2026"})

    new = await families(school, 3, first=12)
    third = await send(school, "NAMED", "third")
    assert third.asked == 3
    async with school.db.reading() as tx:
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, room("CONF", id="fourth"), group, date(2026, 11, 2))
        reached = await check_sending(tx, school.house, sending, school.clock.now)
    assert (set(reached.people), reached.left_out, reached.until) == (set(new), 12, date(2026, 11, 21))
    school.clock.set(datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert (await send(school, "CONF", "fourth")).asked == len(people) + 3


async def test_ten_must_be_asked_anew_for_answers_without_names(school: School) -> None:
    """ANON-3 counts those who are really asked now: who had two already hides nobody."""
    await school.readers()
    await families(school, 12)
    await send(school, "CONF", "first")
    await send(school, "CONF", "second")
    await families(school, 9, first=12)
    key, facts = await refusal(school, "ANON")
    assert (key, facts["n"], facts["count"]) == ("staff.few-left", 9, 12)
    await families(school, 1, first=21)
    assert (await send(school, "ANON", "third")).asked == 10


async def test_the_sender_sees_who_is_left_out_before_sending(school: School) -> None:
    """6.9, field 9: before the tap, in numbers."""
    await school.readers()
    await families(school, 12)
    await send(school, "CONF", "first")
    await send(school, "CONF", "second")
    senco = school.on(await school.person("senco"))
    await families(school, 10, first=12)
    await senco.types("/send")
    await senco.taps("Help for extra needs (SEND)", "SEND parents")
    assert "It reaches 10 people" in senco.text
    assert "12 of 22 have had two consultations this half term. They are not asked." in senco.text
    await senco.taps("Send now")
    assert "Sent to 10 people" in senco.text


# --- one reminder -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closes", "at"),
    [
        ("2026-11-16T18:00", "2026-11-11T16:00"),  # three school days before a Monday
        ("2026-11-06T18:00", "2026-11-03T16:00"),  # four school days
        ("2026-11-05T18:00", None),  # three: the invitation is enough
        ("2026-11-23T18:00", "2026-11-11T16:00"),  # half term lies between
    ],
)
def test_when_a_consultation_is_reminded_of(closes: str, at: str | None) -> None:
    school = check_school(ELMFIELD, "school.yaml")
    closes_at = datetime.fromisoformat(closes).replace(tzinfo=school.zone)
    expected = datetime.fromisoformat(at).replace(tzinfo=school.zone) if at else None
    assert nudge_time(MONDAY, closes_at, school, Calendar(TERM)) == expected


async def test_only_those_who_neither_finished_nor_said_no_are_reminded(school: School) -> None:
    """6.9: once, and neither who has finished, nor who declined, nor who stopped; what is late is looked at again."""
    await school.readers()
    done, no, stopped, later, waits, begun = await families(school, 6)
    survey = await send(school, "CONF", "lunch")
    phones = Phones()
    await school.rounds({"telegram": phones})
    assert len(phones.new()) == 6
    await answers(school, done, survey)
    talk = school.on(no)
    talk.reply = await talk.forges(f"o={survey.id}")
    await talk.taps("No, thank you")
    talk = school.on(begun)
    talk.reply = await talk.forges(f"o={survey.id}")
    await talk.taps("Yes, start")
    async with school.db.transaction() as tx:
        await set_stopped(tx, stopped, True, school.clock.now)
    found = await again(school, survey)
    assert found.nudge_at is not None
    school.clock.set(found.nudge_at)
    assert await nudge_due(school.db, school.clock.now)
    await answers(school, later, survey)  # between the posting and the sending
    await school.rounds({"telegram": phones})

    words = "Your questions wait for you until Monday 16 November."
    assert phones.new() == [("phone 04", words), ("phone 05", words)]
    assert waits
    assert (await again(school, survey)).nudge_at is None
    school.clock.move(days=2)
    await school.rounds({"telegram": phones})
    assert phones.new() == []


async def test_a_box_is_never_looked_into_to_find_whom_to_remind(school: School) -> None:
    """ANON-5: everyone asked who has not stopped, in its words."""
    await school.readers()
    people = await families(school, 10)
    survey = await send(school, "ANON", "lunch")
    phones = Phones()
    await school.rounds({"telegram": phones})
    phones.new()
    await answers(school, people[0], survey)
    async with school.db.transaction() as tx:
        await set_stopped(tx, people[9], True, school.clock.now)
    school.clock.set((await again(school, survey)).nudge_at or MONDAY)
    school.clock.move(minutes=1)
    await nudge_due(school.db, school.clock.now)
    await school.rounds({"telegram": phones})

    got = phones.new()
    assert [who for who, _ in got] == [f"phone {i:02}" for i in range(9)]
    assert {text for _, text in got} == {
        "Some questions are open until Monday 16 November. If you have answered or do not want to: nothing to do."
    }


async def test_staff_remind_early_and_once(school: School) -> None:
    """6.9: `Remind now` is the one reminder; the clock sends no second. Roles that only read have no such button."""
    await school.readers()
    await families(school, 3)
    survey = await send(school, "CONF", "lunch")
    senco = school.on(await school.person("senco"))
    await senco.types("/summary")
    says = senco.button("Remind now").says
    await senco.taps("Remind now")
    assert senco.text == "Done. 3 people get one reminder. There is no other."
    senco.reply = await senco.forges(says)
    assert senco.text == "They have had their reminder. There is only one."
    await senco.types("/summary")
    assert "Remind now" not in [b.label for m in senco.messages for b in m.buttons]
    assert (await again(school, survey)).nudge_at is None
    dsl = school.on(await school.person("dsl"))
    dsl.reply = await dsl.forges(says)
    assert dsl.text.startswith("This is for staff.")


async def test_no_reminder_of_what_is_closed(school: School) -> None:
    """A reminder that waits when the questions close is dropped, and the outbox says why."""
    await school.readers()
    await families(school, 2)
    survey = await send(school, "CONF", "lunch")
    phones = Phones()
    await school.rounds({"telegram": phones})
    phones.new()
    school.clock.set((await again(school, survey)).nudge_at or MONDAY)
    await nudge_due(school.db, school.clock.now)
    await close(school, survey)
    await school.rounds({"telegram": phones})
    assert not [text for _, text in phones.new() if "wait for you" in text]


async def again(school: School, survey: Survey) -> Survey:
    async with school.db.reading() as tx:
        found = await find_survey(tx, survey.id)
    assert found
    return found


async def answers(school: School, person: str, survey: Survey) -> None:
    """Open it, start, skip everything, and send."""
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey.id}")
    await talk.taps("Yes, start")
    while "Skip" in [b.label for m in talk.messages for b in m.buttons]:
        await talk.taps("Skip")
    await talk.taps("Send my answers")


# --- in the middle of something -----------------------------------------------------------------------------------


async def test_nothing_of_our_own_accord_comes_in_the_middle_of_questions(school: School) -> None:
    """Field 17: an invitation waits while somebody answers, and goes when they have left it for ten minutes."""
    await school.readers()
    person, other = await families(school, 2)
    survey = await send(school, "CONF", "first")
    phones = Phones()
    await school.rounds({"telegram": phones})
    phones.new()
    school.clock.move(hours=1)
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey.id}")
    await talk.taps("Yes, start")
    await send(school, "CONF", "second")
    school.clock.move(minutes=1)
    await school.rounds({"telegram": phones})
    assert [who for who, _ in phones.new()] == ["phone 01"]
    assert other
    await talk.taps("Skip")
    school.clock.move(minutes=9)
    await school.rounds({"telegram": phones})
    assert phones.new() == []
    school.clock.move(minutes=11)
    await school.rounds({"telegram": phones})
    assert [who for who, _ in phones.new()] == ["phone 00"]


async def test_a_reminder_still_goes_before_its_event_begins(school: School) -> None:
    """Field 17, S15: who is in the middle of questions five minutes before a drop-in hears of it."""
    await school.readers()
    (person,) = await families(school, 1)
    survey = await send(school, "CONF", "first")
    phones = Phones()
    await school.rounds({"telegram": phones})
    phones.new()
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        soon, later = (school.clock.now + timedelta(minutes=m) for m in (8, 40))
        await add_dropin(tx, group, soon, "Library", school.clock.now)
        await add_dropin(tx, group, later, "Hall", school.clock.now)
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey.id}")
    await talk.taps("Yes, start")
    await school.rounds({"telegram": phones})
    assert len(phones.new()) == 1
    school.clock.move(minutes=10)
    assert timedelta(minutes=10) == QUIET_FOR
    await school.rounds({"telegram": phones})
    assert len(phones.new()) == 1
    assert BUSY
