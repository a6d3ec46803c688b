"""What every command does first: read the settings, open the school, and close it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from bot.facts import House
    from bot.house import Opened
    from bot.settings import Settings
    from data.database import Tx
    from data.surveys import Survey

Result = TypeVar("Result")


def now_utc() -> datetime:
    return datetime.now(UTC)


def today_at(house: House, now: datetime) -> date:
    return now.astimezone(house.school.zone).date()


def settings_now() -> Settings:
    from bot.settings import read_settings

    return read_settings()


def with_school(work: Callable[[Opened], Awaitable[Result]]) -> Result:
    """The result of this work on the open school; known problems come out as one line."""

    async def opened() -> Result:
        from bot.house import opened_school

        async with opened_school(settings_now()) as school:
            return await work(school)

    return asyncio.run(opened())


async def survey_named(tx: Tx, id: str) -> Survey:
    """The survey of this id, or the latest of this form; a Problem names what there is."""
    from bot.cli.one_line import Problem
    from data.surveys import all_surveys, find_survey

    found = await find_survey(tx, id)
    if found:
        return found
    ids = [s.id for s in await all_surveys(tx)]
    there = f"There are: {', '.join(ids[:20])}." if ids else "None was sent yet: `yousaid send FORM --group NAME`."
    raise Problem(f"There is no survey {id}. {there}")


async def person_called(tx: Tx, label: str) -> str:
    """The id of the one person of this label. Problems do not repeat it.

    Two parents of a child often share theirs: each is told by letter and day, so that neither is taken for the other.
    """
    from bot.cli.one_line import Problem
    from data.people import all_groups, people_called

    ids = await people_called(tx, label)
    if len(ids) == 1:
        return ids[0]
    if ids:
        groups = await all_groups(tx)
        each = "; ".join([await _told_apart(tx, id, groups) for id in ids])
        raise Problem(f"{len(ids)} people have this label. Make sure which of them asked, then use --person: {each}.")
    if n := await _left_behind(tx, label):
        raise Problem(f"They are deleted. Of their words, {n} still wait on the page of /queue, and go after that.")
    raise Problem("Nobody has this label. Look at the page /people for its spelling, or use --person.")


async def _told_apart(tx: Tx, person: str, groups: dict[str, str]) -> str:
    from data.codes import codes_used_by

    slips = [slip for slip in await codes_used_by(tx, person) if slip.invitation.device_of is None]
    letters = [f"{groups.get(s.invitation.group or '', '')} {s.invitation.slip}" for s in slips if s.invitation.slip]
    days = [f"joined {slip.used_at.date().isoformat()}" for slip in slips[:1] if slip.used_at]
    known = ", ".join([*(f"letter {letter}" for letter in letters), *days])
    return f"{person} ({known})" if known else person


async def _left_behind(tx: Tx, label: str) -> int:
    """How much of somebody who was deleted had to stay for a while."""
    from data.queue import all_items

    name = label.strip().casefold()
    items = [item for item in await all_items(tx) if name and item.who.casefold().startswith(name)]
    return len([item for item in items if item.person and await _is_gone(tx, item.person)])


async def _is_gone(tx: Tx, person: str) -> bool:
    from data.erasing import is_erased
    from data.people import find_person

    return await find_person(tx, person) is None or await is_erased(tx, person) is not None


async def group_named(tx: Tx, name: str) -> str:
    """The id of this group; a Problem names the groups otherwise."""
    from bot.cli.one_line import Problem
    from data.people import all_groups, find_group

    found = await find_group(tx, name)
    if found is None:
        names = ", ".join((await all_groups(tx)).values())
        raise Problem(f"There is no group {name}. The groups are: {names}.")
    return found
