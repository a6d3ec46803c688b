"""`yousaid move`: the whole school to another database, all of it or nothing; the old one is kept, set aside."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from bot.house import box_keys, opened_school, read_vault
from bot.settings import Settings
from data.audit import COMMAND_LINE, note
from data.copying import CopyProblem, Told, copy_all
from data.database import Database, is_empty, open_database, remove_database
from data.lock import run_lock
from data.place import Place, SqliteFile
from data.sqlite import set_aside


@dataclass(frozen=True)
class Moved:
    """How many rows are there now; `kept` is what the old database is called."""

    rows: int
    kept: str


async def move(settings: Settings, target: Place, now: datetime, told: Told) -> Moved:
    """Copy the school to `target`, which must be empty. Problems in one line; then nothing was changed."""
    source = settings.database
    if source == target:
        raise CopyProblem(f"The school is in {source} already.")
    async with AsyncExitStack() as stack:
        for place in (source, target):
            await _alone(stack, place)
        async with opened_school(settings) as opened:
            rows = await _copied(settings, opened.db, target, now, told)
        return Moved(rows, str(set_aside(source.path)) if isinstance(source, SqliteFile) else source.name)


async def _alone(stack: AsyncExitStack, place: Place) -> None:
    """No bot works on it until we are done."""
    if isinstance(place, SqliteFile):
        place.path.parent.mkdir(parents=True, exist_ok=True)
    lock = run_lock(place)
    if not await lock.acquire():
        raise CopyProblem(f"A bot runs on {place}. Stop it first; nothing was changed.")
    stack.push_async_callback(lock.release)


async def _copied(settings: Settings, source: Database, target: Place, now: datetime, told: Told) -> int:
    made = await is_empty(target)
    try:
        new = await open_database(target, read_vault(settings), box_keys(settings), create=True)
        try:
            rows = await copy_all(source, new, told=told)
            async with new.transaction() as tx:
                await note(tx, "moved", "database", now, COMMAND_LINE)
        finally:
            await new.close()
    except BaseException:
        if made:
            await remove_database(target, read_vault(settings))
        raise
    return rows
