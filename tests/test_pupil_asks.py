"""A pupil asks for an adult with one tap (S15): who is told, when, who stands in, and what the pupil reads."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from data.access import cut_access
from data.audit import entries
from data.database import Tx
from data.erasing import erase
from data.outbox import on_page
from data.people import find_group
from data.requests import open_requests
from scheduler.asking import ask_others_due
from tests.event_days import add_slots
from tests.school import MONDAY, School, Talk

pytestmark = pytest.mark.both_databases
Leaves = Callable[[Tx, str, datetime], Awaitable[None]]
I_WANT = "I want to talk to Ms Khan"


async def pupil(school: School) -> Talk:
    return school.on(await school.person("pupil", label="Sam B."))


async def host(school: School) -> Talk:
    """A teaching assistant who holds the drop-in of the pupils' group."""
    adult = await school.person("staff", label="Ms Khan")
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await add_slots(tx, group, MONDAY + timedelta(days=1), 2, host=adult)
    return school.on(adult)


async def letters(school: School, talk: Talk) -> list[str]:
    """The letters of pupils that wait on this person's page after everything due was done."""
    await ask_others_due(school.db, school.house.school, school.clock.now)
    await school.rounds()
    async with school.db.reading() as tx:
        waiting = [letter for letter in await on_page(tx, talk.person) if letter.kind == "asked-to-talk"]
    composed = [await school.letters.compose(letter, school.clock.now) for letter in waiting]
    return [message.text for message in composed if message]


async def opens(school: School, talk: Talk) -> None:
    """`Open` of the newest letter."""
    async with school.db.reading() as tx:
        newest = next(letter for letter in await on_page(tx, talk.person) if letter.kind == "asked-to-talk")
    message = await school.letters.compose(newest, school.clock.now)
    assert message
    talk.reply = await talk.forges(message.buttons[0].says)


async def test_one_tap_reaches_the_named_adult_at_once(school: School) -> None:
    """S15: the host of the group's drop-in; the pupil reads who, the letter names nobody (FAIL-7)."""
    adult, child = await host(school), await pupil(school)
    await child.types("/dropins")
    await child.taps(I_WANT)
    assert "I am telling Ms Khan now." in child.text
    assert await letters(school, adult) == ["Somebody asks for a few minutes of your time."]
    await opens(school, adult)
    assert "Sam B. asks to talk with you" in adult.text
    assert "Monday 2 November, 10:00" in adult.text
    await child.types("/dropins")
    assert "Ms Khan knows." in child.text
    async with school.db.reading() as tx:
        (request,) = await open_requests(tx)
    await adult.taps("I have been with them")
    async with school.db.reading() as tx:
        assert await open_requests(tx) == []
        noted = [entry.what for entry in await entries(tx, request.id)]
    assert noted == ["look.request", "request.ended"]
    await child.types("/dropins")
    assert I_WANT in [b.label for b in child.messages[0].buttons]


async def test_a_second_tap_changes_nothing(school: School) -> None:
    adult, child = await host(school), await pupil(school)
    await child.types("/dropins")
    says = child.button(I_WANT).says
    for _ in range(3):
        child.reply = await child.forges(says)
        assert "I am telling Ms Khan now." in child.text
    assert len(await letters(school, adult)) == 1


async def test_what_an_adult_never_ended_keeps_nobody_from_asking_again(school: School) -> None:
    """S15: "I have been with them" is forgotten easily; the next day one tap reaches the adult again."""
    adult, child = await host(school), await pupil(school)
    await child.types("/dropins")
    await child.taps(I_WANT)
    await letters(school, adult)
    await opens(school, adult)
    school.clock.move(hours=5)
    await child.types("/dropins")
    assert "Ms Khan knows." in child.text
    school.clock.move(hours=18)
    await child.types("/dropins")
    await child.taps(I_WANT)
    assert "I am telling Ms Khan now." in child.text
    async with school.db.reading() as tx:
        (request,) = await open_requests(tx)
    assert (request.seen_at, request.asked_at) == (None, school.clock.now)
    assert await letters(school, adult) == [
        "Somebody asks for a few minutes of your time."
    ]  # the new one: the old is gone


@pytest.mark.parametrize("leaves", [erase, cut_access])
async def test_where_the_adult_has_left_another_one_is_told_at_once(school: School, leaves: Leaves) -> None:
    """S15: "Ms Khan knows" is not said of somebody who has gone, nor "I am telling Ms Patel" without telling her."""
    adult, child = await host(school), await pupil(school)
    senco = school.on(await school.person("senco"))
    await child.types("/dropins")
    await child.taps(I_WANT)
    await letters(school, adult)
    await opens(school, adult)
    async with school.db.transaction() as tx:
        await leaves(tx, adult.person, school.clock.now)
    assert await letters(school, senco) == ["Somebody asks for a few minutes of your time."]
    await child.types("/dropins")
    assert "I am telling Ms Patel now." in child.text


async def test_where_the_adult_has_left_and_nobody_is_there_they_can_ask_anew(school: School) -> None:
    adult, child = await host(school), await pupil(school)
    await child.types("/dropins")
    await child.taps(I_WANT)
    async with school.db.transaction() as tx:
        await cut_access(tx, adult.person, school.clock.now)
    await school.rounds()
    await child.types("/dropins")
    assert "I cannot tell a grown-up from here yet." in child.text


