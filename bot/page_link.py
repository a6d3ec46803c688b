"""The way from a chat to one of our pages: a one-time link, or on the web the page itself."""

from __future__ import annotations

from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from data.links import make_link

WEB = "web"


async def way_to_page(turn: PersonsTurn, text: str, kind: str, ref: str = "") -> Message:
    """`text` and the way to the page of this kind; the link works once, for 15 minutes."""
    if turn.channel == WEB:
        return Message(text, buttons=(Button(turn.phrase("label.open"), opens=f"{kind}/{ref}" if ref else kind),))
    secret = await make_link(turn.tx, turn.person.id, kind, ref, turn.now)
    local = [] if turn.house.public else [turn.phrase("staff.local-link")]
    lines = [text, turn.phrase("invite.page-link"), *local, f"{turn.house.web_address}/file/{secret}"]
    return Message("\n".join(lines))
