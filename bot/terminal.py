"""Plays a form in the terminal: the same engine and screens as everywhere, with an invented school."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TextIO

from bot.elmfield import ELMFIELD
from bot.facts import House
from conversations import words as w
from conversations.asking import Setting, answer_lines, question_screen, screen_for
from conversations.channel import Message
from conversations.engine import Context, State, Turn, resume, start
from conversations.form import Form
from conversations.texts import load_texts
from data.surveys import Survey

QUIT = "quit"


def play_in_terminal(form: Form, language: str, today: date, trace: bool = False) -> None:
    """Play until the answers are sent, the person leaves, or there is no more to read."""
    play(form, sample_setting(form, language, today), today, sys.stdin, sys.stdout, trace)


def play(form: Form, setting: Setting, today: date, lines: TextIO, out: TextIO, trace: bool) -> None:
    context = Context(setting.texts, setting.language, today)
    turn = start(form)
    _show(out, [screen_for(form, turn.state, setting)])
    while (line := _next_line(lines, out)) is not None and not _over(turn):
        turn = resume(form, turn.state, w.Typed(line), context)
        for event in turn.events if trace else ():
            print(f"  · {event}", file=out)
        _show(out, _messages(form, turn, setting))
        if _over(turn):
            break
    print(f"\n{_ending(form, turn.state, setting)}", file=out)


def _next_line(lines: TextIO, out: TextIO) -> str | None:
    """What was typed; None at the end of the input or at `quit`."""
    while True:
        if lines.isatty():
            print("> ", end="", file=out, flush=True)
        line = lines.readline()
        if not line or line.strip().casefold() == QUIT:
            return None
        if line.strip():
            return line.strip()


def _over(turn: Turn) -> bool:
    return any(isinstance(e, (w.Finished, w.Left, w.Declined, w.ThrownAway)) for e in turn.events)


def _messages(form: Form, turn: Turn, s: Setting) -> Iterator[Message]:
    """What a person would see after this turn."""
    for event in turn.events:
        if isinstance(event, w.Misunderstood):
            yield Message(s.say(event.why))
        elif isinstance(event, w.Raised):
            yield _paused(turn.state, s)
        elif isinstance(event, w.Explained):
            yield question_screen(form, turn.state, s, easy=True)
            return
        elif isinstance(event, (w.Left, w.Declined, w.ThrownAway)):
            yield Message(s.say(_goodbye(event, turn.state)))
        elif not isinstance(event, (w.Answered, w.Stale)):
            yield screen_for(form, turn.state, s)


def _paused(state: State, s: Setting) -> Message:
    """In place of the safeguarding reply, which needs to know the hour: what would happen now, and the way on."""
    text = f"(Here the bot stops asking, tells {s.facts['dsl']}, and shows who can help.)\n\n{s.say('care.more')}"
    return Message(text, buttons=s.controls(state.step, ("go-on", w.GO_ON), ("stop", w.STOP)))


def _goodbye(event: w.Event, state: State) -> str:
    if isinstance(event, w.Left):
        return "left" if state.answers else "left-nothing"
    return "declined" if isinstance(event, w.Declined) else "thrown-away"


def _show(out: TextIO, messages: list[Message] | Iterator[Message]) -> None:
    for message in messages:
        numbered = {line.partition(". ")[2] for line in message.listed}
        others = [b.label for b in message.buttons if b.label.removesuffix(" ✓") not in numbered]
        controls = " ".join(f"[{label}]" for label in others)
        print("\n" + "\n\n".join(part for part in (message.as_text(), controls) if part), file=out, flush=True)


def _ending(form: Form, state: State, s: Setting) -> str:
    answers = answer_lines(form, state.sent if state.sent is not None else state.answers, s)
    sent = "sent" if state.sent is not None else "not sent"
    return f"Answers ({sent}):\n{answers}" if answers else "No answers."


def sample_setting(form: Form, language: str, today: date) -> Setting:
    """An invented school and survey, to fill the placeholders."""
    house = House(ELMFIELD, load_texts())
    survey = Survey(
        id=f"{form.id}-1",
        nth=1,
        form=form,
        mode=form.mode,
        decision="an example",
        decider=house.school.people.head,
        opened_on=today,
        closes_at=datetime.combine(today + timedelta(days=14), datetime.min.time(), UTC).replace(hour=17),
        answer_by=today + timedelta(days=28),
    )
    return house.setting(survey, "try", language)
