"""How the place a person is in looks and reads: questions, first screen, review. The same on every channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from conversations import words as w
from conversations.answers import Answer
from conversations.channel import Button, Message
from conversations.engine import State, ask_again, asks_to_quote, changeable, kept_answers, progress
from conversations.form import Choice, Form, Question, fill, said
from conversations.texts import Texts, listed, long_date

TICK = " ✓"
WHO_READS = {  # mode -> its sentences, each with the fact without which it would not be true (X2)
    "ANON": (("box", ""), ("read", "answer_readers"), ("words", "word_readers"), ("totals", "total_readers"),
             ("careful", "")),
    "CONF": (("see-names", "name_readers"), ("words", "word_readers"), ("without-names", "answer_readers"),
             ("totals", "total_readers"), ("names-go", "names_period"), ("names-gone", "names_at_once")),
    "NAMED": (("named", ""), ("read-named", "name_readers"), ("words", "word_readers"),
              ("without-names", "answer_readers"), ("totals", "total_readers")),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What a screen needs to know besides form and state: the run's id, the language, and the facts of the survey.

    `facts` fill the placeholders of forms and phrases: school, senco, dsl, phone, close_date, date and so on.
    """

    texts: Texts
    language: str
    run: str
    facts: dict[str, str] = field(repr=False)

    def say(self, key: str, **more: object) -> str:
        return self.texts.say(self.language, key, **(self.facts | more))

    def fill(self, words: str) -> str:
        """The words with every {name} of a known fact filled in."""
        return fill(words, self.facts)

    def button(self, step: int, key: str, label: str, marked: bool = False) -> Button:
        return Button(label + (TICK if marked else ""), f"{self.run}:{step}:{key}", marked=marked)

    def controls(self, step: int, *pairs: tuple[str, str]) -> tuple[Button, ...]:
        return tuple(self.button(step, key, self.say(f"label.{name}")) for name, key in pairs)


def screen_for(form: Form, state: State, s: Setting) -> Message:
    """The message for where this person is now."""
    event = ask_again(form, state)
    if isinstance(event, w.Introduced):
        return intro_screen(form, state, s)
    if isinstance(event, w.Asked):
        return question_screen(form, state, s)
    if isinstance(event, w.ChoseToChange):
        return change_screen(form, state, s)
    if isinstance(event, w.Finished):
        return sent_screen(form, state, s)
    return review_screen(form, state, s)


def intro_screen(form: Form, state: State, s: Setting) -> Message:
    """Who asks, why, how many, how long, who reads, until when, what cannot be kept to us, when they hear (X2)."""
    lines = [s.fill(said(form.intro, s.language))]
    lines += [_intro(form, s, "decides"), _intro(form, s, "how-many"), who_reads(form, s)]
    lines += [_until(form, s), *(_intro(form, s, key) for key in ("danger", "no-must"))]
    buttons = s.controls(state.step, ("yes-start", w.START), ("no-thank-you", w.DECLINE), ("need-help", w.HELP))
    return Message("\n\n".join(p for p in lines if p), title=said(form.title, s.language), buttons=buttons)


def _until(form: Form, s: Setting) -> str:
    """Of a visit nothing is known any more when its sign-up has gone; pupils' answers are let go of at once."""
    visit = s.facts.get("visit_period") and form.audience != "pupils"
    return f"{_intro(form, s, 'until')} {s.say('intro.visit')}" if visit else _intro(form, s, "until")


def _intro(form: Form, s: Setting, key: str) -> str:
    return s.say(f"{_voice(form)}.{key}", n=len(form.questions), minutes=_minutes(form))


def _voice(form: Form) -> str:
    return "intro-pupil" if form.audience == "pupils" else "intro"


def who_reads(form: Form, s: Setting) -> str:
    """Who sees what of this survey: only the sentences that somebody stands behind."""
    keys = [key for key, fact in WHO_READS[form.mode] if not fact or s.facts[fact]]
    if s.facts["word_readers"] == s.facts["name_readers"]:  # they were named the moment before
        keys = ["words-too" if key == "words" else key for key in keys]
    if form.audience == "staff":  # there are no child's papers for them
        keys = ["named-staff" if key == "named" else key for key in keys]
    phrases = [f"{_voice(form)}.who-reads.{key}" for key in keys]
    return " ".join(s.say(phrase) for phrase in phrases if s.texts.has(phrase))  # pupils need less


def _minutes(form: Form) -> int:
    return form.minutes or max(1, round(len(form.questions) * 0.45))


def question_screen(form: Form, state: State, s: Setting, easy: bool = False) -> Message:
    q = form.question(state.question or "")
    assert q
    shown = said(q.easy if easy and q.easy else q.text, s.language)
    return Message(
        text="\n\n".join(p for p in (_before_words(form, q, s), _earlier(q, state, s), _hint(form, q, s)) if p),
        title=s.fill(shown),
        progress=_progress(form, state, s),
        listed=tuple(f"{i}. {_label(q, c, s)}" for i, c in enumerate(q.choices, 1)),
        buttons=_choice_buttons(q, state, s) + _question_controls(form, q, state, s),
        takes_words=not q.tapped,
        tells=_tells(form, s) if q.id in state.answers else "",
    )


def _progress(form: Form, state: State, s: Setting) -> str:
    """Where the person is; not in an errand, which forks and fills in: its total would go from 13 to 2 at one tap."""
    at = None if form.errand else progress(form, state)
    return s.say("question.progress", at=at[0], of=at[1]) if at and at[1] > 1 else ""


def _tells(form: Form, s: Setting) -> str:
    """Screens that show answers kept without names do not stay in a chat (ANON-4)."""
    return s.run if form.mode == "ANON" and not form.errand else ""


