"""A run in play: one turn of the engine for a survey or a staff errand, and everything that follows from its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.care import go_on_button, raise_concern
from bot.errands import ERRANDS
from bot.errands.errand import Errand
from bot.said import COMMAND, asking
from bot.turn import PersonsTurn
from conversations import words as w
from conversations.answers import RAISED, chosen
from conversations.asking import Setting, question_screen, screen_for
from conversations.channel import Message
from conversations.engine import State, Turn, open_questions, resume, start
from conversations.form import Form
from conversations.roles import FAMILIES, may
from data.children import names_of
from data.codes import forget_visit, place_of
from data.database import Tx
from data.people import set_front
from data.pools import is_nobodys, let_go, lets_go_when_sent
from data.runs import Given, Run, end_run, run_and_survey, run_of, save_run, start_errand
from data.surveys import Survey


async def play(turn: PersonsTurn, run_id: str, heard: w.Heard, quiet: bool = False) -> bool:
    """Let the run hear this. False, and nothing said when `quiet`, if there is no such run for this person."""
    loaded = await load(turn, run_id)
    if loaded is None:
        if not quiet:
            await _gone(turn, run_id)
        return False
    run, survey, form = loaded
    if run.errand and not may(turn.person.roles, run.errand):
        await _not_any_more(turn, run)
        return True
    result = resume(form, run.state, heard, turn.context)
    if result.all(w.Stale):
        turn.stale = True
        turn.says.append(await draw(turn, run, survey, form))
        return True
    await _bring_to_front(turn, run, result)
    if run.errand:
        await _errand_turn(turn, ERRANDS[run.errand], run, form, result)
    else:
        assert survey
        await _survey_turn(turn, run, survey, form, result)
    return True


async def _gone(turn: PersonsTurn, run_id: str) -> None:
    """No such questions for this person. Staff without any of their own have tapped twice on a task that is done."""
    if await is_nobodys(turn.tx, run_id):
        return turn.tell("after.in-the-box", turn.menu_button())
    if turn.person.roles and not turn.person.roles & FAMILIES:
        return turn.tell("over", turn.menu_button())
    turn.tell("closed-now")


async def _not_any_more(turn: PersonsTurn, run: Run) -> None:
    """Somebody else has taken the role away in the middle of a staff errand."""
    await end_run(turn.tx, run.id)
    await set_front(turn.tx, turn.person.id, None)
    turn.tell("refused")


async def load(turn: PersonsTurn, run_id: str) -> tuple[Run, Survey | None, Form] | None:
    """The run with its survey and form; None when it is not there, not theirs, or its box is lost."""
    found = await run_and_survey(turn.tx, run_id)
    if found is None or found[0].person != turn.person.id:
        return None
    run, survey = found
    form = survey.form if survey else await ERRANDS[run.errand or ""].form_at(turn, run.state)
    return run, survey, form


async def screen_of(turn: PersonsTurn) -> Message | None:
    """What is in front of the person now."""
    loaded = await load(turn, turn.person.front) if turn.person.front else None
    return await draw(turn, *loaded) if loaded else None


async def at_question(turn: PersonsTurn) -> bool:
    """Whether a question waits in front, or lies under a safeguarding reply; a staff errand counts as one."""
    loaded = await load(turn, turn.person.front) if turn.person.front else None
    if loaded is None:
        return False
    run, _, _ = loaded
    return bool(run.errand) or run.state.paused or run.state.place == "question"


async def open_run(turn: PersonsTurn, survey: Survey) -> None:
    """Bring a person's run in this survey to the front and show where they are."""
    run_id = await run_of(turn.tx, turn.person.id, survey.id)
    loaded = await load(turn, run_id) if run_id else None
    if loaded is None:
        return turn.tell("closed-now")
    await set_front(turn.tx, turn.person.id, loaded[0].id)
    await forget_visit(turn.tx, place_of(turn.person.id))  # from here on a yes is for these questions
    turn.says.append(await draw(turn, *loaded))


async def draw(turn: PersonsTurn, run: Run, survey: Survey | None, form: Form) -> Message:
    """The screen of this run: what is asked, or after a safeguarding reply the way to go on."""
    return await _screen(turn, run, form, await _setting(turn, run, survey))


async def _screen(turn: PersonsTurn, run: Run, form: Form, setting: Setting) -> Message:
    if run.state.paused:
        return _paused(turn, setting, run.state)
    if run.errand and run.state.place == "review":
        return await ERRANDS[run.errand].review(turn, form, run.state, setting)
    screen = screen_for(form, run.state, setting)
    return await ERRANDS[run.errand].shown(turn, screen, run.state) if run.errand else screen


