"""The words of what the bot sends on its own account: one neutral line each, names only after `Open` (FAIL-7)."""

from __future__ import annotations

from datetime import datetime

from bot.access_letters import ACCESS_LETTERS, access_letter
from bot.event_letters import EVENT_LETTERS, event_letter
from bot.events.hosting import HOST_LETTERS, host_letter
from bot.facts import House
from bot.follow_up_letters import FOLLOW_UP_LETTERS, follow_up_letter
from bot.said import COMMAND, OPEN, SEEN, WHEN, asking
from bot.wedid import WEDID_LETTERS, wedid_letter
from conversations.channel import Button, Message
from conversations.roles import may
from conversations.texts import day_and_date, long_date
from data.alerts import find_alert
from data.database import Database, Tx
from data.keeping import named_goes_on
from data.outbox import Letter
from data.people import find_person
from data.runs import find_run, run_of
from data.surveys import Survey, find_survey
from scheduler.ladder import item_of
from scheduler.nudging import wants_nudge
from scheduler.planned import REFUSED


class Letters:
    """Makes the message of a letter at the moment of sending."""

    def __init__(self, db: Database, house: House) -> None:
        self.db = db
        self.house = house

    async def compose(self, letter: Letter, now: datetime) -> Message | None:
        """The message, or None when it has become pointless (a closed survey, a drop-in that is over)."""
        async with self.db.reading() as tx:
            person = await find_person(tx, letter.person)
            language = person.language if person else "en"
            if letter.kind in EVENT_LETTERS:
                return await event_letter(tx, self.house, letter, person, now)
            if letter.kind in ("alert", "routed", "to-read", "test-alert"):
                reads = person is not None and may(person.roles, "queue")
                return await self._to_readers(tx, letter, language) if reads else None
            if letter.kind == "factor":
                return Message(self.house.say(language, "staff.factor-added"))
            if letter.kind in ACCESS_LETTERS:
                return await access_letter(tx, self.house, letter, person, now) if person else None
            if letter.kind in FOLLOW_UP_LETTERS:
                return await follow_up_letter(tx, self.house, letter, person)
            if letter.kind in HOST_LETTERS:
                return await host_letter(tx, self.house, letter, person, now) if person else None
            if letter.kind == "tidy":
                return Message(self.house.say(language, "tidied"))
            if letter.kind in WEDID_LETTERS:
                return await wedid_letter(tx, self.house, letter, language, now)
            if letter.kind == REFUSED:
                return self._message(language, "staff.plan-refused-letter", asking(WHEN, letter.ref))
            survey = await find_survey(tx, letter.ref)
            if letter.kind == "nudge":
                return await self._nudge(tx, letter, survey, language) if survey and survey.open else None
            if letter.kind == "named-going":
                return await self._named_going(tx, survey, language) if survey else None
            return self._about(letter, survey, language) if survey else None

    async def _to_readers(self, tx: Tx, letter: Letter, language: str) -> Message | None:
        """No name, no words (SAFE-5). An alert that somebody has taken already is not sent any more."""
        item = item_of(letter.ref)
        if letter.kind == "alert" and await find_alert(tx, item) is None:
            return None
        if letter.kind == "test-alert":
            return self._message(language, "staff.test-alert", asking(SEEN, letter.ref))
        if letter.kind == "to-read":
            return self._message(language, "staff.to-read", asking(COMMAND, "queue"))
        return self._message(language, "staff.alert", asking(SEEN, item))

    def _about(self, letter: Letter, survey: Survey, language: str) -> Message | None:
        if letter.kind == "invitation":
            if not survey.open:
                return None
            return self._message(language, "invitation", asking(OPEN, survey.id), n=len(survey.form.questions))
        facts = self.house.survey_facts(survey, language)
        return Message(self.house.texts.say(language, f"closing.{letter.kind}", **facts))

    async def _nudge(self, tx: Tx, letter: Letter, survey: Survey, language: str) -> Message | None:
        """The box of an ANON survey is not looked into (ANON-5); of the others, who has finished hears nothing."""
        day = day_and_date(survey.closes_at.astimezone(self.house.school.zone).date(), language)
        if survey.mode == "ANON":
            return self._message(language, "nudge.anon", asking(OPEN, survey.id), day=day)
        run_id = await run_of(tx, letter.person, survey.id)
        run = await find_run(tx, run_id, survey) if run_id else None
        if run is None or not wants_nudge(run):
            return None
        return self._message(language, "nudge.named", asking(OPEN, survey.id), day=day)

    async def _named_going(self, tx: Tx, survey: Survey, language: str) -> Message | None:
        """No child, no title: it may be read on a lock screen (FAIL-7)."""
        school = self.house.school
        day = await named_goes_on(tx, survey, school.keeping, school.zone)
        if day is None or survey.totals_since:
            return None
        return Message(self.house.say(language, "keeping.named-going", date=long_date(day, language)))

    def _message(self, language: str, key: str, opens: str, **facts: object) -> Message:
        button = Button(self.house.say(language, "label.open"), opens)
        return Message(self.house.say(language, key, **facts), buttons=(button,))
