"""How those on the ladder can be alerted: away until, and at any hour or in school hours only."""

from __future__ import annotations

from bot.playing import begin_errand
from bot.said import DUTY, asking
from bot.turn import PersonsTurn
from conversations.channel import Button
from data.alerts import duty_of, set_any_hour, set_away
from data.audit import note
from scheduler.ladder import RUNGS, wants_any_hour


async def duty_buttons(turn: PersonsTurn) -> list[Button]:
    """For those on the ladder: away or back, and alerts at any hour or not."""
    mine = [role for role in RUNGS if role in turn.person.roles]
    if not mine:
        return []
    away = (await duty_of(turn.tx, turn.person.id)).away(turn.now)
    awake = await wants_any_hour(turn.tx, turn.house.school, mine[0], turn.person.id)
    wishes = ("back" if away else "away", "school-hours" if awake else "any-hour")
    return [Button(turn.phrase(f"duty.{wish}"), asking(DUTY, wish)) for wish in wishes]


async def choose_duty(turn: PersonsTurn, wish: str) -> None:
    """A tap on one of these buttons."""
    if not set(RUNGS) & turn.person.roles:
        return turn.tell("refused")
    if wish == "away":
        return await begin_errand(turn, "away")
    if wish in ("back", "any-hour", "school-hours"):
        await note(turn.tx, f"duty.{wish}", turn.person.id, turn.now, turn.person.id)
    if wish == "back":
        await set_away(turn.tx, turn.person.id, None)
        return turn.tell("duty.is-back", turn.menu_button())
    if wish not in ("any-hour", "school-hours"):
        return turn.tell("closed-now")
    await set_any_hour(turn.tx, turn.person.id, wish == "any-hour")
    turn.tell(f"duty.is-{wish}", turn.menu_button())
