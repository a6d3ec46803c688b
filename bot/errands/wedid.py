"""/wedid: one row of "you said, we did", checked, and handed to a colleague for a second look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.errands.errand import Screen, as_choices, day_problem, value
from bot.errands.pick import Pick
from bot.moderation import names_of_staff
from bot.turn import PersonsTurn
from bot.wedid import MOST_ROWS, Wording, hand_on
from conversations.answers import Answer, chosen
from conversations.asking import Setting, with_choices
from conversations.channel import Message
from conversations.engine import State, fill
from conversations.form import Form
from conversations.identifying import telling
from conversations.secrecy import promises_secrecy
from data.audit import note
from data.surveys import Survey
from data.wedid import Row, add_row, new_row, rows_of

NEW = "new"
LONGEST = 300  # letters of one answer: a row is read on a phone


class WeDid(Pick):
    name = "wedid"
    states = ("closed",)
    none = "staff.none-closed"

    async def form_at(self, turn: PersonsTurn, state: State) -> Form:
        """Only a row about the same questions can be replaced: what was said about others stays."""
        there = (await rows_of(turn.tx, value(state, "survey")))[:MOST_ROWS] if "survey" in state.answers else []
        rows = {r.id: turn.phrase("wedid.instead", words=r.said) for r in there}
        choices = as_choices({NEW: turn.phrase("wedid.new-row")} | rows, turn.language)
        return with_choices(await self.form(turn), {"row": choices})

    async def defaults(self, turn: PersonsTurn, state: State) -> State:
        return fill(state, {"row": chosen(NEW)})

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        if question in ("said", "words", "why", "who"):
            if len(answer.values[0]) > LONGEST:
                return "works.errand-long"
            if promises_secrecy(answer.values[0]):
                return "works.errand-secret"
        return day_problem(date.fromisoformat(answer.values[0]), turn.today) if question == "by-when" else None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        survey, row, screen = await self.picked(turn, state), _row(turn, state), Screen(s, state)
        text = Wording(turn.house, survey, turn.language).for_staff(row)
        if wrong := await self._wrong(turn, survey, row):
            return screen.message(f"{text}\n\n{wrong}", "change", "cancel")
        text = turn.phrase("wedid.check", words=text, asked=survey.asked)
        return screen.message(text, "send-now", "change", "cancel", title=turn.phrase("staff.check"))

    async def _wrong(self, turn: PersonsTurn, survey: Survey, row: Row) -> str:
        """What keeps the row from going out: a number that cannot be, another row that is not there to be replaced,
        or words that tell who somebody is (S11.5).
        """
        if (row.how_many or 0) > (survey.finished or 0):
            return turn.phrase("wedid.too-many", finished=survey.finished or 0)
        if row.replaces and row.replaces not in {there.id for there in await rows_of(turn.tx, survey.id)}:
            return turn.phrase("wedid.not-there")
        names = await names_of_staff(turn.tx, turn.house)
        found = telling("\n".join((row.said, row.words, row.who)), names)
        return turn.phrase("wedid.names", text=", ".join(found.surely)) if found.surely else ""

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        survey, row = await self.picked(turn, state), _row(turn, state)
        if await self._wrong(turn, survey, row):
            return False
        await add_row(turn.tx, row)
        await note(turn.tx, "wedid.written", row.id, turn.now, turn.person.id)
        asked = await hand_on(turn, row)
        turn.tell("wedid.handed-on" if asked else "wedid.nobody-else")
        return True


def _row(turn: PersonsTurn, state: State) -> Row:
    answer = value(state, "answer")
    words = value(state, "why" if answer == "cannot" else "words")
    by_when = date.fromisoformat(value(state, "by-when")) if answer == "doing" else None
    row = new_row(value(state, "survey"), value(state, "said"), answer=answer, words=words, who=value(state, "who"))
    instead = value(state, "row")
    return replace(
        row,
        how_many=int(value(state, "how-many")) or None,
        by_when=by_when,
        written_by=turn.person.id,
        replaces=None if instead == NEW else instead,
    )
