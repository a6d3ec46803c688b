"""One round of each job, as a function that says whether it found work. The clock only repeats them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations.channel import Channel, Message, TryLater, Unreachable
from data.answers import seal_off
from data.database import Database, Tx
from data.dropins import dropins_to_remind, mark_reminded
from data.outbox import Letter, claim, mark, post, try_again
from data.pauses import HELD, Pause, next_place, pause_of
from data.people import Address, address_hashes, addresses_of, find_person, mark_unreachable, members
from data.queue import empty_item, transferred_items
from data.school import School, load_school
from data.surveys import all_surveys, find_survey, surveys_due
from data.updates import last_reading, note_reading
from scheduler.closing import close_survey, read_words
from scheduler.ladder import climb_past, item_of
from scheduler.plan import last_reading_time, may_send_at

log = logging.getLogger(__name__)

BATCH = 20  # letters under way at once
PACE = 0.04  # seconds between letters: 25 a second, below Telegram's 30
AT_ANY_HOUR = frozenset({"alert", "routed", "test-alert"})  # SAFE-5 has hours of its own
# What a pause does not hold back: alerts and tasks of staff, and what happened to one's own account.
EVEN_PAUSED = AT_ANY_HOUR | {"to-read", "approve", "factor", "named-going", "device", "used", "role"}
ENDED = frozenset({"told", "not-sent", "unopened", "lost"})  # that questions have closed: no use after a pause
TO_ALL = frozenset({"device", "used", "role"})  # to every chat of a person, but the one their ref names

Compose = Callable[[Letter, datetime], Awaitable[Message | None]]


@dataclass(frozen=True)
class Sender:
    """What a round of sending needs: who makes the words, which channels there are, and whose claims these are."""

    db: Database
    school: School
    compose: Compose
    channels: Mapping[str, Channel]
    owner: str


async def close_due(db: Database, school: School, now: datetime) -> bool:
    """Close the surveys whose time has come."""
    async with db.reading() as tx:
        due = await surveys_due(tx, now)
    for id in due:
        async with db.transaction() as tx:
            survey = await find_survey(tx, id)
            closed = survey and await close_survey(tx, survey, now, now.astimezone(school.zone).date())
        if closed:
            await seal_off(db, id)
    return bool(due)


async def remind_due(db: Database, now: datetime) -> bool:
    """Post the reminders of drop-ins whose time has come, once."""
    async with db.reading() as tx:
        if not await dropins_to_remind(tx, now):
            return False
    async with db.transaction() as tx:
        for dropin in await dropins_to_remind(tx, now):
            if await mark_reminded(tx, dropin.id):
                await post(tx, "reminder", dropin.id, await members(tx, dropin.group), now)
    return True


async def read_due(db: Database, school: School, now: datetime) -> bool:
    """At a reading time, hand the words of all open surveys to their readers."""
    at = last_reading_time(now, school.zone)
    async with db.reading() as tx:
        last = await last_reading(tx)
    if last and last >= at:
        return False
    async with db.transaction() as tx:
        found = [await read_words(tx, survey, at) for survey in await all_surveys(tx, "open")]
        await note_reading(tx, at)
    return any(found)


async def forget_due(db: Database, now: datetime) -> bool:
    """Empty the queue items that have been in the school's own record for long enough (a week), and the WAL."""
    async with db.reading() as tx:
        school = await load_school(tx)
        days = school.keeping.transferred_days if school else 0
        if not school or not await transferred_items(tx, now, days):
            return False
    async with db.transaction() as tx:
        for item in await transferred_items(tx, now, days):  # asked again: a slip of the finger may be taken back
            await empty_item(tx, item, now)
    await db.wipe_deleted()
    return True


async def send_due(sender: Sender, now: datetime, limit: int = BATCH) -> bool:
    """Send what is due: alerts first, at most `limit` letters."""
    async with sender.db.transaction() as tx:
        letters = await claim(tx, sender.owner, now, limit)
    async with asyncio.TaskGroup() as group:
        for letter in letters:
            group.create_task(_send(sender, letter, now))
            await asyncio.sleep(PACE)
    return bool(letters)


