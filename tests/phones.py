"""Phones that are not somebody's yet: chats played by tapping and typing, and a channel that keeps what is sent."""

from __future__ import annotations

from collections.abc import Sequence

from bot.said import Reply, Tap, Text
from conversations.channel import Button, Message, Unreachable
from data.people import Address
from tests.school import School


class Phone:
    """A Telegram chat, whoever it belongs to. `reply` is what was said back last."""

    def __init__(self, school: School, where: str) -> None:
        self.school = school
        self.address = Address("telegram", where)
        self.reply = Reply()

    async def types(self, *lines: str) -> str:
        for line in lines:
            self.reply = await self.school.dialogue.hear(self.address, Text(line))
        return self.text

    async def taps(self, *labels: str) -> str:
        for label in labels:
            await self.forges(self.button(label).says)
        return self.text

    async def forges(self, says: str) -> str:
        self.reply = await self.school.dialogue.hear(self.address, Tap(says))
        return self.text

    async def opens(self, code: str) -> str:
        """Opens a code and says yes."""
        await self.types(f"/start {code}")
        return await self.taps("Yes, start")

    def button(self, label: str) -> Button:
        found = [b for m in self.reply.messages for b in m.buttons if b.label == label]
        assert found, f"no button {label!r} under {self.text!r}"
        return found[-1]

    @property
    def labels(self) -> list[str]:
        return [b.label for m in self.reply.messages for b in m.buttons]

    @property
    def text(self) -> str:
        return "\n\n".join(m.as_text() for m in self.reply.messages)


class Postbox:
    """A channel that keeps what is sent, chat by chat."""

    name = "telegram"

    def __init__(self) -> None:
        self.sent: dict[str, list[Message]] = {}
        self.forgotten: list[str] = []
        self.tidied: list[tuple[str, tuple[int, ...]]] = []
        self.blocked: set[str] = set()

    async def send(self, address: str, message: Message) -> None:
        if address in self.blocked:
            raise Unreachable("blocked")
        self.sent.setdefault(address, []).append(message)

    async def forget(self, address: str, goodbye: Message) -> None:
        if address in self.blocked:
            raise Unreachable("blocked")
        self.forgotten.append(address)
        self.sent.setdefault(address, []).append(goodbye)

    async def tidy(self, address: str, numbers: Sequence[int], instead: str) -> None:
        self.tidied.append((address, tuple(numbers)))

    def lines(self, address: str) -> list[str]:
        return [m.text for m in self.sent.get(address, [])]


def code_in(text: str) -> str:
    """The code of a message that begins a line with "Code: "."""
    return next(line for line in text.splitlines() if line.startswith("Code: ")).removeprefix("Code: ")
