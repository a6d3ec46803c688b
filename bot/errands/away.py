"""I am away until: the next on the ladder stands in, and what waits for my tap goes on to them at once (SAFE-5)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot.errands.errand import Errand, value
from bot.gaps import gap
from bot.turn import PersonsTurn
from conversations.answers import Answer
from conversations.engine import State
from conversations.texts import day_and_date
from data.alerts import set_away
from data.audit import note
from scheduler.ladder import RUNGS, hand_over

LONGEST = timedelta(days=366)  # a slip of the pen must not send alerts elsewhere for years


class Away(Errand):
    name = "away"
    reviews = False

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        back = date.fromisoformat(answer.values[0])
        if back <= turn.today:
            return "works.errand-later"
        return "works.errand-year" if back > turn.today + LONGEST else None

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        back = date.fromisoformat(value(state, "back"))
        until = datetime.combine(back, time(), turn.house.school.zone)
        await note(turn.tx, "duty.away", turn.person.id, turn.now, turn.person.id, until=back.isoformat())
        await set_away(turn.tx, turn.person.id, until)
        await hand_over(turn.tx, turn.house.school, turn.person.id, turn.now)
        day = day_and_date(back, turn.language)
        if stand_in := await _stand_in(turn):
            turn.tell("duty.is-away", turn.menu_button(), date=day, who=stand_in)
        else:
            turn.tell("duty.is-away-alone", turn.menu_button(), date=day)
        return True


async def _stand_in(turn: PersonsTurn) -> str:
    """The first of the others on the ladder who gets alerts now; "" when nobody does."""
    for role in RUNGS:
        if role not in turn.person.roles and not await gap(turn.tx, turn.house, turn.language, role, turn.now):
            return turn.house.staff_names[role]
    return ""
