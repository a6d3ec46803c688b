"""/summary, /close and /export: pick one sending of a form (asked only if there is more than one), then show or do."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.delivery import how_far_button
from bot.errands.errand import Errand, Screen, as_choices, value
from bot.page_link import way_to_page
from bot.results import results_of
from bot.said import CLOSE, POSTPONE, REMIND, asking
from bot.turn import PersonsTurn
from conversations.answers import Answer, chosen
from conversations.asking import Setting, with_choices
from conversations.channel import Button, File, Message, Picture
from conversations.engine import State
from conversations.form import Form, said
from conversations.roles import may
from conversations.summary import Results, summary_text
from conversations.texts import long_date
from data.answers import BOX_LEAST, seal_off
from data.audit import note
from data.delivery import delivery_of
from data.looks import note_look
from data.outbox import was_posted
from data.runs import BoxLost, count_runs
from data.surveys import Survey, all_surveys, find_survey, postpone
from scheduler.closing import close_survey
from scheduler.nudging import NUDGE
from scheduler.plan import OPEN_FOR

SHOWN = 12  # newest sendings offered


class Pick(Errand):
    """The common part: which survey."""

    states: tuple[str, ...] = ("open", "closed")
    none = "staff.no-surveys"

    async def form(self, turn: PersonsTurn) -> Form:
        rows = {s.id: survey_label(turn, s) for s in (await self.offered(turn))[:SHOWN]}
        return with_choices(await super().form(turn), {"survey": as_choices(rows, turn.language)})

    async def refused(self, turn: PersonsTurn) -> str | None:
        return None if await self.offered(turn) else self.none

    async def given(self, turn: PersonsTurn, form: Form) -> dict[str, Answer]:
        surveys = await self.offered(turn)
        return {"survey": chosen(surveys[0].id)} if len(surveys) == 1 else {}

    async def offered(self, turn: PersonsTurn) -> list[Survey]:
        return await all_surveys(turn.tx, *self.states)

    async def picked(self, turn: PersonsTurn, state: State) -> Survey:
        survey = await find_survey(turn.tx, value(state, "survey"))
        assert survey
        return survey


class Summary(Pick):
    name = "summary"
    reviews = False

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        survey = await self.picked(turn, state)
        if survey.open:
            await tell_open_counts(turn, survey)
        else:
            await tell_results(turn, survey)
        return True


class Export(Pick):
    name = "export"
    reviews = False
    states = ("closed",)
    none = "staff.none-closed"

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        survey = await self.picked(turn, state)
        from bot.exports import counts_csv  # csv and charts are loaded when first asked for

        await note_look(turn.tx, turn.person.id, "export-counts", survey.id, "", turn.now)
        results = await results_of(turn.tx, turn.house, survey, turn.language)
        content = counts_csv(results, turn.house.texts, turn.language)
        file = File(f"{survey.id}-counts.csv", content.encode("utf-8"))
        turn.says.append(Message(turn.phrase("staff.export-caption", survey=survey.id), file=file))
        if may(turn.person.roles, "answers"):
            turn.says.append(await way_to_page(turn, turn.phrase("staff.export-page"), "results", survey.id))
        if survey.mode == "CONF" and may(turn.person.roles, "names"):
            turn.says.append(await way_to_page(turn, turn.phrase("names.page"), "names", survey.id))
        if survey.mode == "NAMED" and may(turn.person.roles, "records"):
            turn.says.append(await way_to_page(turn, turn.phrase("records.page"), "records"))
        return True


class Close(Pick):
    name = "close"
    states = ("open",)
    none = "staff.none-open"

    async def offered(self, turn: PersonsTurn) -> list[Survey]:
        """Not what is asked after visits: that closes with the term."""
        return [survey for survey in await super().offered(turn) if not survey.pooled]

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        survey = await self.picked(turn, state)
        if not survey.open:
            return Message(turn.phrase("staff.already-closed", survey=survey.id))
        text, finished = await open_counts(turn, survey, "staff.close-check")
        screen = Screen(s, state)
        if survey.mode != "ANON" or finished >= BOX_LEAST:
            return screen.message(text, "close-and-count", "cancel")
        few = screen.message(
            turn.phrase(
                "staff.close-few", title=said(survey.form.title, turn.language), survey=survey.id, finished=finished
            ),
            "close-and-count",
            "cancel",
        )
        return Message(few.text, buttons=(later_date_button(turn, survey), *few.buttons))

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        await close_now(turn, await self.picked(turn, state))
        return True


async def close_now(turn: PersonsTurn, survey: Survey) -> None:
    """Close it, say so, and show what came in."""
    closed = await close_survey(turn.tx, survey, turn.now, turn.today, turn.person.id)
    if closed is None:
        return turn.tell("staff.already-closed", survey=survey.id)
    turn.after.append(lambda: seal_off(turn.db, survey.id))
    done = "staff.closed" if closed.state == "closed" else "staff.closed-unopened"
    turn.tell(done, survey=survey.id, finished=len(closed.finished), asked=len(closed.people))
    fresh = await find_survey(turn.tx, survey.id)
    if closed.state == "closed" and fresh:
        await tell_results(turn, fresh)


async def can_be_shown(turn: PersonsTurn, survey: Survey) -> bool:
    """Whether closing it now would open its box."""
    _, finished = await open_counts(turn, survey, "staff.open-counts")
    return survey.mode != "ANON" or finished >= BOX_LEAST


def survey_label(turn: PersonsTurn, survey: Survey) -> str:
    return f"{said(survey.form.title, turn.language)} ({survey.id})"


def later_date_button(turn: PersonsTurn, survey: Survey) -> Button:
    later = survey.closes_at.astimezone(turn.house.school.zone).date() + OPEN_FOR
    return Button(turn.phrase("staff.later-date", date=long_date(later, turn.language)), asking(POSTPONE, survey.id))


async def open_counts(turn: PersonsTurn, survey: Survey, key: str) -> tuple[str, int]:
    """Asked, started, finished of an open survey as words, and how many finished."""
    try:
        started, finished = await count_runs(turn.tx, survey)
    except BoxLost:
        started, finished = 0, 0
    close_date = long_date(survey.closes_at.astimezone(turn.house.school.zone).date(), turn.language)
    facts = {"title": said(survey.form.title, turn.language), "survey": survey.id, "close_date": close_date}
    return turn.phrase(key, asked=survey.asked, started=started, finished=finished, **facts), finished


async def tell_open_counts(turn: PersonsTurn, survey: Survey) -> None:
    text, _ = await open_counts(turn, survey, "staff.open-counts")
    closes = may(turn.person.roles, "close") and not survey.pooled
    buttons = (turn.label("close-and-count", asking(CLOSE, survey.id)),) if closes else ()
    if closes and not await was_posted(turn.tx, NUDGE, survey.id):
        buttons = (Button(turn.phrase("staff.remind-now"), asking(REMIND, survey.id)), *buttons)
    far = await delivery_of(turn.tx, "invitation", survey.id) if may(turn.person.roles, "send") else None
    if far:
        buttons = (*buttons, how_far_button(turn.house, turn.language, "invitation", survey.id))
    turn.says.append(Message(text, buttons=buttons))


async def tell_results(turn: PersonsTurn, survey: Survey) -> None:
    """The counts as text, and one picture that says the same."""
    results = await results_of(turn.tx, turn.house, survey, turn.language)
    turn.says.append(Message(summary_text(results, turn.house.texts, turn.language)))
    if not results.hidden:
        turn.says.append(lambda: picture_of(turn, results))


async def picture_of(turn: PersonsTurn, results: Results) -> Message:
    from bot.charts import chart

    png = await asyncio.to_thread(chart, results, turn.house.texts, turn.language)
    caption = turn.phrase("summary.alt", title=results.title)
    return Message(picture=Picture(png, caption))


async def postponed(turn: PersonsTurn, survey: Survey) -> str:
    """Close 14 days later, and answer 14 days later too; the new closing date in words."""
    closes_at = survey.closes_at + timedelta(days=OPEN_FOR.days)
    await note(turn.tx, "survey.postponed", survey.id, turn.now, turn.person.id)
    await postpone(turn.tx, survey.id, closes_at, survey.answer_by + OPEN_FOR)
    return long_date(closes_at.astimezone(turn.house.school.zone).date(), turn.language)
