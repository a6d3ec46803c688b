"""Families say whether they come to coffee mornings and events, with how many, and what helps (S3, S13, S14, MSG-2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.bookings import CANNOT, COMING, WAITING, booking_of, places_left
from data.events import Occasion, cancel_event, find_occasion, moved
from data.outbox import NORMAL, Letter
from data.people import find_group
from data.wishes import unwish, who_wishes, wish, wishes_of
from tests.event_days import add_meeting
from tests.school import MONDAY, School, Talk
from tests.test_booking import booking, family, forge, labels

pytestmark = pytest.mark.both_databases
DAY = timedelta(days=1)
ACCESS = {
    "noise": "There is music at the start", "crowds": "About 30 people", "toilets": "Next to the hall",
    "quiet": "The library is open", "cost": "Nothing", "wear": "What you like",
}  # fmt: skip


async def meeting(school: School, kind: str = "coffee", days: int = 1, **more: object) -> Occasion:
    return (await meetings(school, days, kind=kind, **more))[0]


async def meetings(school: School, *days: int, **more: object) -> list[Occasion]:
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        return await add_meeting(tx, group, *[MONDAY + n * DAY for n in days], **more)  # type: ignore[arg-type]


async def letter_about(school: School, talk: Talk, kind: str, ref: str) -> list[str]:
    message = await school.letters.compose(Letter(1, kind, ref, talk.person, NORMAL, 0), school.clock.now)
    return [message.text, *[b.label for b in message.buttons]] if message else []


async def test_three_taps_say_that_we_come(school: School) -> None:
    """S3 (1): open, we are coming, how many."""
    occasion, talk = await meeting(school, title="Coffee with Ms Patel"), await family(school)
    await talk.types("/events")
    assert "Coffee with Ms Patel\nTuesday 3 November, 10:00, The hall\nIn person" in talk.text
    await talk.taps("Tuesday 3 November, 10:00: Coffee with Ms Patel", "We are coming")
    assert "You are coming: 1 person." in talk.text
    await talk.taps("How many of us", "3")
    assert "You are coming: 3 people." in talk.text
    made = await booking(school, occasion, talk)
    assert made
    assert (made.state, made.heads) == (COMING, 3)


async def test_what_an_event_is_like_stands_in_the_message(school: School) -> None:
    """S13 (4): noise, crowds, toilets, quiet room, cost, what to wear, before anybody decides."""
    await meeting(school, access=ACCESS)
    talk = await family(school)
    await talk.types("/events")
    await talk.taps("Tuesday 3 November, 10:00: Coffee morning")
    for words in ACCESS.values():
        assert words in talk.text


async def test_what_makes_it_easier_goes_to_the_host(school: School) -> None:
    """S3 (2), S13 (4)"""
    occasion, talk = await meeting(school), await family(school)
    await talk.types("/events")
    await talk.taps("Tuesday 3 November, 10:00: Coffee morning", "We are coming", "Make it easier for us")
    await talk.taps("We bring a small child", "A way in without steps", "Done")
    made = await booking(school, occasion, talk)
    assert made
    assert made.needs.access == "A way in without steps and We bring a small child"


async def test_some_offer_to_help(school: School) -> None:
    """S13: and can take it back without losing their place."""
    occasion, talk = await meeting(school), await family(school)
    await talk.types("/events")
    await talk.taps("Tuesday 3 November, 10:00: Coffee morning", "I can help at this event")
    made = await booking(school, occasion, talk)
    assert made
    assert (made.state, made.needs.topic) == (COMING, "help")
    assert "You offered to help." in talk.text
    await talk.taps("I cannot help after all")
    made = await booking(school, occasion, talk)
    assert made
    assert (made.state, made.needs.topic) == (COMING, "")


async def test_a_full_room_takes_no_more_heads(school: School) -> None:
    """Who is in stays in when more of them do not fit; others can wait."""
    occasion = await meeting(school, capacity=4)
    first, second = await family(school), await family(school)
    for talk in (first, second):
        await talk.types("/events")
        await talk.taps("Tuesday 3 November, 10:00: Coffee morning", "We are coming")
    await first.taps("How many of us", "3")
    await second.taps("How many of us", "2")
    assert "There is no room for so many of you." in second.text
    made = await booking(school, occasion, second)
    assert made
    assert (made.state, made.heads) == (COMING, 1)
    third = await family(school)
    await third.types("/events")
    await third.taps("Tuesday 3 November, 10:00: Coffee morning")
    assert "All places are taken" in third.text
    await third.taps("Wait for a place")
    await first.taps("I can't come")
    made = await booking(school, occasion, third)
    assert made
    assert made.state == COMING
    async with school.db.reading() as tx:
        assert await places_left(tx, occasion) == 2


async def test_who_was_passed_over_on_the_waiting_list_can_take_a_free_place(school: School) -> None:
    """The place went to nobody while messages were stopped; afterwards it is one tap away."""
    occasion, first, talk = await meeting(school, capacity=1), await family(school), await family(school)
    await forge(first, f"come.{occasion.id}")
    await forge(talk, f"wait.{occasion.id}")
    await talk.types("/stop")
    await forge(first, f"cannot.{occasion.id}")
    await talk.types("/start")
    await forge(talk, f"open.{occasion.id}")
    await talk.taps("We are coming")
    made = await booking(school, occasion, talk)
    assert made
    assert made.state == COMING


async def test_times_that_are_offered_are_marked_together(school: School) -> None:
    """S3 (3): the others are said not to do, so that the host learns which time nobody could make."""
    times, talk = await meetings(school, 1, 2, 3), await family(school)
    await talk.types("/events")
    await talk.taps("Tuesday 3 November, 10:00: Coffee morning", "Which times could you make?")
    await talk.taps("Tuesday 3 November, 10:00", "Thursday 5 November, 10:00", "Done")
    states = [made.state for o in times if (made := await booking(school, o, talk))]
    assert states == [COMING, CANNOT, COMING]


async def test_a_time_that_is_not_marked_any_more_leaves_the_calendar(school: School) -> None:
    times, talk = await meetings(school, 1, 2), await family(school)
    await forge(talk, f"come.{times[1].id}")
    await forge(talk, f"times.{times[0].id}")
    await talk.taps("Tuesday 3 November, 10:00", "Done")
    assert [b"METHOD:CANCEL" in m.file.content for m in talk.messages if m.file] == [True]


async def test_a_week_that_is_left_out_of_a_series_is_no_refusal(school: School) -> None:
    times, talk = await meetings(school, 1, 8, repeats="weekly"), await family(school)
    await talk.types("/events")
    await talk.taps("Tuesday 3 November, 10:00: Coffee morning", "Which times could you make?")
    await talk.taps("Tuesday 3 November, 10:00", "Done")
    assert await booking(school, times[1], talk) is None


async def test_a_time_that_is_full_is_waited_for_when_it_is_marked(school: School) -> None:
    """S3 (3): "OK. It is noted." is never said of a time for which nothing was noted."""
    times, talk = await meetings(school, 1, 2, capacity=1), await family(school)
    await forge(await family(school), f"come.{times[0].id}")
    await forge(talk, f"times.{times[0].id}")
    await talk.taps("Tuesday 3 November, 10:00", "Wednesday 4 November, 10:00", "Done")
    assert [made.state for o in times if (made := await booking(school, o, talk))] == [WAITING, COMING]
    assert "You are waiting for a place." in talk.text


async def test_we_cannot_come_is_one_tap(school: School) -> None:
    occasion, talk = await meeting(school), await family(school)
    await talk.types("/events")
    await talk.taps("Tuesday 3 November, 10:00: Coffee morning", "I can't come")
    made = await booking(school, occasion, talk)
    assert made
    assert made.state == CANNOT


# --- charity and wellbeing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["charity", "wellbeing"])
async def test_only_those_hear_of_it_who_chose_to(school: School, kind: str) -> None:
    """MSG-2, S13 (1): off until somebody turns it on; on no list, in no letter, and no forged tap opens it."""
    occasion, talk = await meeting(school, kind), await family(school)
    await talk.types("/events")
    assert "There is no event planned" in talk.text
    assert await letter_about(school, talk, "event", occasion.event.id) == []
    await forge(talk, f"come.{occasion.id}")
    assert await booking(school, occasion, talk) is None
    await talk.types("/settings")
    await talk.taps(f"Tell me about {kind} events")
    await talk.types("/events")
    assert f"{kind.capitalize()} event" in talk.text
    line, *buttons = await letter_about(school, talk, "event", occasion.event.id)
    assert line == "Elmfield Primary: a new date for your diary."
    assert buttons == ["Open", "Stop messages like this"]


@pytest.mark.parametrize("kind", ["charity", "wellbeing"])
async def test_every_such_message_can_be_stopped(school: School, kind: str) -> None:
    """MSG-3, S13 (2): the stop button works at once, also for what waits to be sent, and for this kind alone."""
    occasion, talk = await meeting(school, kind), await family(school)
    async with school.db.transaction() as tx:
        for each in ("charity", "wellbeing"):
            await wish(tx, talk.person, each)
    await forge(talk, f"open.{occasion.id}")
    await talk.taps("We are coming")
    await talk.taps("Stop messages like this")
    async with school.db.reading() as tx:
        assert await wishes_of(tx, talk.person) == {"charity", "wellbeing"} - {kind}
    for letter in ("event", "reminder", "reminder-hour"):
        assert await letter_about(school, talk, letter, occasion.id) == []


async def test_who_stops_hearing_of_charity_events_waits_for_none(school: School) -> None:
    """MSG-2: no "There is a place for you now" after the stop button, and no place that they do not know of."""
    occasion = await meeting(school, "charity", capacity=1)
    first, stops, next_one = [await family(school) for _ in range(3)]
    for talk, act in ((first, "come"), (stops, "wait"), (next_one, "wait")):
        async with school.db.transaction() as tx:
            await wish(tx, talk.person, "charity")
        await forge(talk, f"{act}.{occasion.id}")
        school.clock.move(minutes=1)
    await stops.taps("Stop messages like this")
    await forge(first, f"cannot.{occasion.id}")
    made = [await booking(school, occasion, talk) for talk in (stops, next_one)]
    assert [b.state for b in made if b] == [WAITING, COMING]
    await forge(next_one, "unwish.charity")
    assert made[1]
    assert await letter_about(school, next_one, "place-free", made[1].id) == []


async def test_no_money_and_no_scores(school: School) -> None:
    """S13 (3), S14 (6): the bot takes no gifts, and asks for nobody's mental health."""
    said = " ".join(
        str(words)
        for key, words in school.house.texts.phrases["en"].items()
        if key.startswith(("booking.", "events.", "wish."))
    )
    assert "donat" not in said.lower()
    assert "score" not in said.lower()


