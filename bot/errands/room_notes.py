"""Said in the room: themes and a few words without names, for what is planned next; into no child's file (S15.7)."""

from __future__ import annotations

from bot.errands.errand import Errand, Screen, as_choices, value
from bot.errands.planning import staff_words
from bot.events.hosts import may_change
from bot.events.making import word
from bot.turn import PersonsTurn
from conversations.answers import Answer
from conversations.asking import Setting, answer_words, with_choices
from conversations.channel import Message
from conversations.engine import State, kept_answers
from conversations.form import Choice, Form
from conversations.identifying import telling
from conversations.library import bundled_forms
from conversations.texts import listed
from data.audit import note
from data.bookings import bookings_for
from data.events import find_occasion
from data.people import find_person
from data.room_notes import RoomNotes, save_room_notes


def themes() -> tuple[Choice, ...]:
    """The list of B6.3: what families pick from afterwards, so that both can be counted together."""
    question = bundled_forms()["drop-in-feedback"].question("B6.3")
    assert question
    return question.choices


class RoomNotesErrand(Errand):
    name = "room-notes"

    async def form_at(self, turn: PersonsTurn, state: State) -> Form:
        occasion = as_choices({value(state, "occasion"): value(state, "occasion")}, turn.language)
        return with_choices(await self.form(turn), {"themes": themes(), "occasion": occasion})

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        return staff_words(answer) if question == "words" else None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        screen, found = Screen(s, state), await self._telling(turn, form, state)
        if found:
            words = listed(list(found), turn.language)
            return screen.message(turn.phrase("hosting.tells-who", words=words), "change", "cancel")
        answers = kept_answers(form, state.answers)
        rows = [answer_words(q, answers[q.id], s) for q in form.questions if q.id in answers and q.id in SHOWN]
        return screen.message("\n".join(rows), "save-it", "change", "cancel", title=turn.phrase("staff.check"))

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        form = await self.form_at(turn, state)
        occasion = await find_occasion(turn.tx, value(state, "occasion"))
        if occasion is None or not may_change(turn.person, occasion.event):
            turn.tell("hosting.gone", turn.menu_button())
            return True
        if await self._telling(turn, form, state):
            return False
        answers = kept_answers(form, state.answers)
        words = answers["words"].values[0] if "words" in answers else ""
        await note(turn.tx, f"{word(occasion.event)}.room-notes", occasion.id, turn.now, turn.person.id)
        await save_room_notes(turn.tx, occasion.id, RoomNotes(answers["themes"].values, words))
        turn.tell("hosting.saved", turn.menu_button())
        return True

    async def _telling(self, turn: PersonsTurn, form: Form, state: State) -> tuple[str, ...]:
        """What in the words tells who it was: names of those who had booked and of staff, numbers, addresses."""
        answers = kept_answers(form, state.answers)
        if "words" not in answers:
            return ()
        booked = [await find_person(turn.tx, b.person) for b in await bookings_for(turn.tx, value(state, "occasion"))]
        names = [person.label for person in booked if person and person.label]
        return telling(answers["words"].values[0], [*names, *turn.house.staff_names.values()]).surely


SHOWN = ("themes", "words")
