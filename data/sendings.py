"""Questions that are to go out on a day and time (`/send`, X3)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import insert, select, update

from data.database import AnyRow, Tx
from data.moments import moment, stamp
from data.tables import sendings


@dataclass(frozen=True)
class Planned:
    """One sending. `state` is planned, sent, refused or cancelled; `why` a refusal's phrase and facts, as JSON."""

    id: str
    form: str
    group: str
    decision: str
    decider: str = field(repr=False)
    closes: date
    answer_by: date
    due_at: datetime
    by: str | None = None
    state: str = "planned"
    why: str = ""


async def add_sending(tx: Tx, planned: Planned) -> None:
    inside = [planned.decision, planned.decider, planned.closes.isoformat(), planned.answer_by.isoformat()]
    sealed = tx.vault.seal("names", json.dumps(inside).encode(), f"sending/{planned.id}")
    row = {"id": planned.id, "form": planned.form, "group_id": planned.group, "due_at": stamp(planned.due_at)}
    await tx.run(insert(sendings).values(sealed=sealed, by=planned.by, state="planned", **row))


async def find_sending(tx: Tx, id: str) -> Planned | None:
    row = await tx.first(select(sendings).where(sendings.c.id == id))
    return _planned(tx, row) if row else None


async def coming_sendings(tx: Tx) -> list[Planned]:
    """What is planned, soonest first."""
    waiting = select(sendings).where(sendings.c.state == "planned").order_by(sendings.c.due_at, sendings.c.id)
    return [_planned(tx, row) for row in await tx.all(waiting)]


async def sendings_due(tx: Tx, now: datetime) -> list[Planned]:
    """What is planned and whose time has come, soonest first."""
    return [planned for planned in await coming_sendings(tx) if planned.due_at <= now]


async def end_sending(tx: Tx, id: str, state: str, why: str = "", before: str = "planned") -> bool:
    """Sent, refused or cancelled, once; False when it was not in the state `before` any more."""
    mine = update(sendings).where(sendings.c.id == id, sendings.c.state == before)
    return await tx.run(mine.values(state=state, why=why or None)) == 1


def _planned(tx: Tx, r: AnyRow) -> Planned:
    sealed = tx.vault.open("names", r.sealed, f"sending/{r.id}")
    decision, decider, closes, answer_by = json.loads(sealed)
    days = date.fromisoformat(closes), date.fromisoformat(answer_by)
    return Planned(r.id, r.form, r.group_id, decision, decider, *days, moment(r.due_at), r.by, r.state, r.why or "")
