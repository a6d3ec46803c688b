"""/privacy: the notice in short for a chat, and whole for the page; and the complaint about data (domain 6.1, 6.2).

Periods come from school.yaml, so that what is said is what is done (ICO standard 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.facts import House
from bot.said import COMMAND, SETTING, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from data.periods import MONTHS, SCHOOL_YEARS, Line, lines

SHORT = ("decides", "keeps", "anonymous", "telegram", "rights", "more")
SHORT_PUPIL = ("decides", "keeps", "see", "anonymous", "safe", "help")
PAGE = (  # heading -> its paragraphs
    ("who", ("who-text",)),
    ("why", ("why-text", "why-choice")),
    ("what", ("what-account", "what-reach", "what-children", "what-answers", "what-help", "what-log")),
    ("long", ()),
    ("who-reads", ("who-reads-text", "nobody-else")),
    ("telegram", ("telegram-text",)),
    ("backups", ("backups-text",)),
    ("rights", ("rights-see", "rights-right", "rights-delete", "rights-back", "rights-complain", "regulator",
                "anonymous")),
    ("danger", ("danger-text",)),
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    lines: tuple[str, ...] = field(repr=False)


async def privacy(turn: PersonsTurn) -> None:
    """The notice in short, with the ways to the rights."""
    rights = (
        Button(turn.phrase("privacy.my-data"), asking(COMMAND, "mydata")),
        Button(turn.phrase("privacy.delete"), asking(COMMAND, "delete")),
        Button(turn.phrase("privacy.complain"), asking(SETTING, "complain")),
        turn.menu_button(),
    )
    pupil = "pupil" in turn.person.roles
    turn.says.append(notice(turn.house, turn.language, pupil, rights))


def notice(house: House, language: str, pupil: bool = False, buttons: tuple[Button, ...] = ()) -> Message:
    """The short notice; also for somebody who has not joined."""
    keys = [f"privacy.pupil.{key}" for key in SHORT_PUPIL] if pupil else [f"privacy.{key}" for key in SHORT]
    words = [house.say(language, key, address=house.web_address) for key in keys]
    title = house.say(language, "privacy.pupil.title" if pupil else "privacy.title")
    return Message("\n\n".join([*words, house.say(language, "privacy.version")]), title=title, buttons=buttons)


def sections(house: House, language: str) -> list[Section]:
    """The whole notice for grown-ups."""
    days = house.school.keeping.backups_days
    found = []
    for heading, keys in PAGE:
        told = [house.say(language, f"privacy.page.{key}", n=days) for key in keys]
        told += periods(house, language) if heading == "long" else []
        found.append(Section(house.say(language, f"privacy.page.{heading}"), tuple(told)))
    return found


def for_pupils(house: House, language: str) -> Section:
    """The same for pupils, in their words."""
    told = tuple(house.say(language, f"privacy.pupil.{key}") for key in SHORT_PUPIL)
    return Section(house.say(language, "privacy.page.for-pupils"), told)


def periods(house: House, language: str) -> list[str]:
    """One line for each period in force."""
    return [_kept(house, language, line) for line in lines(house.school.keeping)]


def _kept(house: House, language: str, line: Line) -> str:
    period = house.say(language, f"privacy.for.{_unit(line)}", n=line.value)
    return house.say(language, f"privacy.period.{line.name.replace('_', '-')}", period=period)


def _unit(line: Line) -> str:
    if line.unit == SCHOOL_YEARS:
        return "school-years" if line.value else "this-year"
    return "months" if line.unit == MONTHS else "days"
