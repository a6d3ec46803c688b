"""Pools: one ballot box for what is asked after every visit of a term (domain B6), so that few answers hide in many.

A pool is a survey like others, of a hidden group that nobody joins. People get a run in it when they are asked after a
visit; a run that was sent before is then let go of: its person is taken out (NULL), it stays in the box and counts, and
can no longer be changed. When the booking of a visit goes, so does the link to its run. Nothing else marks a visit.
Pupils answer on a device that others use too: what they send is let go of at once, and no screen shows it again.

What a reader of the database learns, also of two backups: who was asked after a visit, as bookings tell as well, and,
when a run lost its person between the two, that this person had sent it. Never what it says: it is sealed with the key
of the box, which is in no backup, and all runs of a pool have one length. At closing the choices go over in random
order under fresh ids, all runs go, and the key is destroyed. No mark of a person is written: how many sheets were
finished is noted with the closing, which keeps the count that anybody can check (AUDIT-1).

Inside the box an alias stands for each person, made with its key: it opens with the answers of ten people, not of one
who came ten times (SUP-1), and the alias goes with the key.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import and_, between, delete, func, insert, select, update

from conversations.form import Choice, Form, Question, said
from conversations.library import after_event
from data.bookings import COMING
from data.database import Tx
from data.events import Event
from data.forms import all_forms
from data.moments import new_id, stamp
from data.people import people_with_role
from data.runs import BoxLost, Run, find_run, run_of, start_runs
from data.surveys import Survey, add_survey, all_surveys, find_survey, next_survey_id
from data.tables import bookings, events, groups, memberships, occasions, people, runs, surveys

AFTER_DROPIN = "drop-in-feedback"
AFTER_TALK = "drop-in-feedback-pupil"
DROPINS = ("dropin", "coffee")  # kinds of events that B6 is asked after; B6e after all others
NEXT_TIME = "B6e.2"  # its choices are the host's own
MOST_OFFERED = 8  # of the host's list, beside "Something else"


async def questions_after(tx: Tx, event: Event) -> Form:
    """What people are asked after this event; one list of the host's, one form (and so one pool)."""
    if event.kind in DROPINS:
        return (await all_forms(tx))[AFTER_DROPIN]
    return _offering(after_event(), event.next_time)


async def questions_after_talk(tx: Tx) -> Form:
    """What pupils are asked after an adult has been with them."""
    return (await all_forms(tx))[AFTER_TALK]


def _offering(form: Form, words: Iterable[str]) -> Form:
    offered = list(dict.fromkeys(word.strip() for word in words if word.strip()))[:MOST_OFFERED]
    if not offered:
        return form
    own = [Choice(id=f"next-{n}", label={"en": word}) for n, word in enumerate(offered, 1)]
    return Form.model_validate(
        form.model_copy(update={"questions": tuple(_with_choices(q, own) for q in form.questions)}).model_dump()
    )


def _with_choices(question: Question, own: list[Choice]) -> Question:
    if question.id != NEXT_TIME:
        return question
    return question.model_copy(update={"choices": (*own, question.choices[-1])})


async def find_pool(tx: Tx, form: Form) -> Survey | None:
    """The open pool of exactly these questions."""
    source = form.model_dump_json()
    query = select(surveys.c.id).where(surveys.c.pooled.is_(True), surveys.c.state == "open")
    id = await tx.value(query.where(surveys.c.form == form.id, surveys.c.source == source))
    return await find_survey(tx, id) if id else None


async def open_pool(tx: Tx, form: Form, decider: str, closes_at: datetime, answer_by: date, on: date) -> Survey:
    """A new pool of these questions, without anybody in it."""
    id, nth = await next_survey_id(tx, form.id)
    group = new_id(8)
    await tx.run(insert(groups).values(id=group, name=id, hidden=True))
    survey = Survey(
        id=id, nth=nth, form=form, mode=form.mode, group=group, decision=said(form.decision or form.title, "en"),
        decider=decider, opened_on=on, closes_at=closes_at, answer_by=answer_by, pooled=True,
    )  # fmt: skip
    tx.boxes.destroy(id)  # left over from one that was never committed
    tx.boxes.make(id)
    await add_survey(tx, survey)
    return survey


