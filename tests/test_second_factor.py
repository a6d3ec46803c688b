"""The second factor of staff on the web (A4.5): set up once, each code once, slow for those who guess."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import pyotp
import pytest
from sqlalchemy import select

from bot.web_channel.second_factor import own_path, step_of
from data.factors import find_factor, remove_factor
from data.sessions import person_of_session
from data.tables import second_factors
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.school import School
from tests.test_web_channel import signed_in

pytestmark = pytest.mark.both_databases


def digits_of(school: School, secret: str, late: int = 0) -> str:
    """What the app shows now, or `late` half minutes later."""
    return pyotp.TOTP(secret).at(int(school.clock.now.timestamp()) + 30 * late)


def letters_on(browser: PlainBrowser) -> str:
    found = re.search(r'class="letters">([A-Z2-7 ]+)<', browser.answer.text)
    assert found, browser.answer.text
    return unescape(found[1]).replace(" ", "")


async def set_up(school: School, browser: PlainBrowser, back: str = "/me") -> str:
    """The secret that this browser's person now has in an app; their session counts as proved."""
    await browser.open(f"/factor?back={back}")
    secret = letters_on(browser)
    await browser.press("Go on", digits=digits_of(school, secret))
    assert browser.answer.url.path == back
    school.clock.move(seconds=90)
    return secret


@pytest.fixture
async def senco(school: School, browsers: NewBrowser) -> PlainBrowser:
    browser = await signed_in(school, browsers(), await school.person("senco", label="Ms Patel"))
    browser.person = await person_in(school, browser)  # type: ignore[attr-defined]
    return browser


async def person_in(school: School, browser: PlainBrowser) -> str:
    async with school.db.reading() as tx:
        person = await person_of_session(tx, cookie(browser), school.clock.now)
    assert person
    return person.id


def cookie(browser: PlainBrowser) -> str:
    return next(c.value or "" for c in browser.http.cookies.jar if c.name == "yousaid")


# --- setting it up ------------------------------------------------------------------------------------------------


async def test_first_time_shows_a_picture_and_letters_and_keeps_nothing(school: School, senco: PlainBrowser) -> None:
    for _ in range(2):
        page = await senco.open("/factor?back=/me")
        assert page.headings == ["Set up your app"]
    picture = await senco.http.get("/factor/picture")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.content.startswith(b"<?xml")
    assert b"<script" not in picture.content
    assert len(letters_on(senco)) == 32
    async with school.db.reading() as tx:
        assert await tx.all(select(second_factors)) == []


async def test_picture_and_letters_say_the_same(school: School, senco: PlainBrowser) -> None:
    import segno

    await senco.open("/factor")
    picture = (await senco.http.get("/factor/picture")).text
    address = pyotp.TOTP(letters_on(senco)).provisioning_uri(name="Elmfield Primary", issuer_name="YouSaid")
    drawn = segno.make(address, error="m").svg_inline(scale=6, border=4, dark="#000", light="#fff")
    assert re.findall(r' d="([^"]+)"', picture) == re.findall(r' d="([^"]+)"', drawn)


async def test_right_digits_set_it_up_and_lead_back(school: School, senco: PlainBrowser) -> None:
    secret = await set_up(school, senco, "/queue")
    async with school.db.reading() as tx:
        factor = await find_factor(tx, senco.person)  # type: ignore[attr-defined]
        stored = (await tx.all(select(second_factors)))[0].sealed
    assert factor
    assert factor.secret == secret
    assert secret.encode() not in stored
    page = await senco.open("/factor?back=/queue")
    assert page.headings == ["Your six digits"]
    assert secret not in senco.answer.text
    assert (await senco.http.get("/factor/picture")).status_code == 404


async def test_wrong_digits_set_nothing_up(school: School, senco: PlainBrowser) -> None:
    await senco.open("/factor?back=/queue")
    for typed in ("000000", "", "abcdef", "１２３４５６", "1" * 400):
        page = await senco.press("Go on", digits=typed)
        assert "Those digits do not fit" in page.text
        assert senco.answer.url.path == "/factor"
    async with school.db.reading() as tx:
        assert await tx.all(select(second_factors)) == []


async def test_the_person_hears_of_it_in_their_chat(school: School, senco: PlainBrowser) -> None:
    """A4.5: who came by a one-time link could be somebody else; the owner of the account is told."""
    await set_up(school, senco)
    await school.rounds()
    page = await senco.open("/me")
    assert "An authenticator app was set up for your account here." in page.text


async def test_two_browsers_never_offer_the_same_letters(school: School, browsers: NewBrowser) -> None:
    person = await school.person("dsl")
    one, other = await signed_in(school, browsers(), person), await signed_in(school, browsers(), person)
    await one.open("/factor")
    await other.open("/factor")
    assert letters_on(one) != letters_on(other)
    await one.press("Go on", digits=digits_of(school, letters_on(one)))
    school.clock.move(seconds=60)
    page = await other.press("Go on", digits=digits_of(school, letters_on(other)))
    assert page.headings == ["Your six digits"]
    async with school.db.reading() as tx:
        assert len(await tx.all(select(second_factors))) == 1


# --- giving it ----------------------------------------------------------------------------------------------------


async def test_each_code_is_usable_once(school: School, senco: PlainBrowser) -> None:
    """A4.5"""
    secret = await set_up(school, senco, "/queue")
    code = digits_of(school, secret)
    await senco.open("/factor?back=/queue")
    await senco.press("Go on", digits=code)
    assert senco.answer.url.path == "/queue"
    await senco.open("/factor?back=/queue")
    page = await senco.press("Go on", digits=code)
    assert "used before" in page.text
    assert senco.answer.url.path == "/factor"


