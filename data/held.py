"""Everything that is linked to one person now, table by table: what /mydata shows and `yousaid sar` begins with (6.8).

Each table of the schema stands in SHOWN or in LEFT_OUT with a reason; a test fails for one that does not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from conversations.answers import Answer
from conversations.form import Form, said
from conversations.roles import STAFF_ROLES
from data.alerts import duty_of
from data.audit import COMMAND_LINE
from data.bookings import Booking, bookings_of
from data.children import names_of
from data.codes import Slip, codes_used_by
from data.database import Tx
from data.events import find_occasion
from data.looks import LOOK
from data.people import all_groups, find_person, groups_of
from data.queue import Item, about_safety, all_items
from data.records import Record, records_of
from data.runs import BoxLost, Run, find_run, run_of, surveys_of
from data.surveys import Survey, all_surveys, find_survey
from data.tables import (
    addresses,
    answers,
    audit,
    marks,
    outbox,
    pauses,
    people,
    requests,
    second_factors,
    sessions,
    sheet_keys,
    surveys,
    wishes,
)

SHOWN = {  # table -> the key under which /mydata shows what it holds about somebody
    "people": "account",
    "roles": "account",
    "memberships": "account",
    "groups": "account",
    "children": "children",
    "addresses": "chats",
    "sessions": "browsers",
    "second_factors": "authenticator_app",
    "duties": "alerts",
    "codes": "codes",
    "code_uses": "codes",
    "runs": "open_questions",
    "marks": "took_part",
    "surveys": "took_part",
    "sheet_keys": "answers_with_your_name",
    "answers": "answers_with_your_name",
    "records": "answers_with_your_name",
    "queue": "words",
    "comments": "words",
    "outbox": "messages",
    "pauses": "pause",
    "bookings": "sign_ups",
    "wishes": "sign_ups",
    "requests": "sign_ups",
    "audit": "looks",
}
LEFT_OUT = {  # table -> why it holds nothing that can be shown to the person it may be about
    "facts": "the school's own settings and counters; nothing of it belongs to one person who joined",
    "visits": "a code somebody opened and has not said yes to yet; it is gone once they answer",
    "wrong_codes": "how often a wrong code came from a place, as a keyed hash; kept for an hour",
    "forms": "the questions as they are asked, of nobody",
    "removals": "how many answer sheets were taken out and why, without whose they were",
    "totals": "how often each answer was given, of nobody",
    "alerts": "who of the staff was called to words that wait; the words themselves are listed",
    "tombstones": "keyed hashes of what was deleted, so that no backup brings it back; of nobody who is still here",
    "calendar": "terms and holidays, of nobody",
    "events": "what a group is invited to; a host is a member of staff, as the families are told",
    "occasions": "times of what a group is invited to, of nobody",
    "room_notes": "themes that were named in a room, without who named them",
    "sendings": "questions that are to go out to a group; who decides is told to all of it",
    "wedid": "what the school answers to everybody; who wrote it are members of staff",
    "links": "one-time links of 15 minutes, as keyed hashes; they open what is shown here",
    "updates": "numbers of messages from Telegram, without who sent them",
    "readings": "when words were last handed to their readers, of nobody",
}
EMPTY_SHEET = "~"  # values that begin so are no choices: skipped, read apart


@dataclass(frozen=True)
class Sheet:
    """Answers of a closed survey under a key that still says whose they are. `key` is the id of that key."""

    key: str
    survey: str
    sheet: str
    mode: str


@dataclass(frozen=True)
class Held:
    """`values` is plain JSON with the keys of SHOWN; docs/my-data.md says what each means."""

    person: str
    values: dict[str, Any] = field(repr=False)


async def held(tx: Tx, person: str, now: datetime, language: str, boxes: bool = True) -> Held | None:
    """What is linked to this person now, worded in `language` where it has words; None where nobody is known.

    `boxes`: also what they answered in a ballot box that is still open, which only they themselves may be shown.
    """
    row = await tx.first(select(people).where(people.c.id == person))
    found = await find_person(tx, person)
    if row is None or found is None or row.erased_at:
        return None
    names, mine, duty = await all_groups(tx), await groups_of(tx, person), await duty_of(tx, person)
    values = {
        "made": now.isoformat(timespec="seconds"),
        "account": {
            "number": person,
            "name": found.label,
            "language": found.language,
            "roles": sorted(found.roles),
            "groups": sorted(names[id] for id in mine),
            "messages_stopped": found.stopped,
            "access_ended": row.ended_at,
        },
        "consent": {"at": row.consent_at, "wording": row.consent_wording, "language": row.consent_language},
        "children": await names_of(tx, person),
        "chats": await _chats(tx, person),
        "browsers": [{"until": until} for until in await _browsers(tx, person)],
        "authenticator_app": bool(await _count(tx, second_factors, person)),
        "alerts": {
            "away_until": duty.away_until.isoformat() if duty.away_until else None,
            "at_any_hour": duty.any_hour,
        },
        "codes": [_code(slip, names) for slip in await codes_used_by(tx, person)],
        "open_questions": await _open_questions(tx, person, language, boxes),
        "took_part": await _took_part(tx, person, language),
        "answers_with_your_name": await _with_name(tx, person, language),
        "words": [await _words(tx, i, language) for i in await items_of(tx, person) if not about_safety(i)],
        "messages": await _messages(tx, person),
        "pause": await _pause(tx, person),
        "sign_ups": await _sign_ups(tx, person),
        "looks": await _looks(tx, person, row.consent_at),
    }
    return Held(person, values)


async def _count(tx: Tx, table: Any, person: str) -> int:
    return int(await tx.value(select(func.count()).select_from(table).where(table.c.person == person)))


# --- the account --------------------------------------------------------------------------------------------------


async def _chats(tx: Tx, person: str) -> list[dict[str, object]]:
    """Kinds, and whether messages arrive there; a chat that was logged out waits to be tidied."""
    rows = await tx.all(select(addresses).where(addresses.c.person == person).order_by(addresses.c.hash))
    return [{"channel": r.channel, "reachable": not r.unreachable, "logged_out": bool(r.ended)} for r in rows]


async def _browsers(tx: Tx, person: str) -> list[str]:
    mine = select(sessions.c.ends_at).where(sessions.c.person == person).order_by(sessions.c.ends_at)
    return [r.ends_at for r in await tx.all(mine)]


def _code(slip: Slip, groups: dict[str, str]) -> dict[str, object]:
    made = slip.invitation
    what = {"role": made.role or None, "group": groups.get(made.group or ""), "letter": made.slip}
    used = slip.used_at.isoformat(timespec="seconds") if slip.used_at else None
    return {"used": used, "for_another_device": made.device_of is not None, **what}


async def _messages(tx: Tx, person: str) -> dict[str, int]:
    """How many messages of the bot's own accord there are, by what became of them."""
    mine = select(outbox.c.state, func.count()).where(outbox.c.person == person).group_by(outbox.c.state)
    return {r[0]: int(r[1]) for r in await tx.all(mine.order_by(outbox.c.state))}


