"""`yousaid invite`: codes for people who are to join."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from conversations.roles import INVITED

if TYPE_CHECKING:
    from bot.house import Opened
    from data.codes import Invitation


def invite(
    role: str = typer.Option(..., "--role", help=f"One of: {', '.join(INVITED)}."),
    group: str | None = typer.Option(None, "--group", help="The group they join; its name as in school.yaml."),
    family: str = typer.Option("", "--family", help="What staff will see: a family's label, or a name."),
    language: str | None = typer.Option(None, "--language", help="The language they are greeted in, such as en."),
    uses: int = typer.Option(1, "--uses", min=1, max=1000, help="How many people may use each code."),
    days: int = typer.Option(14, "--days", min=1, max=366, help="How many days the codes are good for."),
    count: int = typer.Option(1, "--count", min=1, max=1000, help="How many codes to make."),
) -> None:
    """Make invitation codes: first their links, then each code alone on a line."""
    from bot.cli.opening import with_school

    _check_role(role)

    async def made(opened: Opened) -> list[str]:
        from data.codes import Invitation

        _check_age(opened, role)
        what = Invitation(role, await _group(opened, group), _language(opened, language), family.strip())
        return await _make(opened, what, uses, days, count)

    typer.echo("\n".join(with_school(made)))


def _check_role(role: str) -> None:
    from bot.cli.one_line import Problem

    if role not in INVITED:
        raise Problem(f"There is no role {role} to invite. The roles are: {', '.join(INVITED)}.")


def _check_age(opened: Opened, role: str) -> None:
    """Young people's own accounts are off unless the school lets them (AGE-1)."""
    from bot.cli.one_line import Problem

    if role == "young-person" and not opened.house.school.young_people:
        raise Problem("Young people's own accounts are off. Set `young_people: on` in school.yaml and run setup again.")


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


async def _make(opened: Opened, what: Invitation, uses: int, days: int, count: int) -> list[str]:
    """The lines to print: links first, then the codes."""
    from bot.cli.links import deep_links, known_bot_name
    from bot.cli.opening import now_utc
    from data.codes import make_code

    async with opened.db.transaction() as tx:
        name = await known_bot_name(tx)
        until = now_utc() + timedelta(days=days)
        codes = [await make_code(tx, what, uses, until) for _ in range(count)]
    links = [link for code in codes for link in deep_links(code, name, opened.house.web_address)]
    local = [] if opened.house.public else ["Web links open only on the school's machine (set YOUSAID_PUBLIC_URL)."]
    return [*local, *links, "", *codes]
