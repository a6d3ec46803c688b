"""/send for a day and a time: said in plain words, checked again when it goes, shown and cancelled (X3)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.sending_later import planned_sender
from data.access import take_role
from data.calendar import Stretch, save_calendar
from data.people import find_group, set_stopped
from data.sendings import coming_sendings
from data.surveys import all_surveys
from scheduler.planned import planned_due
from tests.school import School, Talk
from tests.test_errands import sending

pytestmark = pytest.mark.both_databases


async def planned(school: School, *lines: str) -> Talk:
    """The last screen after `Change`, 7 and these words."""
    talk = await sending(school)
    for line in lines:
        await talk.taps("Change")
        await talk.types("7", line)
    return talk


async def at(school: School, when: str) -> bool:
    """What is planned, as the clock does it then."""
    school.clock.set(datetime.fromisoformat(when).replace(tzinfo=UTC))
    return await planned_due(school.db, school.house.school, planned_sender(school.house), school.clock.now)


async def sent(school: School) -> list[str]:
    async with school.db.reading() as tx:
        return [survey.id for survey in await all_surveys(tx)]


async def test_it_goes_out_on_its_day_and_once(school: School) -> None:
    """Issue 5: /send can be set for a day and time. What was said is shown as a day before it counts."""
    talk = await planned(school, "next Tuesday, half 3")
    assert "Goes out: Tuesday 10 November, 15:30. Is that the day you mean?" in talk.text
    assert "Send now" not in [b.label for b in talk.messages[-1].buttons]
    await talk.taps("Plan it")
    assert "Planned for Tuesday 10 November, 15:30." in talk.text
    assert await sent(school) == []
    assert not await at(school, "2026-11-10T15:29")
    assert await at(school, "2026-11-10T15:30")
    assert not await at(school, "2026-11-10T15:31")
    assert await sent(school) == ["parent-send-provision-1"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("tomorrow", "Tuesday 3 November, 9:00"),
        ("10 November 2026 at 8.15", "Tuesday 10 November, 8:15"),
        ("half 3", "Monday 2 November, 15:30"),
    ],
)
async def test_days_and_times_in_plain_words(school: School, words: str, shown: str) -> None:
    talk = await planned(school, words)
    assert f"Goes out: {shown}." in talk.text


@pytest.mark.parametrize("words", ["31 February", "1 November 2026", "9.30", "soon", "today 9am"])
async def test_a_time_that_is_past_or_none_is_refused_kindly(school: School, words: str) -> None:
    """Bad input (issue 5): one line that says what works, and nothing is lost."""
    talk = await planned(school, words)
    assert "I need a day and a time that are still to come" in talk.text
    await talk.types("now")
    assert "It reaches 12 people" in talk.text
    await talk.taps("Send now")
    assert "Sent to 12 people" in talk.text


@pytest.mark.parametrize(
    ("number", "typed"), [("5", "31/12/9999"), ("6", "20 November 2062"), ("7", "1 May 9999 9:00")]
)
async def test_no_question_stays_open_for_a_thousand_years(school: School, number: str, typed: str) -> None:
    """A slip of the year kept the box shut, and whoever asked without an answer."""
    talk = await sending(school)
    await talk.taps("Change")
    await talk.types(number, typed)
    assert "That day is very far away" in talk.text
    assert await sent(school) == []


async def test_a_relative_day_stays_that_day(school: School) -> None:
    talk = await planned(school, "tomorrow 10:00")
    school.clock.move(hours=20)
    await talk.types("/again")
    assert "Goes out: Tuesday 3 November, 10:00." in talk.text


async def test_a_time_outside_the_window_moves_into_it(school: School) -> None:
    """6.9: a half term, a weekend and the evening move to the next time at which the bot may write."""
    half_term = Stretch("half-term", date(2026, 11, 9), date(2026, 11, 13))
    async with school.db.transaction() as tx:
        await save_calendar(tx, [half_term])
    usual = school.house.school.model_copy(update={"send_window": "08:00-18:00 school days"})
    object.__setattr__(school.house, "school", usual)
    talk = await planned(school, "Friday 7pm")
    assert "Goes out: Monday 16 November, 8:00." in talk.text
    assert "It would close before it goes out" not in talk.text


async def test_closing_before_it_goes_out_is_said(school: School) -> None:
    talk = await planned(school, "20 November")
    assert "It would close before it goes out. Please change one of the days." in talk.text
    assert [b.label for b in talk.messages[-1].buttons] == ["Change", "Cancel"]


async def test_planned_sendings_are_shown_and_cancelled(school: School) -> None:
    talk = await planned(school, "tomorrow 10:00")
    await talk.taps("Plan it")
    await talk.types("/send")
    await talk.taps("1 sending is planned")
    assert "Help for extra needs (SEND), to SEND parents: Tuesday 3 November, 10:00" in talk.text
    cancel = talk.button("Cancel it").says
    await talk.taps("Cancel it")
    assert "Cancelled. It does not go out." in talk.text
    talk.reply = await talk.forges(cancel)
    assert "That is not planned any more." in talk.text
    assert not await at(school, "2026-11-03T10:00")
    assert await sent(school) == []


async def test_only_those_who_send_see_and_cancel(school: School) -> None:
    talk = await planned(school, "tomorrow 10:00")
    await talk.taps("Plan it")
    async with school.db.reading() as tx:
        (waits,) = await coming_sendings(tx)
    parent = school.on(await school.person("parent"))
    for what in ("all", waits.id, f"cancel.{waits.id}"):
        parent.reply = await parent.forges(f"when={what}")
        assert parent.text.startswith("This is for staff.")
    assert await at(school, "2026-11-03T10:00")


async def test_what_is_refused_then_is_told_to_whoever_planned_it(school: School) -> None:
    """ANON-3 is counted again when it goes: three families have stopped since."""
    talk = await planned(school, "tomorrow 10:00")
    await talk.taps("Plan it")
    async with school.db.transaction() as tx:
        from data.people import members

        for person in (await members(tx, await find_group(tx, "SEND parents") or ""))[:3]:
            await set_stopped(tx, person, True, school.clock.now)
    assert await at(school, "2026-11-03T10:00")
    assert await sent(school) == []
    await school.rounds()
    talk.reply = await talk.forges(await letter_of(school, talk.person))
    assert "This did not go out" in talk.text
    assert "Only 9 people in that group can be asked now." in talk.text
    assert not await at(school, "2026-11-03T10:05")


async def test_who_may_not_send_any_more_sends_nothing(school: School) -> None:
    """Those who may are told: else the questions would be missed by nobody."""
    talk = await planned(school, "tomorrow 10:00")
    await talk.taps("Plan it")
    head = await school.person("head")
    async with school.db.transaction() as tx:
        await take_role(tx, talk.person, "senco", school.clock.now)
    assert await at(school, "2026-11-03T10:00")
    assert await sent(school) == []
    await school.rounds()
    reads = school.on(head)
    reads.reply = await reads.forges(await letter_of(school, head))
    assert "This did not go out" in reads.text


async def letter_of(school: School, person: str) -> str:
    """What the button of the letter on this person's page says."""
    from data.outbox import on_page

    async with school.db.reading() as tx:
        letters = [letter for letter in await on_page(tx, person) if letter.kind == "send-refused"]
    message = await school.letters.compose(letters[0], school.clock.now)
    assert message
    assert message.text == "Something that was planned did not go out."
    return message.buttons[0].says
