"""/delete: says what goes, what stays and why; one tap deletes, one cancels, both alike (6.8, ICO standard 13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.errands.errand import Errand, value
from bot.gaps import roles_left_empty
from bot.turn import PersonsTurn
from conversations.channel import Message
from conversations.engine import State
from conversations.roles import STAFF_ROLES
from conversations.texts import listed, long_date
from data.erasing import Belongings, belongings, erase
from data.people import people_with_role
from scheduler.ladder import hand_over

DELETE = "now"


class Delete(Errand):
    name = "delete"
    reviews = False

    async def refused(self, turn: PersonsTurn) -> str | None:
        return "settings.only-admin" if await only_admin(turn) else None

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        """The question under what goes and stays; its two choices are the only buttons, of one size."""
        choices = tuple(b for b in message.buttons if b.says.rpartition(":")[2][:1] != ".")
        return replace(message, text=await _preview(turn), buttons=choices)

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        if value(state, "sure") != DELETE:
            turn.tell("cancelled", turn.menu_button())
            return True
        if await only_admin(turn):
            turn.tell("settings.only-admin", turn.menu_button())
            return True
        waits = (await belongings(turn.tx, turn.person.id)).waiting
        await hand_over(turn.tx, turn.house.school, turn.person.id, turn.now)
        await erase(turn.tx, turn.person.id, turn.now, turn.person.id)
        turn.after.append(turn.db.wipe_deleted)  # nothing stays readable in the write-ahead log
        turn.logged_out = turn.roles_changed = True
        done = [turn.phrase("erase.done", date=gone_from_backups(turn))]
        turn.says.append(Message("\n\n".join([*done, *([turn.phrase("erase.done-words")] if waits else [])])))
        return True


async def only_admin(turn: PersonsTurn) -> bool:
    """Whether nobody else could run the school's bot afterwards."""
    return "admin" in turn.person.roles and await people_with_role(turn.tx, "admin") == [turn.person.id]


def gone_from_backups(turn: PersonsTurn) -> str:
    """The day from which no backup holds what is deleted now."""
    return long_date(turn.today + timedelta(days=turn.house.school.keeping.backups_days), turn.language)


async def _preview(turn: PersonsTurn) -> str:
    counted = await belongings(turn.tx, turn.person.id)
    parts = [_listed(turn, "erase.goes", _goes(turn, counted)), _listed(turn, "erase.stays", _stays(turn, counted))]
    parts += [turn.phrase("erase.backups", n=turn.house.school.keeping.backups_days)]
    if empty := await roles_left_empty(turn.tx, turn.person):
        named = listed([turn.phrase(f"role.{role}") for role in empty], turn.language)
        parts.append(turn.phrase("erase.gap", roles=named))
    return "\n\n".join([*parts, turn.phrase("erase.cannot")])


def _listed(turn: PersonsTurn, heading: str, lines: list[str]) -> str:
    return "\n".join([f"{turn.phrase(heading)}:", *(f"- {line}" for line in lines)])


def _goes(turn: PersonsTurn, counted: Belongings) -> list[str]:
    account = "erase.pupil.goes-account" if "pupil" in turn.person.roles else "erase.goes-account"
    numbers = {
        "unsent": counted.unsent,
        "sent": counted.sent,
        "nameless": counted.nameless,
        "named": counted.named,
        "words": counted.words,
        "sign-ups": counted.sign_ups,
    }
    return [turn.phrase(account), *(turn.phrase(f"erase.goes-{key}", n=n) for key, n in numbers.items() if n)]


def _stays(turn: PersonsTurn, counted: Belongings) -> list[str]:
    """Only what there can be: why it stays is part of each line."""
    months = turn.house.school.keeping.logs_months
    staff = bool(turn.person.roles & set(STAFF_ROLES))
    words = [turn.phrase("erase.stays-words", n=counted.waiting)] if counted.waiting else []
    lines = [turn.phrase("erase.stays-anonymous"), *words, turn.phrase("erase.stays-papers")]
    lines += [turn.phrase("erase.stays-school-file")] if staff else []
    return [*lines, turn.phrase("erase.stays-log", n=months)]
