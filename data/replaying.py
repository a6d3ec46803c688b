"""After a restore, before the bot may start: what was deleted since the backup is deleted again (trust A4.3).

The tombstones come from the database that is replaced, if it can still be read, and from the list beside the key. Each
is a keyed hash, so everything that could be meant is hashed and looked up. Doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from data.access import cut_access, take_role
from data.bookings import all_places, cannot_come
from data.children import empty_place, named_places
from data.database import Tx
from data.erasing import erase
from data.events import all_on, call_off, find_occasion
from data.names import cut_names
from data.outbox import NORMAL, post
from data.pauses import not_paused, pause_again
from data.people import set_stopped
from data.queue import EMPTIED, empty_item
from data.removals import remove_again
from data.surveys import find_survey
from data.tables import answers, outbox, people, queue, roles, surveys, tombstones
from data.tombstones import (
    ACCESS,
    ANSWERS,
    BOOKING,
    CHILD,
    ITEM,
    NAMES,
    OFF,
    PAUSE,
    PERSON,
    ROLE,
    SHEET,
    STOP,
    WISH,
    buried,
    role_ref,
)
from data.totals import to_totals
from data.unchanged import is_whole
from data.wishes import all_wishes, unwish

Undo = Callable[[Tx, str, datetime], Awaitable[object]]


@dataclass(frozen=True)
class Tombstone:
    """A row of the list: a keyed hash, what kind of thing it was, and when it went."""

    hash: str
    kind: str
    at: str


async def tombstones_in(tx: Tx) -> list[Tombstone]:
    return [Tombstone(r.hash, r.kind, r.at) for r in await tx.all(select(tombstones))]


async def carry_over(tx: Tx, found: Iterable[Tombstone]) -> int:
    """Put these into the restored database, so that they are known after the next restore too; how many are new."""
    known = {t.hash for t in await tombstones_in(tx)}
    new = {t.hash: t for t in found if t.hash not in known}
    await tx.run(insert(tombstones), [vars(t) for t in new.values()])
    return len(new)


async def replay(tx: Tx, now: datetime, *only: str) -> dict[str, int]:
    """Delete again what has a tombstone, of these kinds where some are named; how many of each there still were."""
    done = {}
    for kind, refs, undo in (step for step in _PLAN if not only or step[0] in only):
        found = await buried(tx, kind, await refs(tx))
        for ref in found:
            await undo(tx, ref, now)
        done[kind] = len(found)
    return {kind: n for kind, n in done.items() if n}


# --- what was sent ------------------------------------------------------------------------------------------------

Sent = dict[tuple[str, str, str], str]
OPEN = ("waiting", "sending", "page")


async def settled_letters(tx: Tx) -> Sent:
    """What became of every letter that is not under way any more, by kind, ref and person."""
    done = select(outbox).where(outbox.c.state.not_in(OPEN))
    return {(r.kind, r.ref, r.person): r.state for r in await tx.all(done)}


async def settle_letters(tx: Tx, sent: Sent) -> int:
    """Letters that went out since the backup do not go out again; how many. Alerts may: rather twice than never."""
    waiting = await tx.all(select(outbox).where(outbox.c.state.in_(OPEN), outbox.c.lane == NORMAL))
    again = [(r.id, sent[key]) for r in waiting if (key := (r.kind, r.ref, r.person)) in sent]
    for id, state in again:
        await tx.run(update(outbox).where(outbox.c.id == id).values(state=state, why="before the restore"))
    return len(again)


# --- what each kind may mean in the restored database -------------------------------------------------------------


async def _people(tx: Tx) -> list[str]:
    return [r.id for r in await tx.all(select(people.c.id).where(people.c.erased_at.is_(None)))]


async def _with_access(tx: Tx) -> list[str]:
    return [r.id for r in await tx.all(select(people.c.id).where(people.c.ended_at.is_(None)))]


async def _written_to(tx: Tx) -> list[str]:
    return [r.id for r in await tx.all(select(people.c.id).where(people.c.stopped.is_(False)))]


async def _roles(tx: Tx) -> list[str]:
    return [role_ref(r.person, r.role) for r in await tx.all(select(roles.c.person, roles.c.role))]


async def _items(tx: Tx) -> list[str]:
    return [r.id for r in await tx.all(select(queue.c.id).where(queue.c.kind != EMPTIED))]


async def _sheets(tx: Tx) -> list[str]:
    return [r.sheet for r in await tx.all(select(answers.c.sheet).distinct())]


async def _surveys(tx: Tx) -> list[str]:
    """Those that have ended and still have their sheets."""
    ended = select(surveys.c.id).where(surveys.c.state != "open", surveys.c.totals_since.is_(None))
    return [r.id for r in await tx.all(ended)]


async def _with_names(tx: Tx) -> list[str]:
    """The same that still say whose answers they are."""
    named = select(surveys.c.id).where(surveys.c.state != "open", surveys.c.keys_cut_on.is_(None))
    return [r.id for r in await tx.all(named)]


async def _cut_names(tx: Tx, ref: str, now: datetime) -> None:
    survey = await find_survey(tx, ref)
    if survey:
        await cut_names(tx, survey, now.date())


async def _to_totals(tx: Tx, ref: str, now: datetime) -> None:
    """Damaged answers are left to the nightly job, which counts them and says so."""
    survey = await find_survey(tx, ref)
    if survey and await is_whole(tx, survey.id):
        await to_totals(tx, survey, now, now.date())


async def _take_role(tx: Tx, ref: str, now: datetime) -> bool:
    person, _, role = ref.rpartition("/")
    return await take_role(tx, person, role, now)


async def _give_back(tx: Tx, ref: str, now: datetime) -> None:
    """Whoever waited for that place has it; they are told where it is still to come."""
    occasion_id, _, person = ref.partition("/")
    occasion = await find_occasion(tx, occasion_id)
    moved_up = await cannot_come(tx, occasion, person, now) if occasion else []
    for booking in moved_up if occasion and not occasion.off and occasion.starts_at > now else []:
        await post(tx, "place-free", booking.id, [booking.person], now)


async def _unwish(tx: Tx, ref: str, now: datetime) -> bool:
    person, _, kind = ref.rpartition("/")
    return await unwish(tx, person, kind, now)


async def _stop(tx: Tx, person: str, now: datetime) -> None:
    await set_stopped(tx, person, True, now)


_PLAN: tuple[tuple[str, Callable[[Tx], Awaitable[list[str]]], Undo], ...] = (
    (PERSON, _people, erase),  # first: it takes most of the rest along
    (OFF, all_on, call_off),
    (BOOKING, all_places, _give_back),
    (ACCESS, _with_access, cut_access),
    (ROLE, _roles, _take_role),
    (STOP, _written_to, _stop),
    (WISH, all_wishes, _unwish),
    (PAUSE, not_paused, pause_again),
    (CHILD, named_places, empty_place),
    (ITEM, _items, empty_item),
    (SHEET, _sheets, remove_again),
    (NAMES, _with_names, _cut_names),
    (ANSWERS, _surveys, _to_totals),
)
