"""/dropin: day, time, place and group; members see it in /dropins and are reminded of it (S15)."""

from __future__ import annotations

from bot.errands.planning import Planning
from bot.turn import PersonsTurn
from conversations.answers import Answer, chosen
from conversations.form import Form

WALK_IN = "walk-in"


class Dropin(Planning):
    name = "dropin"
    kinds = ("dropin",)

    async def given(self, turn: PersonsTurn, form: Form) -> dict[str, Answer]:
        return await super().given(turn, form) | {"slots": chosen(WALK_IN)}

    def facts(self, turn: PersonsTurn, answers: dict[str, Answer]) -> dict[str, object]:
        slots = answers["slots"].values[0]
        more: dict[str, object] = {}
        if slots != WALK_IN:
            each = int(answers["each"].values[0]) if "each" in answers else 1
            more = {"slot_minutes": int(slots), "capacity": each}
        return super().facts(turn, answers) | more
