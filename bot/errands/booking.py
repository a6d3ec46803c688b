"""The questions of a booking, asked only when somebody wants to say it: how, what about, what helps, which times."""

from __future__ import annotations

from dataclasses import replace

from bot.booking import card, lists, places
from bot.booking.calendar_file import calendar_message
from bot.booking.words import capital, short_when
from bot.errands.errand import Errand, as_choices, value
from bot.turn import PersonsTurn
from conversations.answers import Answer
from conversations.asking import answer_words, with_choices
from conversations.channel import Message
from conversations.engine import State
from conversations.form import MOST_CHOICES, Choice, Form
from conversations.words import DONE
from data.bookings import CANNOT, COMING, booking_of, cannot_come, save_booking
from data.events import WAYS, Occasion, find_occasion, occasions_of

LONGEST = 200
NONE = "none"


class Book(Errand):
    name = "book"
    reviews = False

    async def form_at(self, turn: PersonsTurn, state: State) -> Form:
        """With the ways and times of the event it is about."""
        form = await self.form(turn)
        known = state.answers.get("occasion")
        occasion = await find_occasion(turn.tx, known.values[0]) if known else None
        return with_choices(form, await _choices(turn, occasion)) if occasion else form

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        """Where the first tap is the answer, there is no Done."""
        one = turn.phrase("hint.few", n=1)
        if one not in message.text:
            return message
        buttons = tuple(b for b in message.buttons if not b.says.endswith(DONE))
        return replace(message, text=message.text.replace(one, "").strip(), buttons=buttons)

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        return "works.errand-short" if answer.kind == "text" and len(answer.values[0]) > LONGEST else None

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        """Said to the host with the booking, and shown as it is now."""
        occasion = await find_occasion(turn.tx, value(state, "occasion"))
        if occasion is None:
            turn.tell("booking.not-there", turn.menu_button())
            return True
        if occasion.off or occasion.starts_at <= turn.now:
            await card.show(turn, occasion)
            return True
        form = await self.form_at(turn, state)
        if state.answers["times"].values != ("kept",):
            return await _times(turn, occasion, state.answers["times"].values)
        mine = await booking_of(turn.tx, occasion.id, turn.person.id)
        kept = mine is not None and mine.state != CANNOT  # given back on another device, while the question waited
        if mine and kept:
            way = _answered(state, "way")
            needs = replace(mine.needs, **_needs(turn, form, state))
            await save_booking(turn.tx, replace(mine, way=way[0] if way else mine.way, needs=needs))
        await card.show(turn, occasion, turn.phrase("booking.noted") if kept else "")
        return True


async def _choices(turn: PersonsTurn, occasion: Occasion) -> dict[str, tuple[Choice, ...]]:
    ways = {way: capital(turn.phrase(f"booking.way-{way}")) for way in WAYS if way in occasion.event.ways}
    times = {o.id: short_when(turn, o.starts_at) for o in await _offered(turn, occasion)}
    times[NONE] = turn.phrase("booking.no-time")
    return {"way": as_choices(ways, turn.language), "times": as_choices(times, turn.language)}


async def _offered(turn: PersonsTurn, occasion: Occasion) -> list[Occasion]:
    """The times of this event that are still to come; as many as one question takes."""
    coming = [o for o in await occasions_of(turn.tx, occasion.event.id) if not o.off and o.starts_at > turn.now]
    return coming[: MOST_CHOICES["few"] - 1]


def _answered(state: State, question: str) -> tuple[str, ...]:
    """What was answered now; nothing where it was not asked this time."""
    found = state.answers.get(question)
    return found.values if found and found.kind != "raised" and found.values != ("kept",) else ()


def _needs(turn: PersonsTurn, form: Form, state: State) -> dict[str, str]:
    """Topic, interpreter and access as far as they were asked, in the words that the host will read."""
    needs = {}
    if topic := _answered(state, "topic"):
        needs["topic"] = "" if NONE in topic else topic[0]
    if interpreter := _answered(state, "interpreter"):
        language = " ".join(" ".join(_answered(state, "language")).split())
        needs["interpreter"] = language or ("" if NONE in interpreter else interpreter[0])
    if easier := _answered(state, "easier"):
        needs["access"] = _access(turn, form, state, easier)
    return needs


def _access(turn: PersonsTurn, form: Form, state: State, easier: tuple[str, ...]) -> str:
    question = form.question("easier")
    assert question
    marked = Answer("choice", tuple(id for id in easier if id not in (NONE, "other")))
    words = answer_words(question, marked, turn.house.setting(None, "", turn.language)) if marked.values else ""
    own = " ".join(" ".join(_answered(state, "access")).split())
    return "; ".join(part for part in (words, own) if part)


async def _times(turn: PersonsTurn, occasion: Occasion, chosen: tuple[str, ...]) -> bool:
    """Down for the times that were marked; where they were offered to choose from, the others are said not to do."""
    given_back = []
    for offered in await _offered(turn, occasion):
        mine = await booking_of(turn.tx, offered.id, turn.person.id)
        if offered.id in chosen and not (mine and mine.state == COMING):
            await places.come_or_wait(turn, offered, mine)
        elif offered.id not in chosen and not occasion.event.repeats:
            moved_up = await cannot_come(turn.tx, offered, turn.person.id, turn.now)
            await places.tell_moved_up(turn, moved_up)
            given_back += [offered] if mine and mine.state == COMING else []
    turn.says.clear()
    turn.tell("booking.noted")
    await lists.events(turn)
    turn.says += [await calendar_message(turn, offered) for offered in given_back]
    return True
