"""docs/what-people-are-told.md: what stands on the screen before question 1, in every mode, for adults and pupils."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.facts import House
from conversations.asking import intro_screen
from conversations.engine import start
from conversations.form import Form, read_form
from conversations.secrecy import promises_secrecy
from conversations.texts import load_texts
from data.school import check_school
from data.surveys import Survey
from tests.school import ELMFIELD

PAGE = Path(__file__).parent.parent / "docs" / "what-people-are-told.md"
TEXTS = load_texts()
HOUSE = House(check_school(ELMFIELD, "school.yaml"), TEXTS)
AT = datetime(2026, 11, 16, 18, 0, tzinfo=UTC)
CHOICES = "choices: [{id: good, label: {en: Good}}, {id: hard, label: {en: Hard}}]"
WORDS = "  - {id: day.2, type: text, text: {en: What should change?}}"
MODES = {
    "ANON": "Without names",
    "CONF": "With a key: few may look who it was, and only for a time",
    "NAMED": "With the name, for a child's papers",
}
AUDIENCES = {"parents": "Adults", "pupils": "Pupils"}


def form_of(mode: str, audience: str) -> Form:
    """Two questions; pupils are never asked for words without names, and have one."""
    words = "" if (mode, audience) == ("ANON", "pupils") else f"\n{WORDS}"
    raw = (
        f"id: the-day\nversion: 1\nmode: {mode}\naudience: {audience}\ntitle: {{en: Your day at school}}\n"
        f"intro: {{en: We ask about the day at school.}}\nquestions:\n"
        f"  - {{id: day.1, type: one, text: {{en: How is the day?}}, {CHOICES}}}{words}\n"
    )
    return read_form(raw, "day.yaml")


def screen(mode: str, audience: str) -> str:
    """Exactly what is on the screen, with its buttons."""
    form = form_of(mode, audience)
    survey = Survey(
        "the-day-1", 1, form, mode, decision="what we change in the school day", decider="Mrs Ahmed",
        closes_at=AT, answer_by=date(2026, 11, 30),
    )  # fmt: skip
    shown = intro_screen(form, start(form).state, HOUSE.setting(survey, "a" * 12, "en"))
    return "\n".join([shown.as_text(), "", " ".join(f"[{b.label}]" for b in shown.buttons)])


def as_page() -> str:
    lines = [
        "# What people are told before question 1",
        "",
        "Made by a test from the program's own words (`tests/test_what_people_are_told.py`), for an invented school.",
        "Who is named follows from the table of roles, and how long from the school's settings (`keeping:`).",
        "",
    ]
    for mode, meaning in MODES.items():
        lines += [f"## {mode}: {meaning}", ""]
        for audience, name in AUDIENCES.items():
            quoted = [f"> {line}".rstrip() for line in screen(mode, audience).split("\n")]
            lines += [f"### {name}", "", *quoted, ""]
    return "\n".join(lines)


def test_the_page_in_the_docs_is_true(request: pytest.FixtureRequest) -> None:
    """Domain 6.4, X2"""
    if request.config.getoption("--update-transcripts"):
        PAGE.write_text(as_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == as_page()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_no_screen_promises_secrecy_and_each_says_what_must_be_passed_on(mode: str, audience: str) -> None:
    """SAFE-2"""
    shown = screen(mode, audience)
    for line in shown.splitlines():
        assert not promises_secrecy(line), line
    assert "Mr Okafor" in shown
    assert "{" not in shown


def test_each_mode_says_its_own_and_nothing_of_the_others() -> None:
    """Domain 6.4: the plain words of the table."""
    own = {"ANON": "closed box", "CONF": "can see who you are", "NAMED": "papers, with your name"}
    for mode in MODES:
        shown = screen(mode, "parents")
        assert [m for m, words in own.items() if words in shown] == [mode]
    assert "We do not keep your name with your answers." in screen("ANON", "pupils")