async def test_out_of_hours_nobody_is_said_to_read_it(school: School) -> None:
    """SAFE-6: the pupil reads that nobody is there, when somebody is, and where help is now; the letter waits."""
    adult, child = await host(school), await pupil(school)
    school.clock.set(MONDAY.replace(hour=19))
    await child.types("/dropins")
    await child.taps(I_WANT)
    for words in ("School is closed.", "Tuesday 3 November, 8:30", "Nobody at school reads this now", "0800 1111"):
        assert words in child.text
    assert await letters(school, adult) == []
    school.clock.set(MONDAY.replace(hour=8, minute=30) + timedelta(days=1))
    assert await letters(school, adult) == ["Somebody asks for a few minutes of your time."]


async def test_the_senco_is_told_where_the_adult_does_not_look(school: School) -> None:
    """After 15 minutes of office hours, once; not while school is closed, and not when the adult has looked."""
    adult, child = await host(school), await pupil(school)
    senco = school.on(await school.person("senco"))
    await child.types("/dropins")
    await child.taps(I_WANT)
    school.clock.move(minutes=14)
    assert await letters(school, senco) == []
    school.clock.move(minutes=1)
    assert len(await letters(school, senco)) == 1
    assert len(await letters(school, senco)) == 1
    await opens(school, senco)
    assert "Sam B. asks to talk" in senco.text
    assert await letters(school, adult) == []
    await child.types("/dropins")
    assert "Ms Patel knows." in child.text


@pytest.mark.parametrize("looked", [True, False])
async def test_a_quarter_of_an_hour_counts_from_the_opening(school: School, looked: bool) -> None:
    adult, child = await host(school), await pupil(school)
    senco = school.on(await school.person("senco"))
    school.clock.set(MONDAY.replace(hour=15, minute=50))
    await child.types("/dropins")
    await child.taps(I_WANT)
    await letters(school, adult)
    school.clock.set(MONDAY.replace(hour=20))
    assert await letters(school, senco) == []
    if looked:
        await opens(school, adult)
    school.clock.set(MONDAY.replace(hour=8, minute=31) + timedelta(days=1))
    assert len(await letters(school, senco)) == (not looked)


async def test_without_a_host_it_is_the_senco(school: School) -> None:
    child, senco = await pupil(school), school.on(await school.person("senco"))
    await child.types("/dropins")
    await child.taps("I want to talk to Ms Patel")
    assert len(await letters(school, senco)) == 1


async def test_where_nobody_can_be_told_the_pupil_is_not_left_alone(school: School) -> None:
    child = await pupil(school)
    await child.types("/dropins")
    assert "Please tell a grown-up here too." in child.text
    assert "Childline" in child.text
    child.reply = await child.forges("t=ask")
    async with school.db.reading() as tx:
        assert await open_requests(tx) == []


async def test_only_the_adult_and_those_who_stand_in_see_who_it_is(school: School) -> None:
    await host(school)
    child = await pupil(school)
    await child.types("/dropins")
    await child.taps(I_WANT)
    async with school.db.reading() as tx:
        (request,) = await open_requests(tx)
    for role in ("parent", "pupil", "young-person", "office", "staff", "governor", "chair", "admin", "head"):
        other = school.on(await school.person(role))
        for act in ("see", "been"):
            other.reply = await other.forges(f"t={act}.{request.id}")
            assert "Sam" not in other.text
    async with school.db.reading() as tx:
        assert await open_requests(tx) == [request]


async def test_the_menu_leads_back_to_who_waits(school: School) -> None:
    adult, child = await host(school), await pupil(school)
    await child.types("/dropins")
    await child.taps(I_WANT)
    await adult.types("/menu")
    await adult.taps("1 pupil asks to talk", "Monday 2 November, 10:00")
    assert "Sam B." in adult.text
    says = adult.button("I have been with them").says
    await adult.taps("I have been with them")
    adult.reply = await adult.forges(says)
    assert "looked after this already" in adult.text
    await adult.types("/menu")
    assert not [b for m in adult.messages for b in m.buttons if "asks to talk" in b.label]


async def test_only_a_pupil_asks_so(school: School) -> None:
    await host(school)
    for role in ("parent", "staff"):
        talk = school.on(await school.person(role))
        talk.reply = await talk.forges("t=ask")
        assert "This is for staff" in talk.text
    async with school.db.reading() as tx:
        assert await open_requests(tx) == []


async def test_what_a_pupil_types_there_is_screened(school: School) -> None:
    """SAFE-12"""
    await school.readers()
    await host(school)
    child = await pupil(school)
    await child.types("/dropins", "my uncle hurts me")
    assert "Thank you for telling us" in child.text


def test_the_words_are_for_a_reading_age_of_seven() -> None:
    """At most ten words a sentence, and no signs."""
    from tests.school import all_texts

    for key, words in all_texts().phrases["en"].items():
        if key.startswith("talk.pupil"):
            assert isinstance(words, str)
            for sentence in re.split(r"(?<=[.?!])\s+", words):
                assert len(sentence.split()) <= 10, (key, sentence)
