"""The bot's token: in one place, which can be given another one, and nowhere in python-telegram-bot.

That library prints its token in reprs and errors. It is told PLACE instead, and our request (request.py) puts the token
into the address at the last moment. So a new token needs no new bot: what was queued goes on with it.
"""

from __future__ import annotations

import asyncio

PLACE = "0:the-token-stands-elsewhere"
REFUSED = (401, 404)  # what Telegram answers to a token that it does not know, or cannot read


class Token:
    """The token now. `usable` is clear while Telegram refuses it; whoever wants to speak waits for that."""

    def __init__(self, value: str) -> None:
        self._value = value
        self.usable = asyncio.Event()
        self.usable.set()
        self.changed = asyncio.Event()  # set when there is another token; whoever looks clears it

    def __repr__(self) -> str:
        return "Token()"

    @property
    def value(self) -> str:
        return self._value

    def change(self, value: str) -> None:
        self._value = value
        self.usable.set()
        self.changed.set()

    def put_into(self, url: str) -> str:
        return url.replace(PLACE, self._value, 1)

    def heard(self, url: str, status: int) -> None:
        """Take note of how Telegram answered a request; one with an earlier token may come back late."""
        if status in REFUSED and self._value in url and "/file/" not in url:
            self.usable.clear()
