"""What the bot says on its own account: written with its cause, claimed with a lease, sent, and marked.

A row holds no words: kind and ref say what it is about, and the message is made when it is sent. The pair with the
person is unique, so the same thing is never sent twice. A lease that runs out frees the row, so a crash only delays.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, insert, or_, select, update

from data.database import Tx, read_fact, write_fact
from data.moments import moment, new_id, stamp
from data.tables import outbox
from data.vault import KeyProblem

LEASE = timedelta(seconds=60)
ALERT, NORMAL, TIDYING = 0, 1, 2  # lanes; in the last nothing is said: messages that show answers are taken away
GIVE_UP_AFTER = 8  # tries
GOING = "letters-go"  # the fact that says until when letters went, or when Telegram takes them again
STUCK = timedelta(minutes=5)  # without any letter, while some are due
LATE = "too late"  # why a letter is dropped that nothing sent in time: the bot was off, or a line was down


@dataclass(frozen=True)
class Letter:
    """One row that is ours to send now."""

    id: int
    kind: str
    ref: str
    person: str
    lane: int
    tries: int


def new_owner() -> str:
    """A name for this process's claims; begins with its number, so that a dead one's claims can be freed."""
    return f"{os.getpid()}:{new_id()}"


async def post(
    tx: Tx, kind: str, ref: str, people: Iterable[str], due_at: datetime, lane: int = NORMAL, late: bool = False
) -> int:
    """Write one row for each person who has none of this kind and ref yet; how many are new.

    `late`: it is not sent any more, and stands here for the report only.
    """
    query = select(outbox.c.person).where(outbox.c.kind == kind, outbox.c.ref == ref)
    known = {r.person for r in await tx.all(query)}
    new = [p for p in people if p not in known]
    row = {"kind": kind, "ref": ref, "lane": lane, "due_at": stamp(due_at), "state": "waiting", "tries": 0}
    row |= {"state": "dropped", "why": LATE} if late else {}
    await tx.run(insert(outbox), [{**row, "person": p} for p in new])
    return len(new)


async def was_posted(tx: Tx, kind: str, ref: str) -> bool:
    """Whether this was said, or is about to be said, to anybody."""
    return await tx.first(select(outbox.c.id).where(outbox.c.kind == kind, outbox.c.ref == ref).limit(1)) is not None


async def told_since(tx: Tx, kind: str, ref: str, since: datetime) -> set[str]:
    """Who was told this then or later, or is about to be."""
    query = select(outbox.c.person).where(outbox.c.kind == kind, outbox.c.ref == ref, outbox.c.due_at >= stamp(since))
    return {r.person for r in await tx.all(query)}


async def claim(
    tx: Tx, owner: str, now: datetime, limit: int, lanes: tuple[int, ...] = (ALERT, NORMAL)
) -> list[Letter]:
    """Take up to `limit` due rows, alerts first; they are ours until the lease ends."""
    free = or_(
        and_(outbox.c.state == "waiting", outbox.c.due_at <= stamp(now)),
        and_(outbox.c.state == "sending", outbox.c.lease_until < stamp(now)),
    )
    due = select(outbox).where(free, outbox.c.lane.in_(lanes)).order_by(outbox.c.lane, outbox.c.due_at, outbox.c.id)
    rows = await tx.all(due.limit(limit))
    mine = update(outbox).where(outbox.c.id.in_([r.id for r in rows]))
    await tx.run(mine.values(state="sending", owner=owner, lease_until=stamp(now + LEASE)))
    return [Letter(r.id, r.kind, r.ref, r.person, r.lane, r.tries) for r in rows]


async def is_ours(tx: Tx, letter: Letter, owner: str) -> bool:
    """Whether the claim still stands: another process takes over what took longer than the lease."""
    ours = select(outbox.c.id).where(outbox.c.id == letter.id, outbox.c.owner == owner, outbox.c.state == "sending")
    return await tx.first(ours) is not None


async def mark(tx: Tx, letter: Letter, owner: str, state: str, why: str = "") -> None:
    """How it ended: sent, page (waits on a web page), failed or dropped, or that staff hold it (held).

    Only if the claim is still ours.
    """
    ours = update(outbox).where(outbox.c.id == letter.id, outbox.c.owner == owner, outbox.c.state == "sending")
    await tx.run(ours.values(state=state, why=why or None, owner=None))


async def try_again(
    tx: Tx, letter: Letter, owner: str, at: datetime, why: str, count: bool = True, give_up: bool = True
) -> None:
    """Put it back for later; after GIVE_UP_AFTER counted tries it has failed (alerts never give up)."""
    if count and give_up and letter.lane != ALERT and letter.tries + 1 >= GIVE_UP_AFTER:
        return await mark(tx, letter, owner, "failed", why)
    ours = update(outbox).where(outbox.c.id == letter.id, outbox.c.owner == owner, outbox.c.state == "sending")
    new = {"state": "waiting", "due_at": stamp(at), "tries": letter.tries + count, "why": why, "owner": None}
    await tx.run(ours.values(**new))


async def free_dead_claims(tx: Tx, alive: str) -> int:
    """At start: claims of processes that no longer run are free at once; how many there were."""
    held = await tx.all(select(outbox.c.owner).where(outbox.c.state == "sending").distinct())
    dead = [r.owner for r in held if r.owner != alive and not _runs(r.owner)]
    freed = update(outbox).where(outbox.c.state == "sending", outbox.c.owner.in_(dead))
    return await tx.run(freed.values(state="waiting", owner=None)) if dead else 0


async def free_claims(tx: Tx, owner: str) -> int:
    """Whoever keeps the time now is the only one who sends: what another had claimed is free at once."""
    freed = update(outbox).where(outbox.c.state == "sending", outbox.c.owner != owner)
    return await tx.run(freed.values(state="waiting", owner=None))


def _runs(owner: str | None) -> bool:
    if not owner or int(owner.split(":")[0]) == os.getpid():
        return False
    try:
        os.kill(int(owner.split(":")[0]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def post_tidying(tx: Tx, person: str, numbers: Iterable[int], now: datetime) -> None:
    """These messages of the person's chat are to go (ANON-4). Sealed: numbers tell roughly when they were sent."""
    sealed = tx.vault.seal("outbox", json.dumps(list(numbers)).encode(), person)
    await post(tx, "tidy", base64.b64encode(sealed).decode(), [person], now, TIDYING)