async def _pause(tx: Tx, person: str) -> dict[str, object] | None:
    """That nothing is sent; why is a note of staff, often about a loss, and is told by people."""
    row = await tx.first(select(pauses.c.since, pauses.c.until).where(pauses.c.person == person))
    return {"since": row.since, "until": row.until} if row else None


async def _sign_ups(tx: Tx, person: str) -> dict[str, object]:
    """What they booked or said no to, what they chose to hear of, and whom a pupil asked to talk with, by when."""
    wished = await tx.all(select(wishes.c.kind).where(wishes.c.person == person).order_by(wishes.c.kind))
    asked = await tx.all(select(requests.c.asked_at).where(requests.c.person == person))
    return {
        "bookings": [await _sign_up(tx, b) for b in await bookings_of(tx, person)],
        "hear_of": [r.kind for r in wished],
        "asked_to_talk": sorted(r.asked_at for r in asked),
    }


async def _sign_up(tx: Tx, b: Booking) -> dict[str, object]:
    occasion = await find_occasion(tx, b.occasion)
    assert occasion
    at = occasion.starts_at if b.slot is None else occasion.slot_starts(b.slot)
    about = {"kind": occasion.event.kind, "title": occasion.event.title, "at": at.isoformat(timespec="minutes")}
    mine = {"state": b.state, "people": b.heads, "way": b.way, "remind": b.remind, "came": b.came}
    return about | mine | {"topic": b.needs.topic, "interpreter": b.needs.interpreter, "needs": b.needs.access}


