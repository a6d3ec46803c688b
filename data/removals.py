"""Taking out a whole answer sheet, only with a reason (AUDIT-1, FAIL-15): noted, sealed, counted, and for good.

Nobody can change a raw answer: apart from closing, and from what goes with its time or at a person's own wish, this is
the only way in which answers go. Each removal keeps the sheet's random id, so that the others keep their numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from data.answers import sheets_of
from data.audit import note
from data.database import Tx
from data.moments import moment, new_id, stamp
from data.records import all_records
from data.surveys import Survey, find_survey
from data.tables import answers, records, removals, sheet_keys
from data.tombstones import SHEET, bury
from data.unchanged import AnswersChanged, is_whole, note_answers

LONGEST_REASON = 500  # letters
REPLAYED = "It was taken out before, and a backup had brought it back."


@dataclass(frozen=True)
class Removal:
    """One sheet that was taken out. `by` is a person's id, COMMAND_LINE, or None where that is not known any more."""

    id: str
    at: datetime
    by: str | None
    reason: str = field(repr=False)
    sheet: str


async def remove_sheet(
    tx: Tx, survey: Survey, sheet: str, reason: str, actor: str | None, now: datetime, damaged_too: bool = False
) -> bool:
    """Take this sheet out, with its key and its place in a child's papers; False where there is none.

    Raises ValueError without a reason, AnswersChanged where the survey's answers are damaged. `damaged_too`: then all
    the same, for whoever has the right to it; the rest still counts as damaged afterwards.
    """
    if not reason.strip():
        raise ValueError("a sheet is taken out only with a reason")
    whole = await is_whole(tx, survey.id)
    if not whole and not damaged_too:
        raise AnswersChanged(survey.id)
    person = await _cut_key(tx, survey.id, sheet)
    if not await tx.run(delete(answers).where(answers.c.survey == survey.id, answers.c.sheet == sheet)):
        return False
    if whole:
        await note_answers(tx, survey.id)
    for record in await all_records(tx) if person else []:
        if (record.survey, record.person) == (survey.id, person):
            await tx.run(delete(records).where(records.c.id == record.id))
    await bury(tx, SHEET, sheet, now)
    await note_removal(tx, survey.id, sheet, reason.strip()[:LONGEST_REASON], actor, now)
    return True


async def remove_again(tx: Tx, sheet: str, now: datetime) -> None:
    """After a restore: the sheet was taken out since that backup was made. Harmless when it is not there."""
    survey = await tx.value(select(answers.c.survey).where(answers.c.sheet == sheet).limit(1))
    found = await find_survey(tx, survey) if survey else None
    if found:
        await remove_sheet(tx, found, sheet, REPLAYED, None, now, damaged_too=True)


async def note_removal(tx: Tx, survey: str, sheet: str, reason: str, actor: str | None, now: datetime) -> None:
    """The row that counts a removed sheet, and the one in the audit log. The sheet itself goes by the caller's hand."""
    id = new_id()
    sealed = tx.vault.seal("removals", json.dumps({"reason": reason, "sheet": sheet}).encode(), id)
    await tx.run(insert(removals).values(id=id, survey=survey, at=stamp(now), by=actor, sealed=sealed))
    await note(tx, "sheet.removed", survey, now, actor, removal=id)


async def _cut_key(tx: Tx, survey: str, sheet: str) -> str | None:
    """CONF and NAMED: nobody can tell any more whose it was; until now it was this person's."""
    for row in await tx.all(select(sheet_keys).where(sheet_keys.c.survey == survey)):
        key = json.loads(tx.vault.open("sheet-keys", row.sealed, row.id))
        if key["sheet"] == sheet:
            await tx.run(delete(sheet_keys).where(sheet_keys.c.id == row.id))
            return str(key["person"])
    return None


async def removals_of(tx: Tx, survey: str) -> list[Removal]:
    """What was taken out of this survey and why, oldest first."""
    rows = await tx.all(select(removals).where(removals.c.survey == survey).order_by(removals.c.at, removals.c.id))
    return [Removal(r.id, moment(r.at), r.by, **json.loads(tx.vault.open("removals", r.sealed, r.id))) for r in rows]


async def count_removals(tx: Tx, survey: str) -> int:
    return int(await tx.value(select(func.count()).where(removals.c.survey == survey)))


async def sheet_numbers(tx: Tx, survey: Survey) -> dict[str, int]:
    """The number of each sheet in the file of answers, by its id; a sheet keeps it when others are taken out."""
    there = {sheet for sheet, _ in await sheets_of(tx, survey.id, survey.form)}
    once = there | {removal.sheet for removal in await removals_of(tx, survey.id)}
    return {sheet: number for number, sheet in enumerate(sorted(once), 1) if sheet in there}
