"""Words that people agree to, or are promised by, carry a version: it must grow when they change (6.2, 6.3)."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from sqlalchemy import select

from conversations.texts import load_texts
from data.people import CONSENT_WORDING
from data.periods import Keeping
from data.tables import people
from tests.browser.plain import NewBrowser
from tests.school import School

PHRASES = load_texts().phrases["en"]
JOINING = ("join.title", "join.text", "join.words", "join.telegram", "join.privacy", "join.ask")
# version -> hash of the words. A new version gets a new line; an old line is never changed.
NOTICES = {1: "3e789ce367064830"}
CONSENTS = {2: "44e786b35ccca1e6"}


def hash_of(words: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def notice() -> dict[str, object]:
    return {k: v for k, v in PHRASES.items() if k.startswith("privacy.") and k != "privacy.version"}


def test_the_notice_has_a_new_version_when_its_words_change() -> None:
    """If this fails: write a new version and date into privacy.version, and its hash here."""
    said = re.fullmatch(r"Version (\d+) of \d{1,2} [A-Z][a-z]+ 20\d\d\.", str(PHRASES["privacy.version"]))
    assert said
    assert int(said[1]) == max(NOTICES)
    assert NOTICES[int(said[1])] == hash_of(notice())


def test_consent_has_a_new_version_when_the_words_of_joining_change() -> None:
    """If this fails: raise CONSENT_WORDING (data/people.py), and write its hash here."""
    assert max(CONSENTS) == CONSENT_WORDING
    assert CONSENTS[CONSENT_WORDING] == hash_of({key: PHRASES[key] for key in JOINING})


def test_a_changed_word_is_noticed() -> None:
    assert hash_of(notice()) != hash_of(notice() | {"privacy.decides": "Telegram decides."})


@pytest.mark.parametrize("name", Keeping.model_fields)
def test_every_period_has_its_line_in_the_notice(name: str) -> None:
    """ICO standard 6: what is promised is generated from what is done."""
    assert "{period}" in str(PHRASES[f"privacy.period.{name.replace('_', '-')}"])


async def test_consent_is_recorded_once_at_joining(school: School, browsers: NewBrowser) -> None:
    """6.2: time, version of the words and language; a second code changes none of it."""
    browser = browsers()
    await browser.open(f"/join/{await school.code('parent', 'SEND parents')}")
    await browser.press("Yes, start")
    at = school.clock.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    school.clock.move(days=3)
    await browser.open(f"/join/{await school.code('governor')}")
    await browser.press("Yes, start")
    async with school.db.reading() as tx:
        rows = await tx.all(select(people.c.consent_at, people.c.consent_wording, people.c.consent_language))
    assert [tuple(r) for r in rows] == [(at, CONSENT_WORDING, "en")]