# --- answers ------------------------------------------------------------------------------------------------------


async def _open_questions(tx: Tx, person: str, language: str, boxes: bool) -> list[dict[str, object]]:
    found = await open_runs(tx, person)
    return [_open(survey, run, language, boxes) for survey, run in found]


async def open_runs(tx: Tx, person: str) -> list[tuple[Survey, Run | None]]:
    """The open surveys they are asked in, each with where they are; None where its box is lost."""
    asked = [await find_survey(tx, id) for id in await surveys_of(tx, person)]
    return [(survey, await _run(tx, person, survey)) for survey in asked if survey]


async def _run(tx: Tx, person: str, survey: Survey) -> Run | None:
    id = await run_of(tx, person, survey.id)
    try:
        return await find_run(tx, id, survey) if id else None
    except BoxLost:
        return None


def _open(survey: Survey, run: Run | None, language: str, boxes: bool) -> dict[str, object]:
    about = _about(survey, language) | {"closes": survey.closes_at.isoformat(timespec="minutes")}
    if survey.mode == "ANON" and not boxes:
        return about | {"sent": None, "answers": [], "in_a_box": True}
    given = {} if run is None else run.state.answers
    sent = run is not None and run.state.sent is not None
    rows = [_answer(survey.form, question, answer, language) for question, answer in given.items()]
    return about | {"sent": sent, "answers": rows, "in_a_box": survey.mode == "ANON"}


def _about(survey: Survey, language: str) -> dict[str, object]:
    return {"survey": survey.id, "title": said(survey.form.title, language), "mode": survey.mode}


def _answer(form: Form, question: str, answer: Answer, language: str) -> dict[str, object]:
    values = answer.values if answer.kind not in ("skipped", "raised") else ()
    return _said_to(form, question, values, answer.kind, language)


def _said_to(form: Form, question: str, values: tuple[str, ...], kind: str, language: str) -> dict[str, object]:
    """One question with its answer in ids and in words; `kind` is choice, text, number, date, skipped or raised."""
    q = form.question(question)
    labels = {c.id: said(c.label, language) for c in q.choices} if q else {}
    words = [labels.get(value, value) for value in values]
    asked = said(q.text, language) if q else question
    return {"question": question, "asked": asked, "kind": kind, "values": list(values), "answer": ", ".join(words)}


async def _took_part(tx: Tx, person: str, language: str) -> list[dict[str, object]]:
    """Closed questions they were asked, and whether they sent answers: a mark without the answers."""
    mine = {r.survey: bool(r.finished) for r in await tx.all(select(marks).where(marks.c.person == person))}
    closed = [s for s in await all_surveys(tx, "closed", "unopened", "lost") if s.id in mine]
    on = {s.id: s.closed_on.isoformat() if s.closed_on else None for s in closed}
    return [_about(s, language) | {"closed": on[s.id], "answers_sent": mine[s.id]} for s in closed]


async def sheets_of_person(tx: Tx, person: str) -> list[Sheet]:
    """Closed sheets that still can be told to be theirs (CONF until the keys are cut, NAMED)."""
    found = []
    keys = select(sheet_keys, surveys.c.mode).join(surveys, surveys.c.id == sheet_keys.c.survey)
    for r in await tx.all(keys.order_by(sheet_keys.c.id)):
        key = json.loads(tx.vault.open("sheet-keys", r.sealed, r.id))
        if key["person"] == person:
            found.append(Sheet(r.id, r.survey, key["sheet"], r.mode))
    return found


async def _with_name(tx: Tx, person: str, language: str) -> list[dict[str, object]]:
    """Sheets whose key is still there, and the whole ones in a child's papers."""
    keyed = [s for s in await sheets_of_person(tx, person) if s.mode != "NAMED"]
    papers = [await _record(tx, record, language) for record in await records_of(tx, person)]
    return [*[await _sheet(tx, sheet, language) for sheet in keyed], *papers]


