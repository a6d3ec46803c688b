"""The chat commands: one function each, and the one place that asks whether this person may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot import account, inviting, joining, my_data, privacy, reading, wedid
from bot.booking import lists, talking
from bot.care import raise_concern
from bot.errands import ERRANDS
from bot.errands.pick import can_be_shown, close_now, postponed
from bot.playing import begin_errand, open_run, play, screen_of
from bot.said import COMMAND, LANGUAGE, OPEN, asking
from bot.turn import PersonsTurn
from conversations.asking import who_reads
from conversations.channel import Button, Message
from conversations.commands import COMMANDS, commands_for
from conversations.form import said
from conversations.readers import queue_readers
from conversations.roles import may
from conversations.texts import long_date
from conversations.words import EASIER, Raised, Tapped
from data.codes import read_code
from data.outbox import was_posted
from data.people import set_front, set_language, set_stopped
from data.runs import find_run, run_of, surveys_of
from data.surveys import Survey, find_survey
from scheduler.nudging import NUDGE, nudge


async def give(turn: PersonsTurn, name: str, rest: str = "") -> None:
    """Carry out a command, or say why not: unknown, or not for this person."""
    if name == "start":
        return await start(turn, rest)
    if name not in COMMANDS:
        return turn.tell("unknown-command", turn.menu_button())
    if not may(turn.person.roles, name):
        return turn.tell("refused")
    if name == "needhelp":
        return await needhelp(turn, rest)
    await HANDLERS[name](turn)
    if name in STAYS and turn.person.front:
        await again(turn)


async def start(turn: PersonsTurn, code: str = "") -> None:
    """/start CODE opens a code; /start alone brings messages back after /stop."""
    if code:
        return await joining.code_from_person(turn, read_code(code) or "")
    if turn.person.stopped:
        await set_stopped(turn.tx, turn.person.id, False, turn.now)
        turn.person = replace(turn.person, stopped=False)
    turn.tell("started-again", turn.menu_button())
    turn.roles_changed = True
    await again(turn)


async def menu(turn: PersonsTurn) -> None:
    """What there is for this person now: open questions, drop-ins, and staff tasks as buttons."""
    rows = [*await talking.menu_buttons(turn), *await _survey_buttons(turn)]
    names = [n for n in commands_for(turn.person.roles) if n not in ("menu", "again", "explain", "start", "stop")]
    rows += [Button(turn.phrase(f"command.{name}"), asking(COMMAND, name)) for name in names]
    turn.says.append(Message(title=turn.phrase("menu.title"), buttons=tuple(rows)))


async def help(turn: PersonsTurn) -> None:
    lines = [f"/{name} - {turn.phrase(f'command.{name}')}" for name in commands_for(turn.person.roles)]
    text = f"{turn.phrase('help.text')}\n\n" + "\n".join(lines) + f"\n\n{turn.phrase('help.safety')}"
    turn.says.append(Message(text, title=turn.phrase("help.title"), buttons=(turn.menu_button(),)))


async def again(turn: PersonsTurn) -> None:
    """The last thing asked, in the same words; where nothing is in front, what can be opened."""
    message = await screen_of(turn)
    if message:
        turn.says.append(message)
    elif not turn.says:
        await surveys(turn)


async def explain(turn: PersonsTurn) -> None:
    """The question in front in easier words."""
    run = turn.person.front
    message = await screen_of(turn)
    step = _step(message) if message else None
    if run is None or step is None or not await play(turn, run, Tapped(step, EASIER), quiet=True):
        await again(turn)


def _step(message: Message) -> int | None:
    numbers = [b.says.split(":")[1] for b in message.buttons if b.says.count(":") == 2]
    return int(numbers[0]) if numbers else None


async def language(turn: PersonsTurn) -> None:
    spoken = [x for x in turn.house.school.languages if x in turn.house.texts.languages]
    if len(spoken) < 2:
        return turn.tell("language.only")
    buttons = tuple(Button(turn.house.texts.say(x, "language.name"), asking(LANGUAGE, x)) for x in spoken)
    turn.says.append(Message(title=turn.phrase("language.title"), buttons=buttons))


async def choose_language(turn: PersonsTurn, code: str) -> None:
    if code in turn.house.school.languages and code in turn.house.texts.languages:
        await set_language(turn.tx, turn.person.id, code)
        turn.person = replace(turn.person, language=code)
        turn.roles_changed = True
        turn.tell("language.done")
    await again(turn)


async def whoreads(turn: PersonsTurn) -> None:
    """Who reads what: in general, and for the questions in front. Worked out from the roles, like the first screen."""
    turn.says.append(Message(_who_reads_in_general(turn)))
    if turn.channel == "telegram":
        turn.tell("join.telegram")
    survey = await _survey_in_front(turn)
    if survey:
        setting = turn.house.setting(survey, "", turn.language)
        lines = [who_reads(survey.form, setting), *([setting.say("whoreads.box")] if survey.mode == "ANON" else [])]
        turn.says.append(Message("\n\n".join(lines)))


def _who_reads_in_general(turn: PersonsTurn) -> str:
    """Who reads words and calls for help, and where danger goes."""
    everything, sent_on = (turn.house.named(roles, turn.language) for roles in queue_readers())
    lines = [turn.phrase("whoreads.general")]
    lines += [turn.phrase("whoreads.queue", word_readers=everything)] if everything else []
    lines += [turn.phrase("whoreads.sent-on", routed_readers=sent_on)] if sent_on else []
    return " ".join([*lines, turn.phrase("whoreads.danger")])


async def _survey_in_front(turn: PersonsTurn) -> Survey | None:
    for id in await surveys_of(turn.tx, turn.person.id):
        if turn.person.front and await run_of(turn.tx, turn.person.id, id) == turn.person.front:
            return await find_survey(turn.tx, id)
    return None


async def stop(turn: PersonsTurn) -> None:
    """No message of the bot's own accord any more, at once."""
    await set_stopped(turn.tx, turn.person.id, True, turn.now)
    await set_front(turn.tx, turn.person.id, None)
    turn.person = replace(turn.person, stopped=True, front=None)
    turn.tell("stopped")


