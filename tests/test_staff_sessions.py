"""Sessions of staff (A4.5): locked after a quarter of an hour, opened again, ended for certain; families stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.web_channel.app import make_app
from bot.web_channel.demo_page import make_demo_app
from data.access import cut_access, take_role
from data.links import make_link
from data.sessions import LINK_SESSION_AGE, find_session, start_session, touch_session
from data.tables import sessions
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.school import School
from tests.test_second_factor import cookie, digits_of, set_up
from tests.test_web_channel import naps, signed_in

pytestmark = pytest.mark.both_databases

__all__ = ["naps"]  # a fixture

STAFF = ("staff", "senco", "dsl", "deputy", "head", "chair", "office", "governor", "admin")


async def joined(school: School, browser: PlainBrowser, role: str = "senco") -> str:
    """The code with which this browser has just joined."""
    code = await school.code(role)
    await browser.open(f"/join/{code}")
    await browser.press("Yes, start")
    assert browser.answer.url.path == "/me"
    return code


def is_locked(browser: PlainBrowser) -> bool:
    return browser.page.headings == ["This page is locked"]


# --- locking ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", STAFF)
async def test_staff_are_locked_after_a_quarter_of_an_hour(school: School, browsers: NewBrowser, role: str) -> None:
    """A4.5: 15 minutes idle."""
    browser = browsers()
    await joined(school, browser, role)
    school.clock.move(minutes=14, seconds=59)
    await browser.open("/me")
    assert "Menu" in browser.page.labels
    school.clock.move(minutes=15)
    await browser.open("/me")
    assert is_locked(browser)
    assert "Menu" not in browser.page.labels


async def test_use_keeps_it_open_for_eight_hours_at_most(school: School, browsers: NewBrowser) -> None:
    """A4.5: 8 hours at most."""
    browser = browsers()
    await joined(school, browser)
    for _ in range(47):
        school.clock.move(minutes=10)
        await browser.open("/me")
        assert not is_locked(browser)
    school.clock.move(minutes=10)
    await browser.open("/me")
    assert is_locked(browser)


async def test_families_stay_for_half_a_year(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    await joined(school, browser, "parent")
    school.clock.move(days=179)
    page = await browser.open("/me")
    assert page.headings == ["What is new"]
    school.clock.move(days=2)
    page = await browser.open("/me")
    assert page.headings == ["You need a code"]


async def test_asking_for_news_is_no_use(school: School, browsers: NewBrowser) -> None:
    """The script on an open page asks every few seconds; nobody need sit before it."""
    browser = browsers()
    await joined(school, browser)
    school.clock.move(minutes=14)
    assert len((await browser.http.get("/me/version")).json()["version"]) == 16
    school.clock.move(minutes=2)
    assert (await browser.http.get("/me/version")).json() == {"version": "locked"}


async def test_use_is_noted_once_a_minute_at_most(school: School) -> None:
    person = await school.person("dsl")
    async with school.db.transaction() as tx:
        secret = await start_session(tx, person, school.clock.now)
        found = await find_session(tx, secret, school.clock.move(seconds=59))
        assert (found and found.touch) is False
        found = await find_session(tx, secret, school.clock.move(seconds=1))
        assert (found and found.touch) is True
        await touch_session(tx, secret, school.clock.now)
        found = await find_session(tx, secret, school.clock.now)
        assert (found and found.touch) is False


async def test_nothing_opens_while_it_is_locked(school: School, browsers: NewBrowser) -> None:
    """A4.5: every page and form, not only the start."""
    browser = browsers()
    await joined(school, browser)
    await browser.type("/summary")
    stale = browser.sending("Menu")
    school.clock.move(minutes=16)
    for path in ("/", "/me", "/queue", "/factor", "/factor?back=/queue"):
        await browser.open(path)
        assert is_locked(browser), path
    for path in ("/me/picture/0", "/me/file/0", "/factor/picture"):
        assert (await browser.http.get(path)).status_code == 404
    answer = await browser.http.post(stale[0], data=stale[1])
    assert answer.status_code == 403
    assert "This page is locked" in answer.text


# --- opening again ------------------------------------------------------------------------------------------------


async def test_used_code_opened_again_goes_on_with_a_fresh_secret(school: School, browsers: NewBrowser) -> None:
    """S20: a used code opened again in the browser that used it goes on; A4.5: fixation."""
    browser = browsers()
    code = await joined(school, browser)
    before = cookie(browser)
    school.clock.move(hours=20)
    for _ in range(2):
        page = await browser.open(f"/join/{code}")
        assert (browser.answer.status_code, page.headings) == (200, ["This page is locked"])
        assert cookie(browser) == before
    await browser.press("Go on")
    assert browser.answer.url.path == "/me"
    assert "Menu" in browser.page.labels
    assert cookie(browser) != before
    async with school.db.reading() as tx:
        assert await find_session(tx, before, school.clock.now) is None


async def test_used_code_typed_again_leads_back_to_the_page(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    code = await joined(school, browser)
    school.clock.move(minutes=20)
    await browser.open("/queue")
    await browser.press("Go on", code=f" {code.lower().replace('-', ' ')} ")
    assert browser.answer.url.path == "/queue"


async def test_code_of_somebody_else_opens_nothing(school: School, browsers: NewBrowser) -> None:
    mine, other = browsers(), browsers()
    await joined(school, mine)
    code = await joined(school, other)
    school.clock.move(minutes=20)
    await mine.open("/me")
    page = await mine.press("Go on", code=code)
    assert mine.answer.status_code == 404
    assert "That code does not work here." in page.text
    assert is_locked(mine)
    await mine.open(f"/join/{code}")
    assert (mine.answer.status_code, is_locked(mine)) == (404, True)


async def test_six_digits_open_it_and_count_as_the_second_factor(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    await joined(school, browser)
    secret = await set_up(school, browser)
    before = cookie(browser)
    school.clock.move(hours=9)
    await browser.open("/queue")
    page = await browser.press("Go on", digits="000000")
    assert (browser.answer.status_code, is_locked(browser)) == (403, True)
    assert "That did not fit." in page.text
    await browser.press("Go on", digits=digits_of(school, secret))
    assert browser.answer.url.path == "/queue"
    assert cookie(browser) != before
    async with school.db.reading() as tx:
        rows = await tx.all(select(sessions.c.proved_until))
    assert [r.proved_until is not None for r in rows] == [True]


async def test_wrong_digits_wait_here_too(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    code = await joined(school, browser)
    secret = await set_up(school, browser)
    school.clock.move(minutes=20)
    await browser.open("/me")
    for _ in range(5):
        await browser.press("Go on", digits="000000")
    page = await browser.press("Go on", digits=digits_of(school, secret))
    assert "Please wait 15 minutes" in page.text
    await browser.open(f"/join/{code}")
    await browser.press("Go on")
    assert "Menu" in browser.page.labels


async def test_unlocking_needs_our_own_page(school: School, browsers: NewBrowser) -> None:
    """CSRF"""
    browser = browsers()
    code = await joined(school, browser)
    school.clock.move(minutes=20)
    await browser.open("/me")
    await browser.press("Go on", code=code, csrf="0" * 64)
    assert (browser.answer.status_code, is_locked(browser)) == (403, True)
    browser.http.headers["sec-fetch-site"] = "cross-site"
    await browser.press("Go on", code=code)
    assert (browser.answer.status_code, is_locked(browser)) == (403, True)


@pytest.mark.parametrize("value", ["", "x", "a" * 43, "' OR 1=1 --", "é" * 20, "../../etc", "\x7f", "a" * 9000])
async def test_forged_cookies_open_nothing(school: School, browsers: NewBrowser, value: str) -> None:
    """A guessed, empty, cut or hostile cookie is a stranger's."""
    victim = browsers()
    code = await joined(school, victim)
    browser = browsers()
    for forged in (value, cookie(victim)[:-1], cookie(victim) + "=", cookie(victim).swapcase()):
        answer = await browser.http.get("/me", headers={"cookie": f"yousaid={forged}".encode()})
        assert answer.status_code == 200
        assert "You need a code" in answer.text
        raw = {"cookie": f"yousaid={forged}".encode()}
        answer = await browser.http.post("/unlock", data={"code": code}, headers=raw)
        assert answer.headers.get("set-cookie", "").partition("=")[0] != "yousaid"


