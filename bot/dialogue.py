"""The one path of every conversation, on every channel: load, decide, commit, then speak.

A channel hands over what was heard and gets back what to say. In between lies one transaction: the person, the run in
front of them, one turn of the engine, and whatever follows from it (a queue item, a survey, a closing). Nothing is
said before the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot import account, approving, commands, delivery, devices, duties, joining, reading, sending_later, wedid
from bot.booking import talking
from bot.booking import taps as booking
from bot.care import raise_concern
from bot.events import hosting, planned
from bot.facts import House
from bot.playing import at_question, note_shown, play, screen_of
from bot.said import (
    ALTER,
    CAME,
    CLOSE,
    COMMAND,
    DENY,
    DUTY,
    EVENT,
    FAR,
    GRANT,
    JOIN,
    LANGUAGE,
    LED,
    LOOK,
    MINE,
    NOT_MINE,
    NOT_YET,
    OPEN,
    PLANNED,
    POSTPONE,
    PUBLISH,
    REMIND,
    ROOM,
    SEEN,
    SETTING,
    SHEET,
    TALK,
    WAITS,
    WAS_IT,
    WHEN,
    Edited,
    Reply,
    Said,
    Tap,
    Text,
    Unusable,
)
from bot.turn import PersonsTurn
from conversations.channel import Message
from conversations.commands import COMMANDS
from conversations.screening import screen
from conversations.texts import fold
from conversations.words import Raised, Typed
from data.codes import looks_like_code, read_code
from data.database import Database, Tx
from data.people import Address, Person, find_person, person_at
from data.updates import first_time

Clock = Callable[[], datetime]


class Dialogue:
    """Hears for all channels. One instance serves the whole program."""

    def __init__(self, db: Database, house: House, clock: Clock) -> None:
        self.db = db
        self.house = house
        self.clock = clock

    async def hear(
        self,
        address: Address,
        said: Said,
        delivery: int | None = None,
        language: str = "en",
        number: int | None = None,
    ) -> Reply:
        """The reply to what came from an address (a Telegram chat).

        `delivery` numbers it, to know repeats by; `number` is the message that was typed, or tapped on.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            person = await person_at(tx, address.channel, address.where)
            if delivery is not None and not await first_time(tx, address.channel, delivery):
                return await self._repeat(tx, person, now, address.channel)
            if person is None:
                return await joining.stranger(tx, self.house, address, as_typed(said, language), now, language)
            turn = replace(self._turn(tx, person, now, address.channel), here=address, number=number)
            turn.typed = not isinstance(said, Tap)
            await self._route(turn, said)
        return await finished(turn)

    async def hear_person(self, person: str, said: Said, channel: str, session: str = "") -> Reply:
        """The reply to somebody already known by other means: by the secret of a browser's session."""
        now = self.clock()
        async with self.db.transaction() as tx:
            known = await find_person(tx, person)
            if known is None:
                return Reply()
            turn = replace(self._turn(tx, known, now, channel), session=session)
            await self._route(turn, said)
        return await finished(turn)

    async def remember(self, run: str, numbers: Sequence[int]) -> None:
        """These messages now stand in the person's chat and show answers (ANON-4). Nothing where the run has gone."""
        async with self.db.transaction() as tx:
            await note_shown(tx, run, numbers)

    async def look(self, person: str, channel: str) -> tuple[Person, Message | None] | None:
        """Who this is and the screen in front of them, without changing anything."""
        async with self.db.reading() as tx:
            known = await find_person(tx, person)
            if known is None:
                return None
            return known, await screen_of(self._turn(tx, known, self.clock(), channel))

    def _turn(self, tx: Tx, person: Person, now: datetime, channel: str) -> PersonsTurn:
        return PersonsTurn(self.db, tx, self.house, person, now, channel)

    async def _repeat(self, tx: Tx, person: Person | None, now: datetime, channel: str) -> Reply:
        """A delivery handled before: show where the person is, in case the reply was lost."""
        if person is None:
            return Reply(stale=True)
        message = await screen_of(self._turn(tx, person, now, channel))
        return Reply([message] if message else [], stale=True)

    async def _route(self, turn: PersonsTurn, said: Said) -> None:
        said = as_typed(said, turn.language)
        if isinstance(said, Unusable):
            await unusable(turn)
        elif isinstance(said, Edited):
            turn.tell("works.edited")
        elif isinstance(said, Tap):
            await tapped(turn, said)
        else:
            await typed(turn, said)


async def finished(turn: PersonsTurn) -> Reply:
    """After the commit: what must follow it, then the messages, those that take time drawn now."""
    for after in turn.after:
        await after()
    messages = [m if isinstance(m, Message) else await m() for m in turn.says]
    shown = {"tidies": turn.tidies, "instead": turn.phrase("tidied") if turn.tidies else ""}
    return Reply(messages, turn.stale, roles_changed=turn.roles_changed, logged_out=turn.logged_out, **shown)  # type: ignore[arg-type]


