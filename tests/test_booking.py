"""Families book, change and give back places at drop-ins (S15): three taps, nothing forced, nothing lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from conversations.channel import Message
from data.access import cut_access
from data.bookings import CANNOT, COMING, WAITING, Booking, booking_of, bookings_for
from data.events import Occasion, cancel_occasion
from data.outbox import on_page
from data.pauses import set_pause
from data.people import find_group, join_group
from data.queue import waiting_items
from tests.event_days import add_dropin, add_slots
from tests.school import MONDAY, School, Talk

pytestmark = pytest.mark.both_databases
DAY = timedelta(days=1)
ACTS = (
    "slot.{}.0", "slot.{}.99", "slot.{}.x", "walk.{}", "come.{}", "wait.{}", "cannot.{}", "heads.{}.3", "help.{}",
    "remind.{}.none", "topic.{}", "times.{}", "move.{}",
)  # fmt: skip
LOCAL_NINE = MONDAY.replace(hour=9) + DAY  # in November, London keeps UTC


async def slots(school: School, n: int = 4, at: datetime = LOCAL_NINE, **more: object) -> Occasion:
    async with school.db.transaction() as tx:
        return await add_slots(tx, await find_group(tx, "SEND parents") or "", at, n, **more)


async def family(school: School) -> Talk:
    return school.on(await school.person("parent"))


async def booking(school: School, occasion: Occasion, talk: Talk) -> Booking | None:
    async with school.db.reading() as tx:
        return await booking_of(tx, occasion.id, talk.person)


async def page(school: School, talk: Talk) -> list[Message]:
    """The letters that wait for this person."""
    async with school.db.reading() as tx:
        letters = await on_page(tx, talk.person)
    composed = [await school.letters.compose(letter, school.clock.now) for letter in letters]
    return [message for message in composed if message]


async def forge(talk: Talk, says: str) -> None:
    """A button of an event that says this, whether anybody was shown it or not."""
    talk.reply = await talk.forges(f"e={says}")


def labels(talk: Talk) -> list[str]:
    return [b.label for m in talk.messages for b in m.buttons]


async def test_three_taps_have_a_place(school: School) -> None:
    """S15: drop-in, time, done; what else there is to say is offered, not asked."""
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    assert "Tuesday 3 November, 9:00, Room 4" in talk.text
    await talk.taps("Tuesday 3 November, 9:00")
    assert labels(talk)[:4] == ["9:00", "9:15", "9:30", "9:45"]
    await talk.taps("9:15")
    assert "Done. You have a place at 9:15." in talk.text
    made = await booking(school, occasion, talk)
    assert made
    assert (made.state, made.slot, made.way, made.remind) == (COMING, 1, "in-person", "both")
    await talk.types("/dropins")
    assert "You have a place at 9:15." in talk.text


async def test_two_drop_ins_at_the_same_time_have_two_names(school: School) -> None:
    """A mother of two, in two groups: the button says which one, as a screen reader reads it without the text."""
    occasion, talk = await slots(school), await family(school)
    async with school.db.transaction() as tx:
        other = await find_group(tx, "Year 3 parents") or ""
        await join_group(tx, talk.person, other)
        await add_slots(tx, other, LOCAL_NINE, 2, place="Room 7")
        await add_slots(tx, other, LOCAL_NINE + DAY, 2, place="Room 7")
    await talk.types("/dropins")
    assert sorted(labels(talk)[:2]) == ["Tuesday 3 November, 9:00, Room 4", "Tuesday 3 November, 9:00, Room 7"]
    assert labels(talk)[2] == "Wednesday 4 November, 9:00"
    await talk.taps("Tuesday 3 November, 9:00, Room 4", "9:15")
    assert await booking(school, occasion, talk)


async def test_nobody_has_to_book(school: School) -> None:
    """S15 (1): who comes without a time takes nobody's slot."""
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "I'm coming, without a time")
    assert "You are coming, without a fixed time." in talk.text
    made = await booking(school, occasion, talk)
    assert made
    assert (made.state, made.slot) == (COMING, None)
    other = await family(school)
    await other.types("/dropins")
    await other.taps("Tuesday 3 November, 9:00")
    assert labels(other)[:4] == ["9:00", "9:15", "9:30", "9:45"]