async def test_one_code_raced_by_two_browsers_opens_one(school: School, browsers: NewBrowser) -> None:
    """A4.5: whoever looks over a shoulder and is as fast still comes second."""
    person = await school.person("dsl")
    one, other = await signed_in(school, browsers(), person), await signed_in(school, browsers(), person)
    secret = await set_up(school, one)
    for _ in range(5):
        forms = []
        for browser in (one, other):
            await browser.open("/factor?back=/queue")
            forms.append(browser.sending("Go on", digits=digits_of(school, secret)))
        posts = [b.http.post(address, data=data) for b, (address, data) in zip((one, other), forms, strict=True)]
        ended = [answer.url.path for answer in await asyncio.gather(*posts)]
        assert sorted(ended) == ["/factor", "/queue"]
        school.clock.move(seconds=90)


async def test_code_before_the_last_used_one_is_used_up_too(school: School, senco: PlainBrowser) -> None:
    secret = await set_up(school, senco)
    early, late = digits_of(school, secret), digits_of(school, secret, 1)
    await senco.open("/factor")
    await senco.press("Go on", digits=late)
    assert senco.answer.url.path == "/me"
    await senco.open("/factor")
    page = await senco.press("Go on", digits=early)
    assert "used before" in page.text


@pytest.mark.parametrize(("late", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_one_half_minute_of_drift(school: School, late: int, good: bool) -> None:
    secret = pyotp.random_base32()
    assert (step_of(secret, digits_of(school, secret, late), school.clock.now) is not None) == good


async def test_digits_may_have_a_space_as_apps_show_them(school: School, senco: PlainBrowser) -> None:
    secret = await set_up(school, senco)
    code = digits_of(school, secret)
    await senco.open("/factor")
    await senco.press("Go on", digits=f" {code[:3]} {code[3:]} ")
    assert senco.answer.url.path == "/me"


async def test_five_wrong_ones_wait_and_nobody_is_locked_out(school: School, senco: PlainBrowser) -> None:
    """A4.5: at most 5 wrong codes in 15 minutes; then everybody waits, and then it works again."""
    secret = await set_up(school, senco)
    await senco.open("/factor")
    old = senco.sending("Go on", digits="000000")
    for _ in range(5):
        await senco.press("Go on", digits="000000")
    assert "Please wait 15 minutes" in senco.page.text
    assert "Go on" not in senco.page.labels
    await senco.http.post(old[0], data=old[1] | {"digits": digits_of(school, secret)})
    school.clock.move(minutes=8)
    page = await senco.open("/factor")
    assert "Please wait 7 minutes" in page.text
    school.clock.move(minutes=7)
    await senco.open("/factor")
    await senco.press("Go on", digits=digits_of(school, secret))
    assert senco.answer.url.path == "/me"


async def test_wrong_ones_far_apart_never_add_up(school: School, senco: PlainBrowser) -> None:
    await set_up(school, senco)
    for _ in range(9):
        await senco.open("/factor")
        page = await senco.press("Go on", digits="000000")
        assert "Please wait" not in page.text
        school.clock.move(minutes=4)


async def test_a_right_code_renews_the_session(school: School, senco: PlainBrowser) -> None:
    """Session fixation: a secret that somebody saw or planted before opens nothing afterwards."""
    before = cookie(senco)
    await set_up(school, senco)
    assert cookie(senco) != before
    async with school.db.reading() as tx:
        assert await person_of_session(tx, before, school.clock.now) is None


async def test_reset_begins_anew(school: School, senco: PlainBrowser) -> None:
    first = await set_up(school, senco)
    async with school.db.transaction() as tx:
        assert await remove_factor(tx, senco.person)  # type: ignore[attr-defined]
    assert await set_up(school, senco) != first


# --- who may, and where it leads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["parent", "young-person", "pupil"])
async def test_families_need_none(school: School, browsers: NewBrowser, role: str) -> None:
    """A4.5: parents need none."""
    browser = await signed_in(school, browsers(), await school.person(role))
    page = await browser.open("/factor")
    assert browser.answer.status_code == 403
    assert "This is for staff." in page.text
    assert (await browser.http.get("/factor/picture")).status_code == 404


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "",
        "/me\r\nset-cookie: a=b", "/me/../../x", "http:/evil", "/.evil.example", "/people#x", "/%2f/evil.example",
        " /people", "/people ", "/pe ople", "/people?x=//evil.example",
    ],
)  # fmt: skip
async def test_nobody_is_led_to_another_site(school: School, senco: PlainBrowser, back: str) -> None:
    """Open redirect and header injection: only a path of ours is gone back to."""
    assert own_path(back) == "/me"
    secret = await set_up(school, senco)
    senco.http.follow_redirects = False
    await senco.http.get("/factor")
    await senco.open("/factor")
    address, fields = senco.sending("Go on", digits=digits_of(school, secret))
    answer = await senco.http.post(address.partition("?")[0], params={"back": back}, data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert "a=b" not in str(answer.headers)


@pytest.mark.parametrize("back", ["/people", "/queue/abc123", "/people/letters?group=ab-c_1&n=2"])
def test_our_own_pages_are_gone_back_to(back: str) -> None:
    assert own_path(back) == back


async def test_digits_from_another_site_are_not_taken(school: School, senco: PlainBrowser) -> None:
    """CSRF"""
    await senco.open("/factor")
    secret = letters_on(senco)
    page = await senco.press("Go on", digits=digits_of(school, secret), csrf="0" * 64)
    assert senco.answer.status_code == 403
    assert "nothing was changed" in page.text
    async with school.db.reading() as tx:
        assert await tx.all(select(second_factors)) == []
