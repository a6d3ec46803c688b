"""/send: a form to a group, with the decision it informs, who decides, and the dates (X3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from bot.delivery import how_far_button, takes
from bot.errands.errand import Errand, Screen, as_choices, day_problem, value
from bot.facts import House
from bot.phrased import Phrased
from bot.said import WHEN, asking
from bot.turn import PersonsTurn
from conversations.answers import Answer
from conversations.asking import Setting, with_choices
from conversations.channel import Button, Message
from conversations.engine import State, fill
from conversations.form import Form, said
from conversations.listening import parse_when
from conversations.texts import clock_time, day_and_date, fold, listed, long_date
from data.asked import MOST_ASKED, times_asked
from data.audit import note
from data.calendar import load_calendar
from data.database import Tx
from data.forms import all_forms
from data.moments import new_id
from data.outbox import post
from data.pauses import paused_among
from data.people import all_groups, askable, members, people_with_role
from data.runs import people_in, start_runs
from data.sendings import Planned, add_sending, coming_sendings
from data.surveys import Survey, add_survey, next_survey_id
from scheduler.plan import ANSWERS_AFTER, OPEN_FOR, closing_time, may_send_at, nudge_time

ANON_LEAST = 10  # ANON-3
NOW = "now"  # what `when` says unless somebody changes it
USUAL_TIME = "09:00"  # of a day that is said without a time


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


@dataclass(frozen=True)
class Reached:
    """Who is asked; how many of the group are not, as they were asked enough in this half term, and until when."""

    people: list[str]
    left_out: int = 0
    until: date = date.max

    def of(self) -> int:
        return len(self.people) + self.left_out


async def check_sending(tx: Tx, house: House, sending: Sending, now: datetime, language: str = "en") -> Reached:
    """The people it reaches; Refused with the reason otherwise."""
    reached = await _reached(tx, house, sending, now)
    people = reached.people
    if not people and reached.left_out:
        raise Refused("staff.enough", date=long_date(reached.until, language))
    if not people:
        raise Refused("staff.nobody")
    expected = len(await askable(tx, people))  # others are asked too, but would hide nobody
    if sending.form.mode == "ANON" and expected < ANON_LEAST and reached.left_out:
        raise Refused("staff.few-left", n=expected, count=reached.left_out, date=long_date(reached.until, language))
    if sending.form.mode == "ANON" and expected < ANON_LEAST:
        raise Refused("staff.few", n=expected)
    await _check_readers(tx, house, sending.form, language)
    if closing_time(sending.closes, house.school.zone) <= now:
        raise Refused("staff.closing-past")
    if sending.answer_by <= sending.closes:
        raise Refused("staff.dates-order")
    return reached


async def _reached(tx: Tx, house: House, sending: Sending, now: datetime) -> Reached:
    """Two consultations a half term for each person (6.9): who had them is not asked again."""
    calendar = await load_calendar(tx, house.school.nation)
    first, until = calendar.half_term(now.astimezone(house.school.zone).date())
    everybody, asked = await members(tx, sending.group), await times_asked(tx, first, until)
    people = [person for person in everybody if asked.get(person, 0) < MOST_ASKED]
    return Reached(people, len(everybody) - len(people), until)


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
    people = (await check_sending(tx, house, sending, now)).people
    calendar, closes_at = await load_calendar(tx, house.school.nation), closing_time(sending.closes, house.school.zone)
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
        closes_at=closes_at,
        answer_by=sending.answer_by,
        asked=len(people),
        nudge_at=nudge_time(now, closes_at, house.school, calendar),
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


def _when(turn: PersonsTurn, words: str) -> datetime | None:
    """The day and time that were said, at 9:00 where only a day was; None for "now" and for what is none."""
    found = None if fold(words) == NOW else parse_when(words, turn.today)
    if found is None:
        return None
    zone = turn.house.school.zone
    # By way of UTC, so that a time that the clocks skip in March is confirmed as it will be.
    at = datetime.combine(found[0], time.fromisoformat(found[1] or USUAL_TIME), zone)
    return at.astimezone(UTC).astimezone(zone)


def _settled(turn: PersonsTurn, state: State) -> State:
    """With "next Tuesday" written as the day it is, so that it stays that day tomorrow."""
    said_when = state.answers.get("when")
    at = _when(turn, said_when.values[0]) if said_when else None
    if at is None:
        return state
    return replace(state, answers={**state.answers, "when": Answer("text", (f"{at:%Y-%m-%d %H:%M}",))})


def day_facts(turn: PersonsTurn, at: datetime) -> dict[str, str]:
    local = at.astimezone(turn.house.school.zone)
    return {"day": day_and_date(local.date(), turn.language), "time": clock_time(local, turn.language)}


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

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        """Under its first question: what is planned already."""
        coming = await coming_sendings(turn.tx) if state.question == "form" else []
        if not coming:
            return message
        planned = Button(turn.phrase("staff.plan-list", n=len(coming)), asking(WHEN, "all"))
        return replace(message, buttons=(*message.buttons, planned))

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        if question in ("closes", "answer-by"):
            return day_problem(date.fromisoformat(answer.values[0]), turn.today)
        if question != "when" or fold(answer.values[0]) == NOW:
            return None
        at = _when(turn, answer.values[0])
        return "works.errand-when" if at is None or at <= turn.now else day_problem(at.date(), turn.today)

    async def defaults(self, turn: PersonsTurn, state: State) -> State:
        state = _settled(turn, state)
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
                "when": Answer("text", (NOW,)),
            },
        )

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        sending = await self._sending(turn, state)
        screen = Screen(s, state)
        try:
            at = await self._goes_at(turn, state)
            if at and closing_time(sending.closes, turn.house.school.zone) <= at:
                raise Refused("staff.closing-before")
            reached = await check_sending(turn.tx, turn.house, sending, at or turn.now, turn.language)
        except Refused as refused:
            return screen.message(turn.phrase(refused.key, **refused.facts), "change", "cancel")
        facts = {
            "title": said(sending.form.title, turn.language),
            "group": (await all_groups(turn.tx))[sending.group],
            "n": len(reached.people),
            "decision": sending.decision,
            "decider": sending.decider,
            "close_date": long_date(sending.closes, turn.language),
            "answer_date": long_date(sending.answer_by, turn.language),
        }
        text = turn.phrase("staff.send-check", **facts)
        text += "\n" + takes(turn.house, turn.language, len(reached.people))
        if reached.left_out:
            facts = {"n": reached.left_out, "of": reached.of(), "date": long_date(reached.until, turn.language)}
            text += "\n\n" + turn.phrase("staff.left-out", **facts)
        if at:
            text = f"{text}\n{turn.phrase('staff.goes-out', **day_facts(turn, at))}"
            return screen.message(text, "plan-it", "change", "cancel", title=turn.phrase("staff.check"))
        return screen.message(text, "send-now", "change", "cancel", title=turn.phrase("staff.check"))

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        at = await self._goes_at(turn, state)
        if at:
            return await self._plan(turn, await self._sending(turn, state), at)
        try:
            survey = await send_survey(turn.tx, turn.house, await self._sending(turn, state), turn.now, turn.person.id)
        except Refused:
            return False
        date_words = long_date(survey.closes_at.astimezone(turn.house.school.zone).date(), turn.language)
        far = how_far_button(turn.house, turn.language, "invitation", survey.id)
        turn.tell("staff.sent", far, n=survey.asked, survey=survey.id, close_date=date_words)
        paused = await paused_among(turn.tx, await people_in(turn.tx, survey.id), turn.now)
        if paused:
            turn.tell("pause.sent", n=paused)
        return True

    async def _goes_at(self, turn: PersonsTurn, state: State) -> datetime | None:
        """When it goes out: the time that was said, or the next at which messages may go out. None: now."""
        at = _when(turn, value(state, "when")) if "when" in state.answers else None
        calendar = await load_calendar(turn.tx, turn.house.school.nation)
        return may_send_at(at, turn.house.school, calendar) if at and at > turn.now else None

    async def _plan(self, turn: PersonsTurn, sending: Sending, at: datetime) -> bool:
        """Keep it for then, if it could be sent then by all that is known now."""
        try:
            await check_sending(turn.tx, turn.house, sending, at, turn.language)
        except Refused:
            return False
        days = (sending.decision, sending.decider, sending.closes, sending.answer_by)
        planned = Planned(new_id(), sending.form.id, sending.group, *days, at, turn.person.id)
        await add_sending(turn.tx, planned)
        await note(turn.tx, "survey.planned", planned.id, turn.now, turn.person.id)
        turn.tell("staff.planned", **day_facts(turn, at))
        return True

    async def _sending(self, turn: PersonsTurn, state: State) -> Sending:
        form = (await all_forms(turn.tx))[value(state, "form")]
        closes, answer_by = (date.fromisoformat(value(state, q)) for q in ("closes", "answer-by"))
        return Sending(
            form, value(state, "group"), value(state, "decision"), value(state, "decider"), closes, answer_by
        )
