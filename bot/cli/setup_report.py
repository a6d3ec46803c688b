"""What `yousaid setup` prints at the end: recovery sheet, warnings, links and codes."""

from __future__ import annotations

from bot.cli.key import sheet_lines
from bot.cli.links import deep_links
from bot.facts import House
from bot.house import read_vault
from bot.proof import proof_words
from bot.settings import Settings
from bot.setup import SetUp, warnings
from conversations.texts import load_texts


def report(done: SetUp, settings: Settings) -> str:
    """The whole report; the admin's code stands alone on its last line."""
    verb = "is up to date" if done.again else "is set up"
    lines = [
        f"{done.school.name} {verb}. Database: {settings.database}.",
        "Before anybody is invited, read and sign `yousaid documents --out papers`.",
        "Tell the bot when school is shut: `yousaid calendar load FILE` (docs/calendar.md).",
    ]
    lines += ["", *sheet_lines(done.key, settings)] if done.key else []
    notes = [*warnings(settings), *([done.telegram_silent] if done.telegram_silent else [])]
    lines += ["", *(f"Note: {note}" for note in notes)] if notes else []
    lines += ["", "One link and one code each, good once and for 14 days:"]
    house = House(done.school, load_texts())
    for role, title in _titles(done).items():
        links = deep_links(done.codes[role], done.bot_name, settings.web_address)
        first, second = proof_words(house, read_vault(settings), done.codes[role], house.school.languages[0])
        said = f"  The bot shows these two words first: {first} and {second}"
        lines += [f"{title}: {done.codes[role]}", *(f"  {link}" for link in links), said]
    return "\n".join([*lines, "", "Start the bot with `yousaid run`. The admin's code:", done.codes["admin"]])


def _titles(done: SetUp) -> dict[str, str]:
    people = done.school.people
    return {"admin": "Admin", "dsl": f"DSL ({people.dsl})", "deputy": f"Deputy ({people.deputy_dsl})"}
