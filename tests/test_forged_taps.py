"""Forged, foreign and mangled buttons change nothing (trust B1): the whole database is compared before and after."""

from __future__ import annotations

import hashlib
import random
import string

from sqlalchemy import select

from data.tables import metadata
from tests.school import School
from tests.test_dialogue import SURVEY, send

TRIES = 1500
ROLES = ("parent", "governor", "office", "chair", "dsl")  # none of them may send or close


async def fingerprint(school: School) -> str:
    """A hash over every row of every table but the notes on deliveries."""
    digest = hashlib.sha256()
    async with school.db.reading() as tx:
        for table in metadata.sorted_tables:
            rows = sorted(str(tuple(row)) for row in await tx.all(select(table)))
            digest.update(f"{table.name}{rows}".encode())
    return digest.hexdigest()


def mangled(dice: random.Random, real: list[str]) -> str:
    """A button nobody was shown: noise, a real one with a letter changed, or parts of several."""
    kind = dice.randrange(4)
    if kind == 0:
        return "".join(dice.choice(string.printable) for _ in range(dice.randrange(0, 80)))
    if kind == 1:
        one = dice.choice(real)
        at = dice.randrange(len(one))
        return one[:at] + dice.choice(string.ascii_lowercase + string.digits + ":.+-=") + one[at + 1 :]
    if kind == 2:
        run, step, key = (dice.choice(real).split(":") * 3)[:3]
        return f"{run}:{dice.randrange(-5, 500)}:{dice.choice([key, step, '.send', '.throw', '+easy', 'very-well'])}"
    about = dice.choice([SURVEY, "../x", "send", "yes", "xx", "close"])
    return f"{dice.choice(['o', 'c', 'j', 'l', 'close', 'later'])}={about}"


async def test_forged_taps_change_nothing(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    await send(school)
    victim = school.on(parents[0])
    victim.reply = await victim.forges(f"o={SURVEY}")
    await victim.taps("Yes, start", "Very well")
    real = [b.says for m in victim.messages for b in m.buttons]
    strangers = [school.on(await school.person(role, group="Year 3 parents")) for role in ROLES]
    dice = random.Random(11)
    before = await fingerprint(school)
    for _ in range(TRIES):
        reply = await dice.choice(strangers).forges(mangled(dice, real))
        assert all("rror" not in m.text for m in reply.messages)
    assert await fingerprint(school) == before


async def test_wrong_and_not_yours_get_the_same_answer(school: School) -> None:
    """No difference in words between a button that never was and somebody else's."""
    await school.readers()
    parents = await school.people(12)
    await send(school)
    victim, other = school.on(parents[0]), school.on(parents[1])
    victim.reply = await victim.forges(f"o={SURVEY}")
    foreign = await other.forges(victim.button("Yes, start").says)
    made_up = await other.forges("000000000000:1:.start")
    assert [m.as_text() for m in foreign.messages] == [m.as_text() for m in made_up.messages]