async def test_many_times_come_a_handful_at_once(school: School) -> None:
    await slots(school, 14)
    talk = await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00")
    assert labels(talk)[:7] == ["9:00", "9:15", "9:30", "9:45", "10:00", "10:15", "Later times"]
    await talk.taps("Later times")
    assert labels(talk)[0] == "10:30"
    await talk.taps("Later times")
    assert labels(talk)[:3] == ["12:00", "12:15", "Earlier times"]
    await talk.taps("12:15")
    assert "Done. You have a place at 12:15." in talk.text


async def test_what_the_host_should_know_is_said_afterwards(school: School) -> None:
    """S15 (2), (5): topic from a list, how to meet, interpreter, and what makes it easier, each when one wants to."""
    occasion = await slots(school, ways=("in-person", "phone"))
    talk = await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:00", "How we meet", "By phone")
    await talk.taps("What it is about", "Sleep and home")
    await talk.taps("Interpreter or BSL", "Another language")
    await talk.types("Polish")
    await talk.taps("Make it easier for us", "A quiet space", "Something else", "Done")
    await talk.types("A chair near the door")
    for words in ("by phone", "Sleep and home", "Interpreter: Polish", "A quiet space; A chair near the door"):
        assert words in talk.text
    made = await booking(school, occasion, talk)
    assert made
    assert made.way == "phone"
    assert (made.needs.topic, made.needs.interpreter) == ("home", "Polish")
    await talk.taps("Interpreter or BSL", "No, thank you")
    assert "Interpreter" not in talk.text


async def test_a_question_can_be_left(school: School) -> None:
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:00", "What it is about", "Cancel")
    made = await booking(school, occasion, talk)
    assert made
    assert made.needs.topic == ""
    assert (await school.known(talk.person)).front is None


async def test_words_of_danger_go_to_a_human_and_not_to_the_host(school: School) -> None:
    """SAFE-3, SAFE-12: also where they stand among access needs."""
    await school.readers()
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:00", "Make it easier for us", "Something else", "Done")
    await talk.types("my uncle hurts me")
    assert "Thank you for telling us" in talk.text
    made = await booking(school, occasion, talk)
    assert made
    assert made.needs.access == ""
    async with school.db.reading() as tx:
        assert len(await waiting_items(tx)) == 1


async def test_words_for_the_host_may_not_be_endless(school: School) -> None:
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:00", "Make it easier for us", "Something else", "Done")
    await talk.types("chair " * 60)
    assert "up to 200 letters" in talk.text
    await talk.types("A chair")
    made = await booking(school, occasion, talk)
    assert made
    assert made.needs.access == "A chair"


async def test_a_place_is_changed_and_needs_stay(school: School) -> None:
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:00", "What it is about", "Friends", "Change the time", "9:45")
    made = await booking(school, occasion, talk)
    assert made
    assert (made.slot, made.needs.topic) == (3, "friends")
    other = await family(school)
    await other.types("/dropins")
    await other.taps("Tuesday 3 November, 9:00")
    assert labels(other)[:3] == ["9:00", "9:15", "9:30"]


async def test_a_full_drop_in_has_a_waiting_list(school: School) -> None:
    """Who waits longest moves up and is told once; who gives the place back loses nothing else."""
    occasion = await slots(school, 1)
    first, second, third = [await family(school) for _ in range(3)]
    await first.types("/dropins")
    await first.taps("Tuesday 3 November, 9:00", "9:00")
    for talk in (second, third):
        await talk.types("/dropins")
        await talk.taps("Tuesday 3 November, 9:00")
        assert "All places are taken" in talk.text
        await talk.taps("Wait for a place")
        assert "waiting list" in talk.text
        school.clock.move(minutes=1)
    await first.taps("I can't come")
    await school.rounds()
    made = await booking(school, occasion, second)
    assert made
    assert made.state == COMING
    told = "There is a place for you now: Tuesday 3 November, 9:00."
    assert [m.text for m in await page(school, second)].count(told) == 1
    assert await page(school, third) == []
    still = await booking(school, occasion, third)
    assert still
    assert still.state == WAITING


