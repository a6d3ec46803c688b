"""What is left of replaced keys goes when nothing needs it any more: the old key after 31 days, its look-ups later."""

from __future__ import annotations

import asyncio
from datetime import datetime

from data.database import Database
from data.earlier_lookups import forget_lookups, read_kept
from data.key_ring import forget_earlier, path_of


async def old_keys_due(db: Database, now: datetime) -> bool:
    """Whether something went."""
    path = path_of(db.vault)
    gone = await asyncio.to_thread(forget_earlier, path.parent, path.name, now.date()) if path else 0
    async with db.reading() as tx:
        if not await read_kept(tx):
            return gone > 0
    async with db.transaction() as tx:
        return await forget_lookups(tx, now) + gone > 0
