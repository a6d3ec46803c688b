"""Which bot is ours, and whether somebody else uses its token: noted for doctor and the admin's page (B6, B16)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from data.database import Tx, read_fact, write_fact
from data.moments import moment, stamp

KNOWN = "our-bot"  # the fact that holds what setup heard from Telegram
SHARED = "token-shared"  # the fact that holds when somebody else last used the token, and how
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
    """`how` is READER or WEBHOOK."""

    how: str
    at: datetime


async def remember_bot(tx: Tx, bot: Identity) -> None:
    """From now on this is ours: setup says so."""
    await write_fact(tx, KNOWN, json.dumps(asdict(bot)).encode())


async def same_bot(tx: Tx, bot: Identity) -> Identity | None:
    """None when it is the bot that setup heard of, or the first that anybody heard of; else the one expected."""
    known = await read_fact(tx, KNOWN)
    if known is None:
        await remember_bot(tx, bot)
        return None
    expected = Identity(**json.loads(known))
    return None if expected == bot else expected


async def note_sharing(tx: Tx, how: str, now: datetime) -> None:
    await write_fact(tx, SHARED, json.dumps({"how": how, "at": stamp(now)}).encode())


async def last_sharing(tx: Tx, now: datetime) -> Sharing | None:
    """When somebody else used the token in the last week."""
    noted = await read_fact(tx, SHARED)
    if noted is None:
        return None
    told = json.loads(noted)
    at = moment(told["at"])
    return Sharing(told["how"], at) if now - at < REMEMBERED else None