async def needhelp(turn: PersonsTurn, words: str = "") -> None:
    message = await raise_concern(turn, Raised("help", text=words), pupil="pupil" in turn.person.roles)
    turn.says.append(message)


# --- families -----------------------------------------------------------------------------------------------------


async def surveys(turn: PersonsTurn) -> None:
    rows, buttons = [], await _survey_buttons(turn)
    for id in await surveys_of(turn.tx, turn.person.id):
        survey = await find_survey(turn.tx, id)
        if survey and survey.open:
            rows.append(await _survey_row(turn, survey))
    if not rows:
        return turn.tell("nothing-open", turn.menu_button())
    turn.says.append(Message("\n".join(rows), title=turn.phrase("surveys.title"), buttons=tuple(buttons)))


async def _survey_row(turn: PersonsTurn, survey: Survey) -> str:
    run_id = await run_of(turn.tx, turn.person.id, survey.id)
    run = await find_run(turn.tx, run_id, survey) if run_id else None
    key = "surveys.row-sent" if run and run.state.sent is not None else "surveys.row"
    close_date = long_date(survey.closes_at.astimezone(turn.house.school.zone).date(), turn.language)
    title = said(survey.form.title, turn.language)
    return turn.phrase(key, title=title, n=len(survey.form.questions), close_date=close_date)


async def _survey_buttons(turn: PersonsTurn) -> list[Button]:
    """`Open` for each open survey; with its title where there is more than one."""
    found = [await find_survey(turn.tx, id) for id in await surveys_of(turn.tx, turn.person.id)]
    shown = [s for s in found if s and s.open]
    label = turn.phrase("label.open")
    names = [label if len(shown) == 1 else f"{label}: {said(s.form.title, turn.language)}" for s in shown]
    return [Button(name, asking(OPEN, s.id)) for name, s in zip(names, shown, strict=True)]


async def open_survey(turn: PersonsTurn, id: str) -> None:
    """`Open` of an invitation, a list, a reminder, an alert, or of what came of visits."""
    if id == "dropins":
        return await give(turn, "dropins")
    if id == "queue":
        return await give(turn, "queue")
    survey = await find_survey(turn.tx, id)
    if survey and survey.id == id and survey.pooled and survey.state == "closed" and may(turn.person.roles, "summary"):
        return await begin_errand(turn, "summary", id)
    if survey is None or survey.id != id or not survey.open:
        return turn.tell("closed-now")
    await open_run(turn, survey)


# --- staff --------------------------------------------------------------------------------------------------------


async def remind_now(turn: PersonsTurn, survey_id: str) -> None:
    """`Remind now` under the summary of open questions: their one reminder goes early."""
    survey = await find_survey(turn.tx, survey_id)
    if not may(turn.person.roles, "close"):
        return turn.tell("refused")
    if survey is None or not survey.open:
        return turn.tell("closed-now")
    if await was_posted(turn.tx, NUDGE, survey.id):
        return turn.tell("staff.reminded-before")
    turn.tell("staff.reminded", n=await nudge(turn.tx, survey, turn.now, turn.person.id))


async def close_this(turn: PersonsTurn, survey: str) -> None:
    """`Close and count` under the summary of an open survey; asks once more only where the answers would be lost."""
    found = await _to_close(turn, survey)
    if found and await can_be_shown(turn, found):
        await close_now(turn, found)
    elif found:
        await begin_errand(turn, "close", survey)


async def _to_close(turn: PersonsTurn, survey: str) -> Survey | None:
    if not may(turn.person.roles, "close"):
        turn.tell("refused")
        return None
    found = await find_survey(turn.tx, survey)
    if not found or not found.open:
        turn.tell("staff.already-closed", survey=survey)
        return None
    if found.pooled:
        turn.tell("after.closes-itself")
        return None
    return found


async def close_later(turn: PersonsTurn, survey: str) -> None:
    """`Close on ... instead`: fourteen days more."""
    found = await _to_close(turn, survey)
    if found:
        await set_front(turn.tx, turn.person.id, None)
        turn.tell("staff.postponed", close_date=await postponed(turn, found))


async def answer(turn: PersonsTurn) -> None:
    """/wedid: first what waits for this person's look, then a new row."""
    await wedid.tell_waiting(turn)
    await begin_errand(turn, "wedid")


def errand(name: str) -> Callable[[PersonsTurn], Awaitable[None]]:
    """The command that begins this errand."""
    return lambda turn: begin_errand(turn, name)


# These keep the place and show it again.
STAYS = frozenset({"help", "language", "menu", "mydata", "privacy", "settings", "whoreads"})
HANDLERS: dict[str, Callable[[PersonsTurn], Awaitable[None]]] = {
    "menu": menu,
    "help": help,
    "again": again,
    "explain": explain,
    "language": language,
    "settings": account.settings,
    "whoreads": whoreads,
    "privacy": privacy.privacy,
    "mydata": my_data.mydata,
    "delete": errand("delete"),
    "needhelp": needhelp,
    "stop": stop,
    "surveys": surveys,
    "dropins": lists.dropins,
    "events": lists.events,
    "queue": reading.queue,
    "yousaid": wedid.yousaid,
    **{name: errand(name) for name in ERRANDS},
    "wedid": answer,
    "invite": inviting.invite,
}
