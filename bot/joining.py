"""Strangers and codes: who may join, and what is said to somebody without a code (AGE-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.care import into_queue, next_steps
from bot.devices import tell_others, warn_user
from bot.facts import House
from bot.privacy import notice
from bot.proof import proof_words
from bot.said import JOIN, Reply, Said, Tap, Text, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.screening import screen
from conversations.texts import fold, listed
from data.audit import note
from data.children import add_places
from data.codes import (
    Invitation,
    find_invitation,
    forget_visit,
    looks_like_code,
    note_wrong_code,
    place_of,
    read_code,
    remember_visit,
    spend_code,
    stands_under,
    used_by,
    visit_code,
)
from data.database import Tx
from data.people import (
    Address,
    add_address,
    add_person,
    add_role,
    address_hashes,
    find_person,
    join_group,
)

ELSEWHERE = "web"  # where no chat is to be passed over
FREE_TRIES, SLOWEST = 5, 3.0  # wrong codes an hour before answers come slower, and by how many seconds at most


def join_screen(house: House, language: str, channel: str, words: tuple[str, str], device: bool = False) -> Message:
    """The first screen for everybody who opens a code: the two words of its letter before anything else (B15).

    On Telegram it says what Telegram knows (ANON-2). `device`: the code adds a phone or browser to an account.
    """
    buttons = (
        Button(house.say(language, "label.yes-start"), asking(JOIN, "yes")),
        Button(house.say(language, "label.no-thank-you"), asking(JOIN, "no")),
    )
    knows = ["join.telegram"] if channel == "telegram" else []
    about = "device" if device else "join"
    keys = ["join.words", f"{about}.text", *knows, "join.privacy", f"{about}.ask"]
    both = listed(list(words), language)
    text = "\n\n".join(house.say(language, key, words=both) for key in keys)
    return Message(text, title=house.say(language, f"{about}.title"), buttons=buttons)


async def invitation_of(tx: Tx, house: House, code: str, now: datetime) -> Invitation | None:
    """What a code opens for somebody new; a young person's only where the school lets them join (AGE-1)."""
    found = await find_invitation(tx, code, now) if code else None
    return found if found is None or found.role != "young-person" or house.school.young_people else None


def refusal(house: House, language: str) -> Message:
    """The one neutral sentence every bad code gets."""
    return Message(house.say(language, "join.refused"))


# --- nobody known -------------------------------------------------------------------------------------------------


async def stranger(tx: Tx, house: House, address: Address, said: Said, now: datetime, language: str) -> Reply:
    """The reply to an address nobody has joined from. Nothing is kept but the code being asked about."""
    language = language if language in house.texts.languages and language in house.school.languages else "en"
    here = address_hashes(tx, address.channel, address.where)
    if _flagged(house, said, language):
        return await _no_code(tx, house, said, now, language, None)
    if isinstance(said, Text) and said.words.strip().casefold().partition("@")[0] == "/privacy":
        return Reply([notice(house, language)])
    if (typed := _code_in(said)) is not None:
        return await _opened(tx, house, address.channel, here, typed, now, language)
    waiting = await visit_code(tx, *here)
    answer = yes_or_no(house, said, language)
    if waiting and answer == "yes":
        return await _join_from(tx, house, address, waiting, now, language)
    if waiting and answer == "no":
        await forget_visit(tx, *here)
        return Reply([Message(house.say(language, "join.declined"))])
    again = await _asked_again(tx, house, address.channel, waiting, now, language) if waiting else None
    return await _no_code(tx, house, said, now, language, again)


async def _asked_again(tx: Tx, house: House, channel: str, code: str, now: datetime, language: str) -> Message | None:
    """The first screen once more; None when the code is not good any more."""
    invitation = await invitation_of(tx, house, code, now)
    return _first_screen(tx, house, invitation, channel, code, language) if invitation else None


def _first_screen(tx: Tx, house: House, what: Invitation, channel: str, code: str, language: str) -> Message:
    words = proof_words(house, tx.vault, code, what.language, what.hash)
    return join_screen(house, _spoken(house, what, language), channel, words, what.device_of is not None)


