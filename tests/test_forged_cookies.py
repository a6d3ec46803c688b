"""Forged session cookies open nothing and change nothing, whoever is logged in elsewhere (trust A4.5)."""

from __future__ import annotations

import base64
import random
import secrets
import string

from data.queue import add_item
from tests.browser.plain import SITE, NewBrowser
from tests.school import School
from tests.test_second_factor import cookie
from tests.test_telegram_attacks import contents
from tests.test_web_channel import naps, signed_in

__all__ = ["naps"]  # a fixture

TRIES = 1500
WORDS = "words only readers see"
PATHS = ("/me", "/queue", "/people", "/results", "/me/version", "/me/file/0")
LETTERS = string.ascii_letters + string.digits + "-_"


def forged(dice: random.Random, real: list[str]) -> str:
    """A cookie that nobody was given: random, a real one changed by a letter, parts of several, or something odd."""
    one = dice.choice(real)
    kind = dice.randrange(6)
    if kind == 0:
        return secrets.token_urlsafe(32)
    if kind == 1:
        at = dice.randrange(len(one))
        return one[:at] + dice.choice([c for c in LETTERS if c != one[at]]) + one[at + 1 :]
    if kind == 2:
        return one[: dice.randrange(len(one))] + dice.choice(["", "=", "%00", "A", "."])
    if kind == 3:
        other = dice.choice([r for r in real if r != one])
        half = len(one) // 2
        return one[:half] + other[half:]
    if kind == 4:
        return dice.choice([one.swapcase(), one[::-1], base64.b64encode(one.encode()).decode(), one + one, f'{one}"x'])
    return dice.choice(["", "null", "true", "0", "' OR 1=1 --", "../../key", "%27", "x" * 8000, "[]", "é", "\x7f"])


async def test_forged_cookies_are_strangers(school: School, browsers: NewBrowser) -> None:
    """1,500 of them, beside the real sessions of a SENCO, an admin and a parent."""
    people = [await school.person(role) for role in ("senco", "admin", "parent")]
    real = [cookie(await signed_in(school, browsers(), person)) for person in people]
    async with school.db.transaction() as tx:
        await add_item(tx, "flagged", school.clock.now, WORDS)
    before, dice, visitor = await contents(school), random.Random(3), browsers()
    for _ in range(TRIES):
        value = forged(dice, real).encode("utf-8", "ignore")
        answer = await visitor.http.get(f"{SITE}{dice.choice(PATHS)}", headers={b"cookie": b"yousaid=" + value})
        visitor.http.cookies.clear()
        assert answer.status_code < 500
        assert "Menu" not in answer.text
        assert WORDS not in answer.text
    assert await contents(school) == before
