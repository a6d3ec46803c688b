"""What fills the placeholders of forms and phrases: names, numbers and dates of the school and of one survey."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from conversations.asking import Setting
from conversations.texts import Texts, clock_time, day_and_date, listed, long_date
from data.school import School
from data.surveys import Survey


@dataclass(frozen=True)
class House:
    """The school with the bot's phrases: what every part of the bot needs in order to speak."""

    school: School
    texts: Texts
    web_address: str = "http://127.0.0.1:8080"
    public: bool = False

    def say(self, language: str, key: str, **more: object) -> str:
        """A phrase with the school's facts, and more, filled in."""
        return self.texts.say(language, key, **({**self.facts(language)} | more))

    def numbers(self, language: str) -> str:
        """The help numbers in one line (SAFE-6)."""
        school = self.school
        return self.texts.say(language, "numbers", council=school.help.council_out_of_hours, phone=school.phone)

    def facts(self, language: str) -> dict[str, str]:
        school, people = self.school, self.school.people
        return {
            "school": school.name,
            "phone": school.phone,
            "council": school.help.council_out_of_hours,
            "sendiass": school.help.sendiass,
            "numbers": self.numbers(language),
            "senco": people.senco,
            "dsl": people.dsl,
            "deputy": people.deputy_dsl,
            "head": people.head,
            "chair": people.chair,
        }

    def survey_facts(self, survey: Survey, language: str) -> dict[str, str]:
        """The school's facts and those of one survey."""
        close, answer = long_date(survey.closes_at.astimezone(self.school.zone).date(), language), survey.answer_by
        return self.facts(language) | {
            "close_date": close,
            "close_time": clock_time(survey.closes_at.astimezone(self.school.zone), language),
            "answer_date": long_date(answer, language),
            "date": long_date(answer, language),
            "decision": survey.decision,
            "decider": survey.decider,
            "readers": listed(self.answer_readers(survey.mode), language),
            "word_readers": listed(self.word_readers(), language),
        }

    def answer_readers(self, mode: str) -> list[str]:
        """Who reads the answers: with names behind them only the few named ones."""
        people = self.school.people
        return [people.senco, people.head] if mode == "ANON" else [people.senco, people.dsl, people.deputy_dsl]

    def word_readers(self) -> list[str]:
        people = self.school.people
        return [people.senco, people.dsl, people.deputy_dsl]

    def setting(self, survey: Survey | None, run: str, language: str) -> Setting:
        """What the screens of a run need."""
        facts = self.survey_facts(survey, language) if survey else self.facts(language)
        return Setting(self.texts, language, run, facts)

    def opening(self, now: datetime, language: str) -> str:
        """When the office opens next, as "Monday 4 May, 8:30"."""
        at = self.school.next_opening(now)
        return f"{day_and_date(at.date(), language)}, {clock_time(at, language)}"
