"""The recovery sheet as PDF: the key to print and lock away."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot.facts import House
from bot.papers.press import square
from bot.papers.typesetting import pdf, pictures
from bot.recovery_sheet import groups_of, square_text
from conversations.texts import long_date

TEMPLATE = "recovery.typ"
PARTS = {"keep": ("keep", "apart", "old"), "use": ("lost", "steps"), "cannot": ("boxes", "pupils")}


def recovery_pdf(house: House, key: bytes, made_on: date) -> bytes:
    """One page, for a key of 32 bytes."""
    return pdf(TEMPLATE, _values(house, key, made_on))


def recovery_picture(house: House, key: bytes, made_on: date) -> bytes:
    """The same page as PNG."""
    return pictures(TEMPLATE, _values(house, key, made_on))[0]


def _said(house: House, keys: tuple[str, ...]) -> list[str]:
    return [house.say("en", f"recovery.{key}") for key in keys]


def _values(house: House, key: bytes, made_on: date) -> dict[str, Any]:
    say = {name: house.say("en", f"recovery.{name}") for name in ("title", "what", "type", "format", "alt")}
    parts = [
        {
            "title": house.say("en", f"recovery.{title}-title"),
            "lines": [house.say("en", f"recovery.{x}") for x in lines],
        }
        for title, lines in PARTS.items()
    ]
    made = house.say("en", "recovery.made", date=long_date(made_on, "en"))
    drawn = {"groups": groups_of(key), "square": square(square_text(key)), "lang": "en"}
    return {**say, **drawn, "parts": parts, "made": made, "school": house.school.name}
