"""Letters with codes: who is invited, the code and the two words of each letter, and a new code for a lost one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from bot.facts import House
from bot.families import FamiliesProblem, Family, read_families, text_of
from bot.proof import proof_words
from data.audit import COMMAND_LINE, note
from data.codes import Invitation, Slip, make_code, next_slip, replace_code
from data.database import Tx
from data.people import all_groups

__all__ = [
    "FamiliesProblem", "Family", "Made", "good_until", "invite_count", "invite_families", "last_day", "read_families",
    "reissue", "text_of",
]  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A letter that can be printed: only now is its code known. `number` is its number in its group."""

    code: str = field(repr=False)
    words: tuple[str, str] = field(repr=False)
    label: str = field(repr=False)
    group_name: str
    language: str
    number: int


def last_day(house: House, now: datetime, days: int = 14) -> date:
    """The date a letter made now names: its code is good to the end of that day."""
    return now.astimezone(house.school.zone).date() + timedelta(days=days)


def good_until(house: House, now: datetime, days: int = 14) -> datetime:
    """The midnight after the last day."""
    after = last_day(house, now, days) + timedelta(days=1)
    return datetime.combine(after, time(), house.school.zone).astimezone(UTC)


async def invite_families(
    tx: Tx, house: House, families: Sequence[Family], made_by: str, now: datetime, days: int = 14
) -> list[Made]:
    """A code for each, in this order; each group goes on with its own numbers. `made_by` is "" on the command line."""
    for group, n in Counter(family.group for family in families).items():
        await note(tx, "letters.made", group, now, made_by or COMMAND_LINE, letters=str(n))
    names, until = await all_groups(tx), good_until(house, now, days)
    numbers = {group: await next_slip(tx, group) for group in {family.group for family in families}}
    made = []
    for family in families:
        number = numbers[family.group]
        numbers[family.group] += 1
        what = Invitation("parent", family.group, family.language, family.label, family.children)
        code = await make_code(tx, replace(what, made_by=made_by, slip=number), 1, until, now)
        made.append(_made(tx, house, code, what, names.get(family.group, ""), number))
    return made


async def invite_count(
    tx: Tx, house: House, group: str, count: int, language: str, made_by: str, now: datetime, days: int = 14
) -> list[Made]:
    """So many letters for this group that name nobody."""
    return await invite_families(tx, house, [Family("", group, language)] * count, made_by, now, days)


async def reissue(tx: Tx, house: House, slip: Slip, made_by: str, now: datetime, days: int = 14) -> Made:
    """The same letter with a new code; the old one opens nothing from now on."""
    group = slip.invitation.group
    number = slip.invitation.slip or await next_slip(tx, group)
    what = replace(slip.invitation, made_by=made_by, slip=number)
    await note(tx, "letter.made-again", slip.hash, now, made_by or COMMAND_LINE)
    code = await replace_code(tx, replace(slip, invitation=what), good_until(house, now, days), now)
    return _made(tx, house, code, what, (await all_groups(tx)).get(group or "", ""), number)


def _made(tx: Tx, house: House, code: str, what: Invitation, group_name: str, number: int) -> Made:
    words = proof_words(house, tx.vault, code, what.language)
    return Made(code, words, what.label, group_name, what.language, number)
