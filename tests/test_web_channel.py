"""The web channel over HTTP, with real storage: joining, answering, the queue, links, and what protects them."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select
from starlette.types import Message as Event

from bot.said import OPEN, Text, asking
from bot.web_channel.access import ACCESS
from bot.web_channel.app import make_app
from bot.web_channel.demo_page import make_demo_app
from conversations.library import bundled_forms
from data.links import make_link
from data.people import people_with_role
from data.queue import add_item, find_item, waiting_items
from data.runs import run_of, runs_in
from data.sessions import start_session
from data.surveys import find_survey
from data.tables import sessions
from tests.browser.plain import SITE, NewBrowser, PlainBrowser
from tests.school import School


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the pages would have slept; nobody waits in tests."""
    slept: list[float] = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("bot.web_channel.join_pages.sleep", nap)
    return slept


async def signed_in(school: School, browser: PlainBrowser, person: str) -> PlainBrowser:
    async with school.db.transaction() as tx:
        secret = await start_session(tx, person, school.clock.now)
    browser.http.cookies.set("yousaid", secret, domain="127.0.0.1", path="/")
    await browser.open("/me")
    return browser


async def sent(school: School, form: str, group: str = "SEND parents") -> str:
    from bot.errands.send import default_sending, send_survey
    from data.people import find_group

    async with school.db.transaction() as tx:
        id = await find_group(tx, group) or ""
        sending = default_sending(school.house, bundled_forms()[form], id, school.clock.now.date())
        survey = await send_survey(tx, school.house, sending, school.clock.now)
    await school.rounds()
    return survey.id


async def answers_of(school: School, person: str, survey_id: str) -> dict[str, tuple[str, ...]]:
    async with school.db.reading() as tx:
        survey = await find_survey(tx, survey_id)
        assert survey
        id = await run_of(tx, person, survey_id)
        state = next(run.state for run in await runs_in(tx, survey) if run.id == id)
    return {question: answer.values for question, answer in state.answers.items()}


# --- joining ------------------------------------------------------------------------------------------------------


async def test_looking_at_a_code_spends_nothing_and_yes_joins(school: School, browsers: NewBrowser) -> None:
    code = await school.code("parent", "SEND parents")
    browser = browsers()
    for _ in range(3):
        page = await browser.open(f"/join/{code}")
    assert page.headings == ["Welcome to Elmfield Primary"]
    assert page.labels == ["Yes, start", "No, thank you"]
    page = await browser.press("Yes, start")
    assert browser.answer.url.path == "/me"
    assert "You have joined" in page.text
    async with school.db.reading() as tx:
        assert len(await people_with_role(tx, "parent")) == 1


async def test_no_thank_you_keeps_nothing_and_the_code_still_works(school: School, browsers: NewBrowser) -> None:
    code = await school.code("parent")
    browser = browsers()
    await browser.open(f"/join/{code}")
    page = await browser.press("No, thank you")
    assert "Nothing was kept" in page.text
    await browser.open(f"/join/{code}")
    await browser.press("Yes, start")
    assert browser.answer.url.path == "/me"


async def test_used_code_goes_on_where_it_was_used_and_is_refused_elsewhere(
    school: School, browsers: NewBrowser
) -> None:
    code = await school.code("parent")
    here, elsewhere = browsers(), browsers()
    await here.open(f"/join/{code.lower()}")
    await here.press("Yes, start")
    await here.open(f"/join/{code}")
    assert (here.answer.status_code, here.answer.url.path) == (200, "/me")
    await elsewhere.open(f"/join/{code}")
    assert elsewhere.answer.status_code == 404


