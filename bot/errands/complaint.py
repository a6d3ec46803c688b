"""A complaint about data: into the reading queue, to the head, with the date by which the school answers.

The Data (Use and Access) Act 2025 asks for a way to complain and an acknowledgement within 30 days; it comes at once.
"""

from __future__ import annotations

from bot.errands.errand import Errand, value
from bot.item_record import ANSWERED_WITHIN
from bot.turn import PersonsTurn
from conversations.channel import Message
from conversations.engine import State
from conversations.texts import long_date
from conversations.words import Raised
from data.outbox import post
from data.people import people_with_role
from data.queue import COMPLAINT, add_complaint
from scheduler.naming import readers

TO = ("head", "chair", "senco")  # the first of these whom it is not about, and who did not write it


class Complaint(Errand):
    name = "complaint"
    reviews = False

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        await file_complaint(turn, value(state, "words"))
        return True

    async def takes_flagged(self, turn: PersonsTurn, raised: Raised) -> bool:
        """Words that also sound like danger have gone to the safeguarding lead; they are a complaint all the same."""
        if not raised.text:
            return False
        await file_complaint(turn, raised.text)
        return True


async def file_complaint(turn: PersonsTurn, words: str) -> None:
    """Into the queue, and say by when the school answers and who else can be asked."""
    about = (await readers(turn.tx, turn.house.school)).named_in(words)
    to = next((role for role in TO if role not in about and role not in turn.person.roles), TO[-1])
    roles = ", ".join(turn.phrase(f"role.{role}") for role in sorted(turn.person.roles))
    who = ", ".join(part for part in (turn.person.label, roles) if part)
    item = await add_complaint(turn.tx, words, turn.person.id, who, about, to, turn.now)
    told = await people_with_role(turn.tx, to)
    await post(turn.tx, "to-read", f"{COMPLAINT}.{item}", told, turn.now)
    date = long_date((turn.now + ANSWERED_WITHIN).astimezone(turn.house.school.zone).date(), turn.language)
    lines = [turn.phrase("complaint.done", date=date), turn.phrase("complaint.how"), turn.phrase("complaint.regulator")]
    turn.says.append(Message("\n\n".join(lines), buttons=(turn.menu_button(),)))
