"""Whether the counts of a closed survey are what they were: choices are not sealed, and a disk can turn a bit over.

When a box is opened, and whenever sheets are taken out or become totals, a digest of everything the counts are made of
is sealed and noted. It is compared before any of it is shown. Surveys closed by earlier versions have none.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from sqlalchemy import select

from data.database import Tx, read_fact, write_fact
from data.tables import answers, surveys, totals
from data.vault import KeyProblem

PURPOSE = "check"
PREFIX = "answers/"  # of the facts' names; the survey's id follows


class AnswersChanged(KeyProblem):
    """Answers of this survey are not what they were when it closed; the text is one line for an operator."""

    def __init__(self, survey: str) -> None:
        super().__init__(f"The answers of {survey} are damaged. Nothing of them is shown. Restore a backup.")


async def note_answers(tx: Tx, survey: str) -> None:
    """From now on the answers are as they stand in this transaction."""
    name = PREFIX + survey
    await write_fact(tx, name, tx.vault.seal(PURPOSE, await _digest(tx, survey), name))


async def check_answers(tx: Tx, survey: str) -> None:
    """Raises AnswersChanged unless they are as they were noted."""
    name = PREFIX + survey
    sealed = await read_fact(tx, name)
    if sealed is None:
        return
    try:
        noted = tx.vault.open(PURPOSE, sealed, name)
    except KeyProblem:
        noted = b""
    if not hmac.compare_digest(noted, await _digest(tx, survey)):
        raise AnswersChanged(survey)


async def is_whole(tx: Tx, survey: str) -> bool:
    """The same as a question."""
    try:
        await check_answers(tx, survey)
    except AnswersChanged:
        return False
    return True


async def _digest(tx: Tx, survey: str) -> bytes:
    """Of the form as it was sent, the numbers beside the counts, and every row the counts are made of."""
    of = surveys.c
    head = select(of.source, of.mode, of.asked, of.started, of.finished).where(of.id == survey)
    given = select(answers.c.question, answers.c.value, answers.c.sheet).where(answers.c.survey == survey)
    counted = select(totals.c.question, totals.c.value, totals.c.n).where(totals.c.survey == survey)
    parts = [await tx.all(head), sorted(await tx.all(given)), sorted(await tx.all(counted))]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps([list(row) for row in part]).encode())
    return digest.digest()
