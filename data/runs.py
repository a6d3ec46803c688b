"""Runs: one person's way through a survey or a staff errand, as one encrypted row of fixed length.

All runs of a survey exist from its opening and have one length on disk, whatever was answered, so that two copies of
the file differ by ciphertext only. Words lie apart in a block of their own, also of one length. The runs of an ANON
survey are sealed with the key of its box, the others with the master key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from conversations.answers import RAISED, Answer
from conversations.engine import State, start
from conversations.form import Form
from conversations.listening import LONGEST
from data.database import Tx
from data.moments import moment, new_id, stamp
from data.surveys import Survey, find_survey
from data.tables import people, runs
from data.vault import alias_with, open_with, seal_with

GIVEN_ROOM = 192
TEXT_ROOM = 4 * LONGEST + 64  # bytes: UTF-8 needs at most 4 for a letter
ERRAND_ROOM = 512
WORDS = ("text", "read")  # kinds of answers that hold words
SENT = "sent/"  # before a question's id: its words as they were sent, where others stand there now


class BoxLost(Exception):
    """The key of this survey's ballot box is gone, and its answers with it."""


@dataclass(frozen=True)
class Given:
    """When, on which channel and in which language answers were last sent. Kept in NAMED only, for a child's papers."""

    at: datetime
    how: str
    language: str


@dataclass(frozen=True)
class Run:
    """`saved_at` is when this state was stored. `state` holds the person's own words again, put back in their place.

    `shown` are the numbers of messages in a chat that show answers kept without names, to be taken away (ANON-4);
    those of what the person typed stand there as numbers below zero. `person` is empty where the run was let go of.
    `alias`: in a pool, the same for all runs of one person, for as long as the key of its box is there.
    """

    id: str
    person: str
    survey: str | None
    errand: str | None
    state: State = field(repr=False)
    saved_at: datetime = datetime.min
    given: Given | None = None
    shown: tuple[int, ...] = ()
    alias: str = field(default="", repr=False)


async def start_runs(tx: Tx, survey: Survey, asked: list[str], now: datetime) -> None:
    """A run for everybody who is asked, all alike, in random order."""
    state = start(survey.form).state
    rows = []
    for person in asked:
        run = Run(new_id(), person, survey.id, None, state, now)
        rows.append({"id": run.id, "person": person, "survey": survey.id, **_sealed(tx, run, survey)})
    await tx.run(insert(runs), sorted(rows, key=lambda row: str(row["id"])))


async def start_errand(tx: Tx, person: str, name: str, state: State, now: datetime) -> Run:
    """A staff errand begins; an unfinished one of the same name makes way."""
    await tx.run(delete(runs).where(runs.c.person == person, runs.c.errand == name))
    run = Run(new_id(), person, None, name, state, now)
    await tx.run(insert(runs).values(id=run.id, person=person, errand=name, **_sealed(tx, run, None)))
    return run


# Built once: every tap asks these.
_RUN = select(runs).where(runs.c.id == bindparam("id"))
_SAVE = update(runs).where(runs.c.id == bindparam("run"))


async def find_run(tx: Tx, id: str, survey: Survey | None) -> Run | None:
    """The run with its state; `survey` is the survey it belongs to. May raise BoxLost."""
    row = await tx.first(_RUN, id=id)
    return _opened(tx, row, survey) if row else None


async def run_and_survey(tx: Tx, id: str) -> tuple[Run, Survey | None] | None:
    """The run with its state, and the survey it belongs to; None also where its box is lost."""
    row = await tx.first(_RUN, id=id)
    if row is None:
        return None
    survey = await find_survey(tx, row.survey) if row.survey else None
    try:
        return _opened(tx, row, survey), survey
    except BoxLost:
        return None


async def in_the_middle(tx: Tx, id: str) -> datetime | None:
    """When this run was last used, if it is not sent yet; None also where its box is lost."""
    found = await run_and_survey(tx, id)
    return found[0].saved_at if found and found[0].state.place != "sent" else None


async def run_of(tx: Tx, person: str, survey: str) -> str | None:
    """The id of this person's run in this survey."""
    id: str | None = await tx.value(select(runs.c.id).where(runs.c.person == person, runs.c.survey == survey))
    return id


