"""/names: whose CONF sheet it is, one at a time, with a second factor and a reason, noted before it is shown (6.4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.facts import House
from bot.said import Text
from conversations.asking import who_reads
from conversations.roles import MAY, STAFF_ROLES, may
from data.audit import entries
from data.names import cut_names
from data.school import check_school
from data.surveys import find_survey
from data.tables import audit
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.school import ELMFIELD, School
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_second_factor import set_up
from tests.test_web_channel import naps, signed_in
from tests.test_who_reads import TEXTS, called, setting

__all__ = ["naps"]  # a fixture

SHOW = "Show who it is"


async def closed(school: School, mode: str = "CONF", n: int = 2) -> str:
    """A closed survey: Family 1 says that it helps, all others that it does not."""
    await school.readers()
    people = [await school.person("parent", label=f"Family {i}") for i in range(1, max(n, 10) + 1)]
    survey = await sent(school, room(mode))
    for i, person in enumerate(people[:n]):
        await gives(school, person, survey, "2" if i else "1", "1", "He likes the blue chair")
    await close(school)
    return survey


async def reader(school: School, browsers: NewBrowser, survey: str, role: str = "dsl") -> PlainBrowser:
    """This role on the page of the survey, after the second factor."""
    browser = await signed_in(school, browsers(), await school.person(role, label=f"the {role}"))
    await set_up(school, browser, f"/names/{survey}")
    return browser


async def sheet_of(browser: PlainBrowser, answer: str) -> str:
    """The address of the sheet with this answer."""
    cards = browser.answer.text.split("<section")[1:]
    found = next(card for card in cards if f"<dd>{answer}</dd>" in card)
    return re.search(r'href="(/names/[^"]+)"', found)[1]  # type: ignore[index]


async def looks(school: School, ref: str) -> list[tuple[str, str]]:
    async with school.db.reading() as tx:
        return [(e.what, e.detail.get("reason", "")) for e in await entries(tx, ref)]


@pytest.mark.parametrize("role", ["senco", "dsl", "deputy"])
async def test_one_name_with_a_reason_noted_before_it_is_shown(school: School, browsers: NewBrowser, role: str) -> None:
    survey = await closed(school)
    browser = await reader(school, browsers, survey, role)
    assert "Family" not in browser.page.text
    assert "blue chair" not in browser.page.text  # words are with their readers, never beside choices
    address = await sheet_of(browser, "It helps")
    await browser.open(address)
    assert "Family" not in browser.page.text
    page = await browser.press(SHOW, reason="He asked for help on Tuesday")
    assert "Family 1" in page.text
    assert "Family 2" not in page.text
    assert await looks(school, address.rpartition("/")[2]) == [("look.name", "He asked for help on Tuesday")]


async def test_the_note_is_committed_before_the_key_is_opened(
    school: School, browsers: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUDIT: if opening fails afterwards, the look is noted all the same."""
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    address = await sheet_of(browser, "It helps")
    await browser.open(address)

    async def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("bot.web_channel.name_pages.whose_sheet", broken)
    await browser.press(SHOW, reason="to see")
    assert browser.answer.status_code == 500
    assert await looks(school, address.rpartition("/")[2]) == [("look.name", "to see")]


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
async def test_without_a_reason_nothing_is_shown_and_nothing_noted(
    school: School, browsers: NewBrowser, reason: str
) -> None:
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    address = await sheet_of(browser, "It helps")
    await browser.open(address)
    page = await browser.press(SHOW, reason=reason)
    assert browser.answer.status_code == 400
    assert "Nothing was shown" in page.text
    assert "Family" not in page.text
    assert await looks(school, address.rpartition("/")[2]) == []


async def test_before_the_second_factor_no_sheet_stands_there(school: School, browsers: NewBrowser) -> None:
    """A4.5"""
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    address = await sheet_of(browser, "It helps")
    school.clock.move(minutes=11)
    for path in (f"/names/{survey}", address):
        page = await browser.open(path)
        assert page.headings != []
        assert browser.answer.url.path == "/factor"
        assert "It helps" not in browser.answer.text
    csrf = browser.page.forms[0].fields["csrf"]
    await browser.http.post(address, data={"csrf": csrf, "reason": "why not"}, follow_redirects=False)
    assert await looks(school, address.rpartition("/")[2]) == []


@pytest.mark.parametrize("role", [r for r in STAFF_ROLES if not may({r}, "names")] + ["parent"])
async def test_everybody_else_sees_neither_sheet_nor_name(school: School, browsers: NewBrowser, role: str) -> None:
    """Design 5: names behind CONF are for SENCO, DSL and deputy; not for admin and head."""
    survey = await closed(school)
    entitled = await reader(school, browsers, survey)
    address = await sheet_of(entitled, "It helps")
    browser = await signed_in(school, browsers(), await school.person(role))
    csrf = browser.page.form_with("Menu")[0].fields["csrf"]
    for path in ("/names", f"/names/{survey}", address):
        answer = await browser.http.get(path)
        assert (answer.status_code, survey in answer.text, "It helps" in answer.text) == (403, False, False)
    answer = await browser.http.post(address, data={"csrf": csrf, "reason": "why not"})
    assert (answer.status_code, "Family" in answer.text) == (403, False)
    assert await looks(school, address.rpartition("/")[2]) == []


async def test_form_from_elsewhere_opens_nothing(school: School, browsers: NewBrowser) -> None:
    """CSRF"""
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    address = await sheet_of(browser, "It helps")
    await browser.open(address)
    await browser.press(SHOW, reason="to see", csrf="0" * 64)
    assert browser.answer.status_code == 403
    assert await looks(school, address.rpartition("/")[2]) == []


