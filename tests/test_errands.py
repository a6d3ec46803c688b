"""Staff tasks in chat: sending with other dates, a drop-in with odd input, closing, who sees what."""

from __future__ import annotations

import pytest

from data.outbox import on_page
from data.surveys import find_survey
from tests.school import School, Talk
from tests.test_dialogue import SURVEY, answer, send

pytestmark = pytest.mark.both_databases


async def sending(school: School) -> Talk:
    await school.readers()
    await school.people(12)
    talk = school.on(await school.person("senco"))
    await talk.types("/send")
    await talk.taps("Help for extra needs (SEND)", "SEND parents")
    return talk


async def test_the_last_screen_says_what_it_decides_who_and_when(school: School) -> None:
    """X3: decision, decider, closing date, answer date; how many it reaches."""
    talk = await sending(school)
    for words in (
        "It reaches 12 people", "what we change in the help for children with extra needs", "Mrs Ahmed",
        "16 November 2026", "30 November 2026",
    ):  # fmt: skip
        assert words in talk.text


async def test_decision_and_dates_can_be_changed(school: School) -> None:
    talk = await sending(school)
    await talk.taps("Change")
    await talk.types("3", "how we spend the SEND money")
    assert "how we spend the SEND money" in talk.text
    await talk.taps("Change")
    await talk.types("5", "20 November")
    assert "Closes: 20 November 2026" in talk.text
    await talk.taps("Change")
    await talk.types("6", "19 November 2026")
    assert "The answer date must come after the closing date" in talk.text
    assert "Send now" not in [b.label for b in talk.messages[-1].buttons]
    await talk.taps("Change")
    await talk.types("6", "1 December 2026")
    await talk.taps("Send now")
    assert "Sent to 12 people" in talk.text


async def test_cancel_sends_nothing(school: School) -> None:
    talk = await sending(school)
    await talk.taps("Cancel")
    assert "Nothing was sent" in talk.text
    await talk.types("/summary")
    assert "There are no results yet" in talk.text


async def test_sending_twice_by_a_double_tap_sends_once(school: School) -> None:
    talk = await sending(school)
    says = talk.button("Send now").says
    await talk.forges(says)
    again = await talk.forges(says)
    assert "That is finished" in again.messages[0].text
    await talk.types("/summary")
    assert SURVEY in talk.text
    assert "-2" not in talk.text


@pytest.mark.parametrize(
    ("day", "says"),
    [("yesterday", "I need a date"), ("1 November 2026", "That day is past"), ("31 February", "I need a date")],
)
async def test_a_wrong_day_is_asked_again(school: School, day: str, says: str) -> None:
    talk = school.on(await school.person("office"))
    await talk.types("/dropin", day)
    assert says in talk.text
    assert "On which day is the drop-in?" in talk.text


async def test_a_wrong_time_is_asked_again(school: School) -> None:
    talk = school.on(await school.person("office"))
    await talk.types("/dropin", "10 November", "half past")
    assert "I need a time" in talk.text
    assert "At what time?" in talk.text
    await talk.types("2.30pm", "The hall")
    await talk.taps("Year 3 parents")
    assert "Tuesday 10 November, 14:30" in talk.text
    await talk.taps("Send now")
    assert "the reminder is set" in talk.text


async def test_a_staff_member_in_the_middle_of_an_errand_can_ask_for_help(school: School) -> None:
    talk = await sending(school)
    await talk.types("/help")
    assert "Please check" in talk.text
    assert talk.button("Send now")


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("admin", {"send", "close", "summary", "export", "dropin"}),
        ("senco", {"send", "close", "summary", "export", "dropin", "queue"}),
        ("head", {"send", "close", "summary", "export", "dropin", "queue"}),
        ("dsl", {"summary", "export", "queue"}),
        ("deputy", {"summary", "export", "queue"}),
        ("chair", {"queue"}),
        ("staff", {"dropin"}),
        ("office", {"dropin"}),
        ("governor", set()),
        ("parent", {"surveys", "dropins"}),
    ],
)
async def test_who_may_do_what(school: School, role: str, may: set[str]) -> None:
    """The table of the contract, command by command."""
    talk = school.on(await school.person(role))
    allowed = set()
    for command in ("send", "close", "summary", "export", "queue", "dropin", "surveys", "dropins"):
        await talk.types(f"/{command}")
        if "This is for staff" not in talk.text:
            allowed.add(command)
        await talk.types("cancel")
    assert allowed == may


async def test_close_and_count_needs_the_right_too(school: School) -> None:
    """Charlie may not: a forged `close` from somebody else changes nothing."""
    talk = await sending(school)
    await talk.taps("Send now")
    for role in ("parent", "dsl", "governor", "staff"):
        reply = await school.on(await school.person(role)).forges(f"close={SURVEY}")
        assert "This is for staff" in reply.messages[0].text
    await talk.types("/summary")
    assert "Started: 0" in talk.text


async def test_closing_at_six_on_the_closing_date_tells_everybody(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    await send(school)
    for person in parents[:6]:
        await answer(school, person)
    begun = school.on(parents[7])
    begun.reply = await begun.forges(f"o={SURVEY}")
    await begun.taps("Yes, start", "Very well")
    school.clock.move(days=14, hours=7, minutes=59)
    await school.rounds()
    assert "open" in await state(school)
    school.clock.move(minutes=1)
    await school.rounds()
    assert "closed" in await state(school)


async def state(school: School) -> str:
    async with school.db.reading() as tx:
        survey = await find_survey(tx, SURVEY)
    assert survey
    return survey.state


async def test_a_dropin_made_late_says_that_people_are_told_now(school: School) -> None:
    parent = await school.person("parent", group="Year 3 parents")
    talk = school.on(await school.person("office"))
    school.clock.move(hours=7)
    await talk.types("/dropin", "3 November", "9am", "The hall")
    await talk.taps("Year 3 parents")
    assert "one message about it now" in talk.text
    await talk.taps("Send now")
    await school.rounds()
    async with school.db.reading() as tx:
        assert [letter.kind for letter in await on_page(tx, parent)] == ["reminder"]


async def test_a_time_that_the_clocks_skip_is_confirmed_as_it_will_be_listed(school: School) -> None:
    talk = school.on(await school.person("office"))
    await talk.types("/dropin", "28 March 2027", "1.30am", "The hall")
    await talk.taps("Year 3 parents")
    assert "Sunday 28 March, 2:30" in talk.text