def _code_in(said: Said) -> str | None:
    """The code in "/start CODE", or typed alone; "" when it is no code at all."""
    if not isinstance(said, Text):
        return None
    words = said.words.strip()
    command, *rest = words.split(maxsplit=1) or [""]
    if rest and command.casefold().partition("@")[0] == "/start":
        return read_code(rest[0]) or ""
    return read_code(words) if looks_like_code(words) else None


def _flagged(house: House, said: Said, language: str) -> bool:
    """Whether a human must see these words; a code is none, whatever its letters spell."""
    if not isinstance(said, Text) or _code_in(said):
        return False
    return house.texts.control(language, said.words) == "need-help" or screen(said.words, language) is not None


def yes_or_no(house: House, said: Said, language: str) -> str:
    """What somebody who was asked whether to join has said: "yes", "no" or neither."""
    if isinstance(said, Tap):
        return (said.asked() or ("", ""))[1] if said.says.startswith(JOIN) else ""
    if not isinstance(said, Text):
        return ""
    control = house.texts.control(language, said.words)
    words = fold(said.words)
    if control == "yes-start" or words in house.texts.list(language, "typed.agree"):
        return "yes"
    return "no" if control == "no-thank-you" or words in house.texts.list(language, "typed.decline") else ""


async def _opened(
    tx: Tx, house: House, channel: str, here: tuple[str, ...], code: str, now: datetime, language: str
) -> Reply:
    invitation = await invitation_of(tx, house, code, now)
    if invitation is None:
        await warn_user(tx, house, code, now)
        return Reply([refusal(house, language)], wait=await wait_after_wrong(tx, here[0], now))
    await forget_visit(tx, *here)
    await remember_visit(tx, here[0], code, now)
    return Reply([_first_screen(tx, house, invitation, channel, code, language)])


def _spoken(house: House, invitation: Invitation, language: str) -> str:
    return invitation.language if invitation.language in house.texts.languages else language


async def wait_after_wrong(tx: Tx, here: str, now: datetime, free: int = FREE_TRIES) -> float:
    """Seconds to wait before answering a wrong code: none at first, never more than SLOWEST."""
    wrong = await note_wrong_code(tx, here, now)
    return min(SLOWEST, max(0, wrong - free) * 0.5)


async def _join_from(tx: Tx, house: House, address: Address, code: str, now: datetime, language: str) -> Reply:
    here = address_hashes(tx, address.channel, address.where)
    invitation = await invitation_of(tx, house, code, now)
    person = await join(tx, house, code, now, language, here[0])
    await forget_visit(tx, *here)
    if invitation is None or person is None:
        await warn_user(tx, house, code, now)
        return Reply([refusal(house, language)])
    await add_address(tx, person, address.channel, address.where)
    return Reply([welcome(house, language, invitation)], roles_changed=True, joined=person)


def welcome(house: House, language: str, invitation: Invitation) -> Message:
    """The first words after joining: a role that waits is said to wait, a further device is no new joining."""
    key = "device.done" if invitation.device_of else "join.waits" if invitation.waits else "join.done"
    menu = Button(house.say(language, "label.menu"), asking("c", "menu"))
    return Message(house.say(language, key), buttons=(menu,))


async def join(tx: Tx, house: House, code: str, now: datetime, language: str, here: str = ELSEWHERE) -> str | None:
    """Whose address this is from now on: a new person's, with consent, role and group, or the owner's of a device code.

    None when the code is not good any more. `here` is the hash of the chat, for a device's letter to pass over.
    """
    invitation = await invitation_of(tx, house, code, now)
    if invitation is None:
        return None
    if owner := invitation.device_of:
        return owner if await _added(tx, owner, code, here, now) else None
    person = await add_person(tx, _spoken(house, invitation, language), invitation.label, now)
    if not await spend_code(tx, code, person, now):
        return None
    await _grant(tx, person, invitation, now)
    return person


