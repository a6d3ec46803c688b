"""/dropin: day, time, place and group; members see it in /dropins and are reminded once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from bot.errands.errand import Errand, Screen, as_choices, value
from bot.turn import PersonsTurn
from conversations.answers import Answer
from conversations.asking import Setting, with_choices
from conversations.channel import Message
from conversations.engine import State
from conversations.form import Form
from conversations.listening import parse_time
from conversations.texts import clock_time, day_and_date
from data.audit import note
from data.dropins import add_dropin
from data.people import all_groups, members
from scheduler.plan import reminder_time


class Dropin(Errand):
    name = "dropin"

    async def form(self, turn: PersonsTurn) -> Form:
        groups = as_choices(await all_groups(turn.tx), turn.language)
        return with_choices(await super().form(turn), {"group": groups})

    async def refused(self, turn: PersonsTurn) -> str | None:
        return None if await all_groups(turn.tx) else "staff.no-groups"

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        if question == "date" and date.fromisoformat(answer.values[0]) < turn.today:
            return "works.errand-past"
        if question == "time" and not parse_time(answer.values[0]):
            return "works.errand-time"
        if question == "place" and len(answer.values[0]) > 200:
            return "works.errand-short"
        return None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        starts = _starts_at(turn, state)
        screen = Screen(s, state)
        if starts <= turn.now:
            return screen.message(turn.phrase("works.errand-past"), "change", "cancel")
        group = value(state, "group")
        facts = {
            "day": day_and_date(starts.date(), turn.language),
            "time": clock_time(starts, turn.language),
            "place": value(state, "place"),
            "group": (await all_groups(turn.tx))[group],
            "n": len(await members(turn.tx, group)),
        }
        late = reminder_time(starts, turn.house.school.zone) <= turn.now
        text = turn.phrase("staff.dropin-check-late" if late else "staff.dropin-check", **facts)
        return screen.message(text, "send-now", "change", "cancel", title=turn.phrase("staff.check"))

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        starts = _starts_at(turn, state)
        if starts <= turn.now:
            return False
        remind = reminder_time(starts, turn.house.school.zone)
        await note(turn.tx, "dropin.made", value(state, "group"), turn.now, turn.person.id)
        await add_dropin(turn.tx, value(state, "group"), starts, value(state, "place"), remind)
        turn.tell("staff.dropin-done")
        return True


def _starts_at(turn: PersonsTurn, state: State) -> datetime:
    at = parse_time(value(state, "time"))
    assert at
    day, zone = date.fromisoformat(value(state, "date")), turn.house.school.zone
    # By way of UTC, so that a time that the clocks skip in March is confirmed as it will be listed.
    return datetime.combine(day, time.fromisoformat(at), zone).astimezone(UTC).astimezone(zone)