def _before_words(form: Form, q: Question, s: Setting) -> str:
    """What must be said before free words are asked for (SAFE-1, SAFE-10, SAFE-12)."""
    if q.type != "text" or form.errand:
        return ""
    lines = [s.say("safe.pupil" if form.audience == "pupils" else "safe.adult")]
    if form.mode == "ANON":
        lines.append(s.say("safe.box"))
    return "\n".join(lines)


def _earlier(q: Question, state: State, s: Setting) -> str:
    answer = state.answers.get(q.id)
    return s.say("question.you-said", answer=answer_words(q, answer, s)) if answer else ""


def _hint(form: Form, q: Question, s: Setting) -> str:
    text = "hint.errand-text" if form.errand else "hint.text"  # a staff task cannot be skipped
    key = {"few": "hint.few", "text": text, "number": "hint.number", "date": "hint.date"}.get(q.type)
    return s.say(key, n=q.max or len(q.choices)) if key else ""


def _label(q: Question, choice: Choice, s: Setting) -> str:
    return s.fill(said(choice.label, s.language))


def _choice_buttons(q: Question, state: State, s: Setting) -> tuple[Button, ...]:
    if q.type != "few":
        return tuple(s.button(state.step, c.id, _label(q, c, s)) for c in q.choices)
    buttons = []
    for c in q.choices:
        marked = c.id in state.marked
        sign = w.UNMARK if marked else w.MARK
        buttons.append(s.button(state.step, sign + c.id, _label(q, c, s), marked))
    return tuple(buttons)


def _question_controls(form: Form, q: Question, state: State, s: Setting) -> tuple[Button, ...]:
    pairs = [("done", w.DONE)] if q.type == "few" else []
    if form.errand:
        return s.controls(state.step, *pairs, ("back", w.BACK), ("cancel", w.CANCEL))
    pairs += [("pass" if form.audience == "pupils" else "skip", w.SKIP), ("back", w.BACK), ("stop", w.STOP)]
    pairs += [("easier", w.EASIER)] if q.easy else []
    return s.controls(state.step, *pairs, ("need-help", w.HELP))


def change_screen(form: Form, state: State, s: Setting) -> Message:
    rows = changeable(form, state)
    lines = tuple(f"{i}. {_name(q, s)}" for i, q in enumerate(rows, 1))
    buttons = tuple(s.button(state.step, q.id, f"{i}. {_short(_name(q, s))}") for i, q in enumerate(rows, 1))
    back = s.controls(state.step, ("back", w.BACK))
    return Message(title=s.say("change.which"), listed=lines, buttons=buttons + back)


def _short(words: str) -> str:
    return words if len(words) <= 40 else words[:39].rstrip() + "…"


def _name(q: Question, s: Setting) -> str:
    return s.fill(said(q.short or q.text, s.language))


def review_screen(form: Form, state: State, s: Setting) -> Message:
    """All answers before they are sent."""
    pairs = [
        ("send-answers", w.SEND),
        ("change-answer", w.CHANGE),
        ("go-on-later", w.LATER),
        ("throw-away", w.THROW),
    ]
    lines = [answer_lines(form, state.answers, s), s.say("review.not-sent")]
    buttons = s.controls(state.step, *pairs)
    if asks_to_quote(form, state):
        lines.append(s.say("quote.pupil" if form.audience == "pupils" else "quote.adult"))
        buttons = _quote_buttons(state, s) + buttons
    return Message("\n\n".join(lines), title=s.say("review.title"), buttons=buttons, tells=_tells(form, s))


def _quote_buttons(state: State, s: Setting) -> tuple[Button, ...]:
    """Whether the words may be quoted (S10). Neither is marked beforehand, and unmarked counts as No."""
    agree = s.button(state.step, w.QUOTE, s.say("quote.agree"), state.quote is True)
    return (agree, s.button(state.step, w.NO_QUOTE, s.say("quote.decline"), state.quote is False))


def sent_screen(form: Form, state: State, s: Setting) -> Message:
    """Thanks, when they hear back, and what they can still do until the survey closes."""
    pairs = (("change-answer", w.CHANGE), ("throw-away", w.THROW))
    lines = [s.say("sent.text")] + ([s.say("sent.contact")] if form.mode == "ANON" else [])
    return Message("\n\n".join(lines), title=s.say("sent.title"), buttons=s.controls(state.step, *pairs))


def answer_lines(form: Form, answers: dict[str, Answer], s: Setting) -> str:
    kept = kept_answers(form, answers)
    rows = [(q, kept[q.id]) for q in form.questions if q.id in kept]
    return "\n".join(f"{i}. {_name(q, s)}\n{answer_words(q, a, s)}" for i, (q, a) in enumerate(rows, 1))


def answer_words(q: Question, answer: Answer, s: Setting) -> str:
    """The answer as the person would say it."""
    if answer.kind in ("skipped", "raised"):
        return s.say(f"answer.{answer.kind}")
    if answer.kind == "choice":
        labels = [_label(q, c, s) for c in q.choices if c.id in answer.values]
        return listed(labels, s.language)
    if answer.kind == "date":
        return long_date(date.fromisoformat(answer.values[0]), s.language)
    return answer.values[0]


def with_choices(form: Form, choices: dict[str, tuple[Choice, ...]]) -> Form:
    """The form with the choices of some questions filled in (groups, surveys: what only the database knows)."""
    questions = tuple(q.model_copy(update={"choices": choices.get(q.id, q.choices)}) for q in form.questions)
    return form.model_copy(update={"questions": questions})
