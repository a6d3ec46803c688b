"""/send: a form to a group, with the decision it informs, who decides, and the dates (X3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from bot.errands.errand import Errand, Screen, as_choices, value
from bot.facts import House
from bot.phrased import Phrased
from bot.turn import PersonsTurn
from conversations.answers import Answer
from conversations.asking import Setting, with_choices
from conversations.channel import Message
from conversations.engine import State, fill
from conversations.form import Form, said
from conversations.texts import listed, long_date
from data.audit import note
from data.database import Tx
from data.forms import all_forms
from data.outbox import post
from data.pauses import paused_among
from data.people import all_groups, askable, members, people_with_role
from data.runs import people_in, start_runs
from data.surveys import Survey, add_survey, next_survey_id
from scheduler.plan import ANSWERS_AFTER, OPEN_FOR, closing_time

ANON_LEAST = 10  # ANON-3


class Refused(Phrased):
    """A sending that must not happen."""


@dataclass(frozen=True)
class Sending:
    """What is to be sent, to whom, and what for."""

    form: Form
    group: str
    decision: str
    decider: str = field(repr=False)
    closes: date
    answer_by: date


async def check_sending(tx: Tx, house: House, sending: Sending, now: datetime, language: str = "en") -> list[str]:
    """The people it reaches; Refused with the reason otherwise."""
    people = await members(tx, sending.group)
    if not people:
        raise Refused("staff.nobody")
    expected = len(await askable(tx, people))  # others are asked too, but would hide nobody
    if sending.form.mode == "ANON" and expected < ANON_LEAST:
        raise Refused("staff.few", n=expected)
    await _check_readers(tx, house, sending.form, language)
    if closing_time(sending.closes, house.school.zone) <= now:
        raise Refused("staff.closing-past")
    if sending.answer_by <= sending.closes:
        raise Refused("staff.dates-order")
    return people


async def _check_readers(tx: Tx, house: House, form: Form, language: str) -> None:
    """A form with words goes out only when somebody is there to read them."""
    missing = [role for role in ("dsl", "deputy") if not await people_with_role(tx, role)]
    if form.takes_words and missing:
        names = [house.texts.say(language, f"role.{role}") for role in missing]
        raise Refused("staff.no-readers", who=listed(names, language))


async def send_survey(tx: Tx, house: House, sending: Sending, now: datetime, by: str | None = None) -> Survey:
    """Open the survey: its box key first, then runs and invitations, all in this transaction. May raise Refused.

    `by` is who sends it, for the audit log.
    """
    people = await check_sending(tx, house, sending, now)
    id, nth = await next_survey_id(tx, sending.form.id)
    if sending.form.mode == "ANON":
        tx.boxes.destroy(id)  # left over from a sending that was never committed
        tx.boxes.make(id)
    survey = Survey(
        id=id,
        nth=nth,
        form=sending.form,
        mode=sending.form.mode,
        group=sending.group,
        decision=sending.decision,
        decider=sending.decider,
        opened_on=now.astimezone(house.school.zone).date(),
        closes_at=closing_time(sending.closes, house.school.zone),
        answer_by=sending.answer_by,
        asked=len(people),
    )
    await note(tx, "survey.sent", id, now, by, asked=str(len(people)), mode=survey.mode)
    await add_survey(tx, survey)
    await start_runs(tx, survey, people, now)
    await post(tx, "invitation", id, people, now)
    return survey


def default_sending(house: House, form: Form, group: str, today: date, language: str = "en") -> Sending:
    """The form's own decision, the head as decider, 14 days to answer, an answer 14 days later."""
    decision = said(form.decision, language) or house.texts.say(
        language, "staff.default-decision", title=said(form.title, language)
    )
    closes = today + OPEN_FOR
    return Sending(form, group, decision, house.school.people.head, closes, closes + ANSWERS_AFTER)


class Send(Errand):
    name = "send"

    async def form(self, turn: PersonsTurn) -> Form:
        forms = {id: f for id, f in (await all_forms(turn.tx)).items() if f.audience != "pupils"}
        titles = {id: said(f.title, turn.language) for id, f in forms.items()}
        choices = {
            "form": as_choices(titles, turn.language),
            "group": as_choices(await all_groups(turn.tx), turn.language),
        }
        return with_choices(await super().form(turn), choices)

    async def refused(self, turn: PersonsTurn) -> str | None:
        return None if await all_groups(turn.tx) else "staff.no-groups"

    async def defaults(self, turn: PersonsTurn, state: State) -> State:
        if "form" not in state.answers or "decision" in state.answers:
            return state
        form = (await all_forms(turn.tx))[value(state, "form")]
        d = default_sending(turn.house, form, "", turn.today, turn.language)
        return fill(
            state,
            {
                "decision": Answer("text", (d.decision,)),
                "decider": Answer("text", (d.decider,)),
                "closes": Answer("date", (d.closes.isoformat(),)),
                "answer-by": Answer("date", (d.answer_by.isoformat(),)),
            },
        )

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        sending = await self._sending(turn, state)
        screen = Screen(s, state)
        try:
            people = await check_sending(turn.tx, turn.house, sending, turn.now, turn.language)
        except Refused as refused:
            return screen.message(turn.phrase(refused.key, **refused.facts), "change", "cancel")
        facts = {
            "title": said(sending.form.title, turn.language),
            "group": (await all_groups(turn.tx))[sending.group],
            "n": len(people),
            "decision": sending.decision,
            "decider": sending.decider,
            "close_date": long_date(sending.closes, turn.language),
            "answer_date": long_date(sending.answer_by, turn.language),
        }
        text = turn.phrase("staff.send-check", **facts)
        return screen.message(text, "send-now", "change", "cancel", title=turn.phrase("staff.check"))

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        try:
            survey = await send_survey(turn.tx, turn.house, await self._sending(turn, state), turn.now, turn.person.id)
        except Refused:
            return False
        date_words = long_date(survey.closes_at.astimezone(turn.house.school.zone).date(), turn.language)
        turn.tell("staff.sent", n=survey.asked, survey=survey.id, close_date=date_words)
        paused = await paused_among(turn.tx, await people_in(turn.tx, survey.id), turn.now)
        if paused:
            turn.tell("pause.sent", n=paused)
        return True

    async def _sending(self, turn: PersonsTurn, state: State) -> Sending:
        form = (await all_forms(turn.tx))[value(state, "form")]
        closes, answer_by = (date.fromisoformat(value(state, q)) for q in ("closes", "answer-by"))
        return Sending(
            form, value(state, "group"), value(state, "decision"), value(state, "decider"), closes, answer_by
        )