# --- taps ---------------------------------------------------------------------------------------------------------


async def tapped(turn: PersonsTurn, tap: Tap) -> None:
    """A button: of a run, or one that opens something. What fits nothing gets the same kind answer as a closed one."""
    if of_run := tap.of_run():
        await play(turn, *of_run)
        return
    asked = tap.asked()
    does: dict[str, Callable[[PersonsTurn, str], Awaitable[None]]] = {
        OPEN: commands.open_survey,
        COMMAND: commands.give,
        LANGUAGE: commands.choose_language,
        CLOSE: commands.close_this,
        POSTPONE: commands.close_later,
        REMIND: commands.remind_now,
        WHEN: sending_later.show_planned,
        SEEN: reading.alert_seen,
        DUTY: duties.choose_duty,
        JOIN: joining.known_person,
        SETTING: account.choose_setting,
        WAITS: approving.show_waiting,
        GRANT: approving.say_yes,
        DENY: approving.say_no,
        LOOK: wedid.look,
        PUBLISH: wedid.say_publish,
        NOT_YET: wedid.say_not_yet,
        PLANNED: planned.show_planned,
        ALTER: planned.begin_change,
        SHEET: hosting.show_sheet,
        CAME: hosting.begin_attendance,
        ROOM: hosting.begin_notes,
        LED: hosting.show_led,
        FAR: delivery.tapped,
        EVENT: booking.tapped,
        TALK: talking.tapped,
        WAS_IT: devices.ask_whose,
        MINE: devices.was_mine,
        NOT_MINE: devices.was_not_mine,
    }
    if asked is None:
        turn.tell("closed-now")
    else:
        await does[asked[0]](turn, asked[1])


# --- words --------------------------------------------------------------------------------------------------------


def as_typed(said: Said, language: str) -> Said:
    """Words below a picture or put into an older message count as typed where the screen flags them (SAFE-12)."""
    beside = isinstance(said, (Unusable, Edited)) and screen(said.words, language)
    return Text(said.words) if beside and not isinstance(said, Tap) else said


async def typed(turn: PersonsTurn, text: Text) -> None:
    """Words: a command, words for the run in front, a code, a label, or something for the word screen."""
    words = text.words.strip()
    if words.startswith("/"):
        name, rest = command_of(words)
        if not hides_a_concern(turn, name, rest):
            return await commands.give(turn, name, rest)
        if name == "stop":
            await commands.give(turn, name)
    control = turn.house.texts.control(turn.language, words)
    if control in ("menu", "open"):
        return await commands.give(turn, "menu" if control == "menu" else "surveys")
    front = None if await meant_for_all(turn, words, control) else turn.person.front
    if front and await play(turn, front, Typed(words), quiet=True):
        return
    await outside(turn, words, control)


def command_of(words: str) -> tuple[str, str]:
    """ "/stop." or "/needhelp@bot" on a line of its own, and what follows it."""
    name, *rest = words[1:].split(maxsplit=1) or [""]
    return name.partition("@")[0].casefold().rstrip(".,!?;:"), rest[0] if rest else ""


def hides_a_concern(turn: PersonsTurn, name: str, rest: str) -> bool:
    """Whether words after a slash are no command but something a human must see ("/my uncle hurts me")."""
    if name == "needhelp" or looks_like_code(rest):
        return False
    known = name == "start" or name in COMMANDS
    return screen(rest if known else f"{name} {rest}", turn.language) is not None


async def meant_for_all(turn: PersonsTurn, words: str, control: str | None) -> bool:
    """STOP, a code, or yes to a code just opened: outside a question they are not for the run in front."""
    if control == "stop" or looks_like_code(words):
        return not await at_question(turn)
    if not joining.yes_or_no(turn.house, Text(words), turn.language) or await joining.visiting(turn) is None:
        return False
    return control in ("yes-start", "no-thank-you") or not await at_question(turn)  # a bare yes can be an answer


async def outside(turn: PersonsTurn, words: str, control: str | None) -> None:
    """Words where no question waits."""
    if control == "need-help":
        return await commands.give(turn, "needhelp")
    if control == "stop" or fold(words) in turn.house.texts.list(turn.language, "typed.stop-all"):
        return await commands.give(turn, "stop")
    answer = joining.yes_or_no(turn.house, Text(words), turn.language)
    if answer and await joining.visiting(turn):
        return await joining.known_person(turn, answer)
    if looks_like_code(words):
        return await joining.code_from_person(turn, read_code(words) or "")
    if concern := screen(words, turn.language):
        pupil = "pupil" in turn.person.roles
        turn.says.append(await raise_concern(turn, Raised(concern.kind, None, words), pupil=pupil))
        return
    turn.tell("not-understood", turn.menu_button())


async def unusable(turn: PersonsTurn) -> None:
    """A picture, voice note or file: not opened; where to get help stands in the reply (SAFE-11, SAFE-12)."""
    turn.tell("works.picture")
    turn.tell("works.picture-help")