async def test_every_bad_code_gets_the_same_answer(school: School, browsers: NewBrowser) -> None:
    used, old = await school.code("parent"), await school.code("parent", days=1)
    first, other = browsers(), browsers()
    await first.open(f"/join/{used}")
    await first.press("Yes, start")
    school.clock.move(days=2)
    texts = set()
    for bad in (used, old, "0000-0000-00", "no-code-at-all", "x" * 3000):
        page = await other.open(f"/join/{bad}")
        assert other.answer.status_code == 404
        texts.add(page.text)
    assert len(texts) == 1
    assert "That code does not work here." in texts.pop()


async def test_guessing_gets_slow_after_fifty_and_is_never_locked_out(
    school: School, browsers: NewBrowser, naps: list[float]
) -> None:
    browser, good = browsers(), await school.code("parent")
    for _ in range(58):
        await browser.open("/join/0000-0000-00")
    assert naps[:50] == [0] * 50
    assert naps[50:] == [0.5, 1, 1.5, 2, 2.5, 3, 3, 3]
    page = await browser.open(f"/join/{good}")
    assert "Yes, start" in page.labels
    naps.clear()
    school.clock.move(hours=1, seconds=1)
    await browser.open("/join/0000-0000-00")
    assert naps == [0]


async def test_code_typed_on_the_page_leads_to_it(school: School, browsers: NewBrowser) -> None:
    code = await school.code("parent")
    browser = browsers()
    page = await browser.open("/me")
    assert page.headings == ["You need a code"]
    page = await browser.press("Go on", code=f" {code.lower().replace('-', '')} ")
    assert page.headings == ["Welcome to Elmfield Primary"]


async def test_a_cry_for_help_instead_of_a_code_reaches_the_safeguarding_lead(
    school: School, browsers: NewBrowser
) -> None:
    await school.readers()
    browser = browsers()
    await browser.open("/me")
    page = await browser.press("Go on", code="my dad hits me")
    assert "Thank you for telling us" in page.text
    assert "0800 1111" in page.text
    async with school.db.reading() as tx:
        items = await waiting_items(tx)
    assert [(i.kind, i.text, i.person) for i in items] == [("flagged", "my dad hits me", "")]


async def test_further_code_adds_its_role(school: School, browsers: NewBrowser) -> None:
    person = await school.person("senco", label="Ms Patel")
    browser = await signed_in(school, browsers(), person)
    code = await school.code("dsl")
    await browser.open(f"/join/{code}")
    page = await browser.press("Yes, start")
    assert "safeguarding lead" in page.text
    assert (await school.known(person)).roles == {"senco", "dsl"}


async def test_bad_code_of_somebody_who_joined_keeps_their_place(school: School, browsers: NewBrowser) -> None:
    browser = await signed_in(school, browsers(), await school.person("parent"))
    page = await browser.open("/join/0000-0000-00")
    assert browser.answer.status_code == 404
    assert "That code does not work here." in page.text
    page = await browser.press("Menu")
    assert page.headings == ["Menu"]


