"""What every staff errand offers to the dialogue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, timedelta

from bot.turn import PersonsTurn
from conversations import words as w
from conversations.answers import Answer
from conversations.asking import Setting
from conversations.channel import Message
from conversations.engine import State, fill
from conversations.form import Choice, Form
from conversations.library import errand as errand_form

FARTHEST = timedelta(days=550)  # a school plans to the end of the next school year; what is later is a slip of the year


class Errand(ABC):
    """A task with a form. Subclasses fill in the choices, the last screen and what is done.

    `reviews` is False where nothing needs checking: the task is done when its last question is answered.
    """

    name: str
    reviews = True

    async def form(self, turn: PersonsTurn) -> Form:
        """The form with its choices."""
        return errand_form(self.name)

    async def form_at(self, turn: PersonsTurn, state: State) -> Form:
        """The form as it is after these answers, where its choices depend on what is known (a time, a booking)."""
        return await self.form(turn)

    async def refused(self, turn: PersonsTurn) -> str | None:
        """The phrase that says why it cannot begin now."""
        return None

    async def given(self, turn: PersonsTurn, form: Form) -> dict[str, Answer]:
        """Answers known beforehand."""
        return {}

    async def defaults(self, turn: PersonsTurn, state: State) -> State:
        """The state with what can be filled in by now."""
        return fill(state, {})

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        """The phrase that says what is wrong with an answer that the engine accepted."""
        return None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        """The last screen before it is done; without anything to check, only the way out."""
        return Screen(s, state).message("", "cancel")

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        """A question of it as it is shown."""
        return message

    async def takes_flagged(self, turn: PersonsTurn, raised: w.Raised) -> bool:
        """Whether words that went to a human at once were its answer all the same; else its question still waits."""
        return False

    @abstractmethod
    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        """Do it and say so; False when it could not be done, and the last screen should stay."""


@dataclass(frozen=True)
class Screen:
    """Buttons of a last screen."""

    setting: Setting
    state: State

    def message(self, text: str, *labels: str, title: str = "") -> Message:
        does = dict.fromkeys(("send-now", "close-and-count", "make-code", "save-it", "plan-it"), w.SEND)
        keys = does | {"change": w.CHANGE, "cancel": w.CANCEL, "keep-it": w.CANCEL}
        pairs = [(label, keys[label]) for label in labels]
        return Message(text, title=title, buttons=self.setting.controls(self.state.step, *pairs))


def as_choices(rows: dict[str, str], language: str) -> tuple[Choice, ...]:
    """Choices from ids and labels that only the database knows."""
    return tuple(Choice(id=id, label={language: label, "en": label}) for id, label in rows.items())


def day_problem(day: date, today: date) -> str | None:
    """The phrase that says why staff cannot mean this day: it is past, or its year is a slip."""
    if day < today:
        return "works.errand-past"
    return "works.errand-far" if day > today + FARTHEST else None


def value(state: State, question: str) -> str:
    return state.answers[question].values[0]
