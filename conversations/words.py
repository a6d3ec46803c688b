"""What may be heard from a person, and what may happen because of it (events, in the past tense)."""

from __future__ import annotations

from dataclasses import dataclass, field

from conversations.answers import Answer

# Controls are keys that begin with a dot, so that no choice id (letters, digits, - and _) can be one.
START, DECLINE = ".start", ".decline"
SKIP, BACK, STOP, DONE = ".skip", ".back", ".stop", ".done"
SEND, CHANGE, THROW, LATER = ".send", ".change", ".throw", ".later"
AGAIN, EASIER, HELP, GO_ON, CANCEL = ".again", ".easier", ".help", ".go-on", ".cancel"
QUOTE, NO_QUOTE = ".quote", ".no-quote"
MARK, UNMARK = "+", "-"  # before a choice id in "choose up to N", so that a double tap cannot undo itself


@dataclass(frozen=True)
class Tapped:
    """A button of step `step`: a choice id, a marked or unmarked choice id, or a control."""

    step: int
    key: str = field(repr=False)


@dataclass(frozen=True)
class Typed:
    """Words written by hand."""

    text: str = field(repr=False)


Heard = Tapped | Typed


@dataclass(frozen=True)
class Asked:
    """This question is now in front of the person; `redrawn` when only its marks changed."""

    question: str
    redrawn: bool = False


@dataclass(frozen=True)
class Introduced:
    """The first screen, before any question, is in front of the person."""


@dataclass(frozen=True)
class Answered:
    """A question has got an answer."""

    question: str
    answer: Answer


@dataclass(frozen=True)
class Misunderstood:
    """What was heard fits nothing here; `why` is the key of the phrase that says what works."""

    why: str


@dataclass(frozen=True)
class Explained:
    """The person asked for easier words."""

    question: str


@dataclass(frozen=True)
class Raised:
    """Something a human must see: words the screen flagged, a "talk today", or a call for help."""

    kind: str
    question: str | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Reviewed:
    """All questions are answered: the person sees the answers before sending. `redrawn`: only a mark changed."""

    redrawn: bool = False


@dataclass(frozen=True)
class ChoseToChange:
    """The person is choosing which answer to change."""


@dataclass(frozen=True)
class Finished:
    """The answers were sent."""


@dataclass(frozen=True)
class ThrownAway:
    """The person withdrew all answers."""


@dataclass(frozen=True)
class Declined:
    """The person said no thank you on the first screen."""


@dataclass(frozen=True)
class Left:
    """The person stopped for now; everything waits."""


@dataclass(frozen=True)
class Stale:
    """The tap belongs to an older step; nothing changed."""


Event = (
    Asked
    | Introduced
    | Answered
    | Misunderstood
    | Explained
    | Raised
    | Reviewed
    | ChoseToChange
    | Finished
    | ThrownAway
    | Declined
    | Left
    | Stale
)
