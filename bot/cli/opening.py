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


async def group_named(tx: Tx, name: str) -> str:
    """The id of this group; a Problem names the groups otherwise."""
    from bot.cli.one_line import Problem
    from data.people import all_groups, find_group

    found = await find_group(tx, name)
    if found is None:
        names = ", ".join((await all_groups(tx)).values())
        raise Problem(f"There is no group {name}. The groups are: {names}.")
    return found
