"""Whole conversations as one would read them, with a save and load between every two turns."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.facts import House
from conversations import words as w
from conversations.asking import Setting, question_screen, screen_for
from conversations.channel import Message
from conversations.engine import Context, State, resume, start
from conversations.form import Form
from conversations.library import bundled_forms
from conversations.texts import load_texts
from data.school import check_school
from data.surveys import Survey
from tests.school import ELMFIELD

FOLDER = Path(__file__).parent / "transcripts"
TEXTS = load_texts()
HOUSE = House(check_school(ELMFIELD, "school.yaml"), TEXTS)
CONTEXT = Context(TEXTS, "en", date(2026, 11, 2))
FACTS = {
    "school": "Elmfield Primary", "senco": "Ms Patel", "dsl": "Mr Okafor", "phone": "0161 496 0000",
    "close_date": "16 November 2026", "answer_date": "30 November 2026", "date": "30 November 2026",
    "decision": "what we change", "decider": "Mrs Ahmed",
}  # fmt: skip


class _Readable(yaml.SafeDumper):
    """Writes what the bot says as blocks of plain lines."""


def _as_block(dumper: yaml.SafeDumper, words: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", words, style="|" if "\n" in words else None)


_Readable.add_representer(str, _as_block)


def transcripts() -> list[Path]:
    return sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", transcripts(), ids=lambda p: p.stem)
def test_conversation_reads_as_written(path: Path, request: pytest.FixtureRequest) -> None:
    story = yaml.safe_load(path.read_text(encoding="utf-8"))
    played = play(bundled_forms()[story["form"]], story["turns"])
    if request.config.getoption("--update-transcripts"):
        path.write_text(
            yaml.dump({**story, "turns": played}, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=200)
        )
    assert story["turns"] == played


def play(form: Form, turns: list[dict[str, str]]) -> list[dict[str, str]]:
    state = start(form).state
    shown = screen_for(form, state, setting(form))
    played = [{"bot": as_read(shown)}]
    for turn in turns:
        heard = heard_in(turn, shown)
        if heard is None:
            continue
        state = State.from_json(json.loads(json.dumps(state.to_json())))
        result = resume(form, state, heard, CONTEXT)
        state = result.state
        said, shown = speak(form, result.events, state, shown)
        played += [{k: v for k, v in turn.items() if k != "bot"}, {"bot": said}]
    return played


def heard_in(turn: dict[str, str], shown: Message) -> w.Heard | None:
    if "taps" in turn:
        button = next((b for b in shown.buttons if b.label == turn["taps"]), None)
        assert button, f"no button {turn['taps']!r} among {[b.label for b in shown.buttons]}"
        return w.Tapped(int(button.says.split(":")[1]), button.says.split(":", 2)[2])
    return w.Typed(turn["types"]) if "types" in turn else None


def speak(form: Form, events: tuple[w.Event, ...], state: State, shown: Message) -> tuple[str, Message]:
    """What is said, and the screen whose buttons can be tapped next."""
    first = events[-1]
    if isinstance(first, w.Misunderstood):
        return setting(form).say(first.why), shown
    if isinstance(first, w.Raised):
        go_on = setting(form).controls(state.step, ("go-on", w.GO_ON), ("stop", w.STOP))
        return f"(raised: {first.kind}) [Go on] [Stop]", Message(buttons=go_on)
    if isinstance(first, (w.Stale, w.Left, w.Declined, w.ThrownAway)):
        return f"({type(first).__name__.lower()})", shown
    if any(isinstance(e, w.Explained) for e in events):
        easy = question_screen(form, state, setting(form), easy=True)
        return as_read(easy), easy
    screen = screen_for(form, state, setting(form))
    return as_read(screen), screen


def setting(form: Form) -> Setting:
    readers = HOUSE.reader_facts(Survey(f"{form.id}-1", 1, form, form.mode), "en")
    return Setting(TEXTS, "en", "a" * 12, FACTS | readers)


def as_read(message: Message) -> str:
    return "\n".join([message.as_text(), " ".join(f"[{b.label}]" for b in message.buttons)])
