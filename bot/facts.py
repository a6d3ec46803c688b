"""What fills the placeholders of forms and phrases: names, numbers and dates of the school and of one survey."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from conversations.asking import Setting
from conversations.readers import readers_of
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

    @cached_property
    def staff_names(self) -> dict[str, str]:
        """Role -> name of those whom school.yaml names."""
        return self.school.staff_names

    def say(self, language: str, key: str, **more: object) -> str:
        """A phrase with the school's facts, and more, filled in."""
        return self.texts.say(language, key, **(self.facts(language) | more))

    def numbers(self, language: str) -> str:
        """The help numbers in one line (SAFE-6)."""
        school = self.school
        return self.texts.say(language, "numbers", council=school.help.council_out_of_hours, phone=school.phone)

    def facts(self, language: str) -> dict[str, str]:
        """The school's own; worded once for each language, because every tap asks."""
        if language not in self._facts:
            self._facts[language] = self._worded(language)
        return dict(self._facts[language])

    @cached_property
    def _facts(self) -> dict[str, dict[str, str]]:
        return {}

    def _worded(self, language: str) -> dict[str, str]:
        school, people = self.school, self.school.people
        return {
            "school": school.name,
            "phone": school.phone,
            "council": school.help.council_out_of_hours,
            "sendiass": school.help.sendiass,
            "numbers": self.numbers(language),
            "child": self.texts.say(language, "your-child"),
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
            "visit_period": self._visit_period(survey, language),
            **self.reader_facts(survey, language),
        }

    def _visit_period(self, survey: Survey, language: str) -> str:
        """How long answers about a visit stay somebody's: until the sign-up goes (domain 5, B6); empty for others."""
        days = self.school.keeping.sign_ups_days
        return self.texts.say(language, "period.days", n=days) if survey.pooled else ""

    def reader_facts(self, survey: Survey, language: str) -> dict[str, str]:
        """Who sees what of this survey; empty where nobody does. Pupils know their grown-ups by name alone."""
        sees, plain = readers_of(survey.mode, survey.form.takes_words), survey.form.audience == "pupils"
        answers = self._less(sees.answers, sees.names)
        groups = {"name_readers": sees.names, "answer_readers": answers, "word_readers": sees.words}
        groups["total_readers"] = self._less(sees.totals, {*sees.names, *sees.answers, *sees.words})
        told = {fact: self.named(roles, language, plain) for fact, roles in groups.items()}
        return told | self._how_long(bool(sees.names), language)

    def _how_long(self, named: bool, language: str) -> dict[str, str]:
        """For how long a name can be looked up; empty where that is not so (standard 6: words and setting agree)."""
        months = self.school.keeping.conf_names_months
        period = self.texts.say(language, "period.months", n=months) if named else ""
        return {"names_period": period if months else "", "names_at_once": "" if months else period}

    def _less(self, roles: Iterable[str], others: Iterable[str]) -> list[str]:
        """The roles whose holder is not named among the others already."""
        named = {self.staff_names.get(role, role) for role in others}
        return [role for role in roles if self.staff_names.get(role, role) not in named]

    def named(self, roles: Iterable[str], language: str, plain: bool = False) -> str:
        """Who holds these roles, as in "Ms Patel (SENCO) and the admin"; `plain` leaves roles out."""
        asked = (tuple(roles), language, plain)
        if asked not in self._named:  # every tap asks, and wording names costs more than asking the database
            self._named[asked] = self._listed(*asked)
        return self._named[asked]

    @cached_property
    def _named(self) -> dict[tuple[tuple[str, ...], str, bool], str]:
        return {}

    def _listed(self, roles: tuple[str, ...], language: str, plain: bool) -> str:
        held: dict[str, list[str]] = {}
        for role in roles:
            name = self.staff_names.get(role) or self.texts.say(language, f"reader.{role}")
            held.setdefault(name, []).extend([role] if role in self.staff_names and not plain else [])
        return listed([self._with_roles(name, of, language) for name, of in held.items()], language)

    def _with_roles(self, name: str, roles: list[str], language: str) -> str:
        held = listed([self.texts.say(language, f"role.{role}") for role in roles], language)
        return self.texts.say(language, "reader.named", name=name, role=held) if held else name

    def setting(self, survey: Survey | None, run: str, language: str) -> Setting:
        """What the screens of a run need."""
        facts = self.survey_facts(survey, language) if survey else self.facts(language)
        return Setting(self.texts, language, run, facts)

    def opening(self, at: datetime, language: str) -> str:
        """A time at which the office opens, as "Monday 4 May, 8:30"."""
        return f"{day_and_date(at.date(), language)}, {clock_time(at, language)}"
