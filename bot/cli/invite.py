"""`yousaid invite`: codes for people who are to join, and letters with them to print."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from conversations.roles import INVITED

if TYPE_CHECKING:
    from datetime import datetime

    from bot.house import Opened


@dataclass(frozen=True)
class Asked:
    """What the command was asked for. `group` is a name first and then the group's id."""

    role: str
    group: str | None
    family: str = field(repr=False)
    language: str | None
    uses: int
    days: int
    count: int | None
    families: Path | None
    letters: Path | None

    @property
    def numbered(self) -> bool:
        """Whether each code is one of a group's numbered letters, printed or not."""
        return self.role == "parent" and self.uses == 1 and (self.group is not None or self.families is not None)


def invite(
    role: str = typer.Option(..., "--role", help=f"One of: {', '.join(INVITED)}."),
    group: str | None = typer.Option(None, "--group", help="The group they join; its name as in school.yaml."),
    family: str = typer.Option("", "--family", help="What staff will see: a family's label, or a name."),
    language: str | None = typer.Option(None, "--language", help="The language they are greeted in, such as en."),
    uses: int = typer.Option(1, "--uses", min=1, max=1000, help="How many people may use each code."),
    days: int = typer.Option(14, "--days", min=1, max=366, help="How many days the codes are good for."),
    count: int | None = typer.Option(None, "--count", min=1, max=1000, help="How many codes to make; 1 unless told."),
    csv: Path | None = typer.Option(None, "--csv", help="A list of families: family, group, language; no UPNs."),
    letters: Path | None = typer.Option(None, "--letters", help="The PDF to write: a letter for each parent's code."),
) -> None:
    """Make invitation codes: first their links, then the bot's two words for each, then each code alone on a line."""
    from bot.cli.opening import now_utc, with_school

    asked = Asked(role, group, family.strip(), language, uses, days, count, csv, letters)
    _check(asked)

    async def made(opened: Opened) -> list[str]:
        _check_age(opened, role)
        return await _made(opened, await _found(opened, asked), now_utc())

    typer.echo("\n".join(with_school(made)))


# --- what cannot be asked for -------------------------------------------------------------------------------------


def _check(asked: Asked) -> None:
    from bot.cli.one_line import Problem

    if asked.role not in INVITED:
        raise Problem(f"There is no role {asked.role} to invite. The roles are: {', '.join(INVITED)}.")
    named = [name for name, given in _in_the_list(asked).items() if given]
    if asked.families and named:
        raise Problem(f"The list names the families itself: leave out {' and '.join(named)}.")
    if (asked.families or asked.letters) and asked.role != "parent":
        raise Problem("Lists and letters are for families: use --role parent.")
    if (asked.families or asked.letters) and asked.uses != 1:
        raise Problem("A letter is for one adult: leave out --uses.")
    if asked.letters and not asked.numbered:
        raise Problem("Letters are numbered by group: add --group NAME, or --csv FILE.")


def _in_the_list(asked: Asked) -> dict[str, bool]:
    return {
        "--group": asked.group is not None,
        "--family": bool(asked.family),
        "--language": asked.language is not None,
        "--count": asked.count is not None,
    }


def _check_age(opened: Opened, role: str) -> None:
    """Young people's own accounts are off unless the school lets them (AGE-1)."""
    from bot.cli.one_line import Problem

    if role == "young-person" and not opened.house.school.young_people:
        raise Problem("Young people's own accounts are off. Set `young_people: on` in school.yaml and run setup again.")


async def _found(opened: Opened, asked: Asked) -> Asked:
    """The same with the group's id and a language there is."""
    from bot.cli.one_line import Problem
    from bot.families import LONGEST_LABEL, never_kept

    family = " ".join(asked.family.split())
    if key := never_kept(family) or ("families.long" if len(family) > LONGEST_LABEL else None):
        raise Problem(opened.house.say("en", key))
    group, language = await _group(opened, asked.group), _language(opened, asked.language)
    return replace(asked, family=family, group=group, language=language)


async def _group(opened: Opened, name: str | None) -> str | None:
    from bot.cli.opening import group_named

    if name is None:
        return None
    async with opened.db.reading() as tx:
        return await group_named(tx, name)


def _language(opened: Opened, wanted: str | None) -> str:
    from bot.cli.one_line import Problem

    offered = list(opened.house.school.languages)
    if wanted is None:
        return offered[0]
    if wanted not in offered and wanted not in opened.house.texts.languages:
        raise Problem(f"{wanted} is not one of the school's languages: {', '.join(offered)}. Add it to school.yaml.")
    return wanted


# --- making -------------------------------------------------------------------------------------------------------


async def _made(opened: Opened, asked: Asked, now: datetime) -> list[str]:
    """The lines to print; with --letters the PDF is written before them."""
    from bot.cli.invite_letters import make_letters

    if not asked.numbered:
        return await _lines(opened, await _codes(opened, asked, now))
    said, made = await make_letters(opened, asked, now)
    return [*said, *await _lines(opened, {letter.code: letter.words for letter in made})]


async def _codes(opened: Opened, asked: Asked, now: datetime) -> dict[str, tuple[str, str]]:
    """New codes with the two words of each."""
    from bot.proof import proof_words
    from data.audit import COMMAND_LINE, note
    from data.codes import Invitation, make_code

    what = Invitation(asked.role, asked.group, asked.language or "en", asked.family)
    async with opened.db.transaction() as tx:
        until = now + timedelta(days=asked.days)
        await note(tx, "code.made", asked.role, now, COMMAND_LINE, role=asked.role, codes=str(asked.count or 1))
        codes = [await make_code(tx, what, asked.uses, until, now) for _ in range(asked.count or 1)]
    return {code: proof_words(opened.house, opened.db.vault, code, what.language) for code in codes}


async def _lines(opened: Opened, codes: dict[str, tuple[str, str]]) -> list[str]:
    """Links, then the two words the bot says to whoever opens each code (B15), then the codes."""
    from bot.cli.links import deep_links, known_bot_name

    async with opened.db.reading() as tx:
        name = await known_bot_name(tx)
    links = [link for code in codes for link in deep_links(code, name, opened.house.web_address)]
    words = [f"{code}: {first} and {second}" for code, (first, second) in codes.items()]
    local = [] if opened.house.public else ["Web links open only on the school's machine (set YOUSAID_PUBLIC_URL)."]
    return [*local, *links, "", "Tell each person the two words that the bot shows first:", *words, "", *codes]
