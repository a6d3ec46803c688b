"""Forged, foreign and mangled buttons change nothing (trust B1): the whole database is compared before and after."""

from __future__ import annotations

import pytest

from bot.said import Tap
from conversations.roles import FAMILY_ROLES, ROLES, may
from tests.forgery import KINDS, PLACES, POWERS, attack, busy, forms
from tests.school import School
from tests.test_dialogue import SURVEY, send

TRIES, SEEDS = 2500, range(4)  # 10,000; `make bench` row B1 makes 100,000


@pytest.mark.parametrize("seed", SEEDS)
async def test_forged_taps_change_nothing(school: School, seed: int) -> None:
    """B1: all forms, all roles, all kinds of buttons, victims at every place; 0 changes, 0 foreign words."""
    made = await busy(school)
    assert await attack(made, TRIES, seed) == []
    places = {tap[1].key for says in made.shown if (tap := Tap(says).of_run())}
    assert {".start", ".go-on", ".send", ".quote", ".throw", ".cancel", "+a"} <= places
    assert len(made.victims) == len(forms()) * 2 * len(PLACES) + len(ROLES)


def test_every_kind_of_button_is_forged() -> None:
    """B1: the kinds are read from the code that takes them apart."""
    assert {"o", "c", "j", "l", "close", "later"} <= set(KINDS)
    assert {r for r in ROLES if not any(may({r}, power) for power in POWERS)} >= {*FAMILY_ROLES, "governor"}
    assert all(Tap(f"{kind}=x").asked() == (kind, "x") for kind in KINDS)


async def test_wrong_and_not_yours_get_the_same_answer(school: School) -> None:
    """B1: no difference in words between a button that never was and somebody else's."""
    await school.readers()
    parents = await school.people(12)
    await send(school)
    victim, other = school.on(parents[0]), school.on(parents[1])
    victim.reply = await victim.forges(f"o={SURVEY}")
    foreign = await other.forges(victim.button("Yes, start").says)
    made_up = await other.forges("000000000000:1:.start")
    assert [m.as_text() for m in foreign.messages] == [m.as_text() for m in made_up.messages]
