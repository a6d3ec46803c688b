"""Chats that are tidied: logged out ones (S20, PR-2) as a whole, others of answers kept without names (ANON-4)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from conversations.channel import TryLater, Unreachable
from data.access import ended_addresses, forget_address
from data.outbox import ALERT, TIDYING, Letter, claim, forget_letter, numbers_to_tidy, try_again
from data.people import Address, addresses_of
from scheduler.sending import Sender

log = logging.getLogger(__name__)

AT_ONCE = 20
PAUSE = timedelta(seconds=30)


async def tidy_due(sender: Sender, now: datetime) -> bool:
    """Tidy some of the chats that belong to nobody any more; whether there may be more."""
    found = await _tidy_answers(sender, now)
    for name in sender.channels:
        async with sender.db.reading() as tx:
            ended = await ended_addresses(tx, name)
        for hashed, where, person in ended:
            if await _tidied(sender, name, where, person, now):
                found = True
                async with sender.db.transaction() as tx:
                    await forget_address(tx, name, hashed)
    return found


async def _tidy_answers(sender: Sender, now: datetime) -> bool:
    """Take away messages that show answers of closed questions, also from those who want no messages."""
    async with sender.db.transaction() as tx:
        letters = await claim(tx, sender.owner, now, AT_ONCE, (TIDYING,))
    for letter in letters:
        async with sender.db.reading() as tx:
            numbers, places = numbers_to_tidy(tx, letter), await addresses_of(tx, letter.person)
        done = await _taken_away(sender, letter, numbers, places, now)
        async with sender.db.transaction() as tx:
            if done:
                await forget_letter(tx, letter)
            else:
                await try_again(tx, letter, sender.owner, now + PAUSE, "asked to wait", count=False)
    return bool(letters)


async def _taken_away(sender: Sender, letter: Letter, numbers: list[int], places: list[Address], now: datetime) -> bool:
    """Whether that is done with: what fails for good is not tried for ever."""
    instead = await sender.compose(letter, now)

    async def take_away() -> None:
        for place in places:
            if numbers and instead and place.channel in sender.channels:
                await sender.channels[place.channel].tidy(place.where, numbers, instead.as_text())

    return await _settled(take_away)


async def _tidied(sender: Sender, channel: str, where: str, person: str, now: datetime) -> bool:
    """Whether that is done with: what cannot be reached, or fails for good, is not tried for ever."""
    goodbye = await sender.compose(Letter(0, "ended", "", person, ALERT, 0), now)

    async def forget() -> None:
        if goodbye:
            await sender.channels[channel].forget(where, goodbye)

    return await _settled(forget)


async def _settled(tidies: Callable[[], Awaitable[None]]) -> bool:
    """False where it has to wait; a chat that cannot be tidied is logged and given up."""
    try:
        await tidies()
    except TryLater:
        return False
    except Unreachable:
        pass  # blocked, or gone
    except Exception as error:
        log.error("a chat could not be tidied: %s", type(error).__name__)
    return True
