"""What people choose to hear of besides: charity and wellbeing events, off by default, with a stop each (MSG-2)."""

from __future__ import annotations

from bot.said import SETTING, asking
from bot.turn import PersonsTurn
from conversations.channel import Button
from conversations.roles import may
from data.events import OPTED
from data.wishes import unwish, wish, wishes_of


async def wish_buttons(turn: PersonsTurn) -> list[Button]:
    """A switch for each kind, which says how it stands and what a tap does."""
    if not may(turn.person.roles, "events"):
        return []
    wishes = await wishes_of(turn.tx, turn.person.id)
    states = {kind: "off" if kind in wishes else "on" for kind in sorted(OPTED)}
    return [Button(turn.phrase(f"wish.{kind}-{to}"), asking(SETTING, f"{kind}-{to}")) for kind, to in states.items()]


async def choose(turn: PersonsTurn, kind: str, to: str) -> None:
    """Turn it on or off; a second tap changes nothing."""
    if not may(turn.person.roles, "events"):
        return turn.tell("refused")
    if to == "off":
        return await stop_hearing(turn, kind)
    await wish(turn.tx, turn.person.id, kind)
    turn.tell(f"wish.{kind}-done", turn.menu_button())


async def stop_hearing(turn: PersonsTurn, kind: str) -> None:
    """The stop button under each such message: at once, for this kind alone."""
    if kind not in OPTED:
        return turn.tell("closed-now")
    await unwish(turn.tx, turn.person.id, kind, turn.now)
    turn.tell(f"wish.{kind}-stopped", turn.menu_button())
