"""Who gave which answers in CONF: one key for each sheet, opened one at a time, and cut when its time is over (6.4)."""

from __future__ import annotations

import json
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, or_, select, update

from data.audit import note
from data.database import Tx
from data.queue import CONCERNS
from data.surveys import Survey
from data.tables import queue, sheet_keys, surveys
from data.tombstones import NAMES, bury


async def whose_sheet(tx: Tx, survey: str, sheet: str) -> str | None:
    """The id of the person who gave this sheet; None when its key is gone. Note the look before (data/looks.py)."""
    for row in await tx.all(select(sheet_keys).where(sheet_keys.c.survey == survey)):
        key = json.loads(tx.vault.open("sheet-keys", row.sealed, row.id))
        if key["sheet"] == sheet:
            return str(key["person"])
    return None


def cut_day(survey: Survey, months: int) -> date:
    """The first day on which nobody can tell any more: so many months after closing, counted from its day."""
    closed = survey.closed_on or survey.closes_at.date()
    year, month = divmod(closed.year * 12 + closed.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    over = timedelta(days=1) if closed.day > last else timedelta()  # no 30 February: the day after its last
    return date(year, month + 1, min(closed.day, last)) + over


def is_cut(survey: Survey, months: int, today: date) -> bool:
    """Whether its time is over; from that day on nobody is shown a name, even where the nightly job was late."""
    return survey.keys_cut_on is not None or today >= cut_day(survey, months)


async def cut_names(tx: Tx, survey: Survey, on: date) -> int:
    """From now on nobody can tell whose answers they were: keys, and names beside words, go. How many keys went."""
    now = datetime.combine(on, time(), UTC)
    gone = await tx.run(delete(sheet_keys).where(sheet_keys.c.survey == survey.id))
    await tx.run(update(surveys).where(surveys.c.id == survey.id).values(keys_cut_on=on.isoformat()))
    await forget_writers(tx, survey.id)
    await bury(tx, NAMES, survey.id, now)
    await note(tx, "names.cut", survey.id, now, n=str(gone))
    return gone


async def forget_writers(tx: Tx, survey: str) -> int:
    """Take the names from the words of this survey; from how many. Call it again: words read late keep theirs so long.

    Who wrote what nobody has read yet must be found if it is about danger, and what was sent on as a concern keeps its
    name until the school's own record has it (SAFE-8).
    """
    words, concern = (queue.c.kind == "words", queue.c.route.in_(CONCERNS))
    plain = select(queue).where(queue.c.survey == survey, words, queue.c.read_at.is_not(None))
    found = 0
    for row in await tx.all(plain.where(or_(queue.c.route.is_(None), ~concern))):
        inside = json.loads(tx.vault.open("words", row.sealed, row.id))
        if inside["person"]:
            found += 1
            sealed = tx.vault.seal("words", json.dumps(inside | {"person": "", "who": ""}).encode(), row.id)
            await tx.run(update(queue).where(queue.c.id == row.id).values(sealed=sealed))
    return found