async def surveys_of(tx: Tx, person: str) -> list[str]:
    """Ids of the open surveys this person is asked in."""
    query = select(runs.c.survey).where(runs.c.person == person, runs.c.survey.is_not(None))
    return sorted(r.survey for r in await tx.all(query))


async def save_run(tx: Tx, run: Run, survey: Survey | None) -> None:
    await tx.run(_SAVE, {"run": run.id, **_sealed(tx, run, survey)})


async def end_run(tx: Tx, id: str) -> None:
    await tx.run(delete(runs).where(runs.c.id == id))


async def runs_in(tx: Tx, survey: Survey) -> list[Run]:
    """All runs of a survey. May raise BoxLost."""
    rows = await tx.all(select(runs).where(runs.c.survey == survey.id))
    return [_opened(tx, row, survey) for row in rows]


async def people_in(tx: Tx, survey: str) -> list[str]:
    """Ids of everybody asked in an open survey, in random (id) order."""
    mine = select(runs.c.person).where(runs.c.survey == survey, runs.c.person.is_not(None))
    return sorted(r.person for r in await tx.all(mine))


async def end_runs(tx: Tx, survey: str) -> None:
    """All runs of a survey go, also from in front of people."""
    gone = select(runs.c.id).where(runs.c.survey == survey)
    await tx.run(update(people).where(people.c.front.in_(gone)).values(front=None))
    await tx.run(delete(runs).where(runs.c.survey == survey))


async def count_runs(tx: Tx, survey: Survey) -> tuple[int, int]:
    """(started, finished) of an open survey. May raise BoxLost."""
    states = [run.state for run in await runs_in(tx, survey)]
    return sum(map(has_started, states)), sum(s.sent is not None for s in states)


def has_started(state: State) -> bool:
    """Whether somebody tapped `Yes, start` (and did not throw everything away since)."""
    return state.place != "intro"


def how_many_sent(survey: Survey, runs: list[Run]) -> int:
    """How many people have sent answers: in a pool somebody may have done so after each of many visits."""
    sent = [run for run in runs if run.state.sent is not None]
    return len({run.alias or run.person for run in sent}) if survey.pooled else len(sent)


def after_reading(run: Run, survey: Survey) -> Run:
    """The run after its words went to their readers. In NAMED they stay, as words that readers have."""
    state, sent = run.state, run.state.sent
    if survey.mode != "NAMED" or sent is None:
        return without_words(run)
    answers = {k: _known(a) if sent.get(k) == a else a for k, a in state.answers.items()}
    return replace(run, state=replace(state, answers=answers, sent={k: _known(a) for k, a in sent.items()}))


def _known(answer: Answer) -> Answer:
    return replace(answer, kind="read") if answer.kind == "text" else answer


def without_words(run: Run) -> Run:
    """The run after its words went to their readers: what was written counts as read apart (SAFE-12)."""
    state = run.state
    sent = None if state.sent is None else {k: _read_apart(a) for k, a in state.sent.items()}
    answers = {k: _read_apart(a) for k, a in state.answers.items()}
    return replace(run, state=replace(state, answers=answers, sent=sent, quote=None, sent_quote=False))


def _read_apart(answer: Answer) -> Answer:
    return RAISED if answer.kind == "text" else answer


# --- on disk ------------------------------------------------------------------------------------------------------


