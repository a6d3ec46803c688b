"""What fills the papers: the school, where things lie, the periods, and the table of roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version

from bot.facts import House
from bot.governance.data_map import map_document
from bot.governance.document import NAMES, Document, Filling, Table, filled, template
from bot.governance.document import Section as WrittenSection
from bot.privacy import for_pupils, sections
from conversations.readers import in_order, readers_of
from conversations.roles import MAY
from conversations.texts import long_date
from data.erasing import SKELETON_KEPT
from data.keeping import TASKS_KEPT, TRIES_KEPT, VISITS_KEPT
from data.links import LIFE
from data.periods import DAYS, MONTHS, Keeping, Line, lines
from data.sessions import SESSION_AGE, STAFF_AGE
from data.tombstones import KEPT as TOMBSTONES_KEPT

MODES = {"ANON": "Without names", "CONF": "With names for a few", "NAMED": "For the child's papers"}
TELEGRAM_SAYS = (
    "Telegram knows that an account wrote to the bot, and what was said in that chat. Bot chats are not end-to-end "
    "encrypted. "
)

TELEGRAM_WHERE = (
    "Telegram says: chats of people in the United Kingdom lie in the Netherlands; it has companies in the British "
    "Virgin Islands and Dubai. Read its present terms before signing."
)


@dataclass(frozen=True)
class Installation:
    """How this school runs the bot, as far as papers say so."""

    house: House
    database: str  # "a SQLite file" or "a PostgreSQL server"
    telegram: bool
    today: date


def papers(installation: Installation) -> dict[str, Document]:
    """Every paper, filled for this school, by name."""
    filling = Filling(_facts(installation), _tables(installation))
    found = {name: template(name) for name in NAMES} | {"data-map": map_document()}
    return {name: filled(document, filling) for name, document in found.items()} | _notices(installation.house)


def _notices(house: House) -> dict[str, Document]:
    """The privacy notices, in the very words of /privacy."""
    about, pupils = house.say("en", "privacy.version"), for_pupils(house, "en")
    adults = tuple(WrittenSection(heading=part.title, text=part.lines) for part in sections(house, "en"))
    children = (WrittenSection(heading=house.say("en", "privacy.pupil.title"), text=pupils.lines),)
    name, title = house.school.name, house.say("en", "privacy.title")
    return {
        "privacy-notice": Document(title=f"{name}: {title}", about=about, sections=adults),
        "privacy-notice-pupils": Document(title=f"{name}: {pupils.title}", about=about, sections=children),
    }


def _facts(installation: Installation) -> dict[str, str]:
    house, today = installation.house, installation.today
    return (
        house.facts("en")
        | {line.name.removesuffix(_suffix(line)): period(line) for line in lines(house.school.keeping)}
        | _places(installation)
        | {
            "today": long_date(today, "en"),
            "review_date": long_date(date(today.year + 1, today.month, min(today.day, 28)), "en"),
            "version": version("yousaid"),
            "processor": f"None where {house.school.name} runs the machine itself; else named here, with a contract",
        }
    )


def _places(installation: Installation) -> dict[str, str]:
    telegram, house = installation.telegram, installation.house
    web = (
        f"The same conversation at {house.web_address}" if house.public else "Only on the school's own machine for now"
    )
    return {
        "database": f"On the school's machine: {installation.database}. Choices are readable there, names are not.",
        "web": f"{web}. It keeps no transcript and loads nothing from elsewhere.",
        "telegram": f"{TELEGRAM_SAYS}Nothing else goes there."
        if telegram
        else "Not used: families answer on the web page.",
        "telegram_role": "Telegram, which people use under its own terms"
        if telegram
        else "None: Telegram is switched off",
        "telegram_where": TELEGRAM_WHERE if telegram else "none",
    }


def _suffix(line: Line) -> str:
    return "_" + line.unit.replace(" ", "_")


def period(line: Line) -> str:
    """How long, in words that stand after "kept"."""
    if line.unit in (DAYS, MONTHS):
        return f"{line.value} {line.unit if line.value != 1 else line.unit[:-1]}"
    ends = {0: "until the end of the school year", 1: "until the end of the next school year"}
    return ends.get(line.value, f"until the end of the school year {line.value} years later")


def _tables(installation: Installation) -> dict[str, Table]:
    keeping = installation.house.school.keeping
    periods = {"retention": _retention(keeping), "schedule": schedule(keeping), "fixed": fixed()}
    return {**periods, "roles": _roles(installation.house)}


def _retention(keeping: Keeping) -> Table:
    rows = tuple((_sentence(line.what), period(line), line.then) for line in lines(keeping))
    return Table(columns=("What", "How long", "What happens then"), rows=rows)


def schedule(keeping: Keeping) -> Table:
    """Every period a school can set: its setting, bounds, and the rule it comes from."""
    columns = ("What", "How long", "What happens then", "Setting", "Least", "Most", "Rule")
    rows = tuple(
        (_sentence(p.what), period(p), p.then, p.name, str(p.least), str(p.most), p.rule) for p in lines(keeping)
    )
    return Table(columns=columns, rows=rows)


def fixed() -> Table:
    """The periods that stand in the code."""
    kept = {
        "One-time links": _time(LIFE),
        "A browser of a family, without use": _time(SESSION_AGE),
        "A browser of staff, until it locks": _time(STAFF_AGE),
        "Somebody who opened a code and said neither yes nor no": _time(VISITS_KEPT),
        "Wrong codes, as a keyed hash of where they came from": _time(TRIES_KEPT),
        "Tasks of staff that were begun and left": _time(TASKS_KEPT),
        "Keyed hashes of what was deleted": _time(TOMBSTONES_KEPT),
        "The last row of somebody who deleted their account": _time(SKELETON_KEPT),
    }
    return Table(columns=("What", "How long"), rows=tuple(kept.items()))


def _time(kept: timedelta) -> str:
    """ "7 days", "8 hours", "15 minutes"."""
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        n = kept // size
        if n:
            return f"{n} {unit}{'s' if n != 1 else ''}"
    raise ValueError("shorter than a minute")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _roles(house: House) -> Table:
    """Who sees what, from the one table of roles that the program itself asks."""
    rows = []
    for mode, name in MODES.items():
        sees = readers_of(mode, takes_words=True)
        rows += [(f"{name}: who gave which answers", _named(house, sees.names))]
        rows += [(f"{name}: answers one by one, without names", _named(house, sees.answers))]
    rows += [("All words that wait for a reader", _named(house, MAY["queue-all"]))]
    rows += [("Totals, small numbers hidden", _named(house, MAY["summary"]))]
    rows += [("Invite families, end their access", _named(house, MAY["invite"]))]
    return Table(columns=("What", "Who"), rows=tuple(rows))


def _named(house: House, roles: Iterable[str]) -> str:
    return house.named(in_order(roles), "en") or "nobody"
