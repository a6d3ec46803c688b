"""Closing a survey: the box is opened or given up, words go to their readers, and everybody asked is told."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable
from datetime import date, datetime

from conversations.roles import MAY
from data.answers import Closed, least_people, mark_lost, open_box
from data.audit import note
from data.database import Tx
from data.outbox import NORMAL, drop_for, post, post_tidying
from data.people import find_person, people_with_role
from data.queue import Words, add_words
from data.runs import BoxLost, Run, after_reading, how_many_sent, people_in, runs_in, save_run
from data.school import load_school
from data.surveys import Survey
from scheduler.following_up import keep_for_next_term
from scheduler.naming import readers

READERS = ("dsl", "deputy")  # told when something waits


async def close_survey(tx: Tx, survey: Survey, now: datetime, on: date, by: str | None = None) -> Closed | None:
    """Close it in this transaction; None when it was closed already. `by` is who does it, for the audit log.

    After the commit call data.answers.seal_off(db, survey.id), which destroys the box key. A pool with too few answers
    is kept for the next term instead, and None comes back.
    """
    try:
        runs = await runs_in(tx, survey)
        if await _is_kept(tx, survey, runs, now):
            return None
        texts = await _words(tx, survey, runs)
        closed = await open_box(tx, survey, on)
    except BoxLost:
        return await give_up_lost_box(tx, survey, now, on)
    if closed:
        await note(tx, "survey.closed", survey.id, now, by, state=closed.state)
        if closed.state == "closed":
            await hand_to_readers(tx, texts, survey.id, now)
        await _tell(tx, survey, closed, now)
        for run in runs:
            if run.shown and run.person:
                await post_tidying(tx, run.person, run.shown, now)
    return closed


async def _is_kept(tx: Tx, survey: Survey, runs: list[Run], now: datetime) -> bool:
    """Whether this is a pool that too few have answered; then it is open for another term (domain B6)."""
    school = await load_school(tx)
    if not survey.pooled or not survey.open or school is None:
        return False
    if how_many_sent(survey, runs) >= least_people(survey):
        return False
    await keep_for_next_term(tx, survey, school, now)
    return True


async def give_up_lost_box(tx: Tx, survey: Survey, now: datetime, on: date) -> Closed:
    """The box key is gone: runs go, everybody asked is told."""
    people = await people_in(tx, survey.id)
    await note(tx, "survey.lost", survey.id, now)
    await mark_lost(tx, survey, people, on)
    await _drop_waiting(tx, survey.id)
    await post(tx, "lost", survey.id, people, now)
    return Closed("lost", untouched=tuple(people))


async def read_words(tx: Tx, survey: Survey, now: datetime) -> int:
    """A reading time: words that were sent leave the runs for the queue; how many."""
    try:
        runs = [run for run in await runs_in(tx, survey) if run.state.sent is not None]
    except BoxLost:
        return 0
    texts = await _words(tx, survey, runs)
    if texts:
        for run in runs:
            await save_run(tx, after_reading(run, survey), survey)  # all, so that it does not show who wrote
    await hand_to_readers(tx, texts, survey.id, now)
    return len(texts)


async def hand_to_readers(tx: Tx, texts: list[Words], survey: str, now: datetime) -> None:
    """Into the queue, shuffled, with one neutral notice to the reading team."""
    if not texts:
        return
    random.SystemRandom().shuffle(texts)
    await add_words(tx, texts, survey, now)
    await post(tx, "to-read", f"{survey}.{secrets.token_hex(4)}", await people_with_role(tx, *READERS), now, NORMAL)


async def _words(tx: Tx, survey: Survey, runs: Iterable[Run]) -> list[Words]:
    """The words that were sent, whether they may be quoted (S10), and whom they name; in ANON without person."""
    found, people = [], await readers(tx, await load_school(tx))
    for run in runs:
        for answer in (run.state.sent or {}).values():
            if answer.kind == "text" and answer.values and answer.values[0]:
                author = await _author(tx, survey, run)
                words, about = answer.values[0], tuple(people.named_in(answer.values[0]))
                found.append(Words(words, *author, about, run.state.sent_quote))
    return found


async def _author(tx: Tx, survey: Survey, run: Run) -> tuple[str, str]:
    if survey.mode == "ANON":
        return "", ""
    person = await find_person(tx, run.person)
    return (run.person, person.label) if person else ("", "")


async def _tell(tx: Tx, survey: Survey, closed: Closed, now: datetime) -> None:
    """Everybody asked; of a pool only who may see what came of it, for who is still known of its visits is chance."""
    await _drop_waiting(tx, survey.id)
    if survey.pooled:
        await post(tx, "box-opened", survey.id, await people_with_role(tx, *sorted(MAY["summary"])), now)
        return
    if closed.state == "unopened":
        await post(tx, "unopened", survey.id, closed.people, now)
        return
    await post(tx, "not-sent", survey.id, closed.unsent, now)
    await post(tx, "told", survey.id, sorted((*closed.finished, *closed.untouched)), now)


async def _drop_waiting(tx: Tx, survey: str) -> None:
    """Neither an invitation nor a reminder goes out for questions that are closed."""
    for kind in ("invitation", "nudge"):
        await drop_for(tx, kind, survey)