async def test_who_wishes_is_asked_group_by_group(school: School) -> None:
    parents = await school.people(3)
    elsewhere = await school.person("parent", group="Year 3 parents")
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        for person in (parents[0], elsewhere):
            assert await wish(tx, person, "charity")
            assert not await wish(tx, person, "charity")
        assert await who_wishes(tx, group, "charity") == [parents[0]]
        assert await who_wishes(tx, group, "wellbeing") == []
        assert await unwish(tx, parents[0], "charity", school.clock.now)
        assert not await unwish(tx, parents[0], "charity", school.clock.now)
        with pytest.raises(ValueError, match="coffee"):
            await wish(tx, parents[0], "coffee")


async def test_the_switches_say_how_they_stand(school: School) -> None:
    talk = await family(school)
    await talk.types("/settings")
    assert {"Tell me about charity events", "Tell me about wellbeing events"} <= {*labels(talk)}
    await talk.taps("Tell me about charity events")
    await talk.types("/settings")
    assert {"Stop telling me about charity events", "Tell me about wellbeing events"} <= {*labels(talk)}
    staff = school.on(await school.person("office"))
    await staff.types("/settings")
    assert not [label for label in labels(staff) if "charity" in label]
    await staff.forges("s=charity-on")
    async with school.db.reading() as tx:
        assert await wishes_of(tx, staff.person) == set()


