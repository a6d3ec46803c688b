"""X2: what the first screen and /whoreads say about readers is worked out from the roles, so it cannot be untrue."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.facts import House
from conversations.asking import Setting, intro_screen, question_screen, who_reads
from conversations.engine import start
from conversations.form import Form, read_form
from conversations.readers import queue_readers, readers_of
from conversations.roles import MAY, STAFF_ROLES
from conversations.texts import load_texts
from data.school import check_school
from data.surveys import Survey
from tests.school import ELMFIELD, School
from tests.test_dialogue import SURVEY, send
from tests.test_quoting import BUS

pytestmark = pytest.mark.both_databases

TEXTS = load_texts()
HOUSE = House(check_school(ELMFIELD, "school.yaml"), TEXTS)
MODES = ("ANON", "CONF", "NAMED")
SEEING = ("names", "answers", "records", "queue-all", "queue", "summary", "export")
AT = datetime(2026, 11, 16, 18, 0, tzinfo=UTC)
OTHERS = {"parents": "Other staff see totals only.", "pupils": "Other grown-ups only see numbers."}


def form_of(mode: str, words: bool = True, audience: str = "parents") -> Form:
    raw = BUS if words else BUS[: BUS.index("  - {id: bus.2")]
    return read_form(raw.replace("CONF", mode).replace("audience: parents", f"audience: {audience}"), "bus.yaml")


def setting(form: Form, house: House = HOUSE) -> Setting:
    survey = Survey(f"{form.id}-1", 1, form, form.mode, decider="Mrs Ahmed", closes_at=AT, answer_by=date(2026, 11, 30))
    return house.setting(survey, "a" * 12, "en")


def called(role: str, plain: bool = False) -> str:
    """How the role is named in a sentence."""
    name = HOUSE.staff_names.get(role)
    if name:
        return name if plain else f"{name} ({TEXTS.say('en', f'role.{role}')})"
    return TEXTS.say("en", f"reader.{role}")


tables = st.fixed_dictionaries({a: st.frozensets(st.sampled_from(STAFF_ROLES)) for a in SEEING})


def kinds() -> Iterator[tuple[str, bool, str]]:
    for mode, words, audience in itertools.product(MODES, (True, False), ("parents", "pupils")):
        if (mode, words, audience) != ("ANON", True, "pupils"):  # such a form cannot be made
            yield mode, words, audience


def names_in(may: dict[str, frozenset[str]], mode: str) -> frozenset[str]:
    """Who can come to a name: in CONF by its key, in NAMED by the papers, in both beside words in the queue."""
    return {"ANON": frozenset(), "CONF": may["names"], "NAMED": may["names"] | may["records"]}[mode]


@given(tables, st.sampled_from([*kinds()]))
def test_whoever_may_see_something_is_named_and_nobody_else(
    may: dict[str, frozenset[str]], kind: tuple[str, bool, str]
) -> None:
    mode, words, audience = kind
    with patch.dict(MAY, may):
        form = form_of(*kind)
        told = who_reads(form, setting(form))
    named = {role for role in STAFF_ROLES if called(role, audience == "pupils") in told}
    reads_words = may["queue-all"] if words else frozenset()
    assert named == may["answers"] | reads_words | names_in(may, mode)
    rest = set(STAFF_ROLES) - named
    assert (OTHERS[audience] in told) == bool(rest)


@given(tables, st.sampled_from([*kinds()]))
def test_each_is_named_with_what_they_see_at_most(may: dict[str, frozenset[str]], kind: tuple[str, bool, str]) -> None:
    """Nobody who may learn a name stands under "without names", and nobody stands twice in one list."""
    mode, words, _ = kind
    with patch.dict(MAY, may):
        seen = readers_of(mode, words)
    groups = (seen.names, seen.answers, seen.totals)
    assert len({*itertools.chain(*groups)}) == sum(map(len, groups))
    assert {*seen.names} == names_in(may, mode)
    assert {*seen.answers} == may["answers"] - names_in(may, mode)


@given(tables)
def test_the_queue_is_read_by_those_who_are_named(may: dict[str, frozenset[str]]) -> None:
    with patch.dict(MAY, may):
        everything, sent_on = queue_readers()
    assert {*everything} == may["queue-all"]
    assert {*sent_on} == may["queue"] - may["queue-all"]


@given(tables, st.sampled_from([*kinds()]))
def test_no_list_is_empty_and_no_placeholder_left(may: dict[str, frozenset[str]], kind: tuple[str, bool, str]) -> None:
    with patch.dict(MAY, may):
        form = form_of(*kind)
        told = who_reads(form, setting(form))
    assert not re.search(r"[{}]|(^|\. )(read|can|will|by|and) |  ", told), told


PATEL, OKAFOR, LEE = "Ms Patel (SENCO)", "Mr Okafor (safeguarding lead)", "Mrs Lee (deputy safeguarding lead)"
AHMED = "Mrs Ahmed (head teacher)"


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (
            ("ANON", True),
            f"nobody can tell whose paper is whose. {PATEL}, {AHMED} and the admin read the answers. Your own words "
            f"are first read by {PATEL}, {OKAFOR} and {LEE}. Other staff see totals only. Very few words",
        ),
        (
            ("ANON", False),
            f"{PATEL}, {AHMED} and the admin read the answers. Other staff see totals only. Very few words",
        ),
        (
            ("CONF", True),
            f"{PATEL}, {OKAFOR} and {LEE} can see who you are. They read your own words first. "
            f"{AHMED} and the admin can read answers without names. Other staff see totals only. "
            "3 months after closing, nobody can find out any more who you are.",
        ),
        (
            ("NAMED", True),
            f"This goes in your child's papers, with your name. {PATEL}, {OKAFOR}, {LEE}, {AHMED} and the admin "
            "will read it. "
            f"Your own words are first read by {PATEL}, {OKAFOR} and {LEE}.",
        ),
        (
            ("ANON", False, "pupils"),
            "We do not keep your name with your answers. Ms Patel, Mrs Ahmed and the admin read the answers.",
        ),
        (
            ("CONF", True, "pupils"),
            "Ms Patel, Mr Okafor and Mrs Lee can see who you are. They read your own words first. "
            "Mrs Ahmed and the admin read answers without names. Other grown-ups only see numbers. "
            "3 months after the end, nobody can see who you are.",
        ),
        (
            ("NAMED", True, "staff"),
            f"Your name stays with your answers. {PATEL}, {OKAFOR}, {LEE}, {AHMED} and the admin will read it.",
        ),
    ],
    ids=["anon", "anon-no-words", "conf", "named", "pupils-anon", "pupils-conf", "staff-named"],
)  # fmt: skip
def test_today_it_says(kind: tuple, says: str) -> None:
    form = form_of(*kind)
    assert says in intro_screen(form, start(form).state, setting(form)).text


@pytest.mark.parametrize(
    ("months", "says"),
    [(1, "1 month after closing, nobody can find out any more who you are."),
     (12, "12 months after closing, nobody can find out any more who you are."),
     (0, "After closing, nobody can find out any more who you are.")],
)  # fmt: skip
def test_how_long_a_name_can_be_looked_up_follows_the_setting(months: int, says: str) -> None:
    """ICO standard 6: what is said and what is done cannot differ; ANON and NAMED say nothing of the kind."""
    house = House(check_school(ELMFIELD | {"keeping": {"conf_names_months": months}}, "school.yaml"), TEXTS)
    assert says in who_reads(form_of("CONF"), setting(form_of("CONF"), house))
    for mode in ("ANON", "NAMED"):
        assert "any more" not in who_reads(form_of(mode), setting(form_of(mode), house))


def test_the_promise_of_the_box_stands_whoever_reads() -> None:
    """ANON keeps its words: no names with answers, a closed box, nobody can tell."""
    form = form_of("ANON")
    told = who_reads(form, setting(form))
    assert told.startswith("We do not keep who you are with your answers. They go in a closed box.")
    assert told.endswith("Very few words can still give you away, so please don't use names.")


def test_words_are_asked_for_beside_the_names_of_their_readers() -> None:
    """SAFE-12"""
    form = form_of("ANON")
    state = replace(start(form).state, place="question", question="bus.2")
    shown = question_screen(form, state, setting(form)).text
    assert f"Your own words are read by {PATEL}, {OKAFOR} and {LEE} before the box is opened." in shown


def test_one_person_in_two_roles_is_one_person_with_the_larger_one() -> None:
    """A small school: the SENCO is the safeguarding lead, the head is the deputy."""
    people = ELMFIELD["people"] | {"dsl": "Ms Patel", "deputy_dsl": "Mrs Ahmed"}
    house = House(check_school(ELMFIELD | {"people": people}, "school.yaml"), TEXTS)
    form = form_of("CONF")
    told = who_reads(form, setting(form, house))
    assert told.startswith("Ms Patel (SENCO and safeguarding lead) and Mrs Ahmed (deputy safeguarding lead) can see")
    assert told.endswith("The admin can read answers without names.") or "Mrs Ahmed (head teacher)" not in told


async def test_whoreads_says_the_same_as_the_first_screen(school: School) -> None:
    await school.readers()
    parents = await school.people(12)
    await send(school)
    talk = school.on(parents[0])
    talk.reply = await talk.forges(f"o={SURVEY}")
    intro = talk.text
    await talk.types("/whoreads")
    general, survey = (m.text for m in talk.messages[:2])
    assert f"Your own words, and calls for help, are read by {PATEL}, {OKAFOR} and {LEE}." in general
    assert f"{AHMED} and Mr Jones (chair of governors) read only what is sent on to them." in general
    assert "we must pass it on to Mr Okafor" in general
    assert survey.split("\n\n")[0] in intro
    assert "the box knows which paper is yours" in survey


async def test_whoreads_follows_the_roles(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MAY, "queue-all", frozenset({"governor"}))
    monkeypatch.setitem(MAY, "queue", frozenset({"governor"}))
    talk = school.on(await school.person("parent"))
    await talk.types("/whoreads")
    assert "are read by the governors." in talk.text
    assert "sent on to them" not in talk.text
    assert "Patel" not in talk.text
