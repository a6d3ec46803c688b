"""Attacks on the web channel that no single page's tests would try: planted cookies, hostile headers, every form."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from bot.said import SETTING, asking
from bot.web_channel.access import ACCESS
from data.audit import HEAD_FACT
from data.links import make_link
from data.sessions import start_session
from data.tables import addresses, codes, facts, outbox, people, queue, roles, second_factors, sessions
from tests.browser.plain import SITE, NewBrowser
from tests.school import School
from tests.test_second_factor import cookie, set_up
from tests.test_web_channel import check_headers, naps, signed_in

__all__ = ["naps"]  # a fixture

SPLIT = "x\r\nset-cookie: yousaid=planted\r\nx-planted: yes\r\n\r\n<script>"
POSTS = sorted(path for method, path in ACCESS if method == "POST")
GETS = sorted(path for method, path in ACCESS if method == "GET" and path != "/static")
OWN_TOKEN = {"/file/{token}", "/join/{code}", "/unlock"}  # forms of strangers and of locked browsers
NO_FORM = {"/telegram"}  # for a program with a secret of its own; not there without webhook mode


def filled(path: str, what: str) -> str:
    return re.sub(r"\{[a-z:]+\}", what, path)


async def everything(school: School) -> list[str]:
    tables = (addresses, codes, facts, outbox, people, queue, roles, second_factors)
    async with school.db.reading() as tx:
        rows = [row for table in tables for row in await tx.all(select(table))]
    return [repr(row) for row in rows if row[0] != HEAD_FACT]  # that labels were looked at is noted (A5)


# --- forms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("token", [None, "", "0" * 64, "stolen", "é\x00"])
async def test_no_form_is_taken_without_the_token_of_this_browser(
    school: School, browsers: NewBrowser, path: str, token: str | None
) -> None:
    """CSRF, for every form there is, by somebody who may do everything."""
    other = await signed_in(school, browsers(), await school.person("admin"))
    stolen = other.page.forms[0].fields["csrf"]
    browser = await signed_in(school, browsers(), await school.person("admin", "head", "dsl", "senco", "parent"))
    await set_up(school, browser)
    before, kept = await everything(school), cookie(browser)
    data = {"do": "cut", "say": "c=stop", "words": "hello", "where": "everywhere", "digits": "000000", "file": "counts"}
    if token is not None:
        data["csrf"] = stolen if token == "stolen" else token
    answer = await browser.http.post(filled(path, "x"), data=data)
    assert answer.status_code in (403, 404) or path == "/unlock"
    assert await everything(school) == before
    assert cookie(browser) == kept


@pytest.mark.parametrize("path", sorted(set(POSTS) - OWN_TOKEN - NO_FORM))
async def test_no_form_is_taken_from_another_site(school: School, browsers: NewBrowser, path: str) -> None:
    """CSRF, with the right token even: the browser itself says where the form came from."""
    browser = await signed_in(school, browsers(), await school.person("admin", "head", "dsl", "senco", "parent"))
    await set_up(school, browser)
    token = (await browser.open("/me")).forms[0].fields["csrf"]
    before = await everything(school)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        data = {"csrf": token, "do": "cut", "say": "c=stop", "where": "everywhere"}
        answer = await browser.http.post(filled(path, "x"), data=data, headers=headers)
        assert answer.status_code == 403
    assert await everything(school) == before


@pytest.mark.parametrize("path", GETS)
async def test_looking_changes_nothing(school: School, browsers: NewBrowser, path: str) -> None:
    """No GET changes a thing, whatever stands in its address; that somebody looked at labels is noted elsewhere."""
    browser = await signed_in(school, browsers(), await school.person("admin", "head", "dsl", "senco", "parent"))
    await set_up(school, browser)
    before = await everything(school)
    for query in ("", "?do=cut&say=c%3Dstop&where=everywhere&digits=000000&csrf=x"):
        await browser.http.get(filled(path, "x").replace("/x/", "/0/") + query)
    assert await everything(school) == before


# --- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GETS)
async def test_nothing_that_is_sent_becomes_a_header(school: School, browsers: NewBrowser, path: str) -> None:
    """Header injection through addresses, queries and cookies."""
    browser = await signed_in(school, browsers(), await school.person("admin"))
    browser.http.follow_redirects = False
    quoted = "x%0d%0aset-cookie:%20yousaid=planted%0d%0ax-planted:%20yes"
    for address in (filled(path, quoted), f"{filled(path, 'x')}?back={quoted}&said={quoted}&file={quoted}"):
        answer = await browser.http.get(address)
        check_headers(answer)
        assert "x-planted" not in answer.headers
        assert "planted" not in answer.headers.get("set-cookie", "")
        assert "planted" not in answer.headers.get("location", "").replace(quoted, "")
        assert answer.status_code < 500


@pytest.mark.parametrize("path", POSTS)
async def test_nothing_in_a_form_becomes_a_header(school: School, browsers: NewBrowser, path: str) -> None:
    browser = await signed_in(school, browsers(), await school.person("admin", "parent"))
    await set_up(school, browser)
    token = (await browser.open("/me")).forms[0].fields["csrf"]
    browser.http.follow_redirects = False
    names = ("words", "code", "digits", "back", "file", "do", "role", "text", "group", "language", "once", "reason")
    data = dict.fromkeys(names, SPLIT) | {"csrf": token}
    answer = await browser.http.post(filled(path, "x") + "?back=%0d%0ax-planted:yes", data=data)
    assert "x-planted" not in answer.headers
    assert "planted" not in answer.headers.get("set-cookie", "")
    assert "planted" not in answer.headers.get("location", "").replace("x-planted", "")
    assert "<script>x" not in answer.text
    assert answer.status_code < 500


@pytest.mark.parametrize("name", ["host", "x-forwarded-host", "x-original-url", "x-rewrite-url", "x-forwarded-proto"])
async def test_addresses_are_never_built_from_what_a_visitor_says(
    school: School, browsers: NewBrowser, name: str
) -> None:
    """A forged host reaches no link, no redirect and no cookie."""
    browser = await signed_in(school, browsers(), await school.person("admin"))
    browser.http.follow_redirects = False
    for path in (*(filled(p, "x") for p in GETS), "/factor?back=/people"):
        answer = await browser.http.get(path, headers={name: "evil.example"})
        assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("name", ["x-http-method-override", "x-method-override"])
async def test_method_is_the_one_that_was_sent(school: School, browsers: NewBrowser, name: str) -> None:
    browser = await signed_in(school, browsers(), await school.person("admin"))
    await browser.http.get("/sign-out?_method=POST", headers={name: "POST"})
    page = await browser.open("/me")
    assert "Menu" in page.labels


# --- planted sessions ---------------------------------------------------------------------------------------------


async def test_planted_session_of_an_attacker_is_left_at_every_door(school: School, browsers: NewBrowser) -> None:
    """Fixation: whoever joins or opens a link never goes on in a session that somebody else knows."""
    attacker, victim = await school.person("parent"), await school.person("senco")
    async with school.db.transaction() as tx:
        planted = await start_session(tx, attacker, school.clock.now)
        link = await make_link(tx, victim, "queue", "", school.clock.now)
    browser = browsers()
    browser.http.cookies.set("yousaid", planted, domain="127.0.0.1", path="/")
    await browser.open(f"/file/{link}")
    await browser.press("Open")
    assert cookie(browser) != planted
    async with school.db.reading() as tx:
        owners = {r.person for r in await tx.all(select(sessions.c.person))}
        mine = await tx.all(select(sessions).where(sessions.c.person == attacker))
    assert owners == {attacker, victim}
    assert len(mine) == 1


async def test_cookie_of_another_purpose_opens_nothing(school: School, browsers: NewBrowser) -> None:
    """A token of a form, a one-time link's secret and what the database keeps are no sessions."""
    person = await school.person("senco")
    browser = await signed_in(school, browsers(), person)
    token = browser.page.forms[0].fields["csrf"]
    async with school.db.transaction() as tx:
        link = await make_link(tx, person, "queue", "", school.clock.now)
        stored = (await tx.all(select(sessions.c.hash)))[0].hash
    for value in (token, link, stored):
        answer = await browsers().http.get(f"{SITE}/me", headers={"cookie": f"yousaid={value}"})
        assert "You need a code" in answer.text


async def test_log_out_on_this_phone_clears_the_browser(school: School, browsers: NewBrowser) -> None:
    """S20: the chat's own log-out, said on the page."""
    person = await school.person("parent")
    browser, other = await signed_in(school, browsers(), person), await signed_in(school, browsers(), person)
    secret = cookie(browser)
    page = await browser.type("/settings")
    assert "Log out on this phone" in page.labels
    await browser.press("Log out on this phone")
    token = browser.page.forms[0].fields["csrf"]
    browser.http.follow_redirects = False
    answer = await browser.http.post("/me", data={"csrf": token, "say": asking(SETTING, "leave")})
    assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert "Max-Age=0" in answer.headers["set-cookie"]
    browser.http.cookies.set("yousaid", secret, domain="127.0.0.1", path="/")
    page = await browser.open("/me")
    assert page.headings == ["You need a code"]
    page = await other.open("/me")
    assert "Menu" in page.labels
