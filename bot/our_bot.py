"""Which bot is ours, and whether somebody else uses its token: noted for doctor and the admin's page (B6, B16)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from data.audit import note
from data.database import Tx, read_fact, write_fact
from data.moments import moment, stamp
from data.tables import facts

KNOWN = "our-bot"  # the fact that holds what setup heard from Telegram
SHARED = "token-shared"  # the fact that holds when somebody else last used the token, and how
TOKEN = "token-trouble"  # the fact that holds since when and why our own token cannot be used
REFUSED, OTHER_BOT = "refused", "other-bot"  # Telegram does not know it; the new one belongs to another bot
READER, WEBHOOK = "reader", "webhook"  # another program fetched our updates; Telegram was told to send them elsewhere
REMEMBERED = timedelta(days=7)


@dataclass(frozen=True)
class Identity:
    """What cannot change by itself: the bot's number and @name; and the name people see."""

    id: int
    username: str
    name: str


@dataclass(frozen=True)
class Sharing:
    """`how` is READER or WEBHOOK; or, of our own token, REFUSED or OTHER_BOT."""

    how: str
    at: datetime


async def remember_bot(tx: Tx, bot: Identity) -> None:
    """From now on this is ours: setup says so."""
    await write_fact(tx, KNOWN, json.dumps(asdict(bot)).encode())


async def same_bot(tx: Tx, bot: Identity) -> Identity | None:
    """None when it is the bot that setup heard of, or the first that anybody heard of; else the one expected."""
    expected = await known_bot(tx)
    if expected is None:
        await remember_bot(tx, bot)
    return None if expected == bot else expected


async def known_bot(tx: Tx) -> Identity | None:
    """The bot that setup heard of, or the first that anybody heard of."""
    known = await read_fact(tx, KNOWN)
    return Identity(**json.loads(known)) if known else None


async def note_sharing(tx: Tx, how: str, now: datetime) -> None:
    await _note(tx, SHARED, how, now)


async def last_sharing(tx: Tx, now: datetime) -> Sharing | None:
    """When somebody else used the token in the last week."""
    noted = await _noted(tx, SHARED)
    return noted if noted and now - noted.at < REMEMBERED else None


async def note_token(tx: Tx, how: str, now: datetime) -> None:
    """Our own token cannot be used: REFUSED or OTHER_BOT."""
    await _note(tx, TOKEN, how, now)


async def token_trouble(tx: Tx) -> Sharing | None:
    """Why our own token cannot be used, and since when it is known."""
    return await _noted(tx, TOKEN)


async def token_is_right(tx: Tx) -> None:
    """Telegram takes our token."""
    await tx.run(facts.delete().where(facts.c.name == TOKEN))


async def token_was_changed(tx: Tx, now: datetime) -> None:
    """A new one is in use: whatever somebody else did with the old one is over."""
    await tx.run(facts.delete().where(facts.c.name.in_((TOKEN, SHARED))))
    await note(tx, "token-changed", "bot", now)


async def _note(tx: Tx, fact: str, how: str, now: datetime) -> None:
    await write_fact(tx, fact, json.dumps({"how": how, "at": stamp(now)}).encode())


async def _noted(tx: Tx, fact: str) -> Sharing | None:
    noted = await read_fact(tx, fact)
    if noted is None:
        return None
    told = json.loads(noted)
    return Sharing(told["how"], moment(told["at"]))