@pytest.mark.parametrize("mode", ["ANON", "NAMED"])
async def test_other_modes_have_no_such_page(school: School, browsers: NewBrowser, mode: str) -> None:
    survey = await closed(school, mode, 6)
    browser = await signed_in(school, browsers(), await school.person("senco"))
    await set_up(school, browser, "/names")
    assert survey not in browser.page.text
    await browser.open(f"/names/{survey}")
    assert browser.answer.status_code == 404


async def test_a_sheet_of_another_survey_and_one_that_is_not_there(school: School, browsers: NewBrowser) -> None:
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    for path in (
        f"/names/{survey}/nothing",
        f"/names/calm-room/{'x' * 12}",
        "/names/../etc",
        f"/names/{survey}?from=x",
    ):
        await browser.open(path)
        assert browser.answer.status_code == (200 if "?" in path else 404)


async def test_many_sheets_come_some_at_a_time(school: School, browsers: NewBrowser) -> None:
    survey = await closed(school, n=27)
    browser = await reader(school, browsers, survey)
    assert browser.answer.text.count("<section") == 25
    assert "from=25" in browser.answer.text
    page = await browser.open(f"/names/{survey}?from=25")
    assert [w for w in page.words if w.startswith("Sheet ")] == ["Sheet 26", "Sheet 27"]


# --- when the time is over ----------------------------------------------------------------------------------------


async def test_it_says_until_when_and_then_that_nobody_can_tell(school: School, browsers: NewBrowser) -> None:
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    assert "On 17 February 2027 the names are cut." in browser.page.text
    address = await sheet_of(browser, "It helps")
    async with school.db.transaction() as tx:
        found = await find_survey(tx, survey)
        assert found
        await cut_names(tx, found, datetime(2027, 2, 17, tzinfo=UTC).date())
    page = await browser.open(f"/names/{survey}")
    assert "The names were cut on 17 February 2027. Nobody can tell any more whose answers these were." in page.text
    assert "It helps" not in page.text
    await browser.open(address)
    assert browser.answer.status_code == 404


async def test_nobody_looks_any_more_on_that_day_even_if_the_job_is_late(school: School, browsers: NewBrowser) -> None:
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    address = await sheet_of(browser, "It helps")
    school.clock.set(datetime(2027, 2, 17, 0, 1, tzinfo=UTC))
    browser = await signed_in(school, browsers(), await school.person("deputy"))
    await set_up(school, browser, f"/names/{survey}")
    assert "Nobody can tell any more" in browser.page.text
    csrf = browser.page.forms[0].fields["csrf"] if browser.page.forms else ""
    answer = await browser.http.post(address, data={"csrf": csrf, "reason": "late"})
    assert answer.status_code == 404
    assert await looks(school, address.rpartition("/")[2]) == []


# --- the promise and the page -------------------------------------------------------------------------------------


@given(
    st.fixed_dictionaries({a: st.frozensets(st.sampled_from(STAFF_ROLES)) for a in ("names", "records", "answers")}),
    st.integers(0, 12),
)
def test_who_was_promised_is_who_may_come_and_for_as_long(may_do: dict[str, frozenset[str]], months: int) -> None:
    """X2, standard 6: the first screen names the roles that /names lets in and no others, and says its period."""
    house = House(check_school(ELMFIELD | {"keeping": {"conf_names_months": months}}, "school.yaml"), TEXTS)
    form = room("CONF", words_only=False)
    form = form.model_copy(update={"questions": form.questions[:2]})  # without words the queue has no part in it
    with patch.dict(MAY, may_do):
        told = who_reads(form, setting(form, house))
        let_in = {role for role in STAFF_ROLES if may({role}, "names")}
    first = told.partition(" can see who you are.")[0] if "can see who you are" in told else ""
    assert {role for role in STAFF_ROLES if called(role) in first} == let_in
    assert ("After closing, nobody" in told) == (bool(let_in) and months == 0)
    assert (f"{months} month" in told and "after closing, nobody" in told) == (bool(let_in) and months > 0)


def test_the_pages_ask_for_the_action_that_the_promise_is_made_from() -> None:
    from bot.web_channel.access import ACCESS

    pages = {path: action for (_, path), action in ACCESS.items() if path.startswith(("/names", "/records"))}
    assert {path: action for path, action in pages.items() if path.split("/")[1] != action} == {}
    assert len(pages) == 5


async def test_export_in_a_chat_leads_there(school: School, browsers: NewBrowser) -> None:
    """DSL and deputy may not see /results; /export shows them the way, and so does the list of what to read."""
    survey = await closed(school)
    dsl = await school.person("dsl")
    reply = await school.dialogue.hear_person(dsl, Text("/export"), "telegram")
    link = re.search(r"/file/[\w-]+", "\n".join(m.text for m in reply.messages))
    assert link
    browser = browsers()
    await browser.open(link[0])
    await browser.press("Open")
    assert browser.answer.url.path == "/factor"
    await browser.open("/queue")
    assert 'href="/names"' in browser.answer.text
    page = await browser.open("/names")
    assert survey in page.text


async def test_nothing_of_a_look_stands_readable_in_the_log(school: School, browsers: NewBrowser) -> None:
    survey = await closed(school)
    browser = await reader(school, browsers, survey)
    await browser.open(await sheet_of(browser, "It helps"))
    await browser.press(SHOW, reason="a very particular reason")
    async with school.db.reading() as tx:
        rows = str([tuple(row) for row in await tx.all(select(audit))])
    assert "particular" not in rows
    assert "Family 1" not in rows