async def test_link_from_the_chat_simply_ends(school: School, browsers: NewBrowser) -> None:
    browser, person = browsers(), await school.person("dsl")
    async with school.db.transaction() as tx:
        link = await make_link(tx, person, "queue", "", school.clock.now)
    await browser.open(f"/file/{link}")
    await browser.press("Open")
    assert browser.answer.url.path == "/queue"
    assert "Lock" not in browser.page.labels
    school.clock.move(minutes=16)
    page = await browser.open("/queue")
    assert page.headings == ["You need a code"]


async def test_link_ends_after_eight_hours_of_use(school: School) -> None:
    person = await school.person("dsl")
    async with school.db.transaction() as tx:
        secret = await start_session(tx, person, school.clock.now, LINK_SESSION_AGE)
        for _ in range(47):
            await touch_session(tx, secret, school.clock.move(minutes=10))
        assert await find_session(tx, secret, school.clock.now)
        assert await find_session(tx, secret, school.clock.now + timedelta(minutes=10)) is None


# --- new rights, and leaving --------------------------------------------------------------------------------------


async def test_parent_who_becomes_staff_gets_a_fresh_secret(school: School, browsers: NewBrowser) -> None:
    """Fixation: a role never reaches a secret that was there before it."""
    browser = browsers()
    await joined(school, browser, "parent")
    before = cookie(browser)
    school.clock.move(days=30)
    await browser.open(f"/join/{await school.code('governor')}")
    await browser.press("Yes, start")
    assert "Menu" in browser.page.labels
    assert cookie(browser) != before
    school.clock.move(minutes=16)
    await browser.open("/me")
    assert is_locked(browser)


