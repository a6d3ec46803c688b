"""What /invite shows before it asks: the page with letters and access, and what waits for a yes."""

from __future__ import annotations

from bot.approving import to_decide, waiting_button
from bot.playing import begin_errand
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from data.links import make_link

PAGE = "people"  # of the web channel, and the kind of one-time link that leads there


async def invite(turn: PersonsTurn) -> None:
    """The way to the page, roles that wait, and then the question for whom a single code is."""
    waiting = tuple(waiting_button(turn, slip) for slip in await to_decide(turn))
    text, page = await _way_to_page(turn)
    turn.says.append(Message(text, buttons=(*page, *waiting)))
    await begin_errand(turn, "invite")


async def _way_to_page(turn: PersonsTurn) -> tuple[str, tuple[Button, ...]]:
    """A button on the web; a one-time link in a chat, which is not the page itself."""
    text = turn.phrase("invite.page")
    if turn.channel == "web":
        return text, (Button(turn.phrase("label.open"), opens=PAGE),)
    secret = await make_link(turn.tx, turn.person.id, PAGE, "", turn.now)
    local = [] if turn.house.public else [turn.phrase("staff.local-link")]
    lines = [text, turn.phrase("invite.page-link"), *local, f"{turn.house.web_address}/file/{secret}"]
    return "\n".join(lines), ()