async def _added(tx: Tx, owner: str, code: str, here: str, now: datetime) -> bool:
    """Use a device code up; the owner's other devices hear of it."""
    if not await spend_code(tx, code, owner, now):
        return False
    await tell_others(tx, await stands_under(tx, code), owner, here, now)
    return True


async def _grant(tx: Tx, person: str, invitation: Invitation, now: datetime) -> None:
    """Role, group, and room for the children; a role that waits for a colleague's yes comes later (B4)."""
    if not invitation.waits and await add_role(tx, person, invitation.role):
        await note(tx, "role.given", person, now, person, role=invitation.role)
    more = invitation.children if invitation.role == "parent" else 0
    if invitation.group and not await join_group(tx, person, invitation.group):
        more = 0  # a second letter for the same children
    await add_places(tx, person, more)


async def _no_code(tx: Tx, house: House, said: Said, now: datetime, language: str, waiting: Message | None) -> Reply:
    """Somebody without a code: flagged words reach a human, nothing else is kept (AGE-3, SAFE-12)."""
    numbers = house.say(language, "works.picture-help")
    if isinstance(said, Text) and _flagged(house, said, language):
        told = await into_queue(tx, house, "flagged", now, said.words)
        lines = [*next_steps(house, language, "flagged", told), house.say(language, "care.no-trace"), numbers]
        return Reply([Message("\n\n".join(lines))])
    if waiting:
        return Reply([waiting])
    words = house.say(language, "join.stranger")
    return Reply([Message(words if isinstance(said, (Text, Tap)) else f"{words}\n\n{numbers}")])


# --- somebody who joined ------------------------------------------------------------------------------------------


async def visiting(turn: PersonsTurn) -> str | None:
    """The code a known person is being asked about."""
    return await visit_code(turn.tx, place_of(turn.person.id))


async def code_from_person(turn: PersonsTurn, code: str) -> None:
    """A known person opens a code: one they used goes on, a new one is asked about, a bad one refused."""
    if code and await used_by(turn.tx, code, turn.person.id):
        return turn.tell("join.done-again", turn.menu_button())
    invitation = await invitation_of(turn.tx, turn.house, code, turn.now)
    if invitation and invitation.device_of == turn.person.id:
        return turn.tell("join.done-again", turn.menu_button())
    if invitation is None or invitation.device_of:
        return await _refuse_person(turn, code)
    await remember_visit(turn.tx, place_of(turn.person.id), code, turn.now)
    words = proof_words(turn.house, turn.tx.vault, code, invitation.language, invitation.hash)
    turn.says.append(join_screen(turn.house, turn.language, turn.channel, words))


async def _refuse_person(turn: PersonsTurn, code: str) -> None:
    """The same sentence for a code that is wrong, used by somebody else, or meant for somebody else's devices."""
    await warn_user(turn.tx, turn.house, code, turn.now)
    await note_wrong_code(turn.tx, place_of(turn.person.id), turn.now)
    turn.says.append(refusal(turn.house, turn.language))


async def known_person(turn: PersonsTurn, answer: str) -> None:
    """Yes or no of a known person to a further code."""
    code = await visiting(turn)
    await forget_visit(turn.tx, place_of(turn.person.id))
    if code is None:
        return turn.tell("join.done-again", turn.menu_button())
    if answer != "yes":
        return turn.tell("join.declined")
    await add_code(turn, code)


async def add_code(turn: PersonsTurn, code: str) -> None:
    """A further code adds its role and group."""
    invitation = await invitation_of(turn.tx, turn.house, code, turn.now)
    if invitation is None or invitation.device_of or not await spend_code(turn.tx, code, turn.person.id, turn.now):
        return await _refuse_person(turn, code)
    await _grant(turn.tx, turn.person.id, invitation, turn.now)
    turn.roles_changed = True
    fresh = await find_person(turn.tx, turn.person.id)
    turn.person = fresh or replace(turn.person)
    if invitation.waits:
        return turn.tell("join.role-waits", turn.menu_button())
    turn.tell("join.role-added", turn.menu_button(), roles=turn.phrase(f"role.{invitation.role}"))
