"""What every page needs: the dialogue, the school, the clock, and the last replies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request

from bot.dialogue import Clock, Dialogue
from bot.facts import House
from bot.letters import Letters
from bot.web_channel.papers import Papers
from bot.web_channel.replies import LastReplies
from data.database import Database

NAME = "web"


@dataclass(frozen=True)
class DemoPhone:
    """One phone of `yousaid demo`: whose it is. Only there somebody is signed in without a code."""

    person: str


@dataclass(frozen=True)
class WebChannel:
    """The web channel of one school. Found by every page in `request.app.state.web`."""

    dialogue: Dialogue
    db: Database
    house: House
    letters: Letters
    clock: Clock
    demo: DemoPhone | None = None
    replies: LastReplies = field(default_factory=LastReplies)
    papers: Papers = field(default_factory=Papers)

    @property
    def secure(self) -> bool:
        """Whether the public address is https, so that cookies may insist on it."""
        return self.house.web_address.startswith("https://") and self.demo is None

    @property
    def now(self) -> datetime:
        return self.clock()

    def say(self, language: str, key: str, **facts: object) -> str:
        return self.house.say(language, key, **facts)


def web_of(request: Request) -> WebChannel:
    web: WebChannel = request.app.state.web
    return web


def root_of(request: Request) -> str:
    """Where the channel is mounted: "" or "/parent"."""
    return str(request.scope.get("root_path", ""))
