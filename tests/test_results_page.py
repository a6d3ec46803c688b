"""/results: the files of closed surveys over the web, after the second factor, and noted (EXP-5)."""

from __future__ import annotations

import csv
import io
import re

import pytest

from bot.said import OPEN, Text, asking
from data.comments import THEME, Comment, save_comment
from data.looks import looks_at
from data.queue import add_item
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.school import School
from tests.test_second_factor import set_up
from tests.test_web_channel import naps, sent, signed_in

__all__ = ["naps"]  # a fixture


async def closed(school: School, finished: int = 11) -> str:
    """A closed survey that so many of twelve people answered."""
    people = await school.people(12)
    await school.readers()
    survey = await sent(school, "drop-in-feedback")
    for person in people[:finished]:
        talk = school.on(person)
        talk.reply = await talk.forges(asking(OPEN, survey))
        await talk.taps("Yes, start", "Yes", "Yes", "Friends", "Done", "Send my answers")
    head = school.on(await school.person("head"))
    await head.types("/close")
    await head.taps("Close and count")
    return survey


async def with_app(school: School, browsers: NewBrowser, survey: str, role: str = "senco") -> PlainBrowser:
    browser = await signed_in(school, browsers(), await school.person(role))
    await set_up(school, browser, f"/results/{survey}")
    return browser


async def test_answers_are_saved_after_the_second_factor_and_noted(school: School, browsers: NewBrowser) -> None:
    """EXP-5, A4.5"""
    survey = await closed(school)
    browser = await with_app(school, browsers, survey)
    page = await browser.press("Answers, a line for each sheet")
    assert page.headings == []
    found = browser.answer
    assert found.headers["content-type"].startswith("text/csv")
    assert found.headers["content-disposition"] == f'attachment; filename="{survey}-answers.csv"'
    rows = list(csv.reader(io.StringIO(found.content.decode("utf-8-sig"))))
    assert len(rows) == 12
    async with school.db.reading() as tx:
        looks = await looks_at(tx, survey)
    assert [look.what for look in looks] == ["export-answers"]


async def test_without_it_the_page_shows_no_answers_and_hands_nothing_out(school: School, browsers: NewBrowser) -> None:
    survey = await closed(school)
    browser = await signed_in(school, browsers(), await school.person("senco"))
    page = await browser.open("/results")
    assert survey in page.text
    await browser.open(f"/results/{survey}")
    for label in ("Counts", "Answers, a line for each sheet", "Code book"):
        await browser.open(f"/results/{survey}")
        page = await browser.press(label)
        assert page.headings == ["Set up your app"]
        assert browser.answer.url.params["back"] == f"/results/{survey}?said=not-done"
    async with school.db.reading() as tx:
        assert await looks_at(tx, survey) == []


async def test_few_sheets_without_names_stay_here(school: School, browsers: NewBrowser) -> None:
    """The same rules as on the command line (ANON: ten sheets)."""
    survey = await closed(school, 9)
    browser = await with_app(school, browsers, survey)
    assert "Answers, a line for each sheet" not in browser.page.labels
    assert "There are fewer." in browser.page.text
    csrf = browser.page.forms[0].fields["csrf"]
    answer = await browser.http.post(f"/results/{survey}", data={"csrf": csrf, "file": "answers"})
    assert answer.status_code == 404


async def test_comments_come_once_a_reader_approved_them(school: School, browsers: NewBrowser) -> None:
    """SUP-6"""
    survey = await closed(school)
    browser = await with_app(school, browsers, survey)
    assert "Approved comments" not in browser.page.labels
    async with school.db.transaction() as tx:
        item = await add_item(tx, "words", school.clock.now, "raw words", survey=survey)
        await save_comment(tx, Comment(item, survey, THEME, "raw words", ("lunch",)))
    await browser.open(f"/results/{survey}")
    await browser.press("Approved comments")
    assert "lunch" in browser.answer.text
    assert "raw words" not in browser.answer.text


async def test_code_book_says_who_made_it(school: School, browsers: NewBrowser) -> None:
    """EXP-4"""
    survey = await closed(school)
    browser = await with_app(school, browsers, survey, "head")
    await browser.press("Code book")
    assert "made by,head teacher" in browser.answer.text


@pytest.mark.parametrize("survey", ["nothing-1", "../../etc", "%00", "drop-in-feedback"])
async def test_survey_that_is_not_there(school: School, browsers: NewBrowser, survey: str) -> None:
    await closed(school)
    browser = await signed_in(school, browsers(), await school.person("admin"))
    await browser.open(f"/results/{survey}")
    assert browser.answer.status_code == 404


async def test_open_survey_has_no_files(school: School, browsers: NewBrowser) -> None:
    await school.people(12)
    survey = await sent(school, "drop-in-feedback")
    browser = await signed_in(school, browsers(), await school.person("admin"))
    page = await browser.open("/results")
    assert "No questions are closed yet." in page.text
    await browser.open(f"/results/{survey}")
    assert browser.answer.status_code == 404


@pytest.mark.parametrize("role", ["dsl", "deputy", "office", "chair", "governor", "staff", "parent"])
async def test_only_those_who_read_answers_save_them(school: School, browsers: NewBrowser, role: str) -> None:
    survey = await closed(school)
    browser = await signed_in(school, browsers(), await school.person(role))
    csrf = browser.page.form_with("Menu")[0].fields["csrf"]
    for path in ("/results", f"/results/{survey}"):
        await browser.open(path)
        assert (browser.answer.status_code, survey in browser.answer.text) == (403, False)
    answer = await browser.http.post(f"/results/{survey}", data={"csrf": csrf, "file": "counts"})
    assert answer.status_code == 403


async def test_form_from_elsewhere_saves_nothing(school: School, browsers: NewBrowser) -> None:
    """CSRF"""
    survey = await closed(school)
    browser = await with_app(school, browsers, survey)
    await browser.press("Counts", csrf="0" * 64)
    assert browser.answer.status_code == 403
    async with school.db.reading() as tx:
        assert await looks_at(tx, survey) == []


async def test_export_in_a_chat_hands_out_a_one_time_link(school: School, browsers: NewBrowser) -> None:
    """EXP-5"""
    survey = await closed(school)
    senco, dsl = await school.person("senco"), await school.person("dsl")
    reply = await school.dialogue.hear_person(senco, Text("/export"), "telegram")
    link = re.search(r"/file/[\w-]+", "\n".join(m.text for m in reply.messages))
    assert link
    browser = browsers()
    await browser.open(link[0])
    page = await browser.press("Open")
    assert (browser.answer.url.path, page.headings) == (f"/results/{survey}", ["After a drop-in"])
    assert (await browsers().http.get(link[0])).status_code == 404
    reply = await school.dialogue.hear_person(dsl, Text("/export"), "telegram")
    assert "/file/" not in "\n".join(m.text for m in reply.messages)