async def ask_again(tx: Tx, pool: Survey, person: str, now: datetime) -> tuple[int, ...]:
    """After a visit there is a run to answer in; the numbers of messages that show answers of the one let go of.

    What was begun and not sent is simply gone on with. May raise BoxLost.
    """
    shown: tuple[int, ...] = ()
    if id := await run_of(tx, person, pool.id):
        run = await find_run(tx, id, pool)
        if run is None or run.state.sent is None:
            return ()
        shown = run.shown
        await let_go(tx, [id])
    await start_runs(tx, pool, [person], now)
    await tx.run(update(surveys).where(surveys.c.id == pool.id).values(asked=surveys.c.asked + 1))
    return shown


async def let_go(tx: Tx, ids: list[str]) -> None:
    """These runs stay in their box and belong to nobody from now on."""
    await tx.run(update(people).where(people.c.front.in_(ids)).values(front=None))
    await tx.run(update(runs).where(runs.c.id.in_(ids)).values(person=None))


def lets_go_when_sent(survey: Survey) -> bool:
    """The next pupil, or the adult it is about, sits at the same device (KIOSK-1, FAIL-3)."""
    return survey.pooled and survey.form.audience == "pupils"


async def is_nobodys(tx: Tx, run: str) -> bool:
    """Whether this run was sent and let go of."""
    row = await tx.first(select(runs.c.person).where(runs.c.id == run))
    return row is not None and row.person is None


async def forget_visits(tx: Tx, before: str) -> int:
    """Cut the link to runs of visits before this time (as stored); unsent ones go. How many."""
    n = 0
    for pool in await open_pools(tx):
        n += await _forget_visits(tx, pool, before)
    return n


async def _forget_visits(tx: Tx, pool: Survey, before: str) -> int:
    try:
        found = await _of_old_visits(tx, pool, before)
    except BoxLost:
        return 0
    sent = [run.id for run in found if run.state.sent is not None]
    unsent = [run.id for run in found if run.state.sent is None]
    await let_go(tx, sent)
    await tx.run(update(people).where(people.c.front.in_(unsent)).values(front=None))
    await tx.run(delete(runs).where(runs.c.id.in_(unsent)))
    return len(found)


async def _of_old_visits(tx: Tx, pool: Survey, before: str) -> list[Run]:
    """Families are known by their booking; pupils have none, so theirs counts from when they last touched it."""
    mine = and_(runs.c.survey == pool.id, runs.c.person.is_not(None))
    if pool.form.audience != "pupils":
        recent = select(bookings.c.person).join(occasions, occasions.c.id == bookings.c.occasion)
        recent = recent.where(occasions.c.ends_at >= before, bookings.c.state == COMING)
        mine = and_(mine, runs.c.person.not_in(recent))
    ids = [r.id for r in await tx.all(select(runs.c.id).where(mine))]
    found = [run for id in ids if (run := await find_run(tx, id, pool))]
    return [run for run in found if pool.form.audience != "pupils" or stamp(run.saved_at) < before]


async def invited_in(tx: Tx, survey: str) -> list[str]:
    """Members of the groups whose visits a closed pool was about, in the order of their ids; empty for no pool.

    Talks belong to no group: every pupil can ask for one.
    """
    pool = await find_survey(tx, survey)
    if pool is None or not pool.pooled or pool.closed_on is None:
        return []
    if pool.form.id == AFTER_TALK:
        return sorted(await people_with_role(tx, "pupil"))
    kinds = events.c.kind.in_(DROPINS) if pool.form.id == AFTER_DROPIN else events.c.kind.not_in(DROPINS)
    held = select(events.c.group_id).join(occasions, occasions.c.event == events.c.id)
    days = between(func.substr(occasions.c.ends_at, 1, 10), pool.opened_on.isoformat(), pool.closed_on.isoformat())
    there = select(memberships.c.person).where(memberships.c.group_id.in_(held.where(kinds, days))).distinct()
    return sorted(r.person for r in await tx.all(there))


async def open_pools(tx: Tx) -> list[Survey]:
    return [survey for survey in await all_surveys(tx, "open") if survey.pooled]
