"""How far a sending has come, in counts, and that staff hold it, let it go on, or stop it.

A sending is all letters of one kind about one thing: the invitations to a survey, the announcements of an event, its
reminders. Counts only: who got what is nobody's business here (field 20).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from data.audit import note
from data.database import AnyRow, Tx, read_fact, write_fact
from data.moments import moment, stamp
from data.outbox import LATE
from data.pauses import HELD
from data.tables import facts, outbox

PAUSED, STOPPED = "paused", "stopped"  # what staff decided about a sending
STOPPED_BY_STAFF = "stopped by staff"  # why a letter is dropped then
OUTSIDE, ASKED, UNANSWERED = "outside the window", "asked to wait", "no answer"  # why a letter waits
# Kinds of letters that are sent to many, and so can be held and counted; others are a person's own business.
KINDS = (
    "invitation", "nudge", "event", "event-changed", "event-details", "event-cancelled", "reminder", "reminder-hour",
    "how-was-it", "told", "not-sent", "unopened", "lost", "wedid",
)  # fmt: skip


@dataclass(frozen=True)
class Delivery:
    """Where the letters of one sending are; every letter is counted once.

    `page`: waits until somebody without Telegram opens the web page. `blocked`: the person has blocked the bot.
    `stopped`: the person wants no messages. `family`: waits because the family's messages are paused (FAIL-18).
    `held`: staff hold it. `called_off`: staff stopped it. `late`: nothing sent it in time, as the bot was off.
    `over`: it had become pointless.
    `failed`: by what went wrong.
    `next_at`: when the next that waits is due; `last_at`: the last of them.
    """

    kind: str
    ref: str
    decision: str = ""
    sent: int = 0
    waiting: int = 0
    page: int = 0
    blocked: int = 0
    stopped: int = 0
    family: int = 0
    held: int = 0
    called_off: int = 0
    late: int = 0
    over: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    next_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def letters(self) -> int:
        counted = (self.sent, self.waiting, self.page, self.blocked, self.stopped, self.family, self.held)
        return sum(counted) + self.called_off + self.late + self.over + sum(self.failed.values())

    @property
    def reached(self) -> int:
        """Whoever got it, or can see it on the page."""
        return self.sent + self.page

    @property
    def under_way(self) -> bool:
        """Whether anything is still to go, so that it can be held or stopped."""
        return bool(self.waiting or self.held or self.family)


_COLUMN = {
    ("page", ""): "page",
    ("failed", "blocked"): "blocked",
    ("dropped", "stopped"): "stopped",
    ("dropped", STOPPED_BY_STAFF): "called_off",
    ("dropped", LATE): "late",
}
_BY_STATE = {"waiting": "waiting", "sending": "waiting", "held": "held", "sent": "sent", "page": "page"}


async def delivery_of(tx: Tx, kind: str, ref: str) -> Delivery | None:
    """The report of one sending; None where nothing of it was ever to be sent."""
    found = [d for d in await deliveries_about(tx, ref) if d.kind == kind]
    return found[0] if found else None


async def deliveries_about(tx: Tx, *refs: str) -> list[Delivery]:
    """The sendings about a survey, or an event and its occasions, in the order of KINDS.

    Letters name its id, or "ID.2" after a change.
    """
    query = select(outbox.c.kind, outbox.c.ref, outbox.c.state, outbox.c.why, func.count(), func.min(outbox.c.due_at),
                   func.max(outbox.c.due_at))  # fmt: skip
    about = or_(outbox.c.ref.in_(refs), *(outbox.c.ref.like(f"{ref}.%") for ref in refs))
    grouped = query.where(outbox.c.kind.in_(KINDS), about)
    rows = await tx.all(grouped.group_by(outbox.c.kind, outbox.c.ref, outbox.c.state, outbox.c.why))
    keys = sorted({(r[0], r[1]) for r in rows}, key=lambda key: (KINDS.index(key[0]), key[1]))
    return [await _counted(tx, kind, of, [r for r in rows if (r[0], r[1]) == (kind, of)]) for kind, of in keys]


async def _counted(tx: Tx, kind: str, ref: str, rows: Sequence[AnyRow]) -> Delivery:
    counts, failed, times = Counter[str](), Counter[str](), list[str]()
    for _kind, _ref, state, why, n, first, last in rows:
        column = _column(state, why or "")
        if column == "failed":
            failed[why or "?"] += n
            continue
        counts[column] += n
        if column in ("waiting", "family"):
            times += [first, last]
    when = {"next_at": moment(min(times)), "last_at": moment(max(times))} if times else {}
    return Delivery(kind, ref, await decided(tx, kind, ref), **counts, failed=dict(failed), **when)  # type: ignore[arg-type]


def _column(state: str, why: str) -> str:
    if state == "waiting" and why == HELD:
        return "family"
    if state == "dropped":
        return _COLUMN.get((state, why), "over")
    return _COLUMN.get((state, why)) or _BY_STATE.get(state, "failed")


async def look_again(tx: Tx, now: datetime) -> int:
    """At start, what was put off until later is due now, and put off again where that was right; how many there were.

    The clock or the calendar may have been wrong, and a letter wait for another year.
    """
    put_off = and_(outbox.c.state == "waiting", outbox.c.why.in_((OUTSIDE, ASKED)), outbox.c.due_at > stamp(now))
    return await tx.run(update(outbox).where(put_off).values(due_at=stamp(now)))


# --- what staff decide --------------------------------------------------------------------------------------------


async def decided(tx: Tx, kind: str, ref: str) -> str:
    """What staff decided about the sending that a letter belongs to: PAUSED, STOPPED or nothing."""
    return (await read_fact(tx, _fact(kind, ref)) or b"").decode() if kind in KINDS else ""


async def pause_sending(tx: Tx, kind: str, ref: str, at: datetime, by: str | None) -> bool:
    """Nothing more of it goes until somebody lets it go on. False where nothing waits, or that is so already."""
    if await decided(tx, kind, ref) or not await _some(tx, kind, ref, "waiting", "sending"):
        return False
    await write_fact(tx, _fact(kind, ref), PAUSED.encode())
    n = await tx.run(update(outbox).where(*_rows(kind, ref), outbox.c.state == "waiting").values(state="held"))
    await note(tx, "sending.paused", ref, at, by, letters=kind, waiting=str(n))
    return True


async def resume_sending(tx: Tx, kind: str, ref: str, at: datetime, by: str | None) -> bool:
    """It goes on where it was. False where it was not held."""
    if await decided(tx, kind, ref) != PAUSED:
        return False
    await tx.run(facts.delete().where(facts.c.name == _fact(kind, ref)))
    held = update(outbox).where(*_rows(kind, ref), outbox.c.state == "held")
    n = await tx.run(held.values(state="waiting"))
    await note(tx, "sending.resumed", ref, at, by, letters=kind, waiting=str(n))
    return True


async def stop_sending(tx: Tx, kind: str, ref: str, at: datetime, by: str | None) -> bool:
    """Whoever did not get it will not get it: that cannot be taken back. False where nothing is left to stop."""
    if await decided(tx, kind, ref) == STOPPED or not await _some(tx, kind, ref, "waiting", "held", "sending"):
        return False
    await write_fact(tx, _fact(kind, ref), STOPPED.encode())
    left = update(outbox).where(*_rows(kind, ref), outbox.c.state.in_(("waiting", "held")))
    n = await tx.run(left.values(state="dropped", why=STOPPED_BY_STAFF))
    await note(tx, "sending.stopped", ref, at, by, letters=kind, waiting=str(n))
    return True


async def _some(tx: Tx, kind: str, ref: str, *states: str) -> bool:
    some = select(outbox.c.id).where(*_rows(kind, ref), outbox.c.state.in_(states)).limit(1)
    return await tx.first(some) is not None


def _rows(kind: str, ref: str) -> tuple[ColumnElement[bool], ...]:
    return (outbox.c.kind == kind, outbox.c.ref == ref)


def _fact(kind: str, ref: str) -> str:
    return f"sending/{kind}/{ref}"


def in_json(delivery: Delivery) -> dict[str, object]:
    """The counts under their names; times in ISO 8601, or null."""
    times = {name: at.isoformat() if at else None for name, at in _times(delivery)}
    return asdict(delivery) | {"letters": delivery.letters, "reached": delivery.reached} | times


def _times(delivery: Delivery) -> tuple[tuple[str, datetime | None], ...]:
    return ("next_at", delivery.next_at), ("last_at", delivery.last_at)
