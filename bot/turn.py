"""One turn of one person: the open transaction, who it is, and what must happen after the commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.facts import House
from bot.said import COMMAND, Later, asking
from conversations.channel import Button, Message
from conversations.engine import Context
from data.database import Database, Tx
from data.people import Address, Person

After = Callable[[], Awaitable[None]]


@dataclass
class PersonsTurn:
    """Everything one turn needs. `says` collects the messages; `after` what follows the commit.

    `here` is the chat it takes place in, or `session` the secret of the browser. `number` is the message of the chat
    that was typed, or tapped on; `tidies` are those that go because they show answers (ANON-4).
    """

    db: Database
    tx: Tx
    house: House
    person: Person
    now: datetime
    channel: str
    here: Address | None = None
    session: str = field(default="", repr=False)
    says: list[Message | Later] = field(default_factory=list)
    after: list[After] = field(default_factory=list)
    stale: bool = False
    roles_changed: bool = False
    logged_out: bool = False
    number: int | None = None
    typed: bool = False
    tidies: tuple[int, ...] = ()

    @property
    def language(self) -> str:
        return self.person.language

    @property
    def today(self) -> date:
        return self.now.astimezone(self.house.school.zone).date()

    @property
    def context(self) -> Context:
        return Context(self.house.texts, self.language, self.today)

    def phrase(self, key: str, **facts: object) -> str:
        return self.house.say(self.language, key, **facts)

    def tell(self, key: str, *buttons: Button, **facts: object) -> None:
        """Say one phrase."""
        self.says.append(Message(self.phrase(key, **facts), buttons=buttons))

    def label(self, name: str, says: str) -> Button:
        return Button(self.phrase(f"label.{name}"), says)

    def menu_button(self) -> Button:
        return self.label("menu", asking(COMMAND, "menu"))