def numbers_to_tidy(tx: Tx, letter: Letter) -> list[int]:
    """The messages that such a row is about; none where the key has changed since."""
    try:
        return [int(n) for n in json.loads(tx.vault.open("outbox", base64.b64decode(letter.ref), letter.person))]
    except KeyProblem:
        return []


async def forget_letter(tx: Tx, letter: Letter) -> None:
    """Done, and nothing of it is kept."""
    await tx.run(delete(outbox).where(outbox.c.id == letter.id))


async def drop_for(tx: Tx, kind: str, ref: str) -> None:
    """What has become pointless is not sent any more."""
    waiting = update(outbox).where(outbox.c.kind == kind, outbox.c.ref == ref)
    await tx.run(waiting.where(outbox.c.state.in_(("waiting", "page"))).values(state="dropped", why="over"))


async def on_page(tx: Tx, person: str) -> list[Letter]:
    """What waits to be seen by somebody who only uses the web page, newest first."""
    query = select(outbox).where(outbox.c.person == person, outbox.c.state == "page").order_by(outbox.c.id.desc())
    return [Letter(r.id, r.kind, r.ref, r.person, r.lane, r.tries) for r in await tx.all(query)]


async def seen_on_page(tx: Tx, person: str, up_to: int) -> None:
    """The person acted on the page that showed these."""
    shown = update(outbox).where(outbox.c.person == person, outbox.c.state == "page", outbox.c.id <= up_to)
    await tx.run(shown.values(state="sent"))


async def outbox_counts(tx: Tx) -> dict[str, int]:
    """How many rows are in each state."""
    rows = await tx.all(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return {r[0]: int(r[1]) for r in rows}


async def note_going(tx: Tx, at: datetime) -> None:
    """Letters go; or Telegram has said that it takes none until then."""
    await write_fact(tx, GOING, stamp(at).encode())


async def stuck_since(tx: Tx, now: datetime) -> datetime | None:
    """Since when letters that are due have waited while no other went either; None where all is as it should be.

    A letter to ten thousand people takes six minutes: who comes last waits, and nothing is wrong.
    """
    due, went = await oldest_due(tx, now), await read_fact(tx, GOING)
    if due is None:
        return None
    since = max(moment(due), moment(went.decode())) if went else moment(due)
    return since if now - since > STUCK else None


async def oldest_due(tx: Tx, now: datetime) -> str | None:
    """The due time of the oldest row that should have been sent."""
    query = select(func.min(outbox.c.due_at)).where(outbox.c.state == "waiting", outbox.c.due_at <= stamp(now))
    value: str | None = await tx.value(query)
    return value
