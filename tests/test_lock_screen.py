"""What comes unasked is one neutral line: no name and no need on a lock screen (FAIL-3, FAIL-7, B17).

The kinds of letters are read from the code that posts them, so that a new kind is looked at from its first day.
"""

from __future__ import annotations

import ast
import importlib
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.errands.send import default_sending, send_survey
from conversations.channel import Message
from conversations.library import bundled_forms
from data.audit import note
from data.bookings import COMING, Booking, book
from data.codes import START, Invitation, make_code
from data.database import Tx
from data.events import cancel_occasion
from data.keeping import WARNED
from data.moments import new_id
from data.outbox import NORMAL, Letter
from data.people import add_person, find_group, members, people_with_role
from data.pools import ask_again, open_pool, questions_after
from data.requests import ask_to_talk
from data.surveys import mark_closed
from data.tables import metadata, people
from data.wedid import add_row, new_row, publish
from data.wishes import wish
from tests.event_days import add_dropin, add_meeting, add_slots
from tests.phones import Phone
from tests.school import School, opened
from tests.test_accounts import colleague, makes
from tests.test_devices import device_code

ROOT = Path(__file__).parent.parent
NAMES = {
    "senco": "Zara Patel", "dsl": "Zoltan Okafor", "deputy_dsl": "Zelda Lee", "head": "Zadie Ahmed",
    "chair": "Zeb Jones",
}  # fmt: skip
GROUPS = ["Zebra class autism", "SEND parents", "Year 3 parents", "Year 4 parents"]
NEEDS = re.compile(
    r"\b(send|senco|sen|need|needs|autis\w*|adhd|ehc\w*|plan|safeguard\w*|danger|concern\w*|abuse|worr\w*|child|pupil"
    r"|dsl|z\w+)\b",
    re.IGNORECASE,
)
ENOUGH = 4  # letters of a kind that are looked at
STOPS = "Stop messages like this"  # stands under all that people choose to hear of (S13)
MOST = 160  # letters of a line that can be read at a glance


def posted_kinds() -> set[str]:
    """Every kind of letter that any code posts or makes."""
    files = [path for folder in ("bot", "scheduler", "data") for path in (ROOT / folder).rglob("*.py")]
    return {kind for path in files for kind in _posted(path)}