@pytest.mark.parametrize("ends", ["STOP", "access cut", "paused"])
async def test_a_place_goes_to_nobody_who_cannot_be_told(school: School, ends: str) -> None:
    """A family that stopped messages would never come, while the next one waits; it waits on, as it may come back."""
    occasion = await slots(school, 1)
    first, gone, next_one = [await family(school) for _ in range(3)]
    await forge(first, f"slot.{occasion.id}.0")
    for talk in (gone, next_one):
        await forge(talk, f"wait.{occasion.id}")
        school.clock.move(minutes=1)
    await gone.types("/stop") if ends == "STOP" else None
    async with school.db.transaction() as tx:
        if ends == "access cut":
            await cut_access(tx, gone.person, school.clock.now)
        if ends == "paused":
            await set_pause(tx, gone.person, "left", None, "", school.clock.now)
    await forge(first, f"cannot.{occasion.id}")
    made = [await booking(school, occasion, talk) for talk in (gone, next_one)]
    assert [b.state for b in made if b] == [CANNOT if ends == "access cut" else WAITING, COMING]


async def test_who_stopped_messages_is_not_promised_one(school: School) -> None:
    """MSG-3: "We tell you when there is one" does not hold after STOP; the card says so, and what to do."""
    occasion, talk = await slots(school, 1), await family(school)
    first = await family(school)
    await forge(first, f"slot.{occasion.id}.0")
    await talk.types("/stop")
    await forge(talk, f"wait.{occasion.id}")
    assert "You stopped messages, so we cannot tell you of a place or a change." in talk.text
    await forge(first, f"cannot.{occasion.id}")
    await talk.types("/start")
    await forge(talk, f"open.{occasion.id}")
    assert "You stopped messages" not in talk.text
    await talk.taps("9:00")
    made = await booking(school, occasion, talk)
    assert made
    assert made.state == COMING


async def test_who_keeps_a_later_time_can_still_give_it_back(school: School) -> None:
    """S15: at 9:05 the time at 9:45 is not over; where it is and what time one has still stands in /dropins."""
    occasion, talk = await slots(school), await family(school)
    await forge(talk, f"slot.{occasion.id}.3")
    school.clock.set(LOCAL_NINE + timedelta(minutes=5))
    await talk.types("/dropins")
    assert "You have a place at 9:45." in talk.text
    await talk.taps("Tuesday 3 November, 9:00")
    assert "This has begun. Your own time is still to come." in talk.text
    await forge(talk, f"slot.{occasion.id}.2")
    assert "You have a place at 9:45." in talk.text
    await talk.taps("I can't come")
    made = await booking(school, occasion, talk)
    assert made
    assert made.state == CANNOT
    assert labels(talk) == ["Drop-ins for you"]


async def test_who_loses_access_keeps_nobody_from_a_place(school: School) -> None:
    """PR-2: a family that has left holds no time at what is still to come."""
    occasion = await slots(school, 1)
    leaves, waits = await family(school), await family(school)
    await forge(leaves, f"slot.{occasion.id}.0")
    await forge(waits, f"wait.{occasion.id}")
    async with school.db.transaction() as tx:
        await cut_access(tx, leaves.person, school.clock.now)
    made = [await booking(school, occasion, talk) for talk in (leaves, waits)]
    assert [b.state for b in made if b] == [CANNOT, COMING]
    await school.rounds()
    assert "There is a place for you now: Tuesday 3 November, 9:00." in [m.text for m in await page(school, waits)]


@pytest.mark.parametrize("meanwhile", ["called off", "given back"])
async def test_an_answer_that_comes_too_late_is_not_said_to_be_noted(school: School, meanwhile: str) -> None:
    """The question about the topic waits on one phone; on another, or at school, the place goes."""
    occasion, talk = await slots(school), await family(school)
    await forge(talk, f"slot.{occasion.id}.0")
    await forge(talk, f"topic.{occasion.id}")
    asked = talk.reply
    if meanwhile == "given back":
        await forge(talk, f"cannot.{occasion.id}")
    else:
        async with school.db.transaction() as tx:
            await cancel_occasion(tx, occasion, school.clock.now, "The boiler is broken.")
    talk.reply = asked
    await talk.taps("Friends")
    assert ("The boiler is broken." if meanwhile == "called off" else "You said that you cannot come.") in talk.text
    assert "It is noted" not in talk.text


async def test_who_comes_is_not_offered_to_wait(school: School) -> None:
    """No button that does nothing: who has said that they come, without a time, cannot wait for one besides."""
    occasion, talk = await slots(school, 1), await family(school)
    await forge(await family(school), f"slot.{occasion.id}.0")
    await forge(talk, f"walk.{occasion.id}")
    await talk.taps("Change the time")
    assert labels(talk) == ["I'm coming, without a time", "Back to the details"]


