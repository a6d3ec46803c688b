"""What always holds in a conversation, whatever is tapped or typed: property tests over random forms and people."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import words as w
from conversations.engine import Context, State, kept_answers, open_questions, progress, resume, start
from conversations.form import Form, FormError, Question, read_form
from conversations.listening import answer_from, parse_date, parse_time, parse_when
from conversations.texts import load_texts
from data.runs import _apart, room_for

CONTEXT = Context(load_texts(), "en", date(2026, 11, 2))
CONTROLS = [w.START, w.SKIP, w.BACK, w.STOP, w.DONE, w.SEND, w.CHANGE, w.THROW, w.AGAIN, w.EASIER, w.HELP, w.GO_ON]
CONTROLS += [w.QUOTE, w.NO_QUOTE]
LUNCH = """
id: lunch-check
version: 1
mode: ANON                     # ANON, CONF or NAMED
audience: parents              # parents, pupils, staff
title: {en: Lunch}
intro: {en: About lunch}
questions:
  - {id: lunch.1, type: one, text: {en: Is lunch easy or hard?}, easy: {en: Easy?}, choices: [{id: easy, label: {en: Easy}}, {id: hard, label: {en: Hard}}]}
  - {id: lunch.2, type: few, max: 2, text: {en: What is hard?}, choices: [{id: noise, label: {en: Noise}}, {id: no, label: {en: No}}, {id: time, label: {en: Time}}], show_if: {lunch.1: [hard]}}
  - {id: lunch.3, type: text, text: {en: Anything else?}}
