"""Who came, noted by whoever led it: counts that stay, and a mark at each booking that goes with it (S15)."""

from __future__ import annotations

from dataclasses import replace

from bot.booking.words import title_of, when
from bot.errands.errand import Errand, as_choices, value
from bot.events.hosts import may_change
from bot.events.making import word
from bot.events.sheet import family_name
from bot.said import ROOM, asking
from bot.turn import PersonsTurn
from conversations.answers import chosen
from conversations.asking import with_choices
from conversations.channel import Button, Message
from conversations.engine import State, fill
from conversations.form import Form
from data.audit import note
from data.bookings import COMING, Booking, bookings_for, save_booking
from data.events import Occasion, find_occasion, save_occasion
from data.looks import note_look


class Attendance(Errand):
    name = "attendance"
    reviews = False

    async def form_at(self, turn: PersonsTurn, state: State) -> Form:
        occasion = value(state, "occasion")
        names = {b.id: await _name(turn, b) for b in await bookings_for(turn.tx, occasion, COMING)}
        found = await find_occasion(turn.tx, occasion)
        about = {occasion: _about(turn, found) if found else ""}
        choices = {"missed": as_choices(names, turn.language), "occasion": as_choices(about, turn.language)}
        return with_choices(await self.form(turn), choices)

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        """Above it, which one it is; names are noted as those of the list are."""
        if state.place != "question":
            return message
        if state.question == "missed":
            await note_look(turn.tx, turn.person.id, "host-sheet", value(state, "occasion"), "", turn.now)
        found = await find_occasion(turn.tx, value(state, "occasion"))
        parts = [_about(turn, found) if found else "", message.text]
        return replace(message, text="\n\n".join(part for part in parts if part))

    async def defaults(self, turn: PersonsTurn, state: State) -> State:
        """Where nobody had booked, only those without booking are asked about."""
        booked = await bookings_for(turn.tx, value(state, "occasion"), COMING)
        return state if booked else fill(state, {"came": chosen("all")})

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        occasion = await find_occasion(turn.tx, value(state, "occasion"))
        if occasion is None or occasion.off or not may_change(turn.person, occasion.event):
            turn.tell("hosting.gone", turn.menu_button())
            return True
        came, missed = await self._mark(turn, state, occasion)
        walked = int(value(state, "number" if value(state, "walked") == "more" else "walked"))
        await note(turn.tx, f"{word(occasion.event)}.attended", occasion.id, turn.now, turn.person.id)
        await save_occasion(turn.tx, replace(occasion, came=came, missed=missed, walked_in=walked))
        facts = {"came": came, "missed": missed, "n": walked}
        notes = Button(turn.phrase("hosting.said-in-room"), asking(ROOM, occasion.id))
        turn.tell("hosting.noted", notes, turn.menu_button(), **facts)
        return True

    async def _mark(self, turn: PersonsTurn, state: State, occasion: Occasion) -> tuple[int, int]:
        """How many of those who had booked came, and how many did not.

        What was noted before their bookings were deleted stays: nobody can count it again.
        """
        booked = await bookings_for(turn.tx, occasion.id, COMING)
        if not booked:
            return occasion.came or 0, occasion.missed or 0
        which = value(state, "came")
        named = set(state.answers["missed"].values) if which == "some" and "missed" in state.answers else set()
        came = missed = 0
        for booking in booked:
            there = which == "all" or (which == "some" and booking.id not in named)
            await save_booking(turn.tx, replace(booking, came=there))
            came, missed = (came + booking.heads, missed) if there else (came, missed + booking.heads)
        return came, missed


async def _name(turn: PersonsTurn, booking: Booking) -> str:
    return await family_name(turn.tx, turn.house, turn.language, booking.person)


def _about(turn: PersonsTurn, occasion: Occasion) -> str:
    what = title_of(turn.house, occasion.event, turn.language)
    return f"{what}. {when(turn.house, turn.language, occasion.starts_at, occasion.ends_at)}"
