"""A school's first weeks on Telegram: over real HTTP, with the real python-telegram-bot, against a strict server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Person, TelegramServer


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[TelegramSchool]:
    async with telegram_school(tmp_path) as running:
        yield running


async def asked(bot: TelegramSchool, parents: int = 10) -> tuple[Person, list[Person]]:
    """A SENCO who has sent the questions, and parents who were invited."""
    await bot.joins("dsl")
    await bot.joins("deputy")
    senco = await bot.joins("senco")
    people = [await bot.joins("parent", "SEND parents") for _ in range(parents)]
    await senco.types("/send")
    for label in ("Help for extra needs (SEND)", "SEND parents", "Send now"):
        await senco.sees_button(label)
        await senco.taps(label)
    await senco.sees(f"Sent to {parents} people")
    await bot.rounds()
    return senco, people


async def taps(person: Person, *labels: str) -> None:
    for label in labels:
        await person.sees_button(label)
        before = newest(person)
        await person.taps(label)
        await until(lambda: newest(person) > before)  # noqa: B023


def newest(person: Person) -> int:
    return max((m.id for m in person.messages), default=0)


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    for _ in range(int(seconds * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


async def test_a_parent_answers_and_the_senco_sees_it(bot: TelegramSchool) -> None:
    senco, parents = await asked(bot)
    for parent in parents:
        await parent.reads_until("Elmfield Primary has 7 questions for you.")
        parent.read_all()
        await parent.taps("Open")
        await parent.reads_until("You do not have to answer")
        await parent.taps("Yes, start")
        await parent.reads_until("Question 1 of 7")
        for n, said in enumerate(("1", "Some", "a lot", "3", "easy", "1, 2"), 2):
            await parent.types(said)
            await parent.reads_until(f"Question {n} of 7")
        await parent.types("More time, please.")
        await parent.reads_until("They are not sent yet")
        await parent.taps("Send my answers")
        await parent.reads_until("Thank you. We have your answers.")
    await senco.types("/summary")
    await senco.reads_until("Finished: 10.")
    await senco.taps("Close and count")
    await senco.reads_until("10 of 10 people answered")
    await senco.sees("Very well")
    while not any(m.photo for m in senco.messages):
        await senco.reads()
    await bot.rounds()
    await parents[0].reads_until("the questions have closed. You will hear")


async def test_choosing_up_to_two_marks_in_place(bot: TelegramSchool) -> None:
    _, parents = await asked(bot)
    parent = parents[0]
    await taps(parent, "Open")
    await taps(parent, "Yes, start", "Skip", "Skip", "Skip", "Skip", "Skip")
    await parent.sees("Question 6 of 7")
    await parent.taps("A clearer plan")
    await parent.sees_button("A clearer plan ✓")
    assert "A clearer plan ✓" in parent.last.labels
    await parent.taps("A clearer plan ✓")
    await parent.sees_button("A clearer plan")
    await parent.taps("A clearer plan")
    await parent.sees_button("A clearer plan ✓")
    await parent.taps("Something else")
    await parent.sees("Question 7 of 7")


async def test_a_reminder_comes_once_also_after_a_restart(tmp_path: Path) -> None:
    async with telegram_school(tmp_path) as bot:
        senco = await bot.joins("senco")
        parent = await bot.joins("parent", "Year 3 parents")
        other = await bot.joins("parent", "Year 4 parents")
        await senco.types("/dropin")
        for said in ("10 November 2026", "9am", "The library"):
            await senco.reads()
            await senco.types(said)
        await taps(senco, "Year 3 parents", "Send now")
        await senco.sees("the reminder is set")
        await parent.types("/dropins")
        await parent.reads_until("Tuesday 10 November, 9:00, The library")
        await other.types("/dropins")
        await other.reads_until("There is no drop-in planned")
        await bot.rounds()
        server = bot.server
        parent.read_all()
        bot.school.clock.set(datetime(2026, 11, 9, 15, 59, tzinfo=UTC))
        await bot.rounds()
        before = len(parent.messages)
        bot.school.clock.set(datetime(2026, 11, 9, 16, 0, tzinfo=UTC))
        await bot.rounds()
        await bot.rounds()
        assert [m.text for m in parent.messages[before:]] == [
            "Elmfield Primary: there is a date for you tomorrow, 9:00."
        ]
        assert not any("appointment" in m.text for m in other.messages)
        assert server.refused == []


async def test_a_restart_in_the_middle_goes_on_at_the_same_question(tmp_path: Path) -> None:
    async with TelegramServer() as server:
        async with telegram_school(tmp_path, server) as bot:
            _, parents = await asked(bot)
            await taps(parents[0], "Open", "Yes, start", "Very well", "Some")
            await parents[0].sees("Question 3 of 7")
        async with telegram_school(tmp_path, server):
            await taps(parents[0], "A lot")
            await parents[0].sees("Question 4 of 7")
            await parents[0].types("/again")
            await until(lambda: sum("Question 4 of 7" in m.text for m in parents[0].messages) == 2)


async def test_the_same_update_twice_is_one_answer(bot: TelegramSchool) -> None:
    """B2"""
    _, parents = await asked(bot)
    parent = parents[0]
    await taps(parent, "Open", "Yes, start")
    update = await parent.types("1")
    await parent.sees("Question 2 of 7")
    bot.server.redeliver(update)
    await parent.types("2")
    await parent.sees("Question 3 of 7")
    bot.server.redeliver(update)
    await bot.server.idle()
    assert sum("Question 3 of 7" in m.text for m in parent.messages) == 1
    assert not any("Question 4 of 7" in m.text for m in parent.messages)


@pytest.mark.parametrize(
    "fields",
    [
        {"sticker": {"file_id": "a", "file_unique_id": "a", "type": "regular", "width": 1, "height": 1,
                     "is_animated": False, "is_video": False}},
        {"photo": [{"file_id": "a", "file_unique_id": "a", "width": 1, "height": 1}], "caption": "see"},
        {"location": {"latitude": 1.0, "longitude": 2.0}},
        {"contact": {"phone_number": "1", "first_name": "x"}},
        {"text": "x" * 4096},
        {"text": "😀😀😀"},
        {"text": "\u202eabc\u200b"},
        {"text": "\u200b\u200d"},
        {"text": "<b>bold</b> & [link](http://x)"},
        {"text": "\x07\x1b[31m"},
    ],
    ids=["sticker", "photo", "place", "contact", "long", "emoji", "right-to-left", "invisible", "html", "control"],
)  # fmt: skip
async def test_bad_input_gets_a_short_kind_reply_and_keeps_the_place(bot: TelegramSchool, fields: dict) -> None:
    _, parents = await asked(bot)
    parent = parents[0]
    await taps(parent, "Open", "Yes, start")
    await parent.sees("Question 1 of 7")
    parent.read_all()
    parent.sends_update(fields)
    reply = await parent.reads()
    assert 10 < len(reply.text) < 200
    assert not any(word in reply.text.lower() for word in ("error", "exception", "traceback", "none"))
    await taps(parent, "Very well")
    await parent.sees("Question 2 of 7")


async def test_a_group_is_left_at_once_and_nothing_is_said(bot: TelegramSchool) -> None:
    """B12"""
    person = await bot.joins("parent", "SEND parents")
    group = bot.server.group(-100123)
    group.adds_bot(by=person)
    await group.is_left()
    assert group.messages == []


async def test_a_wrong_used_or_expired_code_gets_one_sentence(bot: TelegramSchool) -> None:
    """S20"""
    used = await bot.school.code("parent", "SEND parents")
    first = bot.server.person(5001)
    await first.types(f"/start {used}")
    await first.reads()
    await first.taps("Yes, start")
    await first.reads_until("You have joined")
    expired = await bot.school.code("parent", "SEND parents", days=-1)
    said = set()
    for n, code in enumerate((used, expired, "0000-0000-00", "nonsense-!!")):
        person = bot.server.person(6000 + n)
        await person.types(f"/start {code}")
        said.add((await person.reads()).text)
    assert said == {"That code does not work here. Please ask the school office for a new one: 0161 496 0000."}
    await first.types(f"/start {used}")
    await first.reads_until("You have joined already")


async def test_stop_stops_and_start_brings_back(bot: TelegramSchool) -> None:
    """MSG-3"""
    _, parents = await asked(bot)
    parent = parents[0]
    await parent.types("STOP")
    await parent.reads_until("I will not send you messages by myself")
    parent.read_all()
    bot.school.clock.move(days=15)
    await bot.rounds()
    await asyncio.sleep(0.1)
    assert parent.last.text.startswith("OK. I will not")
    await parent.types("/start")
    await parent.reads_until("You get messages again")


async def test_the_alert_names_nobody(bot: TelegramSchool) -> None:
    """SAFE-5, FAIL-7"""
    dsl = await bot.joins("dsl")
    await bot.joins("deputy")
    parent = await bot.joins("parent", "SEND parents")
    await parent.types("my uncle hurts me")
    await parent.reads_until("Thank you for telling us")
    await bot.rounds()
    alert = await dsl.reads_until("New item to read")
    assert alert.text == "New item to read."
    dsl.read_all()
    await dsl.taps("Open")
    await dsl.reads_until("1 item waits to be read")
    assert "uncle" not in dsl.last.text


async def test_menus_follow_the_role(bot: TelegramSchool) -> None:
    senco = await bot.joins("senco")
    parent = await bot.joins("parent", "SEND parents")
    await bot.server.idle()
    await asyncio.sleep(0.2)
    assert "summary" in senco.menu
    assert len(senco.menu) <= 8
    assert "summary" not in parent.menu