async def _setting(turn: PersonsTurn, run: Run, survey: Survey | None) -> Setting:
    """What the screens of a run need; {child} is a parent's own name for an only child (data/children.py)."""
    setting = turn.house.setting(survey, run.id, turn.language)
    if survey is None or not ("child" in survey.form.placeholders or survey.mode == "NAMED"):
        return setting
    names = await names_of(turn.tx, turn.person.id)
    only = names[0] if len(names) == 1 else ""
    return replace(setting, facts=setting.facts | {"child": only}) if only else setting


def _paused(turn: PersonsTurn, s: Setting, state: State) -> Message:
    return Message(turn.phrase("care.more"), buttons=s.controls(state.step, ("go-on", w.GO_ON), ("stop", w.STOP)))


async def _bring_to_front(turn: PersonsTurn, run: Run, result: Turn) -> None:
    ended = result.all(w.Left) or result.all(w.Declined) or (run.errand and result.all(w.ThrownAway))
    front = None if ended else run.id
    if turn.person.front != front:
        await set_front(turn.tx, turn.person.id, front)
        turn.person = replace(turn.person, front=front)


async def _save(turn: PersonsTurn, run: Run, survey: Survey | None, state: State) -> Run:
    saved = replace(run, state=state, saved_at=turn.now)
    await save_run(turn.tx, saved, survey)
    return saved


# --- surveys ------------------------------------------------------------------------------------------------------


async def _survey_turn(turn: PersonsTurn, run: Run, survey: Survey, form: Form, result: Turn) -> None:
    if survey.mode == "NAMED" and result.all(w.Finished):
        run = replace(run, given=Given(turn.now, turn.channel, turn.language))
    if survey.mode == "ANON" and turn.number:
        run = _cleared(turn, run, result)
    run = await _save(turn, run, survey, result.state)
    if result.all(w.Finished) and lets_go_when_sent(survey):
        return await _into_the_box(turn, run)
    setting = await _setting(turn, run, survey)
    for event in result.events:
        if isinstance(event, w.Raised):
            await _raised(turn, run, survey, form, event)
        elif isinstance(event, w.Misunderstood):
            turn.says.append(Message(setting.say(event.why)))
        elif isinstance(event, w.Explained):
            turn.says.append(question_screen(form, run.state, setting, easy=True))
            return
        elif isinstance(event, (w.Left, w.Declined, w.ThrownAway)):
            turn.says.append(Message(setting.say(_goodbye(event, run.state)), buttons=(turn.menu_button(),)))
        elif isinstance(event, (w.Asked, w.Reviewed)) and event.redrawn:
            turn.says.append(replace(await _screen(turn, run, form, setting), redraws=True))
        elif not isinstance(event, w.Answered):
            screen = await _screen(turn, run, form, setting)
            turn.says.append(_with_tidying(turn, screen) if isinstance(event, w.Finished) else screen)


async def _into_the_box(turn: PersonsTurn, run: Run) -> None:
    """What was sent is nobody's from now on, and cannot be shown again."""
    await let_go(turn.tx, [run.id])
    turn.person = replace(turn.person, front=None)
    help = turn.label("need-help", asking(COMMAND, "needhelp"))
    sent = Message(turn.phrase("after.pupil-sent"), title=turn.phrase("sent.title"), buttons=(help, turn.menu_button()))
    turn.says.append(_with_tidying(turn, sent))


def _cleared(turn: PersonsTurn, run: Run, result: Turn) -> Run:
    """What of a chat shows answers goes when they are sent or thrown away; until then it is remembered (ANON-4)."""
    number = -(turn.number or 0) if turn.typed else turn.number or 0
    shown = run.shown if number in run.shown else (*run.shown, number)
    if not (result.all(w.Finished) or result.all(w.ThrownAway)):
        return replace(run, shown=shown if turn.typed else run.shown)
    turn.tidies = shown
    return replace(run, shown=())


def _with_tidying(turn: PersonsTurn, sent: Message) -> Message:
    """Nobody wonders where their messages have gone."""
    return replace(sent, text=f"{sent.text}\n\n{turn.phrase('tidying')}") if turn.tidies else sent


async def note_shown(tx: Tx, run_id: str, numbers: Sequence[int]) -> None:
    """These messages show answers of this run, if it is still there and they were not sent in the meantime."""
    run, survey = await run_and_survey(tx, run_id) or (None, None)
    if run and survey and run.state.place != "sent":
        await save_run(tx, replace(run, shown=(*run.shown, *numbers)), survey)


def _goodbye(event: w.Event, state: State) -> str:
    if isinstance(event, w.Left):
        return "left" if state.answers else "left-nothing"
    return "declined" if isinstance(event, w.Declined) else "thrown-away"


