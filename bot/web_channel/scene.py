"""What one page shows, worked out from state and the last reply: the screen in front, news, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from bot.our_bot import Sharing, last_sharing, token_trouble
from bot.said import COMMAND, OPEN, Tap, asking
from bot.web_channel.channel import NAME, WebChannel
from bot.web_channel.sessions import Visitor
from conversations.channel import Button, Message
from conversations.texts import clock_time, day_and_date
from data.database import Tx
from data.outbox import on_page
from data.people import Person
from data.runs import BoxLost, find_run, run_of, surveys_of
from data.surveys import Survey, find_survey

LETTERS = 5  # newest letters shown at once
MENU = asking(COMMAND, "menu")  # every page has this button in its head already


@dataclass(frozen=True)
class Scene:
    """`screen` is the main thing: what is in front, else the reply, else None (the home page).

    `notices` stand before it, `more` after it. `asks`: it waits for an answer.
    `mark` names the screen in front, `version` everything that can change by itself; `up_to` is the newest letter.
    """

    person: Person
    screen: Message | None
    asks: bool
    notices: tuple[Message, ...]
    more: tuple[Message, ...]
    news: tuple[Message, ...]
    up_to: int
    mark: str
    version: str


async def scene_of(web: WebChannel, visitor: Visitor) -> Scene:
    """Everything this browser's page shows now. Changes nothing."""
    looked = await web.dialogue.look(visitor.person.id, NAME)
    person, front = looked or (visitor.person, None)
    said = web.replies.messages(visitor.key, web.now)
    screen, notices, more = arrange(said, front)
    letters, up_to = await _letters(web, person, front)
    news = letters if front else (*letters, *await _still_open(web, person, letters))
    news = tuple(m for m in news if not _said_already(m, said))
    alarms = await _alarms(web, person)
    version = _hash(front, *news, *alarms)
    return Scene(person, screen, front is not None, (*alarms, *notices), more, news, up_to, _hash(front), version)


Arranged = tuple[Message | None, tuple[Message, ...], tuple[Message, ...]]


def arrange(said: list[Message], front: Message | None) -> Arranged:
    """The main screen, and what else was said before and after it.

    A reply that belongs to the step in front is shown in its place (easier words, a caring answer). Where nothing is
    in front, the reply itself is the page: the last with a title, or else the first.
    """
    here = _step(front) if front else None
    main, others = front, []
    for message in map(_without_menu, said):
        if _step(message):
            main = message if _step(message) == here else main
        elif message != front:
            others.append(message)
    if main or not others:
        return main, tuple(others), ()
    at = max((i for i, m in enumerate(others) if m.title), default=0)
    return others[at], tuple(others[:at]), tuple(others[at + 1 :])


def _step(message: Message) -> tuple[str, int] | None:
    """The run and step a screen belongs to."""
    for button in message.buttons:
        if of_run := Tap(button.says).of_run():
            return of_run[0], of_run[1].step
    return None


def _without_menu(message: Message) -> Message:
    return replace(message, buttons=tuple(b for b in message.buttons if b.says != MENU))


def _said_already(letter: Message, said: list[Message]) -> bool:
    """Whether the last reply offers the same button."""
    wanted = {b.says for b in letter.buttons}
    return bool(wanted) and any(wanted <= {b.says for b in m.buttons} for m in said)


def _hash(*messages: Message | None) -> str:
    words = repr([(m.text, m.title, m.progress, m.buttons) if m else None for m in messages])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


async def _alarms(web: WebChannel, person: Person) -> tuple[Message, ...]:
    """For the admin, and never in a chat: whoever has the bot's token could read it there (B6)."""
    if "admin" not in person.roles:
        return ()
    async with web.db.reading() as tx:
        noted = (await token_trouble(tx), await last_sharing(tx, web.now))
    return tuple(_alarm(web, person, alarm) for alarm in noted if alarm)


def _alarm(web: WebChannel, person: Person, alarm: Sharing) -> Message:
    at = alarm.at.astimezone(web.house.school.zone)
    told = {"day": day_and_date(at.date(), person.language), "time": clock_time(at, person.language)}
    return Message(web.say(person.language, f"alarm.{alarm.how}", **told))


# --- news ---------------------------------------------------------------------------------------------------------


async def _letters(web: WebChannel, person: Person, front: Message | None) -> tuple[tuple[Message, ...], int]:
    """The newest letters that wait on the page, and the number of the newest. One for each thing to open."""
    async with web.db.reading() as tx:
        waiting = (await on_page(tx, person.id))[:LETTERS]
        open_now = await _run_in_front(tx, person)
    composed = [await web.letters.compose(letter, web.now) for letter in waiting]
    shown = [m for m in composed if m and not (front and _opens(m) == open_now)]
    return tuple(dict.fromkeys(shown)), max((letter.id for letter in waiting), default=0)


async def _run_in_front(tx: Tx, person: Person) -> str:
    """What a button says that opens the survey in front: an invitation to it is no news."""
    for survey in await surveys_of(tx, person.id):
        if person.front and await run_of(tx, person.id, survey) == person.front:
            return asking(OPEN, survey)
    return ""


def _opens(message: Message) -> str | None:
    return message.buttons[0].says if message.buttons else None


async def _still_open(web: WebChannel, person: Person, letters: tuple[Message, ...]) -> list[Message]:
    """Surveys that wait for this person without a letter: begun and left, or not opened yet."""
    offered = {_opens(m) for m in letters}
    async with web.db.reading() as tx:
        found = [await find_survey(tx, id) for id in await surveys_of(tx, person.id)]
        waiting = [s for s in found if s and s.open and await _waits(tx, s, person)]
    return [_invitation(web, person, s) for s in waiting if asking(OPEN, s.id) not in offered]


async def _waits(tx: Tx, survey: Survey, person: Person) -> bool:
    """Not for those who said no or threw their answers away, nor for those who sent them."""
    run_id = await run_of(tx, person.id, survey.id)
    try:
        run = await find_run(tx, run_id, survey) if run_id else None
    except BoxLost:
        return False
    return run is not None and run.state.sent is None and (run.state.place != "intro" or run.state.step == 0)


def _invitation(web: WebChannel, person: Person, survey: Survey) -> Message:
    button = Button(web.say(person.language, "label.open"), asking(OPEN, survey.id))
    text = web.house.texts.say(
        person.language, "invitation", school=web.house.school.name, n=len(survey.form.questions)
    )
    return Message(text, buttons=(button,))
