"""Letters with codes for families: two to an A4 page, with a square to scan and the two words of the bot (B15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.cli.links import deep_links
from bot.facts import House
from bot.invitations import Made
from bot.papers import typesetting
from bot.papers.press import pressed, with_squares
from bot.papers.printable import printable
from conversations.texts import listed, long_date

TEMPLATE = "slips.typ"
NO_BREAK = "\u00a0"  # keeps a telephone number on one line
PHRASES = (
    "greeting", "what", "not-for", "code", "words", "words-differ", "until", "one-adult", "keep", "no-must",
    "other-language",
)  # fmt: skip


def letters_pdf(house: House, bot_name: str | None, made: Sequence[Made], until: date) -> bytes:
    """The letters to print and cut, as one PDF. `until` is the last day on which their codes are good."""
    return pressed(TEMPLATE, values(house, bot_name, made, until))


def letters_pictures(house: House, bot_name: str | None, made: Sequence[Made], until: date) -> list[bytes]:
    """The same pages as PNG."""
    return typesetting.pictures(TEMPLATE, with_squares(values(house, bot_name, made, until)))


def values(house: House, bot_name: str | None, made: Sequence[Made], until: date) -> dict[str, Any]:
    """What the template is filled with: every word already in the language of its letter."""
    slips = [_slip(house, bot_name, letter, until) for letter in made]
    return {"title": house.say("en", "letter.title"), "slips": slips, "widest": _widest(slips)}


def _widest(slips: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each language a letter as long as they get: measuring these tells how many fit on a page."""
    longest = {key: max((slip[key] for slip in slips), key=len, default="") for key in ("number", "label", "two")}
    return [slip | longest for slip in {slip["language"]: slip for slip in slips}.values()]


def _slip(house: House, bot_name: str | None, letter: Made, until: date) -> dict[str, Any]:
    """One letter. The group stands nowhere on it: its name may tell of a need (FAIL-7)."""
    language = letter.language if letter.language in house.texts.languages else "en"
    facts = {
        "date": long_date(until, language),
        "address": _shown(house.web_address),
        "name": bot_name or "",
        "phone": house.school.phone.replace(" ", NO_BREAK),
    }
    return {
        "language": language,
        "school": house.school.name,
        "number": house.say(language, "letter.number", n=letter.number),
        "label": letter.label if printable(letter.label) else "",  # its number tells it too
        "typed": letter.code,
        "two": listed(list(letter.words), language),
        "ways": [house.say(language, f"letter.{key}", **facts) for key in _ways(house, bot_name)],
        "link": deep_links(letter.code, bot_name, house.web_address)[0],
        "alt": house.say(language, f"letter.square-{'telegram' if bot_name else 'web'}", **facts),
        "local": "" if house.public or bot_name else house.say(language, "staff.local-link"),
    } | {key: house.say(language, f"letter.{key}", **facts) for key in PHRASES}


def _ways(house: House, bot_name: str | None) -> list[str]:
    """How to come in: a web address that opens only on the school's machine is left out where there is another way."""
    if not bot_name:
        return ["scan-web", "by-address"]
    return ["scan-telegram", "by-name", *(["by-address"] if house.public else [])]


def _shown(address: str) -> str:
    """The address as one types it."""
    return address.removeprefix("https://")
