"""What /invite shows before it asks: the page with letters and access, and what waits for a yes."""

from __future__ import annotations

from dataclasses import replace

from bot.approving import to_decide, waiting_button
from bot.page_link import way_to_page
from bot.playing import begin_errand
from bot.turn import PersonsTurn
from data.looks import note_look

PAGE = "people"  # of the web channel, and the kind of one-time link that leads there


async def invite(turn: PersonsTurn) -> None:
    """The way to the page, roles that wait, and then the question for whom a single code is."""
    slips = await to_decide(turn)
    if slips:
        await note_look(turn.tx, turn.person.id, "labels", "staff", "", turn.now)
    waiting = tuple(waiting_button(turn, slip) for slip in slips)
    page = await way_to_page(turn, turn.phrase("invite.page"), PAGE)
    turn.says.append(replace(page, buttons=(*page.buttons, *waiting)))
    await begin_errand(turn, "invite")
