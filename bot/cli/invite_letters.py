"""`yousaid invite` for families: numbered letters, from a count or from a list, and the PDF to print them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.cli.invite import Asked
    from bot.families import Family
    from bot.house import Opened
    from bot.invitations import Made

MOST_LINES = 20  # of what is wrong with a list, in the one line of a refusal


async def make_letters(opened: Opened, asked: Asked, now: datetime) -> tuple[list[str], list[Made]]:
    """What to say first, and the letters. Their PDF is made after the codes are safe: it takes a while."""
    from bot.invitations import invite_families

    families = await _families(opened, asked)
    if asked.letters:
        _check_place(opened, asked.letters)
    async with opened.db.transaction() as tx:
        made = await invite_families(tx, opened.house, families, "", now, asked.days)
    if asked.letters is None:
        return [], made
    await _print(opened, asked, asked.letters, made, now)
    return [f"Letters: {len(made)}, in {asked.letters}. Print and cut them, then delete the file."], made


async def _families(opened: Opened, asked: Asked) -> list[Family]:
    """Whom the letters are for: those of the list, or as many as were asked for."""
    from bot.families import Family

    if asked.families:
        return await _listed(opened, asked.families)
    return [Family(asked.family, asked.group or "", asked.language or "en")] * (asked.count or 1)


async def _listed(opened: Opened, file: Path) -> list[Family]:
    from bot.cli.one_line import Problem
    from bot.families import FamiliesProblem, read_families, text_of
    from data.people import all_groups

    async with opened.db.reading() as tx:
        groups = await all_groups(tx)
    try:
        return read_families(text_of(_content(file), opened.house), groups, opened.house)
    except FamiliesProblem as problem:
        rest = len(problem.lines) - MOST_LINES
        lines = [*problem.lines[:MOST_LINES], *([f"And {rest} more lines like these."] if rest > 0 else [])]
        raise Problem(f"{' '.join(lines)} Nothing was made: mend {file.name} and run it again.") from None


def _content(file: Path) -> bytes:
    return file.read_bytes()


def _check_place(opened: Opened, file: Path) -> None:
    """Before any code is made: what would stop the letters afterwards."""
    from bot.cli.one_line import Problem
    from bot.papers.printable import printable

    if file.exists():
        raise Problem(f"{file} is there already. Name a new file, or delete that one first.")
    if not file.parent.is_dir():
        raise Problem(f"There is no folder {file.parent}. Make it first.")
    if not printable(opened.house.school.name):
        raise Problem("The school's name has letters that cannot be printed here.")


async def _print(opened: Opened, asked: Asked, file: Path, made: list[Made], now: datetime) -> None:
    """A file only its owner can read."""
    from bot.cli.links import known_bot_name
    from bot.invitations import last_day
    from bot.papers.slips import letters_pdf
    from data.vault import write_private

    async with opened.db.reading() as tx:
        name = await known_bot_name(tx)
    write_private(file, letters_pdf(opened.house, name, made, last_day(opened.house, now, asked.days)))
