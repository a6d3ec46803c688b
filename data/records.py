"""NAMED answers, whole: what goes into a child's papers, with who said it, in which role, how and when (6.4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select

from conversations.answers import Answer
from conversations.engine import kept_answers
from data.children import names_of
from data.database import AnyRow, Tx
from data.moments import moment, new_id, stamp
from data.people import Person, find_person
from data.runs import Run
from data.surveys import Survey
from data.tables import records

ON_DEVICE = "device"  # a pupil beside an adult, on the school's device


@dataclass(frozen=True)
class Record:
    """One sheet of a child's papers.

    `label` is what staff called the person when it was sent. `how` is a channel's name, "device" or later "paper".
    `child` is the place of the child it is about (data/children.py), None where that is not known.
    """

    id: str
    survey: str
    person: str
    label: str = field(repr=False)
    roles: tuple[str, ...]
    how: str
    language: str
    sent_at: datetime
    child: int | None
    answers: dict[str, Answer] = field(repr=False)


async def keep_records(tx: Tx, survey: Survey, finished: list[Run]) -> None:
    """At closing: the whole sheet of everybody who sent one, words included."""
    rows = []
    for run in finished:
        record = await _record(tx, survey, run)
        inside = asdict(record) | {"sent_at": stamp(record.sent_at)}
        inside["answers"] = {k: a.to_json() for k, a in record.answers.items()}
        sealed = tx.vault.seal("records", json.dumps(inside).encode(), record.id)
        rows.append({"id": record.id, "survey": survey.id, "sealed": sealed})
    await tx.run(insert(records), sorted(rows, key=lambda row: str(row["id"])))


async def _record(tx: Tx, survey: Survey, run: Run) -> Record:
    person = await find_person(tx, run.person)
    given = run.given
    return Record(
        id=new_id(),
        survey=survey.id,
        person=run.person,
        label=person.label if person else "",
        roles=tuple(sorted(person.roles)) if person else (),
        how=_how(survey, person, given.how if given else ""),
        language=given.language if given else (person.language if person else ""),
        sent_at=given.at if given else run.saved_at,
        child=1 if len(await names_of(tx, run.person)) == 1 else None,
        answers=kept_answers(survey.form, run.state.sent or {}),
    )


def _how(survey: Survey, person: Person | None, channel: str) -> str:
    """Pupils never use accounts of their own: they answer beside an adult (AGE-1, AGE-4)."""
    beside = survey.form.audience == "pupils" or (person is not None and "pupil" in person.roles)
    return ON_DEVICE if beside else channel


async def all_records(tx: Tx) -> list[Record]:
    """Every sheet, oldest first. Note the look before anything of it is shown (data/looks.py)."""
    return _in_order(tx, await tx.all(select(records)))


async def records_of(tx: Tx, person: str) -> list[Record]:
    """The sheets that this person gave, oldest first."""
    return [record for record in await all_records(tx) if record.person == person]


async def delete_records(tx: Tx, survey: Survey) -> int:
    """Its time in the bot is over: all sheets of this survey go; how many. The caller notes it."""
    return await tx.run(delete(records).where(records.c.survey == survey.id))


def _in_order(tx: Tx, rows: Sequence[AnyRow]) -> list[Record]:
    return sorted((_opened(tx, row) for row in rows), key=lambda r: (r.sent_at, r.id))


def _opened(tx: Tx, row: AnyRow) -> Record:
    inside = json.loads(tx.vault.open("records", row.sealed, row.id))
    answers = {k: Answer.from_json(a) for k, a in inside["answers"].items()}
    changed = {"answers": answers, "roles": tuple(inside["roles"]), "sent_at": moment(inside["sent_at"])}
    return Record(**(inside | changed))