async def test_two_sign_ins_never_share_a_secret(school: School) -> None:
    person = await school.person("dsl")
    async with school.db.transaction() as tx:
        secrets = {await start_session(tx, person, school.clock.now) for _ in range(50)}
        stored = {r.hash for r in await tx.all(select(sessions.c.hash))}
    assert len(secrets) == len(stored) == 50
    assert not secrets & stored
    assert min(map(len, secrets)) >= 43


async def test_taking_a_role_ends_every_browser(school: School, browsers: NewBrowser) -> None:
    """A4.5: ended at role change."""
    one, other = browsers(), browsers()
    person = await school.person("senco", "dsl")
    await signed_in(school, one, person)
    await signed_in(school, other, person)
    async with school.db.transaction() as tx:
        assert await take_role(tx, person, "senco", school.clock.now)
    for browser in (one, other):
        page = await browser.open("/me")
        assert page.headings == ["You need a code"]


async def test_cut_access_ends_every_browser_and_its_code(school: School, browsers: NewBrowser) -> None:
    """PR-2, for a page that is open or locked."""
    browser = browsers()
    code = await joined(school, browser)
    async with school.db.transaction() as tx:
        row = await tx.first(select(sessions.c.person))
        assert row
        await cut_access(tx, row.person, school.clock.now)
    for path in ("/me", "/queue", f"/join/{code}"):
        await browser.open(path)
        assert not is_locked(browser)
        assert "Menu" not in browser.page.labels


async def test_sign_out_here_leaves_the_other_browsers(school: School, browsers: NewBrowser) -> None:
    one, other = browsers(), browsers()
    person = await school.person("senco")
    await signed_in(school, one, person)
    await signed_in(school, other, person)
    secret = cookie(one)
    await one.open("/factor")
    address, fields = one.sending("Sign out here")
    one.http.follow_redirects = False
    answer = await one.http.post(address, data=fields)
    assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert "yousaid=" in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    one.http.cookies.set("yousaid", secret, domain="127.0.0.1", path="/")
    page = await one.open("/me")
    assert page.headings == ["You need a code"]
    page = await other.open("/me")
    assert "Menu" in page.labels


