"""Staff codes made in a chat or on a page: a second colleague says yes before they give a role (S20, B4)."""

from __future__ import annotations

from datetime import datetime

from bot.role_changes import end_access, grant_role
from bot.said import DENY, GRANT, WAITS, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.roles import MAY, may
from data.audit import note
from data.codes import START, Slip, approve_code, find_waiting, refuse_code, waiting_slips
from data.database import Tx
from data.looks import note_look
from data.outbox import drop_for, post
from data.people import Person, find_person, people_with_role

KIND = "approve"  # of the letter; its ref is the code's hash


async def colleagues(tx: Tx, maker: str) -> list[str]:
    """Those who may say yes to a staff code of this maker."""
    return [id for id in await people_with_role(tx, *MAY["invite-staff"]) if id != maker]


async def ask_colleagues(tx: Tx, hashed: str, maker: str, now: datetime) -> int:
    """A letter to everybody who may say yes; how many they are."""
    asked = await colleagues(tx, maker)
    await post(tx, KIND, hashed, asked, now)
    return len(asked)


def may_decide(person: Person, slip: Slip) -> bool:
    """Neither who made the code nor who used it says yes to it."""
    return may(person.roles, "invite-staff") and person.id not in (slip.invitation.made_by, slip.person)


async def to_decide(turn: PersonsTurn) -> list[Slip]:
    """What waits for this person's yes."""
    return [slip for slip in await waiting_slips(turn.tx, turn.now) if may_decide(turn.person, slip)]


def waiting_button(turn: PersonsTurn, slip: Slip) -> Button:
    role = turn.phrase(f"role.{slip.invitation.role}")
    return Button(turn.phrase("approve.open", roles=role, label=slip.invitation.label), asking(WAITS, _ref(slip)))


def _ref(slip: Slip) -> str:
    return slip.hash[:START]


async def show_waiting(turn: PersonsTurn, ref: str) -> None:
    """`Open` of a letter, or one of those under /invite: who made the code, for whom, and the two answers."""
    slip = await _found(turn, ref)
    if slip:
        await note_look(turn.tx, turn.person.id, "waiting", slip.hash, "", turn.now)
        buttons = tuple(Button(turn.phrase(f"approve.{x}"), asking(x, _ref(slip))) for x in (GRANT, DENY))
        turn.says.append(Message(await _what(turn, slip), title=turn.phrase("approve.title"), buttons=buttons))


async def _found(turn: PersonsTurn, ref: str) -> Slip | None:
    """The code, if it still waits and this person may decide now; says why not otherwise."""
    if not may(turn.person.roles, "invite-staff"):
        turn.tell("refused")
        return None
    slip = await find_waiting(turn.tx, ref, turn.now)
    if slip is None:
        turn.tell("approve.over", turn.menu_button())
    elif not may_decide(turn.person, slip):
        turn.tell("approve.own", turn.menu_button())
        return None
    return slip


async def _what(turn: PersonsTurn, slip: Slip) -> str:
    made = slip.invitation
    maker = await find_person(turn.tx, made.made_by) if made.made_by else None
    facts = {"who": _name(turn, maker), "roles": turn.phrase(f"role.{made.role}"), "label": made.label}
    return turn.phrase("approve.used" if slip.person else "approve.unused", **facts)


def _name(turn: PersonsTurn, person: Person | None) -> str:
    """Who made the code; their access may have ended since."""
    roles = [turn.phrase(f"role.{role}") for role in sorted(person.roles)] if person else []
    label = [person.label] if person and person.label else []
    return ", ".join([*label, *roles]) or turn.phrase("approve.unknown")


async def say_yes(turn: PersonsTurn, ref: str) -> None:
    """Whoever used the code has its role now; whoever uses it later gets it at once."""
    slip = await _found(turn, ref)
    if slip is None:
        return
    await approve(turn.tx, slip, turn.now, turn.person.id)
    roles = turn.phrase(f"role.{slip.invitation.role}")
    turn.tell("approve.granted", turn.menu_button(), roles=roles, label=slip.invitation.label)


async def say_no(turn: PersonsTurn, ref: str) -> None:
    """The code opens nothing; who came in with it alone is out again."""
    slip = await _found(turn, ref)
    if slip is None:
        return
    await deny(turn.tx, slip, turn.now, turn.person.id)
    turn.tell("approve.denied", turn.menu_button())


async def approve(tx: Tx, slip: Slip, now: datetime, by: str) -> None:
    """A colleague's yes, from a chat or a page."""
    await note(tx, "role.approved", slip.hash, now, by, role=slip.invitation.role)
    for person in await approve_code(tx, slip.hash):
        await grant_role(tx, person, slip.invitation.role, now, by)
    await drop_for(tx, KIND, slip.hash)


async def deny(tx: Tx, slip: Slip, now: datetime, by: str) -> None:
    """A colleague's no."""
    await note(tx, "role.refused", slip.hash, now, by, role=slip.invitation.role)
    await refuse_code(tx, slip.hash)
    await drop_for(tx, KIND, slip.hash)
    if slip.person and await _came_for_nothing_else(tx, slip.person, now):
        await end_access(tx, slip.person, now, by, "refused")


async def _came_for_nothing_else(tx: Tx, person: str, now: datetime) -> bool:
    """Whether somebody holds no role and waits for none."""
    known = await find_person(tx, person)
    waits = any(slip.person == person for slip in await waiting_slips(tx, now))
    return known is not None and not known.roles and not waits