"""  # noqa: E501


@st.composite
def forms(draw: st.DrawFn) -> Form:
    questions: list[dict[str, object]] = []
    for n in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["one", "few", "scale", "text", "number", "date", "ask"]))
        q: dict[str, object] = {"id": f"q.{n}", "type": kind, "text": {"en": f"Question {n}?"}}
        if kind in ("one", "few", "scale", "ask"):
            ids = [f"c{i}" for i in range(draw(st.integers(2, 5)))]
            q["choices"] = [{"id": i, "label": {"en": f"Choice {i}"}} for i in ids]
            if kind == "few":
                q["max"] = draw(st.integers(1, len(ids)))
        earlier = [p for p in questions if "choices" in p]
        if earlier and draw(st.booleans()):
            other = draw(st.sampled_from(earlier))
            q["show_if"] = {other["id"]: [other["choices"][0]["id"]]}  # type: ignore[index]
        questions.append(q)
    raw = {"id": "random", "version": 1, "mode": "CONF", "audience": "parents", "title": {"en": "T"}}
    return Form.model_validate({**raw, "questions": questions})


heard = st.one_of(
    st.tuples(st.integers(-2, 0), st.sampled_from(CONTROLS + [f"{s}c{i}" for s in ("", "+", "-") for i in range(5)])),
    st.sampled_from(["1", "2", "1, 2", "Choice c0", "skip", "back", "5 May 2027", "hello", "", "\u200b", "12", "done"]),
)


@settings(max_examples=300, deadline=None)
@given(forms(), st.lists(heard, max_size=40))
def test_whatever_is_heard_the_state_stays_whole(form: Form, lines: list[object]) -> None:
    state = start(form).state
    for line in lines:
        said = w.Typed(line) if isinstance(line, str) else w.Tapped(state.step + line[0], line[1])  # type: ignore[index]
        before = state
        turn = resume(form, state, said, CONTEXT)
        state = State.from_json(json.loads(json.dumps(turn.state.to_json())))
        assert state == turn.state
        assert state.step >= before.step
        assert state.step > before.step or not turn.all(w.Answered)
        if turn.all(w.Stale):
            assert state == before
        shown = progress(form, state)
        assert shown is None or 1 <= shown[0] <= shown[1] <= len(form.questions)
        raw, _ = _apart(state.to_json())
        assert len(json.dumps({"state": raw, "at": "x" * 27}, separators=(",", ":"))) <= room_for(form)


@settings(max_examples=200, deadline=None)
@given(forms(), st.lists(st.integers(0, 4), min_size=20, max_size=20))
def test_question_m_of_n_counts_up_and_never_rises_without_going_back(form: Form, picks: list[int]) -> None:
    state = resume(form, start(form).state, w.Tapped(0, w.START), CONTEXT).state
    seen: list[tuple[int, int]] = []
    for pick in picks:
        if state.place != "question":
            break
        at = progress(form, state)
        assert at
        seen.append(at)
        state = resume(form, state, w.Typed(_fitting(form, state, pick)), CONTEXT).state
    assert [n for n, _ in seen] == list(range(1, len(seen) + 1))
    assert [m for _, m in seen] == sorted((m for _, m in seen), reverse=True)
    assert state.place == "review"
    assert seen[-1][1] >= len(seen) == len(kept_answers(form, state.answers))


def _fitting(form: Form, state: State, pick: int) -> str:
    q = form.question(state.question or "")
    assert q
    if q.choices:
        return str(pick % len(q.choices) + 1)
    return {"number": "3", "date": "5 May 2027", "text": "words"}[q.type]


def test_the_form_of_the_contract_plays() -> None:
    """An unquoted `no` stays a word; a "?" inside braces too; the follow-up comes only after "hard"."""
    form = read_form(LUNCH, "lunch.yaml")
    state = resume(form, start(form).state, w.Typed("yes"), CONTEXT).state
    assert progress(form, state) == (1, 3)
    easy = resume(form, state, w.Typed("easy"), CONTEXT).state
    assert (easy.question, progress(form, easy)) == ("lunch.3", (2, 2))
    hard = resume(form, state, w.Typed("2"), CONTEXT).state
    assert (hard.question, progress(form, hard)) == ("lunch.2", (2, 3))
    marked = resume(form, hard, w.Tapped(hard.step, "+no"), CONTEXT).state
    assert marked.marked == ("no",)
    both = resume(form, marked, w.Tapped(hard.step, "+noise"), CONTEXT).state
    assert both.answers["lunch.2"].values == ("noise", "no")
    back = resume(form, both, w.Typed("BACK"), CONTEXT).state
    assert (back.question, [q.id for q in open_questions(form, back)]) == ("lunch.2", ["lunch.1", "lunch.2", "lunch.3"])


def test_a_double_tap_on_a_mark_does_not_undo_it() -> None:
    form = read_form(LUNCH.replace("max: 2", "max: 3"), "lunch.yaml")
    state = resume(form, start(form).state, w.Tapped(0, w.START), CONTEXT).state
    state = resume(form, state, w.Typed("hard"), CONTEXT).state
    tap = w.Tapped(state.step, "+noise")
    once = resume(form, state, tap, CONTEXT).state
    assert resume(form, once, tap, CONTEXT).all(w.Stale)


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (("lunch.1: [hard]", "lunch.9: [hard]"), "question lunch.2: show_if names lunch.9"),
        (("lunch.1: [hard]", "lunch.1: [hart]"), "question lunch.2: show_if names hart"),
        (("type: few", "type: many"), "question lunch.2:"),
        (("{id: hard,", "{id: easy,"), "two choices with the same id"),
        (("mode: ANON ", "mood: ANON "), "`mood` is not known here"),
        (("audience: parents", "audience: pupils"), "asks pupils for words without names"),
        (("title: {en: Lunch}", "title: {en: Lunch, pl: Obiad}"), "question lunch.1: lacks a text in pl"),
        (("version: 1", "version: 1\nversion: 2"), "`version` stands twice"),
        (("title: {en: Lunch}", "title: {en: Lunch"), "line "),
    ],
)
def test_a_wrong_form_names_file_question_and_remedy(spoiled: tuple[str, str], says: str) -> None:
    with pytest.raises(FormError) as caught:
        read_form(LUNCH.replace(*spoiled), "lunch.yaml")
    assert all(line.startswith("lunch.yaml: ") for line in caught.value.lines)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("5/12/2026", "2026-12-05"), ("5 Dec", "2026-12-05"), ("Sat 5th December 2026", "2026-12-05"),
        ("2027-01-31", "2027-01-31"), ("1 November", "2027-11-01"), ("31 February", None), ("soon", None), ("5", None),
        ("5/13/2026", None), ("٥/١٢/٢٠٢٦", "2026-12-05"), ("today", "2026-11-02"), ("Tomorrow", "2026-11-03"),
        ("Tuesday", "2026-11-03"), ("Monday", "2026-11-09"), ("next Tuesday", "2026-11-10"),
        ("next Monday", "2026-11-09"), ("on thurs", "2026-11-05"), ("Tuesday week", "2026-11-10"),
        ("Friday the 6th of November", "2026-11-06"), ("next week", None), ("29 February", None),
        ("29 February 2028", "2028-02-29"), ("2026-11-31", None), ("Monday 31 February", None),
        ("05-Dec-26", "2026-12-05"), ("5-Dec", "2026-12-05"), ("2026/12/05", "2026-12-05"), ("5-Foo-26", None),
    ],
)  # fmt: skip
def test_dates_as_people_write_them(typed: str, meant: str | None) -> None:
    day = parse_date(typed, date(2026, 11, 2))
    assert (day.isoformat() if day else None) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("9", "09:00"), ("9am", "09:00"), ("2.30 pm", "14:30"), ("14:30", "14:30"), ("12am", "00:00"), ("25", None),
     ("13pm", None), ("nine", "09:00"), ("9 o'clock", "09:00"), ("half 3", "15:30"), ("Half past three", "15:30"),
     ("quarter to 4", "15:45"), ("quarter past nine", "09:15"), ("10 to 9", "08:50"), ("half 9 pm", "21:30"),
     ("3.30", "15:30"), ("3.30 p.m.", "15:30"), ("03:30", "03:30"), ("6", "18:00"), ("7", "07:00"), ("noon", "12:00"),
     ("at 2.30pm", "14:30"), ("half", None), ("half to 3", None), ("quarter 3", None), ("half 13", None),
     ("quarter to 1", "12:45"), ("3:75", None), ("61 past 3", None), ("later", None), ("15:30:00", "15:30"),
     ("3:30:00 PM", "15:30"), ("15:30:20", None)],
)  # fmt: skip
def test_times_as_people_write_them(typed: str, meant: str | None) -> None:
    assert parse_time(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("12", "12"), ("1,000", "1000"), ("1,234,567", "1234567"), ("2,5", "2.5"), ("2.5", "2.5"), ("0,250", "0.25"),
     ("1,00", "1"), ("-3", "-3"), ("1e9", None), ("many", None), ("1,000,00", None)],
)  # fmt: skip
def test_numbers_as_people_write_them(typed: str, meant: str | None) -> None:
    """A thousand with its comma is no 1: a limit of places, or of people who said it, would be wrong by that much."""
    answer = answer_from(Question(id="q", type="number", text={"en": "?"}), typed, date(2026, 11, 2))
    assert (answer.values[0] if answer else None) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("next Tuesday half 3", ("2026-11-10", "15:30")), ("next Tuesday", ("2026-11-10", None)),
        ("5 December at 15:30", ("2026-12-05", "15:30")), ("3.30pm on Friday", ("2026-11-06", "15:30")),
        ("tomorrow 9am", ("2026-11-03", "09:00")), ("half 3", ("2026-11-02", "15:30")),
        ("2026-12-01 08:00", ("2026-12-01", "08:00")), ("5/12/2026, 9", ("2026-12-05", "09:00")),
        ("5 Dec 2026 9.15", ("2026-12-05", "09:15")), ("31 February 9am", None), ("soon", None), ("9", None),
        ("Friday 25:00", None), ("", None),
    ],
)  # fmt: skip
def test_a_day_and_a_time_in_one_line(typed: str, meant: tuple[str, str | None] | None) -> None:
    found = parse_when(typed, date(2026, 11, 2))
    assert (found and (found[0].isoformat(), found[1])) == meant