async def test_i_cannot_come_twice_changes_nothing_more(school: School) -> None:
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:00")
    says = talk.button("I can't come").says
    await talk.forges(says)
    before = await booking(school, occasion, talk)
    await talk.forges(says)
    assert await booking(school, occasion, talk) == before


@pytest.mark.parametrize("when", ["begun", "off", "not theirs"])
async def test_old_and_forged_buttons_change_nothing(school: School, when: str) -> None:
    """B1: a button of what has begun, is off, or belongs to another group answers kindly and changes nothing."""
    occasion = await slots(school)
    group = "Year 3 parents" if when == "not theirs" else "SEND parents"
    talk = school.on(await school.person("parent", group=group))
    if when == "begun":
        school.clock.set(occasion.starts_at + timedelta(minutes=1))
    if when == "off":
        async with school.db.transaction() as tx:
            await cancel_occasion(tx, occasion, school.clock.now, "The boiler is broken.")
    said = {"begun": "has begun or is over", "off": "The boiler is broken.", "not theirs": "cannot find that"}
    for act in ACTS:
        await forge(talk, act.format(occasion.id))
        assert said[when] in talk.text, act
    async with school.db.reading() as tx:
        assert await bookings_for(tx, occasion.id) == []


async def test_reminders_are_chosen_for_each_one(school: School) -> None:
    """field 30: both, the day before, an hour before, none."""
    occasion, talk = await slots(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:00", "Reminders for this one")
    assert labels(talk)[0] == "The day before, and an hour before ✓"
    await talk.taps("No reminders")
    made = await booking(school, occasion, talk)
    assert made
    assert made.remind == "none"
    await school.rounds()
    assert await page(school, talk) == []


async def test_a_reminder_names_ones_own_time(school: School) -> None:
    """S15 (3), FAIL-7: "Your school appointment tomorrow, 9:30", and nothing else."""
    await slots(school)
    talk, silent = await family(school), await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00", "9:30")
    await school.rounds()
    assert [m.text for m in await page(school, talk)] == ["Your school appointment tomorrow, 9:30."]
    assert [m.text for m in await page(school, silent)] == ["Elmfield Primary: there is a date for you tomorrow, 9:00."]


async def test_a_reminder_of_friday_names_monday(school: School) -> None:
    """A reminder goes on the last school day before, which need not be the day before."""
    school.clock.set(MONDAY + 4 * DAY)
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await add_dropin(tx, group, MONDAY + 7 * DAY, "Hall", school.clock.now)
    talk = await family(school)
    await school.rounds()
    assert [m.text for m in await page(school, talk)] == [
        "Elmfield Primary: there is a date for you on Monday 9 November, 10:00."
    ]


async def test_whoever_needs_to_talk_sooner_learns_whom_to_call(school: School) -> None:
    """S15 (4)"""
    await slots(school)
    talk = await family(school)
    await talk.types("/dropins")
    await talk.taps("I need to talk sooner")
    for words in ("0161 496 0000", "Mon-Fri 08:30-16:00", "SENDIASS", "999 in danger", "Ms Patel"):
        assert words in talk.text
    assert "I need help" in labels(talk)
    school.clock.move(hours=10)
    await talk.types("/dropins")
    await talk.taps("I need to talk sooner")
    assert "It opens Tuesday 3 November, 8:30" in talk.text


async def test_the_address_of_a_video_meeting_is_for_those_who_have_a_place(school: School) -> None:
    await slots(school, ways=("video",), online="https://meet.example/room")
    talk = await family(school)
    await talk.types("/dropins")
    await talk.taps("Tuesday 3 November, 9:00")
    assert "meet.example" not in talk.text
    await talk.taps("9:00")
    assert "https://meet.example/room" in talk.text


async def test_the_place_given_up_for_another_goes_to_who_waits(school: School) -> None:
    occasion = await slots(school, 2)
    first, second, third = [await family(school) for _ in range(3)]
    for talk, at in ((first, "9:00"), (second, "9:15")):
        await talk.types("/dropins")
        await talk.taps("Tuesday 3 November, 9:00", at)
    await third.types("/dropins")
    await third.taps("Tuesday 3 November, 9:00", "Wait for a place")
    await first.taps("Change the time", "I'm coming, without a time")
    made = await booking(school, occasion, third)
    assert made
    assert (made.state, made.slot) == (COMING, 0)
