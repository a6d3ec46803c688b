"""More phones and browsers of one person: a code that adds one, and "was that you?" to all the others (S20, B4)."""

from __future__ import annotations

from datetime import date, datetime

from bot.facts import House
from bot.said import MINE, NOT_MINE, asking
from bot.telling_codes import told
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.texts import clock_time, listed, long_date
from data.access import end_others, has_access
from data.codes import START, Slip, codes_used_by, make_device_code, only_user
from data.database import Tx
from data.outbox import post

ADDED, TRIED = "device", "used"  # kinds of letters


async def offer_code(turn: PersonsTurn) -> None:
    """`Use another device`: a code for 15 minutes, once."""
    code = await make_device_code(turn.tx, turn.person.id, turn.language, turn.now)
    turn.tell("device.code", code=await told(turn, code, turn.language))


async def tell_others(tx: Tx, hashed: str, person: str, here: str, now: datetime) -> None:
    """A device was added with this code: a letter to the person's other chats; `here` is the hash of the new one."""
    await post(tx, ADDED, f"{hashed[:START]}:{here}", [person], now)


async def warn_user(tx: Tx, house: House, code: str, now: datetime) -> None:
    """Somebody was refused with a code: who used it is asked about it, once a day at most."""
    user = await only_user(tx, code) if code else None
    if user and await has_access(tx, user):
        await post(tx, TRIED, now.astimezone(house.school.zone).date().isoformat(), [user], now)


async def ask_whose(turn: PersonsTurn, ref: str) -> None:
    """`Open` of such a letter: what happened, and was that you?"""
    facts = await facts_of(turn.tx, turn.house, turn.person.id, ref, turn.language)
    if facts is None:
        return turn.tell("closed-now")
    buttons = (
        Button(turn.phrase("device.mine"), asking(MINE, ref)),
        Button(turn.phrase("device.not-mine"), asking(NOT_MINE, ref)),
    )
    text = turn.phrase("device.tried-ask" if _day(ref) else "device.added-ask", **facts)
    turn.says.append(Message(text, title=turn.phrase("device.was-it"), buttons=buttons))


async def facts_of(tx: Tx, house: House, person: str, ref: str, language: str) -> dict[str, str] | None:
    """When it was: `ref` is the day of a refused try, or the beginning of a code's hash; only this person's own."""
    used = [slip for slip in await codes_used_by(tx, person) if slip.used_at]
    if day := _day(ref):
        days = {_local(house, slip) for slip in used if slip.invitation.device_of is None}
        opened = listed([long_date(d, language) for d in sorted(days)], language)
        return {"date": long_date(day, language), "opened": opened} if days else None
    added = next((slip for slip in used if slip.hash.startswith(ref) and slip.invitation.device_of), None)
    if added is None or added.used_at is None:
        return None
    at = added.used_at.astimezone(house.school.zone)
    return {"date": long_date(at.date(), language), "time": clock_time(at, language)}


def _local(house: House, slip: Slip) -> date:
    assert slip.used_at
    return slip.used_at.astimezone(house.school.zone).date()


def _day(ref: str) -> date | None:
    try:
        return date.fromisoformat(ref) if len(ref) == len("2026-05-03") else None
    except ValueError:
        return None


async def was_mine(turn: PersonsTurn, ref: str) -> None:
    if await facts_of(turn.tx, turn.house, turn.person.id, ref, turn.language) is None:
        return turn.tell("closed-now")
    turn.tell("device.mine-done", turn.menu_button())


async def was_not_mine(turn: PersonsTurn, ref: str) -> None:
    """Every other device is logged out at once."""
    if await facts_of(turn.tx, turn.house, turn.person.id, ref, turn.language) is None:
        return turn.tell("closed-now")
    here = (turn.here.channel, turn.here.where) if turn.here else None
    await end_others(turn.tx, turn.person.id, here, turn.session)
    turn.tell("device.not-mine-done", turn.menu_button())
