"""/records: NAMED answers as a child's papers, seen only by those named before question 1, each look noted (6.4)."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.child_papers import TEMPLATE, as_values, paper_of
from bot.papers.typesetting import pdf, pictures
from conversations.asking import who_reads
from conversations.readers import readers_of
from conversations.roles import MAY, STAFF_ROLES, may
from data.audit import entries
from data.children import add_places
from data.records import records_of
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.pdf_words import words_of
from tests.school import School
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_second_factor import set_up
from tests.test_web_channel import naps, signed_in
from tests.test_who_reads import called, setting

__all__ = ["naps"]  # a fixture

WORDS = "He likes the blue chair.\nAnd the quiet corner."


async def two_families(school: School) -> tuple[str, str]:
    """The Okonkwos gave two papers, the Abbotts one; their ids."""
    await school.readers()
    okonkwo = await school.person("parent", label="Okonkwo family")
    abbott = await school.person("parent", label="Abbott family")
    async with school.db.transaction() as tx:
        await add_places(tx, okonkwo, 1)
    first = await sent(school, room("NAMED"))
    await gives(school, okonkwo, first, "1", "1, 2", WORDS)
    await gives(school, abbott, first, "2", "skip", "skip")
    await close(school)
    second = await sent(school, room("NAMED", id="before-review"))
    await gives(school, okonkwo, second, "2", "3", "Mornings are hard")
    await close(school)
    return okonkwo, abbott


async def reader(school: School, browsers: NewBrowser, role: str = "senco") -> PlainBrowser:
    browser = await signed_in(school, browsers(), await school.person(role, label=f"the {role}"))
    await set_up(school, browser, "/records")
    return browser


async def looks(school: School, person: str) -> list[list[str]]:
    """What is noted of each paper of this family, oldest paper first."""
    async with school.db.reading() as tx:
        return [[e.what for e in await entries(tx, record.id)] for record in await records_of(tx, person)]


async def test_families_stand_by_label_and_nothing_is_said_of_them(school: School, browsers: NewBrowser) -> None:
    okonkwo, _ = await two_families(school)
    browser = await reader(school, browsers)
    page = browser.page.text
    assert page.index("Abbott family") < page.index("Okonkwo family")
    assert "2 papers" in page
    page = (await browser.open(f"/records/{okonkwo}")).text
    assert "Monday 2 November 2026, 10:00" in page
    assert "Okonkwo family, parent or carer" in page
    assert "on the school's web page" in page
    assert "the only child of this family here" in page
    for said in ("It helps", "blue chair", "Mornings"):
        assert said not in page
    assert await looks(school, okonkwo) == [[], []]


async def test_one_paper_is_noted_and_read_whole(school: School, browsers: NewBrowser) -> None:
    okonkwo, abbott = await two_families(school)
    browser = await reader(school, browsers)
    await browser.open(f"/records/{okonkwo}")
    page = await browser.press("Read")  # the first one
    for said in (
        "Does the calm room help?",
        "It helps",
        "Morning and Lunch",
        "He likes the blue chair.",
        "quiet corner",
    ):
        assert said in page.text
    assert "Mornings are hard" not in page.text
    assert await looks(school, okonkwo) == [["look.record"], []]
    assert await looks(school, abbott) == [[]]


async def test_all_papers_are_read_in_order_with_a_row_for_each(school: School, browsers: NewBrowser) -> None:
    okonkwo, _ = await two_families(school)
    browser = await reader(school, browsers)
    await browser.open(f"/records/{okonkwo}")
    page = await browser.press("Read all 2")
    assert page.text.index("blue chair") < page.text.index("Mornings are hard")
    assert await looks(school, okonkwo) == [["look.record"], ["look.record"]]


async def test_the_pdf_is_tagged_whole_and_noted_as_an_export(school: School, browsers: NewBrowser) -> None:
    okonkwo, _ = await two_families(school)
    browser = await reader(school, browsers)
    await browser.open(f"/records/{okonkwo}")
    await browser.press("Save as PDF for the pupil's file")
    found = browser.answer
    assert found.headers["content-type"] == "application/pdf"
    assert found.headers["content-disposition"] == 'attachment; filename="papers.pdf"'
    assert b"/StructTreeRoot" in found.content
    words = " ".join(words_of(found.content).split())
    for said in ("Okonkwo family", "It helps", "He likes the blue chair.", "Mornings are hard", "2 November 2026"):
        assert said in words
    assert await looks(school, okonkwo) == [["look.export-record"], ["look.export-record"]]


async def test_letters_that_no_font_has_are_shown_to_be_copied(school: School, browsers: NewBrowser) -> None:
    await school.readers()
    person = await school.person("parent", label="Family 3")
    survey = await sent(school, room("NAMED"))
    await gives(school, person, survey, "1", "1", "安静的角落 \U0001f600")
    await close(school)
    browser = await reader(school, browsers)
    await browser.open(f"/records/{person}")
    await browser.press("Read")
    page = await browser.press("Save as PDF for the pupil's file")
    assert "cannot be printed" in page.text
    assert "安静的角落" in page.text


async def test_the_pdf_stands_on_its_pages(school: School) -> None:
    """Long words and many papers: no word leaves the paper (looked at as a picture)."""
    okonkwo, _ = await two_families(school)
    async with school.db.reading() as tx:
        papers = [await paper_of(tx, school.house, record, "en") for record in await records_of(tx, okonkwo)]
        values = await as_values(tx, school.house, "Okonkwo family", papers * 6, okonkwo, school.clock.now, "en")
    assert len(pictures(TEMPLATE, values)) > 1
    assert pdf(TEMPLATE, values).startswith(b"%PDF")


async def test_before_the_second_factor_not_even_a_label(school: School, browsers: NewBrowser) -> None:
    """A4.5"""
    okonkwo, _ = await two_families(school)
    browser = await signed_in(school, browsers(), await school.person("senco"))
    csrf = browser.page.form_with("Menu")[0].fields["csrf"]
    for path in ("/records", f"/records/{okonkwo}"):
        await browser.open(path)
        assert (browser.answer.url.path, "family" in browser.answer.text) == ("/factor", False)
    answer = await browser.http.post(f"/records/{okonkwo}", data={"csrf": csrf, "paper": "all"})
    assert "blue chair" not in answer.text
    assert await looks(school, okonkwo) == [[], []]


@pytest.mark.parametrize("role", [r for r in STAFF_ROLES if not may({r}, "records")] + ["parent"])
async def test_nobody_else_comes_here(school: School, browsers: NewBrowser, role: str) -> None:
    okonkwo, _ = await two_families(school)
    browser = await signed_in(school, browsers(), await school.person(role))
    csrf = browser.page.form_with("Menu")[0].fields["csrf"]
    for path in ("/records", f"/records/{okonkwo}"):
        answer = await browser.http.get(path)
        assert (answer.status_code, "Okonkwo" in answer.text) == (403, False)
    answer = await browser.http.post(f"/records/{okonkwo}", data={"csrf": csrf, "paper": "all"})
    assert (answer.status_code, "blue chair" in answer.text) == (403, False)
    assert await looks(school, okonkwo) == [[], []]


async def test_a_family_without_papers_and_a_paper_of_another_family(school: School, browsers: NewBrowser) -> None:
    okonkwo, abbott = await two_families(school)
    browser = await reader(school, browsers)
    await browser.open("/records/nobody")
    assert browser.answer.status_code == 404
    async with school.db.reading() as tx:
        theirs = (await records_of(tx, okonkwo))[0].id
    await browser.open(f"/records/{abbott}")
    csrf = browser.page.form_with("Read")[0].fields["csrf"]
    answer = await browser.http.post(f"/records/{abbott}", data={"csrf": csrf, "paper": theirs})
    assert (answer.status_code, "blue chair" in answer.text) == (404, False)
    assert await looks(school, okonkwo) == [[], []]


async def test_form_from_elsewhere_opens_nothing(school: School, browsers: NewBrowser) -> None:
    """CSRF"""
    okonkwo, _ = await two_families(school)
    browser = await reader(school, browsers)
    await browser.open(f"/records/{okonkwo}")
    await browser.press("Read all 2", csrf="0" * 64)
    assert (browser.answer.status_code, "blue chair" in browser.answer.text) == (403, False)
    assert await looks(school, okonkwo) == [[], []]


async def test_a_family_that_gave_no_name_is_found_by_its_letter(school: School, browsers: NewBrowser) -> None:
    await school.readers()
    person = await school.person("parent")
    survey = await sent(school, room("NAMED"))
    await gives(school, person, survey, "1", "1", "skip")
    await close(school)
    browser = await reader(school, browsers)
    assert "A family without a label" in browser.page.text


@given(st.fixed_dictionaries({a: st.frozensets(st.sampled_from(STAFF_ROLES)) for a in ("names", "records", "answers")}))
def test_who_was_promised_is_who_may_come(may_do: dict[str, frozenset[str]]) -> None:
    """X2: whoever may open the papers was named before question 1 as reading them."""
    form = room("NAMED")
    with patch.dict(MAY, may_do | {"queue-all": frozenset()}):
        told = who_reads(form, setting(form))
        let_in = {role for role in STAFF_ROLES if may({role}, "records")}
    first = re.split(r" will read it\.", told)[0] if "will read it." in told else ""
    named = {role for role in STAFF_ROLES if called(role) in first}
    assert let_in <= named <= let_in | may_do["names"]


def test_today_they_are_the_readers_of_named() -> None:
    """The table of design 5 did not change what was promised: SENCO, DSL, deputy, head and admin."""
    assert set(readers_of("NAMED", True).names) == MAY["records"] == {"senco", "dsl", "deputy", "head", "admin"}
