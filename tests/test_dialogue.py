"""A survey from sending to counting, through the dialogue and real storage; who may do what on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.said import Text
from data.people import Address, person_at
from data.queue import add_item, waiting_items
from tests.school import School, Talk

pytestmark = pytest.mark.both_databases

SURVEY = "parent-send-provision-1"


async def send(school: School, form: str = "Help for extra needs (SEND)", by: str = "senco") -> Talk:
    talk = school.on(await school.person(by))
    await talk.types("/send")
    await talk.taps(form, "SEND parents", "Send now")
    return talk


async def answer(school: School, person: str, words: str | None = None) -> Talk:
    talk = school.on(person)
    await talk.forges(f"o={SURVEY}")
    talk.reply = await talk.forges(f"o={SURVEY}")
    await talk.taps("Yes, start", "Very well", "Some", "A lot", "It gets sorted", "Easy", "A clearer plan", "Done")
    await (talk.types(words) if words else talk.taps("Skip"))
    await talk.taps("Send my answers")
    return talk


async def test_a_survey_runs_from_sending_to_counting(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    senco = await send(school)
    assert "Sent to 12 people" in senco.text
    for person in parents[:6]:
        await answer(school, person)
    await senco.types("/summary")
    assert "Asked: 12. Started: 6. Finished: 6." in senco.text
    assert "Very well" not in senco.text
    await senco.taps("Close and count")
    assert f"{SURVEY} is closed. 6 of 12 people answered." in senco.text
    await senco.types("/summary")
    assert "Very well" in senco.text
    assert senco.messages[-1].picture is not None


async def test_anon_is_refused_below_ten(school: School) -> None:
    """ANON-3"""
    await school.readers()
    await school.people(9)
    talk = school.on(await school.person("senco"))
    await talk.types("/send")
    await talk.taps("Help for extra needs (SEND)", "SEND parents")
    assert "Only 9 people" in talk.text
    assert "Send now" not in [b.label for b in talk.messages[-1].buttons]


async def test_a_form_with_words_waits_for_its_readers(school: School) -> None:
    await school.people(12)
    await school.person("dsl")
    talk = school.on(await school.person("senco"))
    await talk.types("/send")
    await talk.taps("Help for extra needs (SEND)", "SEND parents")
    assert "Still missing: deputy safeguarding lead." in talk.text


@pytest.mark.parametrize("command", ["send", "close", "summary", "export", "queue", "dropin"])
async def test_families_get_the_one_refusal(school: School, command: str) -> None:
    talk = school.on(await school.person("parent"))
    await talk.types(f"/{command}")
    assert talk.text == "This is for staff. /help shows what you can do."


async def test_two_taps_on_one_button_are_one_answer(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    await send(school)
    talk = school.on(parents[0])
    talk.reply = await talk.forges(f"o={SURVEY}")
    await talk.taps("Yes, start")
    first = talk.button("Very well").says
    one = await talk.forges(first)
    two = await talk.forges(first)
    assert "Question 2 of 7" in one.messages[0].as_text()
    assert two.stale
    assert "Question 2 of 7" in two.messages[0].as_text()


async def test_somebody_elses_button_changes_nothing(school: School) -> None:
    """B1"""
    await school.readers()
    parents = await school.people(12)
    await send(school)
    talk, other = school.on(parents[0]), school.on(parents[1])
    talk.reply = await talk.forges(f"o={SURVEY}")
    reply = await other.forges(talk.button("Yes, start").says)
    assert "closed" in reply.messages[0].text
    talk.reply = await talk.forges(f"o={SURVEY}")
    assert talk.button("Yes, start")


async def test_help_in_the_middle_keeps_the_place(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    await send(school)
    talk = school.on(parents[0])
    talk.reply = await talk.forges(f"o={SURVEY}")
    await talk.taps("Yes, start", "Very well")
    for command in ("/help", "/menu", "/language", "/whoreads"):
        await talk.types(command)
        assert "Question 2 of 7" in talk.text


async def test_a_disclosure_where_a_tap_was_expected_reaches_a_human(school: School) -> None:
    """SAFE-4, SAFE-12: in the queue at once, without the person in ANON, and no more questions."""
    dsl, _ = await school.readers()
    parents = await school.people(12)
    await send(school)
    talk = school.on(parents[0])
    talk.reply = await talk.forges(f"o={SURVEY}")
    await talk.taps("Yes, start")
    await talk.types("my husband hits my son every night")
    assert "Thank you for telling us" in talk.text
    assert "0808 800 5000" in talk.text
    assert [b.label for b in talk.messages[-1].buttons] == ["Go on", "Stop"]
    waiting = school.on(dsl, "telegram")
    await waiting.types("/queue")
    assert "1 item waits to be read" in waiting.text
    assert "husband" not in waiting.text
    await talk.taps("Go on")
    assert "Question 1 of 7" in talk.text


async def test_late_answers_get_a_kind_no_with_the_phone_number(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    await send(school)
    for person in parents[:6]:
        await answer(school, person)
    late = school.on(parents[8])
    late.reply = await late.forges(f"o={SURVEY}")
    yes = late.button("Yes, start").says
    school.clock.move(days=15)
    await school.rounds()
    for says in (yes, f"o={SURVEY}"):
        reply = await late.forges(says)
        assert "closed" in reply.messages[0].text
        assert "0161 496 0000" in reply.messages[0].text


@pytest.mark.parametrize("words", ["hello", "/start", "/help", "/summary", "what is this?", "i am 9 and scared", "12"])
async def test_a_stranger_gets_a_kind_word_and_nothing_is_kept(school: School, words: str) -> None:
    """AGE-3: kind, numbers, who to ask; flagged words reach a human."""
    await school.readers()
    reply = await school.dialogue.hear(Address("telegram", "77"), Text(words), 1)
    assert "0800 1111" in reply.messages[0].text
    async with school.db.reading() as tx:
        assert await person_at(tx, "telegram", "77") is None
        assert len(await waiting_items(tx)) == ("scared" in words)


async def test_urgent_items_stand_before_words_each_oldest_first(school: School) -> None:
    """SAFE-3: the screen raises priority, and nothing else."""
    async with school.db.transaction() as tx:
        for hour, kind in enumerate(("words", "flagged", "words", "help")):
            await add_item(tx, kind, school.clock.now + timedelta(hours=hour))
        kinds = [(item.kind, item.came_at.hour) for item in await waiting_items(tx)]
    assert kinds == [("flagged", 11), ("help", 13), ("words", 10), ("words", 12)]
