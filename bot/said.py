"""What a channel passes on: what somebody tapped or typed, and what is said back."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from conversations.channel import Message
from conversations.words import Tapped

KEY_LIMIT = 64  # bytes of callback data that Telegram carries

OPEN, COMMAND, JOIN, LANGUAGE, CLOSE, POSTPONE, REMIND, WHEN = "o", "c", "j", "l", "close", "later", "remind", "when"
SEEN, DUTY = "k", "duty"  # an alert was seen; how the person can be alerted
SETTING, WAITS, GRANT, DENY = "s", "w", "grant", "deny"  # /settings; a role that waits for a colleague's yes
LOOK, PUBLISH, NOT_YET = "look", "pub", "not-yet"  # a row of "you said, we did" that waits for a second look
PLANNED, ALTER = "plan", "alter"  # what staff have planned; one of them, to be changed
SHEET, CAME, ROOM = "sheet", "came", "room"  # for whoever leads it: the list, who came, what was said
LED = "led"  # who leads it has changed
WAS_IT, MINE, NOT_MINE = "d", "mine", "not-mine"  # whether a device, or a use of a code, was the person's own
FAR = "far"  # how far a sending is, and what staff do about it
EVENT, TALK = "e", "t"  # a drop-in or event of families; a pupil who asks for an adult
_RUN = re.compile(r"([0-9a-z]{12}):(\d{1,9}):([.+-]?[A-Za-z0-9._-]{1,41})")
_KINDS = (
    "o|c|j|l|k|s|w|d|close|later|remind|when|duty|grant|"
    "deny|mine|not-mine|look|pub|not-yet|plan|alter|sheet|came|room|led|far|e|t"
)
_ASKED = re.compile(rf"({_KINDS})=([A-Za-z0-9._:-]{{1,58}})")


@dataclass(frozen=True)
class Tap:
    """A button, by what it says. Anything a stranger forges is just a Tap that fits nothing."""

    says: str = field(repr=False)

    def of_run(self) -> tuple[str, Tapped] | None:
        """The run and the tap inside it, if it is shaped like one."""
        m = _RUN.fullmatch(self.says)
        return (m[1], Tapped(int(m[2]), m[3])) if m else None

    def asked(self) -> tuple[str, str] | None:
        """What else a button can ask for, and about what."""
        m = _ASKED.fullmatch(self.says)
        return (m[1], m[2]) if m else None


@dataclass(frozen=True)
class Text:
    """Words typed."""

    words: str = field(repr=False)


@dataclass(frozen=True)
class Unusable:
    """A picture, voice note, sticker, file or place: not opened, not kept. `words` stand below it."""

    words: str = field(default="", repr=False)


@dataclass(frozen=True)
class Edited:
    """Words that somebody put into an older message: they change nothing."""

    words: str = field(repr=False)


Said = Tap | Text | Unusable | Edited
Later = Callable[[], Awaitable[Message]]  # drawn after the commit, because it takes time


@dataclass
class Reply:
    """What to say back, in order.

    `stale`: nothing changed, so a channel that has just said the same may stay silent. `wait` slows down those who
    guess codes. `roles_changed` asks the channel to renew the menu. `joined` is the person who has just joined.
    `logged_out`: this chat or browser belongs to nobody any more. `tidies`: messages of a chat that go now, or say
    `instead` (ANON-4).
    """

    messages: list[Message] = field(default_factory=list)
    stale: bool = False
    wait: float = 0.0
    roles_changed: bool = False
    joined: str | None = None
    logged_out: bool = False
    tidies: tuple[int, ...] = ()
    instead: str = ""


def asking(kind: str, what: str) -> str:
    """What a button says that opens a survey, gives a command and so on."""
    return f"{kind}={what}"
