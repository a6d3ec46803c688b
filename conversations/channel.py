"""What is said to a person, and what a channel must do. Channels draw messages; the engine never speaks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable


class Unreachable(Exception):
    """This address cannot be written to until its owner comes back (blocked, deleted, never started)."""


class TryLater(Exception):
    """The channel asks for a pause before anything else is sent. `unsure`: this message may have arrived."""

    def __init__(self, seconds: float, unsure: bool = False) -> None:
        super().__init__(f"try again in {seconds:g} s")
        self.seconds = seconds
        self.unsure = unsure


@dataclass(frozen=True)
class Button:
    """A label and what it says when tapped, or an address it opens."""

    label: str = field(repr=False)
    says: str = field(default="", repr=False)
    opens: str = field(default="", repr=False)
    marked: bool = False


Menu = tuple[tuple[str, str], ...]  # commands, each with what it does


@dataclass(frozen=True)
class Picture:
    """A PNG with the words that say the same."""

    png: bytes = field(repr=False)
    caption: str = field(repr=False)


@dataclass(frozen=True)
class File:
    """A document that may travel through the channel."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Message:
    """One thing said. Read in this order: progress, title (the question), text, choices in words, buttons.

    `listed` repeats the choices with their numbers for those who type; a page with real buttons leaves it out.
    `takes_words` asks a page for a text field. `redraws` means: same message as before, only its buttons changed.
    `menu` replaces the menu of whoever it is sent to, if the channel has one. `tells` names the run whose answers it
    shows where they are kept without names: a chat's copy goes when they are sent, or when questions close (ANON-4).
    """

    text: str = field(default="", repr=False)
    title: str = field(default="", repr=False)
    progress: str = ""
    listed: tuple[str, ...] = field(default=(), repr=False)
    buttons: tuple[Button, ...] = ()
    takes_words: bool = False
    redraws: bool = False
    picture: Picture | None = None
    file: File | None = None
    menu: Menu | None = None
    tells: str = ""

    def as_text(self) -> str:
        """The whole message as plain text, for a chat or a terminal."""
        parts = [self.progress, self.title, self.text, "\n".join(self.listed)]
        return "\n\n".join(p for p in parts if p)


class Channel(Protocol):
    """A way to reach people: one instance per kind of address."""

    name: str

    async def send(self, address: str, message: Message) -> None:
        """Deliver, or raise Unreachable or TryLater. Anything else raised is a bug."""

    async def forget(self, address: str, goodbye: Message) -> None:
        """Leave nothing of ours at an address that is logged out, as far as it can be, but the goodbye."""

    async def tidy(self, address: str, numbers: Sequence[int], instead: str) -> None:
        """Take these messages away; where that is not allowed any more, let them say `instead`."""


@runtime_checkable
class Paced(Protocol):
    """A channel that takes only so many messages a second."""

    def turn(self, address: str, urgent: bool = False) -> AbstractAsyncContextManager[None]:
        """Entered when the next message to this address may go, before others if urgent; it then goes at once.

        So whether it should go can be looked at last of all. May raise TryLater.
        """

    @property
    def pause(self) -> float:
        """Seconds until it takes messages again: above 0 while it is out of reach, or has asked to wait."""
