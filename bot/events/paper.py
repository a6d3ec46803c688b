"""The host's list as values for the printed page (bot/papers/host_sheet.typ)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.events.sheet import Sheet, helping
from bot.facts import House
from bot.item_record import pictures_named
from conversations.texts import clock_time, long_date

TEMPLATE = "host_sheet.typ"


def as_values(house: House, language: str, sheet: Sheet, now: datetime) -> dict[str, Any]:
    """Plain values; `facts` stand above the table."""
    local = now.astimezone(house.school.zone)
    made = {"date": long_date(local.date(), language), "time": clock_time(local, language)}
    say = house.say
    below = [pictures_named(helping(house, language, sheet))] if sheet.helpers else []
    below += [say(language, "hosting.free", words=", ".join(sheet.free))] if sheet.free else []
    below += [say(language, "hosting.waiting", n=sheet.waiting)] if sheet.waiting else []
    return {
        "lang": language,
        "title": pictures_named(sheet.title),
        "facts": [pictures_named(part) for part in (sheet.when, sheet.place) if part],
        "heads": [say(language, f"hosting.head-{head}") for head in ("time", "name", "facts", "came")],
        "rows": [[line.time, pictures_named(line.name), pictures_named("; ".join(line.facts))] for line in sheet.lines],
        "nobody": say(language, "hosting.nobody"),
        "below": below,
        "walked": say(language, "hosting.walked"),
        "shred": say(language, "hosting.shred", **made),
    }
