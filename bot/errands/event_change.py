"""What is planned, changed or called off: another time, place or host, one time or all (S3, S15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from bot.errands.errand import Errand, Screen, as_choices, value
from bot.errands.planning import staff_words
from bot.events import changing
from bot.events.hosts import host_names, may_change
from bot.events.series import at
from bot.events.words import name_of, when
from bot.turn import PersonsTurn
from conversations.answers import Answer
from conversations.asking import Setting, with_choices
from conversations.channel import Message
from conversations.engine import State
from conversations.form import Choice, Form
from conversations.listening import parse_time
from data.events import Occasion, find_occasion, occasions_of
from data.looks import note_look

OFF = ("off", "all-off")


class EventChange(Errand):
    name = "event-change"

    async def form_at(self, turn: PersonsTurn, state: State) -> Form:
        form, occasion = await self.form(turn), await find_occasion(turn.tx, value(state, "occasion"))
        hosts = await host_names(turn.tx, turn.house, turn.language, turn.person.id)
        rows = {occasion.id: _named(turn, occasion)} if occasion else {}
        choices = {"occasion": as_choices(rows, turn.language), "host": as_choices(hosts, turn.language)}
        return with_choices(form, choices | {"what": await _whats(turn, form, occasion)})

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        if state.place != "question":
            return message
        if state.question == "host":
            await note_look(turn.tx, turn.person.id, "labels", "host", "", turn.now)
        occasion = await find_occasion(turn.tx, value(state, "occasion"))
        about = _named(turn, occasion) if occasion else ""
        return replace(message, text="\n\n".join(part for part in (about, message.text) if part))

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        if question == "date" and date.fromisoformat(answer.values[0]) < turn.today:
            return "works.errand-past"
        if question == "time" and not parse_time(answer.values[0]):
            return "works.errand-time"
        return staff_words(answer) if question not in ("occasion", "date") else None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        screen, occasion = Screen(s, state), await self._occasion(turn, state)
        if occasion is None:
            return screen.message(turn.phrase("planning.gone"), "cancel")
        starts = _starts(turn, state) if value(state, "what") == "when" else None
        if starts and starts <= turn.now:
            return screen.message(turn.phrase("works.errand-past"), "change", "keep-it")
        n = len(await changing.touched_by(turn.tx, await self._touched(turn, state, occasion)))
        told = turn.phrase("planning.tells", n=n) if n else turn.phrase("planning.tells-nobody")
        name = name_of(turn.house, turn.language, occasion.event)
        lines = [name, await self._change(turn, state, occasion, starts), told]
        title = turn.phrase("staff.check")
        return screen.message("\n".join(lines), "send-now", "change", "keep-it", title=title)

    async def _change(self, turn: PersonsTurn, state: State, occasion: Occasion, starts: datetime | None) -> str:
        """From what to what; or what is off, and why."""
        what, old = value(state, "what"), when(turn.house, turn.language, occasion.starts_at, occasion.ends_at)
        if starts:
            new = when(turn.house, turn.language, starts, starts + (occasion.ends_at - occasion.starts_at))
            return turn.phrase("planning.from-to", old=old, new=new)
        if what == "place":
            return turn.phrase("planning.from-to", old=occasion.event.place, new=value(state, "place"))
        if what == "host":
            hosts = await host_names(turn.tx, turn.house, turn.language, turn.person.id)
            return turn.phrase("planning.led-by", name=hosts.get(value(state, "host"), ""))
        key = "planning.off-one" if what == "off" else "planning.off-all"
        return turn.phrase(key, day=old, reason=value(state, "reason"))

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        occasion = await self._occasion(turn, state)
        if occasion is None:
            return False
        what, by, now = value(state, "what"), turn.person.id, turn.now
        if what == "when":
            starts = _starts(turn, state)
            if starts <= now:
                return False
            await changing.move(turn.tx, turn.house.school, occasion, starts, now, by)
        elif what == "off":
            await changing.call_off(turn.tx, occasion, value(state, "reason"), now, by)
        elif what == "all-off":
            await changing.call_off_all(turn.tx, occasion.event, value(state, "reason"), now, by)
        else:
            await changing.change_event(turn.tx, occasion.event, now, by, **{what: value(state, what)})
        turn.tell("planning.off-done" if what in OFF else "planning.change-done", turn.menu_button())
        return True

    async def _occasion(self, turn: PersonsTurn, state: State) -> Occasion | None:
        """What is to be changed, while it can be: not off, not begun, and theirs to change."""
        occasion = await find_occasion(turn.tx, value(state, "occasion"))
        if occasion is None or occasion.off or occasion.starts_at <= turn.now:
            return None
        return occasion if may_change(turn.person, occasion.event) else None

    async def _touched(self, turn: PersonsTurn, state: State, occasion: Occasion) -> list[Occasion]:
        if value(state, "what") in ("when", "off"):
            return [occasion]
        return await coming_of(turn, occasion)


async def coming_of(turn: PersonsTurn, occasion: Occasion) -> list[Occasion]:
    """All times of the same event that are still to come."""
    return [o for o in await occasions_of(turn.tx, occasion.event.id) if not o.off and o.starts_at > turn.now]


async def _whats(turn: PersonsTurn, form: Form, occasion: Occasion | None) -> tuple[Choice, ...]:
    """All its times can be called off where there is more than one."""
    question = form.question("what")
    assert question
    several = occasion is not None and len(await coming_of(turn, occasion)) > 1
    return tuple(c for c in question.choices if several or c.id != "all-off")


def _named(turn: PersonsTurn, occasion: Occasion) -> str:
    what = name_of(turn.house, turn.language, occasion.event)
    return f"{what}. {when(turn.house, turn.language, occasion.starts_at, occasion.ends_at)}"


def _starts(turn: PersonsTurn, state: State) -> datetime:
    clock = parse_time(value(state, "time"))
    assert clock
    return at(date.fromisoformat(value(state, "date")), clock, turn.house.school.zone)
