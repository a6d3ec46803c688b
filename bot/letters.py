"""The words of what the bot sends on its own account: one neutral line each, names only after `Open` (FAIL-7)."""

from __future__ import annotations

from datetime import datetime

from bot.access_letters import ACCESS_LETTERS, access_letter
from bot.facts import House
from bot.said import COMMAND, OPEN, SEEN, asking
from conversations.channel import Button, Message
from conversations.roles import may
from conversations.texts import clock_time, long_date
from data.alerts import find_alert
from data.database import Database, Tx
from data.dropins import find_dropin
from data.keeping import named_goes_on
from data.outbox import Letter
from data.people import find_person
from data.surveys import Survey, find_survey
from scheduler.ladder import item_of


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
            if letter.kind == "reminder":
                return await self._reminder(tx, letter, language, now)
            if letter.kind in ("alert", "routed", "to-read", "test-alert"):
                reads = person is not None and may(person.roles, "queue")
                return await self._to_readers(tx, letter, language) if reads else None
            if letter.kind == "factor":
                return Message(self.house.say(language, "staff.factor-added"))
            if letter.kind in ACCESS_LETTERS:
                return await access_letter(tx, self.house, letter, person, now) if person else None
            if letter.kind == "tidy":
                return Message(self.house.say(language, "tidied"))
            survey = await find_survey(tx, letter.ref)
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

    async def _named_going(self, tx: Tx, survey: Survey, language: str) -> Message | None:
        """No child, no title: it may be read on a lock screen (FAIL-7)."""
        school = self.house.school
        day = await named_goes_on(tx, survey, school.keeping, school.zone)
        if day is None or survey.totals_since:
            return None
        return Message(self.house.say(language, "keeping.named-going", date=long_date(day, language)))

    async def _reminder(self, tx: Tx, letter: Letter, language: str, now: datetime) -> Message | None:
        dropin = await find_dropin(tx, letter.ref)
        if dropin is None or dropin.starts_at <= now:
            return None
        starts, today = (at.astimezone(self.house.school.zone) for at in (dropin.starts_at, now))
        key = "reminder.today" if starts.date() == today.date() else "reminder.tomorrow"
        return self._message(language, key, asking(COMMAND, "dropins"), time=clock_time(starts, language))

    def _message(self, language: str, key: str, opens: str, **facts: object) -> Message:
        button = Button(self.house.say(language, "label.open"), opens)
        return Message(self.house.say(language, key, **facts), buttons=(button,))