def room_for(form: Form) -> int:
    """Bytes that hold any state of this form: every answer twice (answers, sent), the longest of each."""
    each = 0
    for q in form.questions:
        picked = sum(len(c.id) + 4 for c in q.choices) if q.type == "few" else 48
        each += len(q.id) + 24 + picked
    return 64 * ((512 + 3 * each) // 64 + 1)


def _sealed(tx: Tx, run: Run, survey: Survey | None) -> dict[str, bytes | None]:
    named = survey is not None and survey.mode == "NAMED"
    state, words = _apart(run.state.to_json(), named)
    inside = {"state": state, "at": stamp(run.saved_at), **_given(run), **_alias(tx, run, survey)}
    plain = _compact(inside)
    if survey is None:
        room = ERRAND_ROOM * (len(plain) // ERRAND_ROOM + 1)
        block = json.dumps(words).encode() if words else None
    else:
        room = room_for(survey.form) + (GIVEN_ROOM if named else 0)
        plain = _with_shown(inside, run.shown, room)
        block = _block(words, survey.form, 2 if named else 1)
    sealed = _seal(tx, survey, _padded(plain, room), f"run/{run.id}")
    return {"sealed": sealed, "words": None if block is None else _seal(tx, survey, block, f"words/{run.id}")}


def _compact(inside: dict[str, Any]) -> bytes:
    return json.dumps(inside, separators=(",", ":")).encode()


def _with_shown(inside: dict[str, Any], shown: tuple[int, ...], room: int) -> bytes:
    """With as many of the newest message numbers as there is room for: the length must not tell of anything."""
    for first in range(len(shown)):
        plain = _compact(inside | {"shown": shown[first:]})
        if len(plain) <= room:
            return plain
    return _compact(inside)


def _given(run: Run) -> dict[str, list[str]]:
    return {"given": [stamp(run.given.at), run.given.how, run.given.language]} if run.given else {}


def _alias(tx: Tx, run: Run, survey: Survey | None) -> dict[str, str]:
    if survey is None or not survey.pooled:
        return {}
    return {"alias": run.alias or alias_with(_box_key(tx, survey.id), run.person)}


def _block(words: dict[str, str], form: Form, times: int) -> bytes | None:
    places = times * sum(q.type == "text" for q in form.questions)
    if not places:
        return None
    return _padded(json.dumps(words, ensure_ascii=False).encode(), places * TEXT_ROOM)


def _padded(plain: bytes, room: int) -> bytes:
    if len(plain) > room:
        raise ValueError(f"a run needs {len(plain)} bytes, more than the {room} of its form")
    return plain.ljust(room)


def _apart(raw: dict[str, Any], both: bool = False) -> tuple[dict[str, Any], dict[str, str]]:
    """The state with its texts taken out, and the texts by question.

    Sent words are the words as they stand now; with `both`, sent words that were changed since are kept besides.
    """
    words: dict[str, str] = {}
    for key in ("sent", "answers"):
        for question, answer in (raw[key] or {}).items():
            if answer[0] in WORDS and len(answer) > 1:
                if both and words.get(question, answer[1]) != answer[1]:
                    words[f"{SENT}{question}"] = words[question]
                words[question] = answer[1]
                raw[key][question] = [answer[0]]
    return raw, words


def _together(raw: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    for key in ("sent", "answers"):
        for question, answer in (raw[key] or {}).items():
            if answer[0] in WORDS and len(answer) == 1:
                now = words.get(question, "")
                answer.append(words.get(f"{SENT}{question}", now) if key == "sent" else now)
    return raw


def _opened(tx: Tx, row: Any, survey: Survey | None) -> Run:
    plain = json.loads(_open(tx, survey, row.sealed, f"run/{row.id}"))
    words = json.loads(_open(tx, survey, row.words, f"words/{row.id}")) if row.words else {}
    state = State.from_json(_together(plain["state"], words))
    at, how, language = plain.get("given") or ("", "", "")
    given = Given(moment(at), how, language) if at else None
    return Run(
        row.id,
        row.person or "",
        row.survey,
        row.errand,
        state,
        moment(plain["at"]),
        given,
        tuple(plain.get("shown", ())),
        plain.get("alias", ""),
    )


def _seal(tx: Tx, survey: Survey | None, plain: bytes, about: str) -> bytes:
    if survey is None or survey.mode != "ANON":
        return tx.vault.seal("runs", plain, about)
    return seal_with(_box_key(tx, survey.id), plain, about)


def _open(tx: Tx, survey: Survey | None, sealed: bytes, about: str) -> bytes:
    if survey is None or survey.mode != "ANON":
        return tx.vault.open("runs", sealed, about)
    return open_with(_box_key(tx, survey.id), sealed, about)


def _box_key(tx: Tx, survey: str) -> bytes:
    key = tx.boxes.read(survey)
    if key is None:
        raise BoxLost(survey)
    return key