async def test_joining_makes_a_new_session(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    browser.http.cookies.set("yousaid", "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    await browser.open(f"/join/{await school.code('parent')}")
    await browser.press("Yes, start")
    assert "chosen-by-somebody-else" not in [c.value for c in browser.http.cookies.jar]
    async with school.db.reading() as tx:
        rows = await tx.all(select(sessions.c.hash))
    secrets = [c.value for c in browser.http.cookies.jar if c.name == "yousaid"]
    assert len(rows) == 1
    assert rows[0].hash not in secrets


# --- answering ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def parent(school: School, browsers: NewBrowser) -> PlainBrowser:
    """A parent with an open survey about the last drop-in."""
    people = await school.people(12)
    browser = await signed_in(school, browsers(), people[0])
    browser.person = people[0]  # type: ignore[attr-defined]
    browser.survey = await sent(school, "drop-in-feedback")  # type: ignore[attr-defined]
    await browser.open("/me")
    return browser


def who(browser: PlainBrowser) -> tuple[str, str]:
    return browser.person, browser.survey  # type: ignore[attr-defined]


async def test_a_whole_form_by_buttons(school: School, parent: PlainBrowser) -> None:
    assert "Elmfield Primary has 3 questions for you." in parent.page.text
    page = await parent.press("Open")
    assert page.headings == ["After a drop-in"]
    page = await parent.press("Yes, start")
    assert page.headings == ["Did you feel listened to?"]
    assert "Question 1 of 3" in page.text
    page = await parent.press("Yes", "Partly", "Friends", "Done")
    assert page.headings == ["Your answers"]
    page = await parent.press("Send my answers")
    assert page.headings == ["Thank you. We have your answers."]
    answers = await answers_of(school, *who(parent))
    assert answers == {"B6.1": ("yes",), "B6.2": ("partly",), "B6.3": ("friends",)}


async def test_marks_show_and_can_be_taken_back(parent: PlainBrowser) -> None:
    page = await parent.press("Open", "Yes, start", "Yes", "Yes", "Friends")
    pressed = {b["label"]: b.get("aria-pressed") for f in page.forms for b in f.buttons}
    assert pressed["Friends ✓"] == "true"
    assert pressed["Learning"] == "false"
    assert pressed["Done"] is None
    page = await parent.press("Friends ✓")
    assert "Friends" in page.labels


async def test_typed_number_and_words_answer_too(school: School, parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    await parent.type("2")
    await parent.type("yes")
    await parent.type("1, 3")
    assert parent.page.headings == ["Your answers"]
    answers = await answers_of(school, *who(parent))
    assert answers == {"B6.1": ("mostly",), "B6.2": ("yes",), "B6.3": ("sleep-home", "learning")}


async def test_same_button_sent_twice_is_one_answer(school: School, parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    address, fields = parent.sending("Yes")
    await parent.http.post(address, data=fields)
    await parent.http.post(address, data=fields)
    page = await parent.open("/me")
    assert page.headings == ["Do you know what happens next?"]
    assert await answers_of(school, *who(parent)) == {"B6.1": ("yes",)}


async def test_same_words_sent_twice_are_one_answer(school: School, parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    address, fields = parent.sending("Send", words="1")
    await parent.http.post(address, data=fields)
    await parent.http.post(address, data=fields)
    await parent.open("/me")
    assert await answers_of(school, *who(parent)) == {"B6.1": ("yes",)}


async def test_words_that_failed_can_be_sent_again(
    school: School, parent: PlainBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.database import DatabaseBusy

    await parent.press("Open", "Yes, start")
    address, fields = parent.sending("Send", words="1")

    async def busy(*_: object) -> None:
        raise DatabaseBusy("The database is held by another program.")

    with monkeypatch.context() as patched:
        patched.setattr(school.dialogue, "hear_person", busy)
        assert (await parent.http.post(address, data=fields)).status_code == 503
    await parent.http.post(address, data=fields)
    assert await answers_of(school, *who(parent)) == {"B6.1": ("yes",)}


async def test_same_command_works_again_and_again(school: School, browsers: NewBrowser) -> None:
    senco = await signed_in(school, browsers(), await school.person("senco"))
    for _ in range(2):
        page = await senco.type("/queue")
        assert "Nothing is waiting to be read." in senco.answer.text
        assert "Open" in page.labels
        for _ in range(2):
            school.clock.move(minutes=10)
            page = await senco.open("/me")
        assert "Open" not in page.labels


async def test_words_for_a_question_that_has_gone_change_nothing(school: School, parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    address, fields = parent.sending("Send", words="2")
    await parent.press("Yes")
    await parent.http.post(address, data=fields)
    page = await parent.open("/me")
    assert "This is where you are now." in page.text
    assert await answers_of(school, *who(parent)) == {"B6.1": ("yes",)}


async def test_words_about_danger_are_heard_even_from_an_old_page(school: School, parent: PlainBrowser) -> None:
    await school.readers()
    await parent.press("Open", "Yes, start")
    address, fields = parent.sending("Send", words="I want to die")
    await parent.press("Yes")
    await parent.http.post(address, data=fields)
    page = await parent.open("/me")
    assert "Thank you for telling us" in page.text
    async with school.db.reading() as tx:
        assert [i.text for i in await waiting_items(tx)] == ["I want to die"]


async def test_what_is_not_understood_is_said_and_the_place_kept(parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    page = await parent.type("blue")
    assert "I did not understand that." in page.text
    assert 'role="status"' in parent.answer.text
    assert page.headings == ["Did you feel listened to?"]


async def test_reloading_says_the_same_again(parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    await parent.type("blue")
    first = parent.answer.text
    await parent.open("/me")
    assert parent.answer.text == first


async def test_easier_words_take_the_place_of_the_question(school: School, browsers: NewBrowser) -> None:
    people = await school.people(12)
    await school.readers()
    browser = await signed_in(school, browsers(), people[0])
    await sent(school, "parent-send-provision")
    await browser.open("/me")
    page = await browser.press("Open", "Yes, start", "Easier words")
    assert page.headings == ["Do staff know what your child needs?"]
    page = await browser.press("Very well")
    assert page.headings == ["How much does the help make a difference?"]


async def test_words_of_four_thousand_letters_and_odd_ones_are_taken(school: School, browsers: NewBrowser) -> None:
    people = await school.people(12)
    await school.readers()
    browser = await signed_in(school, browsers(), people[0])
    survey = await sent(school, "parent-send-provision")
    await browser.open("/me")
    await browser.press("Open", "Yes, start", *["Skip"] * 6)
    assert browser.page.form_with("Send")[0].fields["words"] == ""
    await browser.type("ab\x00c\u202e <script>alert(1)</script> " + "é" * 5000)
    assert browser.answer.status_code == 200
    assert "<script>alert" not in browser.answer.text
    answers = await answers_of(school, people[0], survey)
    assert len(answers["B1.7"][0]) <= 4096


async def test_letter_is_gone_once_the_page_that_showed_it_was_used(parent: PlainBrowser) -> None:
    assert "Open" in parent.page.labels
    await parent.press("Open")
    await parent.press("No, thank you")
    page = await parent.open("/me")
    assert "has 3 questions" not in page.text


async def test_survey_left_halfway_is_offered_again(parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start", "Yes", "Stop")
    page = await parent.open("/me")
    assert "Open" in page.labels
    page = await parent.press("Open")
    assert page.headings == ["Do you know what happens next?"]


async def test_menu_over_a_question_keeps_the_question(parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    page = await parent.press("Menu")
    assert page.headings == ["Did you feel listened to?"]
    assert page.labels.count("Menu") == 1
    assert "Questions for you" in page.labels


async def test_help_shows_the_numbers_and_a_way_on(school: School, parent: PlainBrowser) -> None:
    await school.readers()
    await parent.press("Open", "Yes, start")
    page = await parent.press("I need help")
    assert "0808 800 5000" in page.text
    assert page.labels[:3] == ["Menu", "Go on", "Stop"]
    page = await parent.press("Go on")
    assert page.headings == ["Did you feel listened to?"]


async def test_nothing_said_stays_after_a_quarter_of_an_hour(school: School, parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    await parent.type("blue")
    school.clock.move(minutes=16)
    page = await parent.open("/me")
    assert "I did not understand" not in page.text
    assert page.headings == ["Did you feel listened to?"]


async def test_version_changes_with_news_and_only_then(school: School, parent: PlainBrowser) -> None:
    before = (await parent.http.get("/me/version")).json()["version"]
    assert f'data-version="{before}"' in parent.answer.text
    assert (await parent.http.get("/me/version")).json()["version"] == before
    await sent(school, "drop-in-feedback")
    assert (await parent.http.get("/me/version")).json()["version"] != before


async def test_two_devices_of_one_person_show_the_same(school: School, browsers: NewBrowser) -> None:
    people = await school.people(12)
    phone, laptop = browsers(), browsers()
    await signed_in(school, phone, people[0])
    await signed_in(school, laptop, people[0])
    await sent(school, "drop-in-feedback")
    await phone.open("/me")
    await phone.press("Open", "Yes, start", "Yes")
    page = await laptop.open("/me")
    assert page.headings == ["Do you know what happens next?"]


# --- staff --------------------------------------------------------------------------------------------------------


async def test_summary_shows_counts_picture_and_file_until_the_next_tap(school: School, browsers: NewBrowser) -> None:
    people = await school.people(12)
    survey = await sent(school, "drop-in-feedback")
    for person in people[:8]:
        talk = school.on(person)
        talk.reply = await talk.forges(asking(OPEN, survey))
        await talk.taps("Yes, start", "Yes", "Yes", "Friends", "Done", "Send my answers")
    senco = await signed_in(school, browsers(), await school.person("senco"))
    await senco.type("/close")
    page = await senco.press("Close and count")
    assert "8 of 12 people answered" in page.text
    image = re.search(r'src="(/me/picture/\d+)" alt="Chart of', senco.answer.text)
    assert image
    answer = await senco.http.get(image[1])
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    await senco.type("/export")
    link = re.search(r'href="(/me/file/\d+)"', senco.answer.text)
    assert link
    answer = await senco.http.get(link[1])
    assert "drop-in-feedback-1-counts.csv" in answer.headers["content-disposition"]
    assert (await senco.http.get("/me/picture/99")).status_code == 404
    other = await signed_in(school, browsers(), await school.person("senco"))
    assert (await other.http.get(link[1])).status_code == 404


@pytest.fixture
async def item(school: School) -> str:
    async with school.db.transaction() as tx:
        at = school.clock.now - timedelta(hours=3)
        await add_item(tx, "words", school.clock.now, "newer words")
        return await add_item(tx, "flagged", at, "older words <b>", "", "A.B., parent or carer")


async def test_senco_reads_the_queue_oldest_first(school: School, browsers: NewBrowser, item: str) -> None:
    alice = await signed_in(school, browsers(), await school.person("senco", label="Ms Patel"))
    page = await alice.type("/queue")
    assert "2 items wait to be read. The oldest has waited 3 hours." in page.text
    page = await alice.press("Open")
    assert page.headings == ["2 wait to be read, the oldest for 3 hours"]
    assert [label for label in page.labels if label.startswith("Read")] == ["Read", "Read"]
    assert "words <b>" not in page.text
    assert page.text.index("Words that may be about danger") < page.text.index("Words from a survey")
    page = await alice.press("Read")
    assert "older words <b>" in page.text
    assert "A.B." not in page.text
    assert "Ms Patel read it first" in page.text
    page = await alice.open("/queue")
    assert [label for label in page.labels if label.startswith("Read")] == ["Read", "Read again"]
    async with school.db.reading() as tx:
        found = await find_item(tx, item)
    assert found
    assert found.read_at == school.clock.now


async def test_head_sees_an_empty_queue(school: School, browsers: NewBrowser, item: str) -> None:
    bob = await signed_in(school, browsers(), await school.person("head"))
    page = await bob.open("/queue")
    assert bob.answer.status_code == 200
    assert [label for label in page.labels if label.startswith("Read")] == []
    assert "Nothing is waiting." in page.text
    csrf = (await bob.open("/me")).forms[0].fields["csrf"]
    answer = await bob.http.post(f"/queue/{item}", data={"csrf": csrf})
    assert answer.status_code == 404
    assert "older words" not in answer.text


async def test_parent_sees_no_queue_at_all(school: School, browsers: NewBrowser, item: str) -> None:
    charlie = await signed_in(school, browsers(), await school.person("parent"))
    csrf = charlie.page.forms[0].fields["csrf"]
    page = await charlie.open("/queue")
    assert charlie.answer.status_code == 403
    assert "This is for staff." in page.text
    answer = await charlie.http.post(f"/queue/{item}", data={"csrf": csrf})
    assert answer.status_code == 403
    async with school.db.reading() as tx:
        found = await find_item(tx, item)
    assert found
    assert found.read_at is None


async def test_strangers_see_no_queue(browsers: NewBrowser, item: str) -> None:
    stranger = browsers()
    page = await stranger.open("/queue")
    assert page.headings == ["You need a code"]
    answer = await stranger.http.post(f"/queue/{item}", data={})
    assert "older words" not in answer.text


async def test_looking_at_an_item_by_address_reads_nothing(school: School, browsers: NewBrowser, item: str) -> None:
    alice = await signed_in(school, browsers(), await school.person("senco"))
    page = await alice.open(f"/queue/{item}")
    assert alice.answer.url.path == "/queue"
    assert "older words" not in page.text
    async with school.db.reading() as tx:
        assert len(await waiting_items(tx)) == 2


async def test_one_time_link_opens_the_queue_once(school: School, browsers: NewBrowser) -> None:
    senco = await school.person("senco")
    async with school.db.transaction() as tx:
        secret = await make_link(tx, senco, "queue", "", school.clock.now)
    first, second = browsers(), browsers()
    for _ in range(3):
        page = await first.open(f"/file/{secret}")
    assert page.labels == ["Open"]
    await second.open(f"/file/{secret}")
    page = await first.press("Open")
    assert (first.answer.url.path, page.headings) == ("/queue", ["Waiting to be read"])
    page = await second.press("Open")
    assert second.answer.status_code == 404
    assert "used or is too old" in page.text
    await second.open(f"/file/{secret}")
    assert second.answer.status_code == 404


async def test_link_is_too_old_after_a_quarter_of_an_hour(school: School, browsers: NewBrowser) -> None:
    senco = await school.person("senco")
    async with school.db.transaction() as tx:
        secret = await make_link(tx, senco, "queue", "", school.clock.now)
    browser = browsers()
    await browser.open(f"/file/{secret}")
    school.clock.move(minutes=15)
    await browser.press("Open")
    assert browser.answer.status_code == 404


# --- what protects it ---------------------------------------------------------------------------------------------

ODD = ("/static/app.css", "/static/none.css", "/nothing", "/%00", "/static/../app.py", "//", "/me/..")
ROUTES = (*sorted({re.sub(r"\{[a-z:]+\}", "0", path) for _, path in ACCESS}), *ODD)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "YOUSAID")


@pytest.mark.parametrize("joined", [False, True])
async def test_every_answer_carries_the_security_headers(school: School, browsers: NewBrowser, joined: bool) -> None:
    """Trust A4.6: every route that is declared and some that are not, by every method and one that is none."""
    browser = browsers()
    if joined:
        await signed_in(school, browser, await school.person("admin", "head", "dsl", "senco", "parent"))
    browser.http.follow_redirects = False
    for path in ROUTES:
        for method in METHODS:
            answer = await browser.http.request(method, path)
            check_headers(answer)
            assert answer.status_code < 500, (method, path)


def check_headers(answer: httpx.Response) -> None:
    found = answer.headers
    policy = found["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert found["cache-control"] == "no-store"
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "no-referrer"
    assert found["x-frame-options"] == "DENY"
    assert found["cross-origin-opener-policy"] == "same-origin"
    assert found["cross-origin-embedder-policy"] == "require-corp"
    assert found["cross-origin-resource-policy"] == "same-origin"
    assert found["x-robots-tag"].startswith("noindex")
    assert "microphone=()" in found["permissions-policy"]
    assert found["content-language"] == "en"
    assert "strict-transport-security" not in found
    assert "server" not in found


async def test_https_insists_on_https(school: School) -> None:
    from dataclasses import replace

    house = replace(school.house, web_address="https://voice.example.sch.uk", public=True)
    browser = PlainBrowser(make_app(school.dialogue, school.db, house, school.letters, school.clock))
    answer = await browser.http.get("/me")
    await browser.close()
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-yousaid-form=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))


async def test_session_cookie_is_kept_from_scripts_and_other_sites(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    await browser.open(f"/join/{await school.code('parent')}")
    browser.http.follow_redirects = False
    await browser.press("Yes, start")
    cookie = browser.answer.headers["set-cookie"]
    assert re.match(r"yousaid=[\w-]{40,}; ", cookie)
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
async def test_form_without_its_token_changes_nothing(school: School, parent: PlainBrowser, csrf: str) -> None:
    await parent.press("Open", "Yes, start")
    page = await parent.press("Yes", csrf=csrf)
    assert parent.answer.status_code == 403
    assert "This page was too old, so nothing was changed." in page.text
    assert await answers_of(school, *who(parent)) == {}
    await parent.press("Yes")
    assert await answers_of(school, *who(parent)) == {"B6.1": ("yes",)}


async def test_token_of_somebody_else_is_worth_nothing(school: School, browsers: NewBrowser) -> None:
    one = await signed_in(school, browsers(), await school.person("parent"))
    other = await signed_in(school, browsers(), await school.person("parent"))
    stolen = one.page.forms[0].fields["csrf"]
    await other.press("Menu", csrf=stolen)
    assert other.answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
async def test_form_from_another_site_is_refused(school: School, browsers: NewBrowser, headers: dict[str, str]) -> None:
    browser = await signed_in(school, browsers(), await school.person("parent"))
    browser.http.headers.update(headers)
    await browser.press("Menu")
    assert browser.answer.status_code == 403


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": "null"}, {"origin": SITE}])
async def test_form_from_our_own_page_is_taken(school: School, browsers: NewBrowser, headers: dict[str, str]) -> None:
    browser = await signed_in(school, browsers(), await school.person("parent"))
    browser.http.headers.update(headers)
    page = await browser.press("Menu")
    assert page.headings == ["Menu"]


async def test_joining_without_the_page_is_refused(school: School, browsers: NewBrowser) -> None:
    code, browser = await school.code("parent"), browsers()
    for data in ({"say": "j=yes"}, {"say": "j=yes", "csrf": "0" * 64}):
        answer = await browser.http.post(f"/join/{code}", data=data)
        assert answer.status_code == 403
    async with school.db.reading() as tx:
        assert await people_with_role(tx, "parent") == []


async def test_too_much_is_refused_politely(school: School, browsers: NewBrowser) -> None:
    browser = await signed_in(school, browsers(), await school.person("parent"))
    for content in (b"words=" + b"x" * 65_531, chunks()):
        answer = await browser.http.post("/me", content=content)
        assert answer.status_code == 413
        check_headers(answer)
        assert "too long" in answer.text
    answer = await browser.http.post("/me", content=b"words=" + b"x" * 60_000)
    assert answer.status_code in (400, 403)


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(20):
        yield b"x" * 4000


async def test_half_a_form_is_not_heard(school: School, parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    _, fields = parent.sending("Send", words="1")
    body = urlencode(fields).encode()
    events: list[Event] = [{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Event:
        return events.pop(0)

    async def send(_: Event) -> None:
        pytest.fail("nobody is there to answer")

    cookies = "; ".join(f"{c.name}={c.value}" for c in parent.http.cookies.jar).encode()
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"cookie", cookies)]
    scope = {"type": "http", "method": "POST", "path": "/me", "headers": headers, "query_string": b"", "state": {}}
    app = make_app(school.dialogue, school.db, school.house, school.letters, school.clock)
    await app(scope, receive, send)
    assert await answers_of(school, *who(parent)) == {}


async def test_forged_buttons_change_nothing(school: School, parent: PlainBrowser) -> None:
    await parent.press("Open", "Yes, start")
    for says in (
        "",
        "x",
        "abcdefghjkmn:1:yes",
        "o=../../etc",
        "c=send",
        "close=drop-in-feedback-1",
        "y" * 5000,
        "\x00",
    ):
        await parent.press("Yes", say=says)
        assert parent.answer.status_code == 200
        await parent.open("/me")
    assert await answers_of(school, *who(parent)) == {}


async def test_errors_show_a_kind_page_and_nothing_else(
    school: School, browsers: NewBrowser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await signed_in(school, browsers(), await school.person("parent"))

    async def broken(*_: object) -> None:
        raise ValueError("secret words")

    monkeypatch.setattr(school.dialogue, "hear_person", broken)
    page = await browser.type("private thing")
    assert browser.answer.status_code == 500
    check_headers(browser.answer)
    assert "Nothing you sent was lost" in page.text
    assert "secret" not in browser.answer.text + caplog.text
    assert "private" not in browser.answer.text + caplog.text


async def test_database_trouble_says_busy(
    school: School, browsers: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.database import DatabaseBusy

    browser = await signed_in(school, browsers(), await school.person("parent"))

    async def busy(*_: object) -> None:
        raise DatabaseBusy("The database is held by another program.")

    monkeypatch.setattr(school.dialogue, "look", busy)
    page = await browser.open("/me")
    assert browser.answer.status_code == 503
    assert "I am busy right now." in page.text
    check_headers(browser.answer)


async def test_health_says_one_word(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    assert (await browser.http.get("/healthz")).text == "ok"
    assert (await browser.http.get("/readyz")).text == "ready"
    await school.people(12)
    await sent_but_stuck(school)
    answer = await browser.http.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready")


async def sent_but_stuck(school: School) -> None:
    from data.outbox import post

    async with school.db.transaction() as tx:
        people = await people_with_role(tx, "parent")
        await post(tx, "invitation", "x", people, school.clock.now - timedelta(minutes=6))


# --- the demo -----------------------------------------------------------------------------------------------------


async def test_demo_phones_are_three_people_in_one_browser(school: School) -> None:
    people = {name: await school.person(role) for name, role in (("parent", "parent"), ("pupil", "pupil"))}
    people["senco"] = await school.person("senco")
    browser = PlainBrowser(make_demo_app(school.dialogue, school.letters, school.clock, people, "var/demo"))
    answer = await browser.http.get("/")
    assert answer.text.count("<iframe ") == 3
    assert "frame-src 'self'; frame-ancestors 'self'" in answer.headers["content-security-policy"]
    for name in people:
        await browser.open(f"/{name}/")
        assert browser.answer.url.path == f"/{name}/me"
        assert browser.answer.headers["x-frame-options"] == "SAMEORIGIN"
        await browser.press("Menu")
        assert browser.answer.status_code == 200
    paths = {c.path for c in browser.http.cookies.jar}
    assert paths == {"/parent", "/pupil", "/senco"}
    await browser.open("/senco/queue")
    assert browser.answer.status_code == 200
    await browser.open("/parent/queue")
    assert browser.answer.status_code == 403
    page = await browser.open("/me")
    assert page.headings == ["You need a code"]
    await browser.close()


async def test_outside_the_demo_nobody_is_signed_in_without_a_code(school: School, browsers: NewBrowser) -> None:
    await school.person("senco")
    for path in ("/senco/me", "/senco/", "/me"):
        page = await browsers().open(path)
        assert "Menu" not in page.labels


async def test_text_of_the_dialogue_is_the_same_here(school: School, parent: PlainBrowser) -> None:
    reply = await school.dialogue.hear_person(who(parent)[0], Text("/help"), "web")
    page = await parent.type("/help")
    assert reply.messages[0].title == page.headings[0]
