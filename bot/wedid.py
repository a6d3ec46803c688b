""" "You said, we did": its rows in words, /yousaid, the second look, and publishing (S11, LUNDY-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.facts import House
from bot.said import COMMAND, LOOK, NOT_YET, PUBLISH, asking
from bot.turn import PersonsTurn
from conversations.answering import how_many
from conversations.channel import Button, Message
from conversations.form import said
from conversations.roles import MAY, may
from conversations.summary import PUBLIC_LEAST
from conversations.texts import long_date
from data.audit import note
from data.database import Tx
from data.outbox import Letter, post
from data.people import people_with_role
from data.surveys import Survey, find_survey
from data.wedid import DRAFT, Row, answered_surveys, drafts, everyone_asked, find_row, publish, rows_of, take_back

SHOWN = 3  # surveys in /yousaid, the newest
MOST_ROWS = 8  # of one survey (domain 7.2)
WEDID_LETTERS = frozenset({"wedid", "wedid-look", "wedid-back", "answer-due"})


@dataclass(frozen=True)
class Wording:
    """What the words of a row need."""

    house: House
    survey: Survey
    language: str

    def row(self, row: Row) -> str:
        """The row as everybody reads it; below ten answers nothing of what was said is told (SUP-1)."""
        say, finished = self.house.say, self.survey.finished or 0
        if finished < PUBLIC_LEAST:
            first = say(self.language, "wedid.answered-ours", title=said(self.survey.form.title, self.language))
        else:
            number = how_many(self.house.texts, self.language, row.how_many, finished)
            key = "wedid.said-by" if number else "wedid.said"
            first = say(self.language, key, words=row.said, number=number)
        lines = [first, say(self.language, f"wedid.{row.answer}", words=row.words)]
        lines.append(say(self.language, "wedid.who", who=row.who))
        if row.by_when:
            lines.append(say(self.language, "wedid.by-when", date=long_date(row.by_when, self.language)))
        return "\n".join(lines)

    def for_staff(self, row: Row) -> str:
        """The row as everybody will read it, and why what people said is not in it."""
        if (self.survey.finished or 0) >= PUBLIC_LEAST:
            return self.row(row)
        return f"{self.row(row)}\n\n{self.house.say(self.language, 'wedid.hidden', least=PUBLIC_LEAST)}"

    def heading(self) -> str:
        title = said(self.survey.form.title, self.language)
        asked, finished = self.survey.asked, self.survey.finished or 0
        if finished < PUBLIC_LEAST:
            return title
        return self.house.say(self.language, "wedid.heading", title=title, finished=finished, asked=asked)


async def yousaid(turn: PersonsTurn) -> None:
    """The newest answers, of the last surveys that have any."""
    found = await answered_surveys(turn.tx, SHOWN)
    if not found:
        return turn.tell("wedid.none", turn.menu_button())
    for survey in found:
        wording = Wording(turn.house, survey, turn.language)
        rows = (await rows_of(turn.tx, survey.id))[:MOST_ROWS]
        turn.says.append(Message("\n\n".join(map(wording.row, rows)), title=wording.heading()))


# --- the second look ----------------------------------------------------------------------------------------------


async def colleagues(tx: Tx, writer: str) -> list[str]:
    """Whoever may publish, but the one who wrote it."""
    return [p for p in await people_with_role(tx, *sorted(MAY["publish"])) if p != writer]


async def hand_on(turn: PersonsTurn, row: Row) -> int:
    """Ask colleagues for a second look; how many are asked."""
    others = await colleagues(turn.tx, turn.person.id)
    return await post(turn.tx, "wedid-look", row.id, others, turn.now)


async def tell_waiting(turn: PersonsTurn) -> None:
    """What waits for this person's look, each with its button."""
    for row in await drafts(turn.tx):
        if may(turn.person.roles, "publish") and row.written_by != turn.person.id:
            await look(turn, row.id)


async def look(turn: PersonsTurn, id: str) -> None:
    """`Open` of a letter: the row as everybody would read it, to publish or to give back."""
    found = await _to_publish(turn, id)
    if found:
        row, survey = found
        words = Wording(turn.house, survey, turn.language).for_staff(row)
        text = turn.phrase("wedid.look", words=words, asked=survey.asked)
        buttons = (turn.label("publish", asking(PUBLISH, id)), turn.label("not-yet", asking(NOT_YET, id)))
        turn.says.append(Message(text, buttons=buttons))


async def say_publish(turn: PersonsTurn, id: str) -> None:
    """Everyone who was asked hears of it, once a day at most."""
    found = await _to_publish(turn, id)
    if not found:
        return
    row, survey = found
    if not await publish(turn.tx, row, turn.person.id, turn.today):
        return turn.tell("wedid.over")
    await note(turn.tx, "wedid.published", row.id, turn.now, turn.person.id)
    told = await everyone_asked(turn.tx, survey.id)
    await post(turn.tx, "wedid", f"{survey.id}:{turn.today.isoformat()}", told, turn.now)
    turn.tell("wedid.published", n=len(told))


async def say_not_yet(turn: PersonsTurn, id: str) -> None:
    """Back to whoever wrote it."""
    found = await _to_publish(turn, id)
    if found and await take_back(turn.tx, id):
        await note(turn.tx, "wedid.taken-back", id, turn.now, turn.person.id)
        if found[0].written_by:
            await post(turn.tx, "wedid-back", id, [found[0].written_by], turn.now)
        turn.tell("wedid.given-back")


async def _to_publish(turn: PersonsTurn, id: str) -> tuple[Row, Survey] | None:
    if not may(turn.person.roles, "publish"):
        turn.tell("refused")
        return None
    row = await find_row(turn.tx, id)
    survey = await find_survey(turn.tx, row.survey) if row else None
    if row is None or survey is None or row.state != DRAFT:
        turn.tell("wedid.over")
        return None
    if row.written_by == turn.person.id:
        turn.tell("wedid.own")
        return None
    return row, survey


# --- letters ------------------------------------------------------------------------------------------------------


async def wedid_letter(tx: Tx, house: House, letter: Letter, language: str, now: datetime) -> Message | None:
    """One neutral line each (FAIL-7); None when it has become pointless."""
    opens = await _opens(tx, letter)
    if opens is None:
        return None
    return Message(house.say(language, f"wedid.letter.{letter.kind}"), buttons=(_open(house, language, opens),))


async def _opens(tx: Tx, letter: Letter) -> str | None:
    if letter.kind == "wedid":
        return asking(COMMAND, "yousaid") if await rows_of(tx, letter.ref.partition(":")[0]) else None
    if letter.kind == "answer-due":
        survey = await find_survey(tx, letter.ref.partition(":")[0])
        return asking(COMMAND, "wedid") if survey and not await rows_of(tx, survey.id) else None
    row = await find_row(tx, letter.ref)
    if letter.kind == "wedid-look":
        return asking(LOOK, letter.ref) if row and row.state == DRAFT else None
    return asking(COMMAND, "wedid") if row else None


def _open(house: House, language: str, opens: str) -> Button:
    return Button(house.say(language, "label.open"), opens)
