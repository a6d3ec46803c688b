"""What is planned, changed or called off: its time, place, host, room or access facts; one time or all (S3, S15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from bot.booking.words import title_of, when
from bot.delivery import event_buttons
from bot.errands.errand import Errand, Screen, as_choices, day_problem, value
from bot.errands.event_room import ROOM, room_change, room_of, room_problem, room_tells
from bot.errands.planning import NONE, leads, staff_words, year_words
from bot.events import changing
from bot.events.hosts import host_names, may_change
from bot.events.series import at
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
        return with_choices(form, choices | await _fitting(turn, form, occasion))

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        if state.place != "question":
            return message
        if state.question == "host":
            await note_look(turn.tx, turn.person.id, "labels", "host", "", turn.now)
        occasion = await find_occasion(turn.tx, value(state, "occasion"))
        about = _named(turn, occasion) if occasion else ""
        return replace(message, text="\n\n".join(part for part in (about, message.text) if part))

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        if question == "date":
            return day_problem(date.fromisoformat(answer.values[0]), turn.today)
        if question == "time" and not parse_time(answer.values[0]):
            return "works.errand-time"
        return staff_words(answer) if question != "occasion" else None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        screen, occasion = Screen(s, state), await self._occasion(turn, state)
        if occasion is None:
            return screen.message(turn.phrase("planning.gone"), "cancel")
        if problem := await self._hindered(turn, state, occasion):
            return screen.message(problem, "change", "keep-it")
        name = title_of(turn.house, occasion.event, turn.language)
        lines = [name, await self._change(turn, state, occasion), await self._tells(turn, state, occasion)]
        lines += year_words(turn, _starts(turn, state)) if _what(state) == "when" else []
        title = turn.phrase("staff.check")
        return screen.message("\n".join(lines), "send-now", "change", "keep-it", title=title)

    async def _hindered(self, turn: PersonsTurn, state: State, occasion: Occasion) -> str:
        """Why this cannot be done; "" where it can."""
        what = _what(state)
        if what == "when" and _starts(turn, state) <= turn.now:
            return turn.phrase("works.errand-past")
        if what == "host" and not leads(await self.form_at(turn, state), value(state, "host")):
            return turn.phrase("planning.host-gone")
        return await room_problem(turn, state, occasion.event) if what in ROOM else ""

    async def _tells(self, turn: PersonsTurn, state: State, occasion: Occasion) -> str:
        """How many hear of it."""
        what = _what(state)
        if what in ROOM:
            return await room_tells(turn, occasion.event)
        told = set(await changing.touched_by(turn.tx, await self._touched(turn, state, occasion)))
        told |= {occasion.event.host or "", value(state, "host")} - {"", turn.person.id} if what == "host" else set()
        return turn.phrase("planning.tells", n=len(told)) if told else turn.phrase("planning.tells-nobody")

    async def _change(self, turn: PersonsTurn, state: State, occasion: Occasion) -> str:
        """From what to what; or what is off, and why."""
        what, old = _what(state), when(turn.house, turn.language, occasion.starts_at, occasion.ends_at)
        if what in ROOM:
            return await room_change(turn, state, occasion.event)
        if what == "access":
            before = occasion.event.access.get(value(state, "fact"), "") or turn.phrase("planning.nothing-said")
            new = _access(state, occasion).get(value(state, "fact"), "") or turn.phrase("planning.nothing-said")
            return turn.phrase("planning.from-to", old=before, new=new)
        if what == "when":
            starts = _starts(turn, state)
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
        if occasion is None or await self._hindered(turn, state, occasion):
            return False
        what, by, now, event = _what(state), turn.person.id, turn.now, occasion.event
        if what == "when":
            await changing.move(turn.tx, turn.house.school, occasion, _starts(turn, state), now, by)
        elif what in ROOM:
            await changing.change_room(turn.tx, event, now, by, **vars(room_of(state, event)))
        elif what == "access":
            await changing.change_event(turn.tx, event, now, by, access=_access(state, occasion))
        elif what == "off":
            await changing.call_off(turn.tx, occasion, value(state, "reason"), now, by)
        elif what == "all-off":
            await changing.call_off_all(turn.tx, event, value(state, "reason"), now, by)
        else:
            await changing.change_event(turn.tx, event, now, by, **{what: value(state, what)})
        far = await event_buttons(turn, event.id)
        turn.tell("planning.off-done" if what in OFF else "planning.change-done", *far, turn.menu_button())
        return True

    async def _occasion(self, turn: PersonsTurn, state: State) -> Occasion | None:
        """What is to be changed, while it can be: not off, not begun, and theirs to change."""
        occasion = await find_occasion(turn.tx, value(state, "occasion"))
        if occasion is None or occasion.off or occasion.starts_at <= turn.now:
            return None
        return occasion if may_change(turn.person, occasion.event) else None

    async def _touched(self, turn: PersonsTurn, state: State, occasion: Occasion) -> list[Occasion]:
        if _what(state) in ("when", "off"):
            return [occasion]
        return await coming_of(turn, occasion)


async def coming_of(turn: PersonsTurn, occasion: Occasion) -> list[Occasion]:
    """All times of the same event that are still to come."""
    return [o for o in await occasions_of(turn.tx, occasion.event.id) if not o.off and o.starts_at > turn.now]


def _what(state: State) -> str:
    """What is to be changed."""
    return value(state, "more") if value(state, "what") == "more" else value(state, "what")


async def _fitting(turn: PersonsTurn, form: Form, occasion: Occasion | None) -> dict[str, tuple[Choice, ...]]:
    """What fits it: all its times only where there is more than one, a limit where there are no times to keep."""
    what, more = form.question("what"), form.question("more")
    assert what
    assert more
    several = occasion is not None and len(await coming_of(turn, occasion)) > 1
    event = occasion.event if occasion else None
    unfit = {"slots"} if event and event.kind != "dropin" else {"limit"} if event and event.slot_minutes else set()
    return {
        "what": tuple(c for c in what.choices if several or c.id != "all-off"),
        "more": tuple(c for c in more.choices if c.id not in unfit),
    }


def _named(turn: PersonsTurn, occasion: Occasion) -> str:
    what = title_of(turn.house, occasion.event, turn.language)
    return f"{what}. {when(turn.house, turn.language, occasion.starts_at, occasion.ends_at)}"


def _access(state: State, occasion: Occasion) -> dict[str, str]:
    """All its access facts, with the one that was changed."""
    fact, words = value(state, "fact"), value(state, "words")
    others = {name: said for name, said in occasion.event.access.items() if name != fact}
    return others if words == NONE else others | {fact: words}


def _starts(turn: PersonsTurn, state: State) -> datetime:
    clock = parse_time(value(state, "time"))
    assert clock
    return at(date.fromisoformat(value(state, "date")), clock, turn.house.school.zone)
