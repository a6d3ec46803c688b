"""What /dropin and /event share: times from what was typed, the preview as a parent sees it, and the making."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.delivery import event_buttons
from bot.errands.errand import Errand, Screen, as_choices, day_problem, value
from bot.events.hosts import host_names
from bot.events.making import Times, hearers, make
from bot.events.series import LONGEST, MOST, at, days_of, ends_at, is_address, read_length
from bot.events.words import preview
from bot.said import PLANNED, asking
from bot.turn import PersonsTurn
from conversations.answers import Answer, chosen
from conversations.asking import Setting, with_choices
from conversations.channel import Button, Message
from conversations.engine import State, kept_answers
from conversations.form import Form
from conversations.listening import parse_time, parse_when
from conversations.secrecy import promises_secrecy
from conversations.texts import long_date
from data.calendar import Calendar, load_calendar
from data.events import ACCESS, Event, coming_occasions, new_event
from data.looks import note_look
from data.people import all_groups
from scheduler.plan import reminder_times

LONGEST_WORDS = 200
NEAR = timedelta(days=270)  # within it nobody takes one year for another
NONE = "-"  # what stands where nothing was given
USUAL = "60 minutes"


@dataclass(frozen=True)
class Planned:
    """What would be made. `wrong` is the phrase that says why it cannot be."""

    event: Event
    times: Times
    wrong: str = ""


class Planning(Errand):
    """Subclasses name the kinds, and read what only they ask."""

    kinds: tuple[str, ...]

    async def form(self, turn: PersonsTurn) -> Form:
        groups = as_choices(await all_groups(turn.tx), turn.language)
        hosts = await host_names(turn.tx, turn.house, turn.language, turn.person.id)
        return with_choices(await super().form(turn), {"group": groups, "host": as_choices(hosts, turn.language)})

    async def refused(self, turn: PersonsTurn) -> str | None:
        return None if await all_groups(turn.tx) else "staff.no-groups"

    async def given(self, turn: PersonsTurn, form: Form) -> dict[str, Answer]:
        return {
            "until": Answer("text", (USUAL,)),
            "repeats": chosen("once"),
            "ways": chosen("in-person"),
            "host": chosen(turn.person.id),
            "access": chosen("nothing"),
        }

    async def shown(self, turn: PersonsTurn, message: Message, state: State) -> Message:
        if state.question == "host" and state.place == "question":
            await note_look(turn.tx, turn.person.id, "labels", "host", "", turn.now)
        first = state.step == 1 and state.place == "question"
        if not first or not await coming_occasions(turn.tx, None, turn.now, self.kinds):
            return message
        change = Button(turn.phrase("planning.change-one"), asking(PLANNED, self.name))
        return Message(**{**vars(message), "buttons": (*message.buttons, change)})

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        words = answer.values[0]
        if question == "date":
            return day_problem(date.fromisoformat(words), turn.today)
        if question == "time" and not parse_time(words):
            return "works.errand-time"
        if question == "until" and not (read_length(words) or parse_time(words)):
            return "planning.works-until"
        if question == "more" and words != NONE and not more_times(words, turn):
            return "planning.works-more"
        if question == "online":
            return None if is_address(words) else "planning.works-online"
        return staff_words(answer) if question != "more" else None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        planned, screen = await self.planned(turn, form, state), Screen(s, state)
        if planned.wrong:
            return screen.message(turn.phrase(planned.wrong), "change", "cancel")
        calendar = await load_calendar(turn.tx, turn.house.school.nation)
        seen = await preview(turn.tx, turn.house, turn.language, planned.event, planned.times)
        lines = [seen, "", await self._who_hears(turn, planned, calendar), *_warnings(turn, planned, calendar)]
        title = turn.phrase("staff.check")
        return screen.message("\n".join(lines).rstrip(), "send-now", "change", "cancel", title=title)

    async def _who_hears(self, turn: PersonsTurn, planned: Planned, calendar: Calendar) -> str:
        groups, n = await all_groups(turn.tx), len(await hearers(turn.tx, planned.event))
        key = "wishing" if planned.event.opted else "joined"
        lines = [turn.phrase(f"planning.for-{key}", group=groups[planned.event.group], n=n)]
        late = reminder_times(planned.times[0][0], turn.house.school, calendar)[0] <= turn.now
        how = "told" if planned.event.kind != "dropin" else "late" if late else "listed"
        return " ".join([*lines, turn.phrase(f"planning.{how}")])

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        planned = await self.planned(turn, await self.form_at(turn, state), state)
        if planned.wrong:
            return False
        await make(turn.tx, turn.house.school, planned.event, planned.times, turn.now, turn.person.id)
        done = "planning.done-dropin" if planned.event.kind == "dropin" else "planning.done-event"
        turn.tell(done, *await event_buttons(turn, planned.event.id))
        return True

    async def planned(self, turn: PersonsTurn, form: Form, state: State) -> Planned:
        """The event and its times as answered so far."""
        answers = kept_answers(form, state.answers)
        calendar = await load_calendar(turn.tx, turn.house.school.nation)
        event = new_event(self.kind(answers), value(state, "group"), **self.facts(turn, answers))
        times = times_of(answers, calendar, turn)
        wrong = _wrong(event, times, turn.now) or ("" if leads(form, event.host) else "planning.host-gone")
        return Planned(event, times, wrong)

    def kind(self, answers: dict[str, Answer]) -> str:
        return self.kinds[0]

    def facts(self, turn: PersonsTurn, answers: dict[str, Answer]) -> dict[str, object]:
        """What the event is besides kind, group and times."""
        said = {question: answer.values[0] for question, answer in answers.items()}
        repeats = said["repeats"]
        return {
            "place": said["place"],
            "online": said.get("online", ""),
            "ways": answers["ways"].values,
            "host": said["host"],
            "access": {fact: said[fact] for fact in ACCESS if fact in said},
            "repeats": "" if repeats == "once" else repeats,
            "made_by": turn.person.id,
            "made_at": turn.now,
        }


def times_of(answers: dict[str, Answer], calendar: Calendar, turn: PersonsTurn) -> Times:
    """When it begins and ends: its days, and further times to choose from, each as long as the first."""
    zone = turn.house.school.zone
    said = {question: answers[question].values[0] for question in ("date", "time", "until", "repeats")}
    clock = parse_time(said["time"]) or "00:00"
    days = days_of(date.fromisoformat(said["date"]), said["repeats"], calendar)
    first = at(days[0], clock, zone)
    length = (ends_at(first, said["until"]) or first) - first
    starts = {at(day, clock, zone) for day in days} | set(_more(answers, turn, zone))
    return tuple((begins, begins + length) for begins in sorted(starts))


def _more(answers: dict[str, Answer], turn: PersonsTurn, zone: ZoneInfo) -> list[datetime]:
    words = answers["more"].values[0] if "more" in answers else NONE
    return [at(day, clock, zone) for day, clock in (more_times(words, turn) or [] if words != NONE else [])]


def more_times(words: str, turn: PersonsTurn) -> list[tuple[date, str]] | None:
    """A day and a time from each line; None where one of them is not that, or past."""
    found = [parse_when(line, turn.today) for line in words.splitlines() if line.strip()]
    read = [(day, clock) for day, clock in filter(None, found) if clock and not day_problem(day, turn.today)]
    return read if read and len(read) == len(found) <= MOST else None


def year_words(turn: PersonsTurn, starts: datetime) -> list[str]:
    """The whole date of what is so far ahead that its year may be a slip; days are shown without a year."""
    if starts <= turn.now + NEAR:
        return []
    day = starts.astimezone(turn.house.school.zone).date()
    return [turn.phrase("planning.next-year", date=long_date(day, turn.language))]


def leads(form: Form, host: str | None) -> bool:
    """Whether this colleague is still one of those who can be picked: they may have left since."""
    question = form.question("host")
    return question is not None and host in {choice.id for choice in question.choices}


def staff_words(answer: Answer) -> str | None:
    """What is wrong with words that families will see: too long, or a promise that nobody may give (SAFE-2)."""
    if answer.kind != "text":
        return None
    if len(answer.values[0]) > LONGEST_WORDS:
        return "works.errand-short"
    return "planning.works-secret" if promises_secrecy(answer.values[0]) else None


def _wrong(event: Event, times: Times, now: datetime) -> str:
    length = times[0][1] - times[0][0]
    if times[0][0] <= now:
        return "works.errand-past"
    if not timedelta() < length <= LONGEST:
        return "planning.ends-first"
    if event.slot_minutes and length < timedelta(minutes=event.slot_minutes):
        return "planning.too-short"
    return ""


def _warnings(turn: PersonsTurn, planned: Planned, calendar: Calendar) -> list[str]:
    """What may be meant so, and should be seen."""
    zone = turn.house.school.zone
    off = [starts for starts, _ in planned.times if not calendar.is_school_day(starts.astimezone(zone).date())]
    return ([turn.phrase("planning.no-school")] if off else []) + year_words(turn, planned.times[-1][0])
