"""Names for one's children: a first name or a nickname, which only this parent sees (field.md, item 19)."""

from __future__ import annotations

from bot.errands.errand import Errand, as_choices, value
from bot.turn import PersonsTurn
from conversations.answers import Answer, chosen
from conversations.asking import with_choices
from conversations.engine import State
from conversations.form import Form
from data.children import names_of, set_name

LONGEST = 40
NO_NAME = "-"


class Children(Errand):
    name = "children"
    reviews = False

    async def form(self, turn: PersonsTurn) -> Form:
        names = await names_of(turn.tx, turn.person.id)
        places = {str(n): name or turn.phrase("settings.child", n=n) for n, name in enumerate(names, 1)}
        return with_choices(await super().form(turn), {"which": as_choices(places, turn.language)})

    async def given(self, turn: PersonsTurn, form: Form) -> dict[str, Answer]:
        places = await names_of(turn.tx, turn.person.id)
        return {"which": chosen("1")} if len(places) == 1 else {}

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        too_long = question == "name" and len(answer.values[0]) > LONGEST
        return "works.errand-name" if too_long else None

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        name = " ".join(value(state, "name").split())
        await set_name(turn.tx, turn.person.id, int(value(state, "which")), "" if name == NO_NAME else name)
        turn.tell("settings.child-done", turn.menu_button())
        return True