# --- letters ------------------------------------------------------------------------------------------------------


async def test_a_change_is_told_with_the_new_day_and_a_new_file(school: School) -> None:
    occasion, talk = await meeting(school), await family(school)
    await forge(talk, f"come.{occasion.id}")
    async with school.db.transaction() as tx:
        later = {"starts_at": occasion.starts_at + DAY, "ends_at": occasion.ends_at + DAY}
        new = await moved(tx, occasion, **later)
        assert (await find_occasion(tx, new.ref)) == new
    line, label = await letter_about(school, talk, "event-changed", new.ref)
    assert line == "Your school appointment is now on Wednesday 4 November, 10:00."
    assert label == "Open"
    await forge(talk, f"news.{new.id}")
    assert "Wednesday 4 November, 10:00 to 12:00" in talk.text
    assert [m.file.name for m in talk.messages if m.file] == ["school-appointment.ics"]


async def test_who_waits_has_nothing_to_take_out_of_a_calendar(school: School) -> None:
    """A file that calls it off would keep a calendar from taking the place that comes later."""
    occasion, talk = await meeting(school, capacity=1), await family(school)
    await forge(await family(school), f"come.{occasion.id}")
    await forge(talk, f"wait.{occasion.id}")
    await forge(talk, f"news.{occasion.id}")
    assert [m.file for m in talk.messages] == [None]


async def test_what_is_off_is_told_to_all_but_who_could_not_come(school: School) -> None:
    occasion = await meeting(school)
    coming, not_coming = await family(school), await family(school)
    await forge(coming, f"come.{occasion.id}")
    await forge(not_coming, f"cannot.{occasion.id}")
    async with school.db.transaction() as tx:
        await cancel_event(tx, occasion.event.id, school.clock.now)
    off = "Your school appointment on Tuesday 3 November, 10:00, is off."
    assert await letter_about(school, coming, "event-cancelled", occasion.event.id) == [off, "Open"]
    assert await letter_about(school, not_coming, "event-cancelled", occasion.event.id) == []
    for kind in ("event", "reminder", "event-changed"):
        assert await letter_about(school, coming, kind, occasion.event.id) == []


async def test_who_waits_is_reminded_of_nothing(school: School) -> None:
    occasion = await meeting(school, capacity=1)
    first, second = await family(school), await family(school)
    await forge(first, f"come.{occasion.id}")
    await forge(second, f"wait.{occasion.id}")
    async with school.db.reading() as tx:
        made = await booking_of(tx, occasion.id, second.person)
    assert made
    assert made.state == WAITING
    assert await letter_about(school, second, "reminder", occasion.id) == []
    assert await letter_about(school, first, "reminder", occasion.id) != []
