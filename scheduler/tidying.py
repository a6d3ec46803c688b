"""Chats that were logged out: menu and messages go, then the address itself (S20, PR-2)."""

from __future__ import annotations

import logging
from datetime import datetime

from conversations.channel import TryLater, Unreachable
from data.access import ended_addresses, forget_address
from data.outbox import ALERT, Letter
from scheduler.due import Sender

log = logging.getLogger(__name__)


async def tidy_due(sender: Sender, now: datetime) -> bool:
    """Tidy some of the chats that belong to nobody any more; whether there may be more."""
    found = False
    for name in sender.channels:
        async with sender.db.reading() as tx:
            ended = await ended_addresses(tx, name)
        for hashed, where, person in ended:
            if await _tidied(sender, name, where, person, now):
                found = True
                async with sender.db.transaction() as tx:
                    await forget_address(tx, name, hashed)
    return found


async def _tidied(sender: Sender, channel: str, where: str, person: str, now: datetime) -> bool:
    """Whether that is done with: what cannot be reached, or fails for good, is not tried for ever."""
    goodbye = await sender.compose(Letter(0, "ended", "", person, ALERT, 0), now)
    try:
        if goodbye:
            await sender.channels[channel].forget(where, goodbye)
    except TryLater:
        return False
    except Unreachable:
        pass  # blocked, or gone
    except Exception as error:
        log.error("a chat could not be tidied: %s", type(error).__name__)
    return True
