"""Sending what waits in the outbox: a few letters under way at a time, the channel says how fast.

Whether a letter still goes is looked at last of all, when the channel has said that its turn has come: a person's STOP
or pause, the window, and whether staff hold or stopped the sending it belongs to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from conversations.channel import Channel, Message, Paced, TryLater, Unreachable
from data.calendar import load_calendar
from data.database import Database, Tx
from data.delivery import ASKED, OUTSIDE, PAUSED, STOPPED, STOPPED_BY_STAFF, UNANSWERED, decided
from data.events import find_occasion
from data.outbox import ALERT, LATE, Letter, claim, is_ours, mark, note_going, try_again
from data.pauses import HELD, Pause, next_place, pause_of
from data.people import Address, Person, address_hashes, addresses_of, find_person, mark_unreachable
from data.runs import in_the_middle
from data.school import School
from scheduler.ladder import climb_past, item_of
from scheduler.plan import may_send_at

log = logging.getLogger(__name__)

SHORT = 5.0  # seconds that are waited for at once when a channel asks to; a longer pause ends the round
NOTED_EVERY = timedelta(seconds=30)
URGENT = timedelta(seconds=30)  # after which what perhaps did not arrive goes again; an alert each time
AT_ONCE = 8  # letters under way: enough for the fastest that Telegram allows, few enough to stop at once
# SAFE-5 has hours of its own; the list for the day is there at 07:30, before the window opens.
AT_ANY_HOUR = frozenset({"alert", "routed", "test-alert", "asked-to-talk", "host-sheet"})
# What a pause does not hold back: alerts and tasks of staff, and what happened to one's own account.
EVEN_PAUSED = AT_ANY_HOUR | {
    "to-read", "approve", "factor", "named-going", "device", "used", "role", "wedid-look", "wedid-back", "answer-due",
    "send-refused", "host-notes", "host-changed",
}  # fmt: skip
# What is not said weeks later: that questions have closed; and no reminder a day after an invitation that waited too.
NOT_AFTER_PAUSE = frozenset({"told", "not-sent", "unopened", "lost", "nudge"})
TO_ALL = frozenset({"device", "used", "role"})  # to every chat of a person, but the one their ref names

EVEN_BUSY = AT_ANY_HOUR | TO_ALL | {"factor"}  # what goes to somebody in the middle of questions
ABOUT_TO_BEGIN = frozenset({"reminder", "reminder-hour"})
QUIET_FOR = timedelta(minutes=10)  # after a run was last used; nothing of our own accord comes in between
BUSY = "in the middle"

Compose = Callable[[Letter, datetime], Awaitable[Message | None]]


@dataclass
class Going:
    """That letters go is written down for whoever watches the machine, not with every one of them."""

    noted: datetime | None = None

    async def note(self, tx: Tx, at: datetime) -> None:
        if self.noted is None or abs(at - self.noted) >= NOTED_EVERY:
            await note_going(tx, at)
            self.noted = at


@dataclass(frozen=True)
class Sender:
    """What sending needs: who makes the words, which channels there are, and whose claims these are.

    `clock`: the time as it goes on while many letters are sent; without it a round happens at one moment.
    """

    db: Database
    school: School
    compose: Compose
    channels: Mapping[str, Channel]
    owner: str
    clock: Callable[[], datetime] | None = None
    going: Going = field(default_factory=Going)


async def send_due(sender: Sender, now: datetime, limit: int = AT_ONCE) -> bool:
    """Send what is due, alerts first, until nothing is: at most `limit` letters under way. Whether there was any."""
    under_way: set[asyncio.Task[None]] = set()
    last: dict[str, asyncio.Task[None]] = {}  # of each person: what they are told keeps its order
    found = False
    try:
        while True:
            now = sender.clock() if sender.clock else now
            if sender.clock and 0 < (pause := _pause(sender)) <= SHORT:
                await asyncio.sleep(pause)
                continue
            letters, opens = await _claimed(sender, now, limit - len(under_way))
            found = found or bool(letters)
            last = {person: task for person, task in last.items() if not task.done()}
            for letter in letters:
                before = None if letter.lane == ALERT else last.get(letter.person)
                last[letter.person] = asyncio.create_task(_send(sender, letter, now, opens, before))
                under_way.add(last[letter.person])
            if not under_way:
                return found
            under_way = await _fewer(under_way, limit // 2 if letters else len(under_way) - 1)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _fewer(under_way: set[asyncio.Task[None]], most: int) -> set[asyncio.Task[None]]:
    """Those still under way when there are at most so many; raises what ended one of the others."""
    while len(under_way) > most:
        done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    return under_way


async def _claimed(sender: Sender, now: datetime, limit: int) -> tuple[list[Letter], datetime]:
    """Some letters that are due, and when the window is open. None while a channel takes no messages."""
    if (pause := _pause(sender)) > 0:
        await _note_pause(sender, now, pause)
        return [], now
    async with sender.db.transaction() as tx:
        letters = await claim(tx, sender.owner, now, limit)
        if not letters:
            return [], now
        return letters, may_send_at(now, sender.school, await load_calendar(tx, sender.school.nation))


async def _note_pause(sender: Sender, now: datetime, seconds: float) -> None:
    """Telegram asked for a long one: nothing is broken, and who watches the machine need not come."""
    if seconds > SHORT:
        async with sender.db.transaction() as tx:
            await sender.going.note(tx, now + timedelta(seconds=seconds))


def _pause(sender: Sender) -> float:
    return max((channel.pause for channel in sender.channels.values() if isinstance(channel, Paced)), default=0.0)


async def _send(
    sender: Sender, letter: Letter, now: datetime, opens: datetime, before: asyncio.Task[None] | None
) -> None:
    """Whatever goes wrong with one letter stays with that letter. `before`: one to the same person, to end first."""
    if before:
        await asyncio.wait([before])
    try:
        await _deliver(sender, letter, now, opens)
    except TryLater as later:
        if later.unsure:
            return await _unanswered(sender, letter, now)
        await _again(sender, letter, now + timedelta(seconds=later.seconds), ASKED, count=False)
    except Exception as error:
        log.exception("letter %s (%s) failed with %s", letter.id, letter.kind, type(error).__name__, exc_info=False)
        await _again(sender, letter, now + timedelta(seconds=30 * 2 ** min(letter.tries, 6)), type(error).__name__)


async def _unanswered(sender: Sender, letter: Letter, now: datetime) -> None:
    """Nothing is lost on a line that hangs; and where only answers are, the same words come ever more rarely."""
    wait = URGENT if letter.lane == ALERT else URGENT * 4 ** min(letter.tries, 5)
    async with sender.db.transaction() as tx:
        await try_again(tx, letter, sender.owner, now + wait, UNANSWERED, give_up=False)


async def _deliver(sender: Sender, letter: Letter, now: datetime, opens: datetime) -> None:
    """To the first place that can be reached, or to all of them; looked at again when its turn has come."""
    found = await _ready(sender, letter, now, opens)
    if found is None:
        return
    reached = False
    for place in found[1]:
        async with _turn(sender.channels[place.channel], place, letter):
            ready = await _ready(sender, letter, now, opens)
            if ready is None:
                return
            if place in ready[1]:
                reached = await _arrives(sender, place, ready[0]) or reached
        if reached and letter.kind not in TO_ALL:
            break
    if reached:
        return await _mark(sender, letter, now, "sent")
    await _not_reached(sender, letter, "failed", "blocked", now)


def _turn(channel: Channel, place: Address, letter: Letter) -> AbstractAsyncContextManager[None]:
    return channel.turn(place.where, letter.lane == ALERT) if isinstance(channel, Paced) else nullcontext()


async def _ready(
    sender: Sender, letter: Letter, now: datetime, opens: datetime
) -> tuple[Message, list[Address]] | None:
    """What to send and where to; None where it does not go now, which is noted then."""
    async with sender.db.reading() as tx:
        if not await is_ours(tx, letter, sender.owner):
            return None
        person = await find_person(tx, letter.person)
        pause = None if letter.kind in EVEN_PAUSED else await pause_of(tx, letter.person, now)
        places = [p for p in await _places(tx, letter) if p.channel in sender.channels]
        decision = await decided(tx, letter.kind, letter.ref)
    if person is None or (person.stopped and letter.kind not in TO_ALL):
        await _not_reached(sender, letter, "dropped", "stopped", now)
        return None
    if decision:
        await _as_decided(sender, letter, now)
        return None
    if opens > now and letter.kind not in AT_ANY_HOUR:
        await _until_open(sender, letter, now, opens)
        return None
    message = await sender.compose(letter, now)
    if message is None:
        await _mark(sender, letter, now, "dropped", await _why_not(sender, letter, now))
        return None
    if pause:
        await _hold_back(sender, letter, pause, now)
        return None
    if await _is_busy(sender, letter, person, now):
        await _again(sender, letter, now + QUIET_FOR, BUSY, count=False)
        return None
    if person.stopped:  # no words then: a new menu comes without, all else waits on the page
        message, places = Message(menu=message.menu), places if message.menu is not None else []
    if not places:
        await _not_reached(sender, letter, "page", "", now)
        return None
    return message, places


async def _until_open(sender: Sender, letter: Letter, now: datetime, opens: datetime) -> None:
    """What would come too late then is not said to wait."""
    if letter.kind in ABOUT_TO_BEGIN and await sender.compose(letter, opens) is None:
        return await _mark(sender, letter, now, "dropped", await _why_not(sender, letter, opens))
    await _again(sender, letter, opens, OUTSIDE, count=False)


async def _why_not(sender: Sender, letter: Letter, now: datetime) -> str:
    """Whether it has come too late, or is of no use any more for another reason."""
    if letter.kind not in ABOUT_TO_BEGIN:
        return "over"
    async with sender.db.reading() as tx:
        event = await find_occasion(tx, letter.ref)
    return LATE if event and not event.off and event.starts_at <= now else "over"


async def _is_busy(sender: Sender, letter: Letter, person: Person, now: datetime) -> bool:
    """Whether the person is in the middle of something, and the letter can wait (field 17).

    A reminder goes all the same where waiting would bring it too late. When somebody was busy is not written down:
    the letter waits from now on, by whatever they do.
    """
    if person.front is None or letter.kind in EVEN_BUSY:
        return False
    again = now + QUIET_FOR
    async with sender.db.reading() as tx:
        used = await in_the_middle(tx, person.front)
        event = await find_occasion(tx, letter.ref) if letter.kind in ABOUT_TO_BEGIN else None
        opens = may_send_at(again, sender.school, await load_calendar(tx, sender.school.nation)) if event else again
    late = event is not None and opens >= event.starts_at
    return used is not None and now - used < QUIET_FOR and not late


async def _as_decided(sender: Sender, letter: Letter, now: datetime) -> None:
    """Staff hold the sending, or have stopped it, since this letter was claimed."""
    async with sender.db.transaction() as tx:
        decision = await decided(tx, letter.kind, letter.ref)  # again: nobody would let go what is held from now on
        if decision == STOPPED:
            return await mark(tx, letter, sender.owner, "dropped", STOPPED_BY_STAFF)
        if decision == PAUSED:
            return await mark(tx, letter, sender.owner, "held")
        await try_again(tx, letter, sender.owner, now, "", count=False)


async def _hold_back(sender: Sender, letter: Letter, pause: Pause, now: datetime) -> None:
    """Until the pause is over (FAIL-18), where it still makes sense then."""
    async with sender.db.transaction() as tx:
        if letter.kind in NOT_AFTER_PAUSE:
            return await mark(tx, letter, sender.owner, "dropped", HELD)
        await try_again(tx, letter, sender.owner, await next_place(tx, pause, now), HELD, count=False)


async def _places(tx: Tx, letter: Letter) -> list[Address]:
    """Where the person can be written to; who was just added as a device need not hear of it."""
    places = await addresses_of(tx, letter.person)
    return [p for p in places if letter.kind not in TO_ALL or not _named(tx, p, letter.ref)]


def _named(tx: Tx, place: Address, ref: str) -> bool:
    return any(hashed in ref for hashed in address_hashes(tx, place.channel, place.where))


async def _arrives(sender: Sender, place: Address, message: Message) -> bool:
    """False where the person has blocked us: the place is not tried again until they come back."""
    try:
        await sender.channels[place.channel].send(place.where, message)
    except Unreachable:
        async with sender.db.transaction() as tx:
            await mark_unreachable(tx, place.channel, place.where, True)
        return False
    return True


async def _not_reached(sender: Sender, letter: Letter, state: str, why: str, now: datetime) -> None:
    """Mark it; an alert goes on to the next person at once, in the same transaction (SAFE-5)."""
    async with sender.db.transaction() as tx:
        await mark(tx, letter, sender.owner, state, why)
        await sender.going.note(tx, now)
        if letter.kind in ("alert", "routed"):
            await climb_past(tx, sender.school, item_of(letter.ref), letter.person, now)


async def _mark(sender: Sender, letter: Letter, now: datetime, state: str, why: str = "") -> None:
    async with sender.db.transaction() as tx:
        await mark(tx, letter, sender.owner, state, why)
        await sender.going.note(tx, now)


async def _again(sender: Sender, letter: Letter, at: datetime, why: str, count: bool = True) -> None:
    async with sender.db.transaction() as tx:
        await try_again(tx, letter, sender.owner, at, why, count)