def _posted(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
            told = isinstance(node.args[1], (ast.Constant, ast.Name))  # else it is read from a row, not made
            if node.func.id in ("post", "Letter") and told:
                yield _value(node.args[1], path)


def _value(argument: ast.expr, path: Path) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return str(getattr(module, ast.unparse(argument)))


# --- a school in which every kind can be posted -------------------------------------------------------------------


async def _lived_in(school: School) -> None:
    """Parents on two phones, a code that waits for a yes, questions, a drop-in, a cry for help."""
    senco = await colleague(school, "senco", "1", "Zara Patel")
    await colleague(school, "head", "2", "Zadie Ahmed")
    await school.readers()
    await school.people(10)
    await makes(senco, name="Zelda Lee")
    parent = Phone(school, "3")
    async with school.db.transaction() as tx:
        group = await find_group(tx, GROUPS[0]) or ""
        ends = school.clock.now + timedelta(days=14)
        code = await make_code(tx, Invitation("parent", group, "en", "Zuleika's family"), 1, ends, school.clock.now)
        at = school.clock.now + timedelta(days=1)
        await add_dropin(tx, group, at, "Zebra room, autism base", school.clock.now)
        await _was_there(tx, school, group)
        for nth, form in enumerate(bundled_forms().values()):
            everybody = await find_group(tx, "SEND parents") or ""
            sending = default_sending(school.house, form, everybody, school.clock.now.date())
            half = school.clock.now - nth // 2 * timedelta(days=70)  # two consultations a half term, not more
            sent = await send_survey(tx, school.house, sending, half)
        await mark_closed(tx, sent.id, "closed", school.clock.now.date(), 0, 0)
        await add_row(tx, new_row(sent.id, "Zoo", answer="did", words="Zoos", who="the SENCO"))  # waits for a look
        told = new_row(sent.id, "Zip", answer="did", words="Zips", who="the SENCO")
        await add_row(tx, told)
        await publish(tx, told, "somebody", school.clock.now.date())
        await note(tx, WARNED, sent.id, school.clock.now)  # as if its answers under a name were about to go
    await parent.opens(code)
    await Phone(school, "4").opens(await device_code(parent))
    await _events(school, group)
    await parent.types("my uncle hurts me")


async def _events(school: School, group: str) -> None:
    """Places taken and called off, charity for those who chose it, and a pupil who asks for an adult."""
    at, now = school.clock.now + timedelta(days=2), school.clock.now
    async with school.db.transaction() as tx:
        family = (await members(tx, group))[0]
        await wish(tx, family, "charity")
        await add_meeting(tx, group, at, kind="charity", title="Zebra fund for autism")
        dropin = await add_slots(tx, group, at, 3, place="Zebra room, autism base")
        await book(tx, dropin, Booking(new_id(), dropin.id, family, COMING, slot=1, made_at=now))
        off, *_ = await add_meeting(tx, group, at, title="SEND coffee")
        await cancel_occasion(tx, off, now, "Ms Patel is ill")
        pupil, adult = await add_person(tx, "en", "Zack", now), (await people_with_role(tx, "senco"))[0]
        await ask_to_talk(tx, pupil, adult, now)


async def _was_there(tx: Tx, school: School, group: str) -> None:
    """Somebody came to something that is over, so that its questions are there to be opened."""
    over = await add_dropin(tx, group, school.clock.now - timedelta(hours=3), "Zebra room", school.clock.now)
    pool = await open_pool(
        tx, await questions_after(tx, over.event), "Zadie Ahmed", school.clock.now + timedelta(days=30),
        school.clock.now.date(), school.clock.now.date(),
    )  # fmt: skip
    for person in (await tx.all(select(people)))[:ENOUGH]:
        await ask_again(tx, pool, person.id, school.clock.now)


async def _messages(school: School, kind: str) -> list[Message]:
    """What letters of this kind say, about whatever they can be about."""
    async with school.db.reading() as tx:
        keys = [c for table in metadata.sorted_tables for c in table.c if c.primary_key or c.foreign_keys]
        cells = {key for column in keys for (key,) in await tx.all(select(column)) if isinstance(key, str)}
        everybody = [row.id for row in await tx.all(select(people))]
    refs = sorted(cells | {cell[:START] for cell in cells} | {f"{school.clock.now:%Y-%m-%d}"})
    tries = list(product(everybody, refs))
    random.Random(1).shuffle(tries)
    found: list[Message] = []
    for person, ref in tries:
        message = await school.letters.compose(Letter(1, kind, ref, person, NORMAL, 0), school.clock.now)
        found += [message] if message else []
        if len(found) == ENOUGH:
            break
    return found


@pytest.mark.parametrize("kind", sorted(posted_kinds()))
async def test_a_letter_is_one_neutral_line(tmp_path: Path, kind: str) -> None:
    """FAIL-7, B17: no name, no need, no group, nothing to scroll; who asks and what about follow the tap."""
    async with opened(tmp_path, people=NAMES, groups=GROUPS) as school:
        await _lived_in(school)
        messages = await _messages(school, kind)
    assert messages, f"no letter of kind {kind!r} could be made: let something of it happen in _lived_in"
    for message in messages:
        said = message.as_text()
        assert "\n" not in said
        assert 0 < len(said) <= MOST, said
        assert not NEEDS.findall(said), said
        assert not message.picture
        assert not message.file
        assert not any(NEEDS.findall(button.label) for button in message.buttons)
        assert len([b for b in message.buttons if b.label != STOPS]) <= 1


def test_the_kinds_are_found() -> None:
    """If letters came to be posted in another way, this file would look at nothing."""
    assert {"invitation", "reminder", "alert", "told", "test-alert", "ended"} <= posted_kinds()
