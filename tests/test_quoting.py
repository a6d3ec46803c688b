"""S10, S11: words are quoted only where their author tapped Yes to "May we quote your words, without your name?"."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errands.send import default_sending, send_survey
from conversations import words as w
from conversations.asking import review_screen
from conversations.engine import Context, State, asks_to_quote, resume, start
from conversations.form import Form, read_form
from conversations.texts import load_texts
from data.people import find_group
from data.queue import Item, waiting_items
from tests.school import School, Talk
from tests.telegram_school import telegram_school
from tests.telegram_server import Person
from tests.test_dialogue import SURVEY, send
from tests.test_telegram_journey import asked, taps, until
from tests.test_transcripts import setting

CONTEXT = Context(load_texts(), "en", date(2026, 11, 2))
ASKED = "May we quote your words, without your name?"
PUPILS = "Can we use your words? We will not say your name."
BUS = """
id: bus
version: 1
mode: CONF
audience: parents
title: {en: The bus}
intro: {en: About the bus}
questions:
  - id: bus.1
    type: one
    text: {en: How is it?}
    choices: [{id: good, label: {en: Good}}, {id: bad, label: {en: Bad}}]
  - {id: bus.2, type: text, text: {en: What should change?}, show_if: {bus.1: [bad]}}
"""
FORM = read_form(BUS, "bus.yaml")


def at_review(*lines: str, form: Form = FORM) -> State:
    """The state after these typed lines, from the first screen on."""
    state = start(form).state
    for line in ("yes", *lines):
        state = resume(form, state, w.Typed(line), CONTEXT).state
    assert state.place == "review"
    return state


def then(state: State, *heard: w.Heard, form: Form = FORM) -> State:
    for one in heard:
        state = resume(form, state, one, CONTEXT).state
    return state


def quote(state: State, key: str = w.QUOTE, form: Form = FORM) -> State:
    return then(state, w.Tapped(state.step, key), form=form)


def sent(state: State) -> State:
    return then(state, w.Typed("Send my answers"))


# --- the engine ---------------------------------------------------------------------------------------------------


def test_it_is_asked_where_there_are_words_of_their_own_and_only_there() -> None:
    for lines, there in ((("bad", "The driver"), True), (("bad", "skip"), False), (("good",), False)):
        state = at_review(*lines)
        shown = review_screen(FORM, state, setting(FORM))
        assert (ASKED in shown.text) == there == asks_to_quote(FORM, state)
        labels = [b.label for b in shown.buttons]
        assert labels[-4:] == ["Send my answers", "Change an answer", "Go on later", "Throw away my answers"]
        assert labels[:-4] == (["Yes", "No"] if there else [])


def test_pupils_are_asked_in_their_words() -> None:
    form = read_form(BUS.replace("audience: parents", "audience: pupils"), "bus.yaml")
    assert PUPILS in review_screen(form, at_review("bad", "The driver", form=form), setting(form)).text


def test_a_task_of_staff_asks_nothing_of_the_kind() -> None:
    form = FORM.model_copy(update={"errand": True})
    state = then(start(form).state, w.Typed("bad"), w.Typed("The driver"), form=form)
    assert (state.place, asks_to_quote(form, state)) == ("review", False)
    assert quote(state, form=form).quote is None


def test_words_that_went_to_a_human_are_not_asked_about() -> None:
    state = then(at_review("bad", "The driver"), w.Typed("back"), w.Typed("my uncle hurts me"), w.Typed("Go on"))
    assert state.answers["bus.2"].kind == "raised"
    assert not asks_to_quote(FORM, state)


@pytest.mark.parametrize(
    ("said", "allowed"),
    [("Yes", True), ("yes please", True), ("y", True), ("No", False), ("no thanks", False), ("ok", None), ("1", None)],
)
def test_yes_and_no_can_be_typed_and_nothing_vaguer(said: str, allowed: bool | None) -> None:
    assert then(at_review("bad", "The driver"), w.Typed(said)).quote is allowed


def test_the_chosen_one_is_marked_and_only_the_buttons_change() -> None:
    state = at_review("bad", "The driver")
    before = review_screen(FORM, state, setting(FORM))
    turn = resume(FORM, state, w.Tapped(state.step, w.QUOTE), CONTEXT)
    assert turn.events == (w.Reviewed(redrawn=True),)
    after = review_screen(FORM, turn.state, setting(FORM))
    assert after.as_text() == before.as_text()
    assert [b.label for b in after.buttons][:2] == ["Yes ✓", "No"]
    assert [b.label for b in review_screen(FORM, quote(turn.state, w.NO_QUOTE), setting(FORM)).buttons][:2] == [
        "Yes",
        "No ✓",
    ]


def test_what_counts_is_what_stood_there_at_sending() -> None:
    state = at_review("bad", "The driver")
    assert sent(state).sent_quote is False
    assert sent(quote(state, w.NO_QUOTE)).sent_quote is False
    yes = sent(quote(state))
    assert yes.sent_quote is True
    back = then(yes, w.Typed("Change an answer"), w.Typed("Back"), w.Typed("no"))
    assert (back.sent_quote, sent(back).sent_quote) == (True, False)


@pytest.mark.parametrize("place", ["review", "sent"])
def test_other_words_need_another_yes(place: str) -> None:
    state = quote(at_review("bad", "The driver"))
    state = sent(state) if place == "sent" else state
    changed = then(state, w.Typed("Change an answer"), w.Typed("2"), w.Typed("The bus stop"))
    assert (changed.quote, changed.sent_quote, sent(changed).sent_quote) == (None, False, False)


def test_another_answer_changed_keeps_the_yes_while_the_words_stay() -> None:
    state = then(quote(at_review("bad", "The driver")), w.Typed("Change an answer"), w.Typed("1"), w.Typed("bad"))
    assert state.quote is True
    gone = then(state, w.Typed("Change an answer"), w.Typed("1"), w.Typed("good"))
    assert not asks_to_quote(FORM, gone)
    assert sent(gone).sent_quote is False


def test_thrown_away_is_gone() -> None:
    state = then(sent(quote(at_review("bad", "The driver"))), w.Typed("Throw away my answers"))
    assert (state.quote, state.sent_quote) == (None, False)


def test_a_second_tap_changes_nothing_and_an_old_yes_never_counts() -> None:
    state = at_review("bad", "The driver")
    yes, no = w.Tapped(state.step, w.QUOTE), w.Tapped(state.step, w.NO_QUOTE)
    once = then(state, yes)
    assert resume(FORM, once, yes, CONTEXT).all(w.Stale)
    refused = then(once, no)
    assert refused.quote is False  # a quick No after a Yes counts, though its keyboard is not yet redrawn
    for again in (yes, no):
        assert resume(FORM, refused, again, CONTEXT).all(w.Stale)


def test_a_state_stored_before_this_question_existed_can_be_read() -> None:
    raw = quote(at_review("bad", "The driver")).to_json()
    old = State.from_json({k: v for k, v in raw.items() if k not in ("quote", "sent_quote")})
    assert (old.quote, old.sent_quote) == (None, False)
    assert State.from_json(json.loads(json.dumps(raw))).quote is True


KEYS = [w.QUOTE, w.NO_QUOTE, w.BACK, w.SEND, w.CHANGE, w.THROW, w.START, w.SKIP, "good", "bad", "bus.1", "bus.2"]
heard = st.one_of(st.tuples(st.integers(-3, 0), st.sampled_from(KEYS)), st.sampled_from(["The bus", "yes", "no", "ok"]))


@settings(max_examples=500, deadline=None)
@given(st.lists(heard, max_size=30))
def test_sent_words_are_free_to_quote_only_after_a_yes_for_these_words(lines: list[object]) -> None:
    """Whatever is tapped and typed: no quote without a Yes after the last word was written."""
    state, allowed = at_review("bad", "The driver"), False
    for line in lines:
        said = w.Typed(line) if isinstance(line, str) else w.Tapped(state.step + line[0], line[1])  # type: ignore[index]
        turn = resume(FORM, state, said, CONTEXT)
        written = any(e.question == "bus.2" for e in turn.all(w.Answered))
        yes = turn.state.quote is True and line in ("yes", (0, w.QUOTE))
        allowed = (allowed or yes) and not written and not turn.all(w.ThrownAway) and turn.state.quote is not False
        assert allowed == (turn.state.quote is True)
        assert not turn.state.sent_quote or (turn.state.sent and turn.state.sent["bus.2"].kind == "text")
        assert not turn.all(w.Finished) or turn.state.sent_quote == (allowed and "bus.2" in (turn.state.sent or {}))
        state = turn.state


# --- to the readers -----------------------------------------------------------------------------------------------


async def waiting(school: School) -> list[Item]:
    async with school.db.reading() as tx:
        return await waiting_items(tx)


async def writes(school: School, person: str, survey: str, words: str, *after: str) -> Talk:
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey}")
    await talk.types("yes", *["skip"] * 6, words, *after)
    return talk


@pytest.mark.parametrize("by", ["reading", "closing"])
async def test_anonymous_words_carry_their_yes_and_no_person(school: School, by: str) -> None:
    """In ANON too: the Yes travels with the words, and nothing else does."""
    await school.readers()
    parents = await school.people(12)
    await send(school)
    said = {"More time": ("Yes",), "Less noise": ("No",), "A plan": (), "Maps": ("Yes", "No"), "Ramps": ("No", "Yes")}
    for person, (words, taps_) in zip(parents, said.items(), strict=False):
        talk = await writes(school, person, SURVEY, words)
        await talk.taps(*taps_, "Send my answers")
    school.clock.move(**({"hours": 6} if by == "reading" else {"days": 15}))
    await school.rounds()
    items = await waiting(school)
    assert {i.text: i.quote for i in items} == {words: taps_[-1:] == ("Yes",) for words, taps_ in said.items()}
    assert {(i.person, i.who) for i in items} == {("", "")}


async def test_words_already_read_are_not_asked_about_again(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    await send(school)
    talk = await writes(school, parents[0], SURVEY, "More time", "yes", "Send my answers")
    school.clock.move(hours=6)
    await school.rounds()
    await talk.taps("Change an answer", "Back")
    assert ASKED not in talk.text
    await talk.types("Change an answer", "7", "Less noise", "Send my answers")
    school.clock.move(days=1)
    await school.rounds()
    assert {i.text: i.quote for i in await waiting(school)} == {"More time": True, "Less noise": False}


async def test_named_words_carry_their_yes_and_their_author(school: School) -> None:
    await school.readers()
    parent = await school.person("parent", label="F7")
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, FORM, group, school.clock.now.date())
        survey = await send_survey(tx, school.house, sending, school.clock.now)
    talk = school.on(parent)
    talk.reply = await talk.forges(f"o={survey.id}")
    await talk.types("yes", "bad", "The driver")
    await talk.taps("Yes", "Send my answers")
    school.clock.move(days=15)
    await school.rounds()
    assert [(i.text, i.quote, i.who) for i in await waiting(school)] == [("The driver", True, "F7")]


# --- on Telegram --------------------------------------------------------------------------------------------------


def labels(person: Person) -> list[str]:
    return [b for m in person.messages if "They are not sent yet" in m.text for b in m.labels]


async def test_on_telegram_the_mark_changes_in_place(tmp_path: Path) -> None:
    async with telegram_school(tmp_path) as bot:
        _, parents = await asked(bot)
        parent = parents[0]
        await taps(parent, "Open", "Yes, start", *["Skip"] * 6)
        await parent.types("More time")
        await parent.reads_until(ASKED)
        count = len(parent.messages)
        for tapped, marked in (("Yes", "Yes ✓"), ("No", "No ✓"), ("Yes", "Yes ✓")):
            await parent.taps(tapped)
            await until(lambda: marked in labels(parent))  # noqa: B023
        assert len(parent.messages) == count
        await parent.taps("Send my answers")
        await parent.reads_until("We have your answers")
        bot.school.clock.move(hours=6)
        await bot.rounds()
        assert [i.quote for i in await waiting(bot.school)] == [True]
