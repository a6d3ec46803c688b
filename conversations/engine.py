"""The engine: one conversation, one step at a time.

(form, state, what was heard) -> (new state, events). Nothing else goes in or out: no clock, no database, no
channel. `step` grows with every turn, so whatever carries an older step (a double tap, an old button, a repeated
delivery, a second device) finds that the conversation has moved on and changes nothing. A state names a question
by its id, never by its number, and is JSON either way, so every turn can be the first one after a restart.

Where a person can be (`place`): intro -> question -> review -> sent; `change` is choosing which answer to change.
`paused` lies over any of them after a safeguarding reply: nothing is asked until the person chooses to go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from conversations import words as w
from conversations.answers import RAISED, SKIPPED, Answer, chosen
from conversations.form import Form, Question
from conversations.listening import answer_from
from conversations.screening import screen
from conversations.texts import Texts, fold

Place = Literal["intro", "question", "change", "review", "sent"]

CONTROLS = {
    "yes-start": w.START, "no-thank-you": w.DECLINE, "skip": w.SKIP, "pass": w.SKIP, "back": w.BACK,
    "stop": w.STOP, "done": w.DONE, "send-answers": w.SEND, "send-now": w.SEND, "close-and-count": w.SEND,
    "make-code": w.SEND, "save-it": w.SEND, "plan-it": w.SEND,
    "change-answer": w.CHANGE, "change": w.CHANGE, "throw-away": w.THROW, "go-on-later": w.LATER, "cancel": w.CANCEL,
    "keep-it": w.CANCEL,
    "say-again": w.AGAIN, "easier": w.EASIER, "need-help": w.HELP, "go-on": w.GO_ON,
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """Where one person is in one form. `since` is the step at which the question in front was first asked.

    `given` names questions answered beforehand (a staff errand's defaults): they are not asked unless changed.
    `sent` holds the answers as last sent; they count until newer ones are sent or all are thrown away.
    `quote`: whether the person's own words may be quoted, None until they say so; `sent_quote` as it was when sending.
    """

    form: str
    version: int
    place: Place = "intro"
    question: str | None = None
    step: int = 0
    since: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    marked: tuple[str, ...] = field(default=(), repr=False)
    paused: bool = False
    given: tuple[str, ...] = ()
    sent: dict[str, Answer] | None = None
    quote: bool | None = None
    sent_quote: bool = False

    def to_json(self) -> dict[str, Any]:
        plain = {k: getattr(self, k) for k in _PLAIN}
        return plain | {
            "answers": {k: a.to_json() for k, a in self.answers.items()},
            "marked": list(self.marked),
            "given": list(self.given),
            "sent": None if self.sent is None else {k: a.to_json() for k, a in self.sent.items()},
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> State:
        answers = {k: Answer.from_json(a) for k, a in raw["answers"].items()}
        sent = None if raw["sent"] is None else {k: Answer.from_json(a) for k, a in raw["sent"].items()}
        lists = {"marked": tuple(raw["marked"]), "given": tuple(raw["given"])}
        return cls(**{**raw, **lists, "answers": answers, "sent": sent})


_PLAIN = ("form", "version", "place", "question", "step", "since", "paused", "quote", "sent_quote")


@dataclass(frozen=True)
class Context:
    """What the engine may know about the moment: the person's language and today's date."""

    texts: Texts
    language: str
    today: date


@dataclass(frozen=True)
class Turn:
    """The state after this turn, and what happened in it."""

    state: State
    events: tuple[w.Event, ...]

    def all(self, kind: type) -> list[Any]:
        return [e for e in self.events if isinstance(e, kind)]


def start(form: Form, answers: dict[str, Answer] | None = None) -> Turn:
    """A new conversation: at its intro, or at once at its first question for a staff errand."""
    given = dict(answers or {})
    state = State(form.id, form.version, answers=given, given=tuple(given))
    if form.errand:
        return _next(form, state)
    return Turn(state, (w.Introduced(),))


def resume(form: Form, state: State, heard: w.Heard, context: Context) -> Turn:
    """The turn after `heard`. Never raises for anything a person can send."""
    if isinstance(heard, w.Tapped):
        return _tapped(form, state, heard)
    return _typed(form, state, heard.text, context)


def ask_again(form: Form, state: State) -> w.Event:
    """What is in front of the person now, without a turn."""
    if state.place == "intro":
        return w.Introduced()
    if state.place == "question" and state.question and form.question(state.question):
        return w.Asked(state.question)
    if state.place == "change":
        return w.ChoseToChange()
    return w.Finished() if state.place == "sent" else w.Reviewed()


def fill(state: State, answers: dict[str, Answer]) -> State:
    """The state with defaults for questions nobody has answered (a staff errand's closing date and the like)."""
    new = {k: a for k, a in answers.items() if k not in state.answers}
    return replace(state, answers=state.answers | new, given=(*state.given, *(k for k in new if k not in state.given)))


def open_questions(form: Form, state: State) -> list[Question]:
    """The questions this person has been or can still be asked, given the answers so far."""
    possible: list[Question] = []
    for q in form.questions:
        if q.id not in state.given and _possible(q, state.answers, {p.id for p in possible} | set(state.given)):
            possible.append(q)
    return possible


def progress(form: Form, state: State) -> tuple[int, int] | None:
    """(number of the question in front, how many there can still be in all); None for a question given beforehand."""
    ids = [q.id for q in open_questions(form, state)]
    return (ids.index(state.question) + 1, len(ids)) if state.question in ids else None


def kept_answers(form: Form, answers: dict[str, Answer]) -> dict[str, Answer]:
    """The answers that still belong: those whose question is asked given the other answers, in form order."""
    kept: dict[str, Answer] = {}
    for q in form.questions:
        if q.id in answers and _possible(q, answers, set(kept)):
            kept[q.id] = answers[q.id]
    return kept


def asks_to_quote(form: Form, state: State) -> bool:
    """Whether there are words of the person's own that could be quoted (S10)."""
    return not form.errand and _own_words(kept_answers(form, state.answers))


def _own_words(answers: dict[str, Answer]) -> bool:
    return any(answer.kind == "text" for answer in answers.values())


def _possible(q: Question, answers: dict[str, Answer], possible: set[str]) -> bool:
    for other, ids in q.show_if.items():
        if other not in possible:
            return False
        if other in answers and not set(ids) & set(answers[other].values):
            return False
    return True


# --- taps ---------------------------------------------------------------------------------------------------------


def _tapped(form: Form, state: State, tap: w.Tapped) -> Turn:
    if tap.key[:1] in (w.MARK, w.UNMARK) and _may_mark(form, state, tap):
        return _marked(form, state, tap.key[0], tap.key[1:])
    if tap.key == w.NO_QUOTE and _takes_yes_back(state, tap):
        return _quoted(form, state, False) or Turn(state, (w.Stale(),))
    if tap.step != state.step:
        return Turn(state, (w.Stale(),))
    if tap.key.startswith("."):
        return _controlled(form, state, tap.key) or Turn(state, (w.Stale(),))
    return _picked(form, state, tap.key) or Turn(state, (w.Stale(),))


def _may_mark(form: Form, state: State, tap: w.Tapped) -> bool:
    """Marks of one question may come fast after each other, from a keyboard not yet redrawn."""
    q = _in_front(form, state)
    return bool(q and q.type == "few" and state.since <= tap.step <= state.step and q.choice(tap.key[1:]))


def _takes_yes_back(state: State, tap: w.Tapped) -> bool:
    """A No right after a Yes counts from a keyboard not yet redrawn; a Yes only ever from the one in front."""
    return state.quote is True and state.since <= tap.step < state.step


def _picked(form: Form, state: State, key: str) -> Turn | None:
    q = _in_front(form, state)
    if state.place == "change" and key in state.answers and form.question(key):
        return _asked(state, key)
    if not q or not q.choice(key) or q.type == "few":
        return None
    return _answered(form, state, q, chosen(key))


def _marked(form: Form, state: State, sign: str, id: str) -> Turn:
    q = _in_front(form, state)
    assert q
    marked = tuple(m for m in state.marked if m != id) + ((id,) if sign == w.MARK else ())
    if set(marked) == set(state.marked):
        return Turn(state, (w.Stale(),))
    if len(marked) >= (q.max or len(q.choices)):
        return _answered(form, state, q, chosen(*_in_order(q, marked)))
    return Turn(replace(state, marked=marked, step=state.step + 1), (w.Asked(q.id, redrawn=True),))


def _in_order(q: Question, ids: tuple[str, ...]) -> list[str]:
    return [c.id for c in q.choices if c.id in ids]


def _in_front(form: Form, state: State) -> Question | None:
    if state.paused or state.place != "question" or not state.question:
        return None
    return form.question(state.question)


# --- words --------------------------------------------------------------------------------------------------------


def _typed(form: Form, state: State, text: str, context: Context) -> Turn:
    if control := CONTROLS.get(context.texts.control(context.language, text) or ""):
        turn = _controlled(form, state, control)
        if turn:
            return turn
    concern = screen(text, context.language)
    q = _in_front(form, state)
    if concern:
        return _flagged(form, state, q, text, concern.kind)
    return _plain_words(form, state, q, text, context)


def _plain_words(form: Form, state: State, q: Question | None, text: str, context: Context) -> Turn:
    if state.place == "change" and not state.paused:
        return _chosen_by_number(form, state, text)
    if turn := _allowed_in_words(form, state, text, context):
        return turn
    if (
        state.place == "intro"
        and not state.paused
        and fold(text) in context.texts.list(context.language, "typed.agree")
    ):
        return _next(form, state)
    answer = answer_from(q, text, context.today) if q else None
    if q and answer:
        return _answered(form, state, q, answer)
    return Turn(state, (w.Misunderstood(_what_works(state, q)),))


def _allowed_in_words(form: Form, state: State, text: str, context: Context) -> Turn | None:
    """A yes or no typed at the review is for the question about quoting, where that is asked."""
    for key, allowed in (("typed.quote", True), ("typed.decline", False)):
        if fold(text) in context.texts.list(context.language, key):
            return _quoted(form, state, allowed)
    return None


def _chosen_by_number(form: Form, state: State, text: str) -> Turn:
    rows = list(changeable(form, state))
    number = text.strip()
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(rows):
        turn = _picked(form, state, rows[int(number) - 1].id)
        if turn:
            return turn
    return Turn(state, (w.Misunderstood("works.change"),))


def changeable(form: Form, state: State) -> list[Question]:
    """The answered questions that can be changed, in form order."""
    return [q for q in form.questions if q.id in kept_answers(form, state.answers) and not q.fixed]


def _flagged(form: Form, state: State, q: Question | None, text: str, kind: str) -> Turn:
    """Words the screen flags go to a human at once, wherever they were typed (SAFE-12), and asking stops (SAFE-4)."""
    raised = w.Raised(kind, q.id if q else None, text)
    paused = replace(state, paused=True, step=state.step + 1)
    if q and q.type == "text":
        moved = _answered(form, replace(state, paused=False), q, RAISED).state
        return Turn(replace(moved, paused=True), (w.Answered(q.id, RAISED), raised))
    return Turn(paused, (raised,))


def _what_works(state: State, q: Question | None) -> str:
    if state.paused:
        return "works.paused"
    if q:
        return f"works.{q.type}"
    return f"works.{state.place}"


# --- controls -----------------------------------------------------------------------------------------------------


def _controlled(form: Form, state: State, control: str) -> Turn | None:
    """The turn for a control; None where it means nothing here."""
    if control == w.HELP:
        return Turn(replace(state, paused=True, step=state.step + 1), (w.Raised("help", state.question),))
    if control in (w.STOP, w.LATER):
        return Turn(replace(state, step=state.step + 1, paused=False), (w.Left(),))
    if control == w.CANCEL and form.errand:
        return Turn(replace(state, step=state.step + 1), (w.ThrownAway(),))
    if state.paused:
        return _went_on(form, state) if control == w.GO_ON else None
    if control == w.AGAIN:
        return Turn(replace(state, step=state.step + 1, since=state.step + 1), (ask_again(form, state),))
    by_place = {"intro": _at_intro, "question": _at_question, "change": _at_change}
    return by_place.get(state.place, _at_review)(form, state, control)


def _went_on(form: Form, state: State) -> Turn:
    state = replace(state, paused=False, step=state.step + 1, since=state.step + 1)
    return Turn(state, (ask_again(form, state),))


def _at_intro(form: Form, state: State, control: str) -> Turn | None:
    if control == w.START:
        return _next(form, state)
    if control == w.DECLINE:
        return Turn(replace(state, step=state.step + 1), (w.Declined(),))
    return None


def _at_question(form: Form, state: State, control: str) -> Turn | None:
    q = _in_front(form, state)
    if control == w.BACK:
        return _back(form, state)
    if q is None:
        return None
    if control == w.SKIP and not form.errand:
        return _answered(form, state, q, SKIPPED)
    if control == w.EASIER and q.easy:
        return Turn(replace(state, step=state.step + 1, since=state.step + 1), (w.Explained(q.id), w.Asked(q.id)))
    if control == w.DONE and q.type == "few":
        ids = _in_order(q, state.marked)
        return _answered(form, state, q, chosen(*ids)) if ids else Turn(state, (w.Misunderstood("works.few"),))
    return None


def _at_change(form: Form, state: State, control: str) -> Turn | None:
    if control != w.BACK:
        return None
    return Turn(replace(state, place="review", step=state.step + 1), (w.Reviewed(),))


def _at_review(form: Form, state: State, control: str) -> Turn | None:
    if control == w.SEND and state.place == "review":
        return _sent(form, state)
    if control in (w.QUOTE, w.NO_QUOTE):
        return _quoted(form, state, control == w.QUOTE)
    if control == w.CHANGE:
        return Turn(replace(state, place="change", step=state.step + 1), (w.ChoseToChange(),))
    if control == w.THROW and not form.errand:
        return Turn(State(form.id, form.version, step=state.step + 1), (w.ThrownAway(),))
    if control == w.BACK and state.place == "review":
        return _back(form, state)
    return None


def _quoted(form: Form, state: State, allowed: bool) -> Turn | None:
    """Whether these very words may be quoted; other words are asked about anew."""
    if state.place != "review" or state.paused or not asks_to_quote(form, state):
        return None
    return Turn(replace(state, quote=allowed, step=state.step + 1), (w.Reviewed(redrawn=True),))


def _sent(form: Form, state: State) -> Turn:
    answers = kept_answers(form, state.answers)
    done = replace(state, place="sent", question=None, answers=answers, sent=answers, step=state.step + 1)
    return Turn(replace(done, sent_quote=state.quote is True and _own_words(answers)), (w.Finished(),))


def _back(form: Form, state: State) -> Turn:
    """The question before; from the first one, the same question again. Answers stay until answered anew."""
    ids = [q.id for q in open_questions(form, state)]
    at = ids.index(state.question) if state.question in ids else len(ids)
    if not ids or (state.place == "question" and state.question not in ids):
        return Turn(replace(state, place="review", question=None, step=state.step + 1), (w.Reviewed(),))
    before = ids[max(at - 1, 0)]
    return _asked(state, before)


# --- moving on ----------------------------------------------------------------------------------------------------


def _answered(form: Form, state: State, q: Question, answer: Answer) -> Turn:
    if q.type == "text":
        state = replace(state, quote=None, sent_quote=False)  # a Yes was for the words that stood there
    turn = _next(form, replace(state, answers=state.answers | {q.id: answer}))
    answered, raised = w.Answered(q.id, answer), _asks_to_talk(q, answer)
    if raised:
        return Turn(replace(turn.state, paused=True), (answered, *raised))
    return Turn(turn.state, (answered, *turn.events))


def _asks_to_talk(q: Question, answer: Answer) -> tuple[w.Event, ...]:
    picked = [c for c in q.choices if c.id in answer.values and answer.kind == "choice"]
    return tuple(w.Raised(c.concern, q.id) for c in picked if c.concern)


def _next(form: Form, state: State) -> Turn:
    """The first question not answered yet, or the review."""
    for q in form.questions:
        if q.id not in state.answers and _possible(q, state.answers, set(state.answers)):
            return _asked(state, q.id)
    step = state.step + 1
    done = replace(state, place="review", question=None, marked=(), step=step, since=step)
    return Turn(done, (w.Reviewed(),))


def _asked(state: State, question: str) -> Turn:
    step = state.step + 1
    asked = replace(state, place="question", question=question, marked=(), step=step, since=step)
    return Turn(asked, (w.Asked(question),))