async def _send(sender: Sender, letter: Letter, now: datetime) -> None:
    """Whatever goes wrong with one letter stays with that letter."""
    try:
        await _deliver(sender, letter, now)
    except TryLater as later:
        await _again(sender, letter, now + timedelta(seconds=later.seconds), "asked to wait", count=False)
    except Exception as error:
        log.exception("letter %s (%s) failed with %s", letter.id, letter.kind, type(error).__name__, exc_info=False)
        await _again(sender, letter, now + timedelta(seconds=30 * 2 ** min(letter.tries, 6)), type(error).__name__)


async def _deliver(sender: Sender, letter: Letter, now: datetime) -> None:
    async with sender.db.reading() as tx:
        person = await find_person(tx, letter.person)
        pause = None if letter.kind in EVEN_PAUSED else await pause_of(tx, letter.person, now)
        places = await _places(tx, letter)
    if person is None or (person.stopped and letter.kind not in TO_ALL):
        return await _not_reached(sender, letter, "dropped", "stopped", now)
    opens = may_send_at(now, sender.school.send_window, sender.school.zone)
    if opens > now and letter.kind not in AT_ANY_HOUR:
        return await _again(sender, letter, opens, "outside the window", count=False)
    message = await sender.compose(letter, now)
    if message is None:
        return await _mark(sender, letter, "dropped", "over")
    if pause:
        return await _hold_back(sender, letter, pause, now)
    if person.stopped:  # no words then: a new menu comes without, all else waits on the page
        message, places = Message(menu=message.menu), places if message.menu is not None else []
    reachable = [p for p in places if p.channel in sender.channels]
    if not reachable:
        return await _not_reached(sender, letter, "page", "", now)
    await _write(sender, letter, reachable, message, now)


async def _hold_back(sender: Sender, letter: Letter, pause: Pause, now: datetime) -> None:
    """Until the pause is over (FAIL-18). What only said that questions have closed is not said weeks later."""
    async with sender.db.transaction() as tx:
        if letter.kind in ENDED:
            return await mark(tx, letter, sender.owner, "dropped", HELD)
        await try_again(tx, letter, sender.owner, await next_place(tx, pause, now), HELD, count=False)


async def _places(tx: Tx, letter: Letter) -> list[Address]:
    """Where the person can be written to; who was just added as a device need not hear of it."""
    places = await addresses_of(tx, letter.person)
    return [p for p in places if letter.kind not in TO_ALL or not _named(tx, p, letter.ref)]


def _named(tx: Tx, place: Address, ref: str) -> bool:
    return any(hashed in ref for hashed in address_hashes(tx, place.channel, place.where))


async def _write(sender: Sender, letter: Letter, places: list[Address], message: Message, now: datetime) -> None:
    """To the first address that can be reached, or to all of them; the page is the last resort."""
    reached = False
    for place in places:
        try:
            await sender.channels[place.channel].send(place.where, message)
        except Unreachable:
            async with sender.db.transaction() as tx:
                await mark_unreachable(tx, place.channel, place.where, True)
        else:
            reached = True
            if letter.kind not in TO_ALL:
                break
    if reached:
        return await _mark(sender, letter, "sent")
    await _not_reached(sender, letter, "failed", "blocked", now)


async def _not_reached(sender: Sender, letter: Letter, state: str, why: str, now: datetime) -> None:
    """Mark it; an alert goes on to the next person at once, in the same transaction (SAFE-5)."""
    async with sender.db.transaction() as tx:
        await mark(tx, letter, sender.owner, state, why)
        if letter.kind in ("alert", "routed"):
            await climb_past(tx, sender.school, item_of(letter.ref), letter.person, now)


async def _mark(sender: Sender, letter: Letter, state: str, why: str = "") -> None:
    async with sender.db.transaction() as tx:
        await mark(tx, letter, sender.owner, state, why)


async def _again(sender: Sender, letter: Letter, at: datetime, why: str, count: bool = True) -> None:
    async with sender.db.transaction() as tx:
        await try_again(tx, letter, sender.owner, at, why, count)