async def _raised(turn: PersonsTurn, run: Run, survey: Survey, form: Form, raised: w.Raised) -> None:
    pupil = form.audience == "pupils"
    message = await raise_concern(turn, raised, survey.id, survey.mode == "ANON", pupil)
    setting = turn.house.setting(survey, run.id, turn.language)
    buttons = go_on_button(turn, setting.button(run.state.step, w.GO_ON, "").says)
    stop = setting.controls(run.state.step, ("stop", w.STOP))
    turn.says.append(replace(message, text=f"{message.text}\n\n{turn.phrase('care.more')}", buttons=buttons + stop))


# --- staff errands ------------------------------------------------------------------------------------------------


async def begin_errand(turn: PersonsTurn, name: str, survey: str | None = None, **known: str) -> None:
    """Start an errand, with the survey already chosen if one is named, and with choices that are `known`."""
    errand = ERRANDS[name]
    if problem := await errand.refused(turn):
        return turn.tell(problem)
    form = await errand.form(turn)
    given = {"survey": chosen(survey)} if survey else await errand.given(turn, form)
    given |= {question: chosen(id) for question, id in known.items()}
    form = await errand.form_at(turn, State(form.id, form.version, answers=given))
    begun = start(form, given)
    run = await start_errand(turn.tx, turn.person.id, name, begun.state, turn.now)
    await set_front(turn.tx, turn.person.id, run.id)
    turn.person = replace(turn.person, front=run.id)
    await _errand_turn(turn, errand, run, form, begun)


async def _errand_turn(turn: PersonsTurn, errand: Errand, run: Run, form: Form, result: Turn) -> None:
    for raised in result.all(w.Raised):
        turn.says.append(await raise_concern(turn, raised))
        if await errand.takes_flagged(turn, raised):
            return await _ended(turn, run)
    if result.all(w.ThrownAway) or result.all(w.Left):
        await end_run(turn.tx, run.id)
        return turn.tell("cancelled")
    done = result.all(w.Reviewed) and not errand.reviews and not _problem(turn, errand, result)
    if result.all(w.Finished) or done:
        return await _finish(turn, errand, run, form, result.state)
    run, form, problem = await _checked(turn, errand, run, form, result)
    if problem or result.all(w.Misunderstood):
        turn.tell(problem or _works_here(result.all(w.Misunderstood)[0]))
    redrawn = any(event.redrawn for event in result.all(w.Asked))
    turn.says.append(replace(await draw(turn, run, None, form), redraws=redrawn))


def _problem(turn: PersonsTurn, errand: Errand, result: Turn) -> str | None:
    """The phrase that says what is wrong with what was just answered."""
    answered = [e for e in result.all(w.Answered) if e.answer != RAISED]
    found = (_wrong_with(turn, errand, e) for e in answered)
    return next((problem for problem in found if problem), None)


def _wrong_with(turn: PersonsTurn, errand: Errand, event: w.Answered) -> str | None:
    """Numbers of staff count people, so half of one fits nowhere; the rest is for the errand to say."""
    if event.answer.kind == "number" and not event.answer.values[0].isdigit():
        return "works.number"
    return errand.problem(turn, event.question, event.answer)


def _works_here(event: w.Misunderstood) -> str:
    kind = event.why.removeprefix("works.")
    return f"works.errand-{kind}" if kind in ("one", "text", "date", "review") else event.why


async def _checked(
    turn: PersonsTurn, errand: Errand, run: Run, form: Form, result: Turn
) -> tuple[Run, Form, str | None]:
    """The saved run after an answer was checked: a wrong one is taken back, and defaults are filled in."""
    state, problem = result.state, None
    for event in result.all(w.Answered):
        flagged = event.answer == RAISED  # its words went to a human: the question still waits
        problem = None if flagged else _wrong_with(turn, errand, event)
        if problem or flagged:
            before = {k: a for k, a in state.answers.items() if k != event.question}
            state = replace(state, answers=before, place="question", question=event.question)
    filled = await errand.defaults(turn, state)
    if filled.answers != state.answers:
        state = _skip_given(form, filled)
    return await _save(turn, run, None, state), form, problem


def _skip_given(form: Form, state: State) -> State:
    """Go past questions that the defaults have just answered."""
    if state.question in state.answers:
        again = next((q.id for q in open_questions(form, state) if q.id not in state.answers), None)
        place = "question" if again else "review"
        return replace(state, question=again, place=place)  # type: ignore[arg-type]
    return state


async def _ended(turn: PersonsTurn, run: Run) -> None:
    await end_run(turn.tx, run.id)
    await set_front(turn.tx, turn.person.id, None)


async def _finish(turn: PersonsTurn, errand: Errand, run: Run, form: Form, state: State) -> None:
    """Do it; if it cannot be done any more, the last screen says why."""
    if await errand.finish(turn, state):
        return await _ended(turn, run)
    again = replace(state, place="review", sent=None, step=state.step + 1)
    run = await _save(turn, run, None, again)
    turn.says.append(await draw(turn, run, None, form))
