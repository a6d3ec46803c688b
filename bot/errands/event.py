"""/event: a coffee morning, a school, charity or wellbeing event, at one or several times (S3, S13, S14)."""

from __future__ import annotations

from bot.errands.planning import NONE, Planning
from bot.turn import PersonsTurn
from conversations.answers import Answer, chosen
from conversations.form import Form

MOST_IDEAS = 6  # what a person can pick from on a small screen (domain 4.2)


class MakeEvent(Planning):
    name = "event"
    kinds = ("coffee", "event", "charity", "wellbeing")

    async def given(self, turn: PersonsTurn, form: Form) -> dict[str, Answer]:
        nothing = Answer("text", (NONE,))
        more = {"more": nothing, "limit": chosen("all"), "next": nothing}
        return await super().given(turn, form) | more

    def kind(self, answers: dict[str, Answer]) -> str:
        return answers["kind"].values[0]

    def facts(self, turn: PersonsTurn, answers: dict[str, Answer]) -> dict[str, object]:
        places = int(answers["places"].values[0]) if "places" in answers else None
        more = {"title": answers["title"].values[0], "capacity": places, "next_time": _ideas(answers["next"].values[0])}
        return super().facts(turn, answers) | more


def _ideas(words: str) -> tuple[str, ...]:
    """What B6e offers for next time; none for "-"."""
    found = [part.strip() for part in words.replace("\n", ",").split(",")]
    return tuple(dict.fromkeys(idea for idea in found if idea and idea != NONE))[:MOST_IDEAS]