async def test_sign_out_everywhere_ends_all(school: School, browsers: NewBrowser) -> None:
    """A4.5"""
    one, other, stranger = browsers(), browsers(), browsers()
    person = await school.person("senco")
    for browser in (one, other):
        await signed_in(school, browser, person)
    await signed_in(school, stranger, await school.person("senco"))
    await one.open("/factor")
    await one.press("Sign out everywhere")
    for browser in (one, other):
        page = await browser.open("/me")
        assert page.headings == ["You need a code"]
    page = await stranger.open("/me")
    assert "Menu" in page.labels


async def test_lock_is_for_a_while(school: School, browsers: NewBrowser) -> None:
    """Whoever leaves the desk comes back with the app or the code, and needs nobody's help."""
    browser = browsers()
    code = await joined(school, browser)
    await set_up(school, browser)
    await browser.open("/queue")
    await browser.press("Lock")
    assert is_locked(browser)
    await browser.open("/people/calls")
    assert is_locked(browser)
    await browser.press("Go on", digits="000000")
    browser.answer = await browser.http.get("/people/calls")
    address, fields = browser.sending("Go on")
    fields = {name: value for name, value in fields.items() if name != "digits"} | {"code": code}
    browser.answer = await browser.http.post(address, data=fields)
    assert browser.answer.url.path == "/factor"


async def test_code_that_is_none_is_no_wrong_digit(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    await joined(school, browser)
    secret = await set_up(school, browser)
    school.clock.move(minutes=20)
    await browser.open("/me")
    address, fields = browser.sending("Go on")
    fields.pop("digits")
    for _ in range(9):
        answer = await browser.http.post(address, data=fields | {"code": "my code"})
        assert "That did not fit." in answer.text
    await browser.press("Go on", digits=digits_of(school, secret))
    assert "Menu" in browser.page.labels


async def test_sign_out_works_from_the_locked_page(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    await joined(school, browser)
    school.clock.move(minutes=20)
    await browser.open("/me")
    page = await browser.press("Sign out here")
    assert page.headings == ["You need a code"]
    async with school.db.reading() as tx:
        assert await tx.all(select(sessions)) == []


async def test_nobody_is_signed_out_by_another_site(school: School, browsers: NewBrowser) -> None:
    """CSRF"""
    browser = await signed_in(school, browsers(), await school.person("senco"))
    await browser.open("/factor")
    await browser.press("Sign out everywhere", csrf="0" * 64)
    assert browser.answer.status_code == 403
    page = await browser.open("/me")
    assert "Menu" in page.labels


async def test_https_cookie_is_deleted_as_it_was_set(school: School) -> None:
    from dataclasses import replace

    house = replace(school.house, web_address="https://voice.example.sch.uk", public=True)
    browser = PlainBrowser(make_app(school.dialogue, school.db, house, school.letters, school.clock))
    person = await school.person("senco")
    async with school.db.transaction() as tx:
        secret = await start_session(tx, person, school.clock.now)
    raw = {"cookie": f"__Host-yousaid={secret}"}
    page = (await browser.http.get("/factor", headers=raw)).text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    browser.http.follow_redirects = False
    answer = await browser.http.post("/sign-out", data={"csrf": csrf}, headers=raw)
    await browser.close()
    gone = answer.headers["set-cookie"]
    assert gone.startswith('__Host-yousaid="";')
    assert {"Path=/", "Secure", "HttpOnly", "Max-Age=0"} <= set(gone.split("; "))


async def test_demo_phones_never_lock(school: School) -> None:
    people = {name: await school.person(role) for name, role in (("parent", "parent"), ("pupil", "pupil"))}
    people["senco"] = await school.person("senco")
    browser = PlainBrowser(make_demo_app(school.dialogue, school.letters, school.clock, people, "var/demo"))
    await browser.open("/senco/")
    school.clock.move(hours=9)
    page = await browser.press("Menu")
    assert (browser.answer.status_code, page.headings) == (200, ["Menu"])
    page = await browser.open("/senco/factor")
    assert "Sign out here" not in page.labels
    page = await browser.open("/senco/people/letters")
    assert page.headings == ["Make letters"]
    await browser.close()