async def _record(tx: Tx, record: Record, language: str) -> dict[str, object]:
    survey = await find_survey(tx, record.survey)
    assert survey
    rows = [_answer(survey.form, question, answer, language) for question, answer in record.answers.items()]
    given = {"given": record.sent_at.isoformat(timespec="minutes"), "how": record.how}
    return _about(survey, language) | given | {"answers": rows}


async def _sheet(tx: Tx, sheet: Sheet, language: str) -> dict[str, object]:
    survey = await find_survey(tx, sheet.survey)
    assert survey
    mine = select(answers).where(answers.c.survey == sheet.survey, answers.c.sheet == sheet.sheet)
    given: dict[str, list[str]] = {}
    for r in await tx.all(mine.order_by(answers.c.question, answers.c.value)):
        given.setdefault(r.question, []).append(r.value)
    rows = [_of_sheet(survey.form, q.id, given[q.id], language) for q in survey.form.questions if q.id in given]
    return _about(survey, language) | {"answers": rows}


def _of_sheet(form: Form, question: str, values: list[str], language: str) -> dict[str, object]:
    kind = values[0].removeprefix(EMPTY_SHEET) if values[0].startswith(EMPTY_SHEET) else "choice"
    given = tuple(v for v in values if not v.startswith(EMPTY_SHEET))
    return _said_to(form, question, given, kind, language)


# --- words --------------------------------------------------------------------------------------------------------


async def items_of(tx: Tx, person: str) -> list[Item]:
    """What of theirs came to human readers and still has its words, oldest first."""
    return [item for item in await all_items(tx) if item.person == person]


async def _words(tx: Tx, item: Item, language: str) -> dict[str, object]:
    """Their own words. What staff wrote about it (a reason, a route) is weighed by `yousaid sar` and never stands here.

    That somebody called for help, or that readers look after it, is never here: somebody else may hold the phone.
    """
    survey = await find_survey(tx, item.survey) if item.survey else None
    return {
        "came": item.came_at.isoformat(timespec="minutes"),
        "kind": item.kind,
        "title": said(survey.form.title, language) if survey else None,
        "text": item.text,
        "read": item.read_at is not None,
        "note_of_staff": bool(item.reason),
    }


# --- who looked ---------------------------------------------------------------------------------------------------


async def _looks(tx: Tx, person: str, since: str) -> list[dict[str, object]]:
    """When somebody looked at something of theirs, in which role, and at what kind of thing; never who.

    Without what would tell that there was something about somebody's safety to look at.
    """
    apart = {item.id for item in await items_of(tx, person) if about_safety(item)}
    refs = set(await looked_at(tx, person)) - apart
    rows = await tx.all(
        select(audit.c.at, audit.c.actor, audit.c.what, audit.c.ref)
        .where(audit.c.what.startswith(LOOK), audit.c.at >= since, audit.c.ref.in_(refs))
        .order_by(audit.c.id)
    )
    return [{"at": r.at, "by": await _by(tx, r.actor), "what": r.what.removeprefix(LOOK)} for r in rows]


async def looked_at(tx: Tx, person: str) -> list[str]:
    """The refs of the audit log under which something of theirs was looked at."""
    items = [item.id for item in await items_of(tx, person)]
    letters = [slip.hash for slip in await codes_used_by(tx, person)]
    sheets = await sheets_of_person(tx, person)
    keys = {id for s in sheets for id in (s.key, s.sheet)}
    papers = [record.id for record in await records_of(tx, person)]
    return sorted({person, *items, *letters, *keys, *papers, *await groups_of(tx, person), "all"})


async def _by(tx: Tx, actor: str | None) -> str:
    """The role they hold now; "staff" where they hold none any more."""
    if actor is None or actor == COMMAND_LINE:
        return actor or "program"
    found = await find_person(tx, actor)
    roles = sorted(found.roles & set(STAFF_ROLES)) if found else []
    return ", ".join(roles) or "staff"
