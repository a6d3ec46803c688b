"""The pages of the queue: who sees which item, where it goes, who is behind it, and the school's own record."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.item_record import pictures_named
from bot.joining import join
from bot.papers.typesetting import NotPrintable, pdf
from bot.web_channel.queue_door import may_name
from conversations.library import bundled_forms
from conversations.roles import MAY, ROLES, may, may_read
from data.access import cut_access
from data.alerts import steps_of
from data.calendar import Calendar
from data.codes import Invitation, make_code, read_code
from data.looks import looks_at, note_look
from data.people import Person, add_role, find_group
from data.queue import EMPTIED, ROUTES, Item, add_item, find_item, mark_reached, mark_read, route_item
from data.surveys import Survey, add_survey, next_survey_id
from data.tables import audit, outbox, queue
from scheduler.ladder import raise_alert
from scheduler.plan import one_school_day_after
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.school import School
from tests.test_second_factor import set_up
from tests.test_web_channel import signed_in

WORDS = "he hit me behind the bike shed"
READERS = MAY["queue-all"]
FRIDAY = datetime(2026, 11, 6, 17, 59, tzinfo=UTC)


Enter = Callable[..., Awaitable[PlainBrowser]]


@pytest.fixture
async def enter(school: School, browsers: NewBrowser) -> Enter:
    """Somebody with these roles, before a browser of their own."""

    async def entered(*roles: str, label: str = "") -> PlainBrowser:
        return await signed_in(school, browsers(), await school.person(*roles, label=label))

    return entered


async def put(
    school: School,
    kind: str = "flagged",
    person: str = "",
    route: str | None = None,
    about: Iterable[str] = (),
    reached: Iterable[str] = (),
    survey: str | None = None,
    text: str = WORDS,
) -> str:
    """An item in the queue, sent on where a route is given."""
    async with school.db.transaction() as tx:
        id = await add_item(tx, kind, school.clock.now, text, person, "", survey, about)
        for role in reached:
            await mark_reached(tx, id, role)
        item = await find_item(tx, id)
        if route and item:
            await mark_read(tx, id, "somebody", school.clock.now)
            await route_item(tx, item, route, about, "", "somebody", school.clock.now)
    return id


async def a_survey(school: School) -> str:
    """An open survey that nobody was asked yet."""
    form = bundled_forms()["parent-send-provision"]
    now = school.clock.now
    async with school.db.transaction() as tx:
        id, nth = await next_survey_id(tx, form.id)
        group = await find_group(tx, "SEND parents") or ""
        dates = {"opened_on": now.date(), "closes_at": now + timedelta(days=14), "answer_by": now.date()}
        await add_survey(tx, Survey(id, nth, form, "CONF", group, "what helps", "Mrs Ahmed", **dates))
    return id


async def found(school: School, id: str) -> Item:
    async with school.db.reading() as tx:
        item = await find_item(tx, id)
    assert item
    return item


async def read(browser: PlainBrowser, id: str) -> None:
    """Press its `Read`, by its address; the csrf is on any page."""
    await act(browser, f"/queue/{id}")


async def act(browser: PlainBrowser, path: str, **fields: str) -> None:
    """A form sent by hand, as somebody would who forges it."""
    await browser.open("/queue")
    csrf = next((form.fields["csrf"] for form in browser.page.forms if "csrf" in form.fields), "")
    browser.answer = await browser.http.post(path, data={"csrf": csrf, **fields})


# --- who sees which -----------------------------------------------------------------------------------------------

ABOUT = ((), ("dsl",), ("deputy",), ("senco",), ("head",), ("chair",), ("dsl", "deputy"), ("dsl", "head"))
REACHED = ((), ("head",), ("chair",))


@pytest.mark.parametrize("role", sorted(MAY["queue"]))
async def test_every_role_sees_exactly_what_may_read_says(school: School, enter: Enter, role: str) -> None:
    """SAFE-7: in the list, in the number of the heading, and by address, for every route, subject and rung."""
    browser = await enter(role)
    made = {case: await put(school, "flagged", "", *case) for case in product((None, *ROUTES), ABOUT, REACHED)}
    page = await browser.open("/queue")
    listed = {form.action.rpartition("/")[2] for form in page.forms if form.action.startswith("/queue/")}
    unknown = (await browser.http.post("/queue/unknown", data=page.forms[0].fields)).text
    for (route, about, reached), id in made.items():
        allowed = may_read({role}, route, about, reached)
        assert (id in listed) == allowed, (route, about, reached)
        answer = await browser.http.post(f"/queue/{id}", data=page.forms[0].fields)
        assert (WORDS in answer.text) == allowed, (route, about, reached)
        assert allowed or (answer.status_code, answer.text) == (404, unknown)
    waiting = [c for c in made if c[0] is None and may_read({role}, *c)]
    heading = page.headings[0]
    assert heading.startswith(f"{len(waiting)} wait") if waiting else heading == "Waiting to be read"


@pytest.mark.parametrize("role", sorted(MAY["queue"]))
async def test_what_may_not_be_seen_cannot_be_acted_on(school: School, enter: Enter, role: str) -> None:
    """SAFE-7: every form of an item that is about this role is answered like one of an item that does not exist."""
    browser = await enter(role)
    parent = await school.person("parent", label="The Khan family")
    id = await put(school, person=parent, route="welfare", about=(role,))
    for what in ("", "/name", "/route", "/copy", "/done", "/comment"):
        fields = {"route": "none", "reason": "x", "say": "quote", "checked": "yes", "words": "x"}
        await act(browser, f"/queue/{id}{what}", **fields)
        one = browser.answer
        await act(browser, f"/queue/unknown{what}", **fields)
        refused = what == "/comment" and not may({role}, "queue-all")
        assert one.status_code == browser.answer.status_code
        assert one.status_code == (403 if refused else 404) or one.url.path == "/factor"
        assert "Khan" not in one.text
        assert WORDS not in one.text
    assert (await browser.open(f"/queue/{id}")).text == (await browser.open("/queue/unknown")).text
    assert (await found(school, id)).route == "welfare"


async def test_head_and_chair_see_only_what_is_theirs(school: School, enter: Enter) -> None:
    """SAFE-7 in plain words, apart from the table."""
    staff, about_head, plain = [await put(school, route=route) for route in ("staff", "head", "welfare")]
    head, chair = await enter("head"), await enter("chair")
    cases = [(head, staff, True), (head, plain, False), (chair, about_head, True), (chair, staff, False)]
    for browser, id, sees in cases:
        await read(browser, id)
        assert (WORDS in browser.answer.text) == sees


async def test_nobody_reads_what_they_wrote(school: School, browsers: NewBrowser) -> None:
    senco = await school.person("senco", "parent")
    id = await put(school, "help", senco)
    browser = await signed_in(school, browsers(), senco)
    assert (await browser.open("/queue")).headings == ["Waiting to be read"]
    await read(browser, id)
    assert browser.answer.status_code == 404


# --- the list -----------------------------------------------------------------------------------------------------


async def test_list_is_urgent_first_and_says_what_is_late(school: School, enter: Enter) -> None:
    """SAFE-3: target one school day; the heading shows the oldest age of what this person may see."""
    survey = await a_survey(school)
    await put(school, "flagged", about=("dsl",))
    school.clock.move(days=1, minutes=5)
    await put(school, "words", survey=survey)
    school.clock.move(days=1)
    await put(school, "talk")
    browser = await enter("dsl")
    page = await browser.open("/queue")
    assert page.headings == ["2 wait to be read, the oldest for 24 hours"]
    assert page.text.index("Wants to talk today") < page.text.index("Words from a survey")
    assert page.text.count("Waits longer than one school day") == 0
    school.clock.move(minutes=1)
    assert (await browser.open("/queue")).text.count("Waits longer than one school day") == 1
    assert WORDS not in browser.page.text


@pytest.mark.parametrize(
    ("came", "due"),
    [
        ("2026-11-02T10:00", "2026-11-03T10:00"),
        ("2026-11-06T15:30", "2026-11-09T15:30"),  # Friday in hours: the same time on Monday
        ("2026-11-06T17:59", "2026-11-09T16:00"),  # Friday after hours: Monday's closing
        ("2026-11-09T08:29", "2026-11-09T16:00"),
        ("2026-11-07T12:00", "2026-11-09T16:00"),
        ("2026-10-23T15:00", "2026-10-26T15:00"),  # the clocks go back between the two
    ],
)
def test_one_school_day_counts_office_hours(school: School, came: str, due: str) -> None:
    """SAFE-3"""
    zone = school.house.school.zone
    at = datetime.fromisoformat(came).replace(tzinfo=zone)
    assert one_school_day_after(at, school.house.school, Calendar()) == datetime.fromisoformat(due).replace(tzinfo=zone)


async def test_list_says_who_saw_an_alert_and_what_is_still_to_do(school: School, enter: Enter) -> None:
    id = await put(school)
    async with school.db.transaction() as tx:
        await raise_alert(tx, school.house.school, id, school.clock.now)
    dsl, deputy = await enter("dsl", label="Mr Okafor"), await enter("deputy")
    assert "Nobody has seen the alert yet." in (await deputy.open("/queue")).text
    await dsl.press("Menu")
    await read(dsl, id)
    page = await deputy.open("/queue")
    assert "Read, not finished" in page.text
    assert "Read by Mr Okafor. Still to do: say where it goes" in page.text
    async with school.db.reading() as tx:
        assert [s.what for s in await steps_of(tx, id)][-1] == "acknowledged"


async def test_unfinished_items_stay_in_the_list_however_much_is_read_after_them(school: School, enter: Enter) -> None:
    """SAFE-8: what is not in the school's record yet cannot scroll out of sight."""
    id = await put(school, route="welfare")
    survey = await a_survey(school)
    for _ in range(60):
        school.clock.move(seconds=1)
        await put(school, "words", route="none", survey=survey)
    assert id in (await (await enter("dsl")).open("/queue")).forms[0].action


async def test_list_says_who_cannot_be_alerted(school: School, enter: Enter) -> None:
    """SAFE-9"""
    page = await (await enter("dsl")).open("/queue")
    assert "people cannot be alerted" in page.text
    assert "Mrs Lee" in page.text


async def test_words_come_only_after_read(school: School, enter: Enter) -> None:
    """An address, opened or acted on, shows and does nothing before somebody has pressed `Read`."""
    id = await put(school)
    browser = await enter("dsl")
    for path in (f"/queue/{id}", f"/queue/{id}/route", f"/queue/{id}/copy"):
        assert WORDS not in (await browser.open(path)).text
        assert browser.answer.url.path == "/queue"
    await act(browser, f"/queue/{id}/copy", say="text")
    assert browser.answer.status_code == 404
    assert (await found(school, id)).read_at is None


# --- who it is ----------------------------------------------------------------------------------------------------


async def test_a_name_is_shown_after_second_factor_and_reason_and_noted_first(school: School, enter: Enter) -> None:
    """Trust A4.2, A4.5: the look is written before anything of the person is on the page."""
    id = await put(school, "help", await school.person("parent", label="The Khan family"))
    dsl = await enter("dsl")
    await read(dsl, id)
    assert "parent or carer" in dsl.page.text
    assert "Khan" not in dsl.answer.text
    await dsl.press("Show who it is")
    assert dsl.answer.url.path == "/factor"
    await act(dsl, f"/queue/{id}/name", reason="I want to know")
    assert dsl.answer.url.path == "/factor"
    await set_up(school, dsl, f"/queue/{id}/name")
    assert dsl.page.headings == ["Who it is"]
    await dsl.press("Show who it is", reason="  ")
    assert "Nothing was shown." in dsl.page.text
    assert await looked(school) == 0
    page = await dsl.press("Show who it is", reason="She asked for help")
    assert "The Khan family" in page.text
    assert "SEND parents" in page.text
    async with school.db.reading() as tx:
        noted = await looks_at(tx, id)
    assert [(look.what, look.reason, look.at) for look in noted] == [("name", "She asked for help", school.clock.now)]


async def looked(school: School) -> int:
    async with school.db.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(audit).where(audit.c.what.like("look.%"))))


async def test_a_crash_between_note_and_name_leaves_the_note(
    school: School, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trust A4.2: noted and not shown is possible, shown and not noted is not."""
    id = await put(school, "help", await school.person("parent", label="The Khan family"))
    dsl = await enter("dsl")
    await read(dsl, id)
    await set_up(school, dsl, f"/queue/{id}/name")

    async def fails(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("bot.web_channel.queue_names.note_look", fails)
        await act(dsl, f"/queue/{id}/name", reason="why")
    assert (dsl.answer.status_code, await looked(school)) == (500, 0)
    assert "Khan" not in dsl.answer.text
    with monkeypatch.context() as broken:
        broken.setattr("bot.web_channel.queue_names.behind", fails)
        await act(dsl, f"/queue/{id}/name", reason="why")
    assert (dsl.answer.status_code, await looked(school)) == (500, 1)
    assert "Khan" not in dsl.answer.text


async def test_the_second_factor_ends_after_ten_minutes(school: School, enter: Enter) -> None:
    id = await put(school, "help", await school.person("parent", label="The Khan family"))
    dsl = await enter("dsl")
    await read(dsl, id)
    await set_up(school, dsl, f"/queue/{id}/name")
    school.clock.move(minutes=9)
    await dsl.press("Show who it is", reason="why")
    assert dsl.answer.url.path == "/factor"
    assert await looked(school) == 0


async def test_nobody_can_tell_who_wrote_what_was_kept_without_a_name(school: School, enter: Enter) -> None:
    """SAFE-10"""
    id = await put(school)
    dsl = await enter("dsl")
    await read(dsl, id)
    assert "Nobody can tell who wrote this." in dsl.page.text
    assert "Show who it is" not in dsl.page.labels
    await set_up(school, dsl, "/queue")
    await act(dsl, f"/queue/{id}/name", reason="why")
    assert (dsl.answer.status_code, await looked(school)) == (404, 0)


async def test_the_role_of_a_member_of_staff_is_not_named(school: School, enter: Enter) -> None:
    """There is one SENCO: the role would be the name."""
    id = await put(school, "help", await school.person("senco", label="Ms Patel"))
    dsl = await enter("dsl")
    await read(dsl, id)
    assert "member of staff" in dsl.page.text
    assert "SENCO" not in dsl.page.text.partition("From")[2].partition("Came")[0]


@pytest.mark.parametrize(
    ("role", "route", "reached"), [("head", "staff", ()), ("chair", "head", ()), ("head", None, ("head",))]
)
async def test_who_was_called_may_know_who_it_is(
    school: School, enter: Enter, role: str, route: str | None, reached: tuple[str, ...]
) -> None:
    id = await put(school, "help", await school.person("parent", label="The Khan family"), route, (), reached)
    browser = await enter(role)
    await read(browser, id)
    await set_up(school, browser, f"/queue/{id}/name")
    assert "The Khan family" in (await browser.press("Show who it is", reason="called")).text


async def test_where_no_name_was_given_the_letter_leads_to_the_family(school: School, enter: Enter) -> None:
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents")
        invitation = Invitation("parent", group, "en", slip=7)
        code = await make_code(tx, invitation, 1, school.clock.now + timedelta(days=14), school.clock.now)
        person = await join(tx, school.house, read_code(code) or "", school.clock.now, "en")
    dsl = await enter("dsl")
    id = await put(school, "help", person or "")
    await read(dsl, id)
    await set_up(school, dsl, f"/queue/{id}/name")
    text = (await dsl.press("Show who it is", reason="why")).text
    assert "No name was given with the code." in text
    assert "Number of their letter\n7" in text


def test_names_are_for_readers_and_whoever_was_called(school: School) -> None:
    """Asked apart from who sees the item, in case the two tables ever differ."""
    item = Item("x", "help", school.clock.now, None, route="staff", reached=("deputy",))
    allowed = {r for r in ROLES if may_name(Person("p", "en", False, None, frozenset({r})), item)}
    assert allowed == {"senco", "dsl", "deputy", "head"}


# --- where it goes ------------------------------------------------------------------------------------------------


async def test_no_concern_needs_a_reason(school: School, enter: Enter) -> None:
    """SAFE-7"""
    id = await put(school)
    dsl = await enter("dsl")
    await read(dsl, id)
    await dsl.press("Send it there")
    assert "Please choose where it goes." in dsl.page.text
    await dsl.press("Send it there", route="none", reason=" ")
    assert (dsl.answer.status_code, (await found(school, id)).route) == (400, None)
    assert 'value="none" checked' in dsl.answer.text
    await dsl.press("Send it there", route="none", reason="It is about a film")
    item = await found(school, id)
    assert (item.route, item.reason) == ("none", "It is about a film")
    assert "It is about a film" in dsl.page.text


async def test_who_it_is_about_stops_seeing_it_at_once(school: School, enter: Enter) -> None:
    """SAFE-7: the DSL says that it is about the DSL."""
    head = await school.person("head")
    id = await put(school)
    dsl, deputy = await enter("dsl"), await enter("deputy")
    await read(dsl, id)
    page = await dsl.press("Send it there", **{"route": "staff", "about-dsl": "yes"})
    assert dsl.answer.url.path == "/queue"
    assert "It is on its way. You do not see it any more." in page.text
    await read(dsl, id)
    assert dsl.answer.status_code == 404
    await read(deputy, id)
    assert "About an adult who works here" in deputy.page.text
    assert deputy.sending("Send it there")[1]["about-dsl"] == "yes"
    assert await told(school) == [("routed", head)]


async def told(school: School) -> list[tuple[str, str]]:
    async with school.db.reading() as tx:
        rows = await tx.all(select(outbox).where(outbox.c.ref.is_not(None)).order_by(outbox.c.id))
    return [(r.kind, r.person) for r in rows]


async def test_about_the_head_goes_to_the_chair_and_past_the_head(school: School, enter: Enter) -> None:
    """SAFE-7, also where the ladder had reached the head before."""
    id = await put(school, reached=("head",))
    dsl, head, chair = await enter("dsl"), await enter("head"), await enter("chair")
    await read(head, id)
    assert WORDS in head.answer.text
    await read(chair, id)
    assert chair.answer.status_code == 404
    await read(dsl, id)
    await dsl.press("Send it there", route="head")
    await read(head, id)
    assert head.answer.status_code == 404
    await read(chair, id)
    assert WORDS in chair.answer.text
    await dsl.press("Send it there", route="staff")  # it was another adult after all
    await read(head, id)
    assert WORDS in head.answer.text
    await read(chair, id)
    assert chair.answer.status_code == 404


async def test_where_the_head_is_the_safeguarding_lead_it_goes_to_the_chair(
    school: School, enter: Enter, browsers: NewBrowser
) -> None:
    """SAFE-7: a small school; "an adult who works here: the safeguarding lead" would go to that very person."""
    both = await school.person("head")
    async with school.db.transaction() as tx:
        await add_role(tx, both, "dsl")
    chair = await school.person("chair")
    id = await put(school)
    deputy = await enter("deputy")
    await read(deputy, id)
    await deputy.press("Send it there", **{"route": "staff", "about-dsl": "yes"})
    item = await found(school, id)
    assert (item.route, item.about) == ("head", ("dsl", "head"))
    assert await told(school) == [("routed", chair)]


async def test_each_sending_is_a_step_in_the_record(school: School, enter: Enter) -> None:
    id = await put(school)
    dsl = await enter("dsl", label="Mr Okafor")
    await read(dsl, id)
    for route in ("complaint", "welfare"):
        await dsl.press("Send it there", route=route)
    assert (await found(school, id)).route == "welfare"
    async with school.db.reading() as tx:
        assert [s.what for s in await steps_of(tx, id)] == ["routed-complaint", "routed-welfare"]
    assert "Mr Okafor sent it on: A complaint" in dsl.page.text


async def test_what_the_screen_found_out_stays_where_readers_say_nothing(school: School, enter: Enter) -> None:
    """SAFE-7: words that name the head, sent on as a child's welfare, are still about the head."""
    id = await put(school, about=("head", "senco"))
    dsl = await enter("dsl")
    await read(dsl, id)
    await dsl.press("Send it there", route="welfare")
    assert (await found(school, id)).about == ("head", "senco")


async def test_an_unknown_route_changes_nothing(school: School, enter: Enter) -> None:
    id = await put(school)
    dsl = await enter("dsl")
    await read(dsl, id)
    await act(dsl, f"/queue/{id}/route", route="nowhere")
    assert (dsl.answer.status_code, (await found(school, id)).route) == (400, None)


async def test_a_forged_form_without_proof_changes_nothing(school: School, enter: Enter) -> None:
    """B: CSRF"""
    id = await put(school, route="welfare")
    dsl = await enter("dsl")
    for what in ("route", "copy", "done", "name", "comment"):
        answer = await dsl.http.post(f"/queue/{id}/{what}", data={"route": "none", "reason": "x", "say": "text"})
        assert answer.status_code == 403
        assert WORDS not in answer.text
    assert (await found(school, id)).route == "welfare"
    assert await looked(school) == 0


# --- the school's own record --------------------------------------------------------------------------------------


async def test_the_copy_holds_all_and_is_noted(school: School, enter: Enter) -> None:
    """SAFE-8"""
    survey = await a_survey(school)
    school.clock.set(FRIDAY)
    id = await put(school, person=await school.person("parent", label="The Khan family"), survey=survey)
    school.clock.move(minutes=4)
    dsl = await enter("dsl", label="Mr Okafor")
    await read(dsl, id)
    await dsl.press("Send it there", route="welfare", reason="Bruise was seen")
    page = await dsl.press("Show the text to copy")
    for words in (
        "School: Elmfield Primary", "What it is: Words that may be about danger", "Came: Friday 6 November 2026, 17:59",
        "From: parent or carer", "Help for extra needs (SEND) (parent-send-provision-1)",
        "Where it goes: A child's welfare", "Reason: Bruise was seen", WORDS,
        "Friday 6 November 2026, 18:03: Mr Okafor read it first", "Mr Okafor sent it on: A child's welfare",
    ):  # fmt: skip
        assert words in page.text
    assert "Khan" not in dsl.answer.text
    async with school.db.reading() as tx:
        assert [(look.what, look.reason) for look in await looks_at(tx, id)] == [("copy", "text")]


async def test_the_copy_as_a_paper(school: School, enter: Enter) -> None:
    """SAFE-8, EXP-3: the file's name tells of nobody."""
    id = await put(school, route="welfare", text=f"{WORDS} 😢 <b> #emph[x]")
    dsl = await enter("dsl")
    await read(dsl, id)
    await dsl.press("Save as PDF")
    assert dsl.answer.headers["content-type"] == "application/pdf"
    assert dsl.answer.headers["content-disposition"] == 'attachment; filename="record.pdf"'
    assert dsl.answer.content.startswith(b"%PDF")
    assert b"/StructTreeRoot" in dsl.answer.content


def test_pictures_in_words_are_named_on_paper() -> None:
    assert pictures_named("sad 😢 \N{FAMILY}\ufe0f 5° ©") == "sad [crying face] [family] 5° ©"


async def test_letters_that_cannot_be_printed_are_not_left_out(school: School, enter: Enter) -> None:
    """SAFE-8: no copy that looks complete and is not."""
    id = await put(school, route="welfare", text="বাংলা")
    with pytest.raises(NotPrintable):
        pdf("queue_copy.typ", {"titles": ["a", "b", "c"], "facts": [], "words": ["বাংলা"], "steps": [], "lang": "en"})
    dsl = await enter("dsl")
    await read(dsl, id)
    page = await dsl.press("Save as PDF")
    assert "Some letters in it cannot be printed. Please copy the text instead." in page.text
    assert "বাংলা" in page.text


async def test_no_copy_goes_out_unnoted(school: School, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    id = await put(school, route="welfare")
    dsl = await enter("dsl")

    async def fails(*_: object) -> None:
        raise RuntimeError

    await read(dsl, id)
    monkeypatch.setattr("bot.web_channel.queue_copies.note_look", fails)
    await act(dsl, f"/queue/{id}/copy", say="text")
    assert dsl.answer.status_code == 500
    assert WORDS not in dsl.answer.text


async def test_it_is_in_the_record_only_when_sent_on_copied_and_checked(school: School, enter: Enter) -> None:
    """SAFE-8"""
    id = await put(school)
    dsl = await enter("dsl")
    await read(dsl, id)

    async def says(**fields: str) -> str:
        await act(dsl, f"/queue/{id}/done", say="done", **fields)
        return dsl.page.text

    assert "First say where it goes." in await says(checked="yes")
    await dsl.press("Send it there", route="welfare")
    assert "It is in our record" not in dsl.page.labels
    assert "First take a copy" in await says(checked="yes")
    await dsl.press("Show the text to copy")
    assert "It is in our record" in dsl.page.labels
    assert "Please tick that you have checked it." in await says()
    assert (await found(school, id)).done_at is None
    await dsl.open(f"/queue/{id}")
    page = await dsl.press("It is in our record", checked="yes")
    assert (await found(school, id)).done_at == school.clock.now
    assert "The words here are deleted on 9 November 2026." in page.text


@pytest.mark.parametrize("role", ROLES)
async def test_only_some_may_say_that_it_is_in_the_record(school: School, enter: Enter, role: str) -> None:
    """SAFE-8: the DSL and the deputy; head and chair for what was sent to them."""
    browser = await enter(role)
    for route, also in (("welfare", ""), ("staff", "head"), ("head", "chair")):
        id = await put(school, route=route, about=("head",) if route == "head" else ())
        allowed = role in (*MAY["transfer"], also)
        await read(browser, id)
        await act(browser, f"/queue/{id}/copy", say="text")
        assert (WORDS in browser.answer.text) == allowed
        async with school.db.transaction() as tx:
            await note_look(tx, "somebody", "copy", id, "text", school.clock.now)
        await act(browser, f"/queue/{id}/done", say="done", checked="yes")
        assert ((await found(school, id)).done_at is not None) == allowed


async def test_only_those_may_take_it_back(school: School, enter: Enter) -> None:
    id = await put(school, route="welfare")
    await recorded(school, id, await enter("dsl"))
    senco = await enter("senco")
    await read(senco, id)
    await act(senco, f"/queue/{id}/done", say="undo")
    assert senco.answer.status_code == 404
    assert (await found(school, id)).done_at is not None


async def recorded(school: School, id: str, browser: PlainBrowser) -> None:
    """Read, copied, checked, said."""
    await read(browser, id)
    await act(browser, f"/queue/{id}/copy", say="text")
    await act(browser, f"/queue/{id}/done", say="done", checked="yes")
    assert (await found(school, id)).done_at == school.clock.now


async def test_original_is_locked_until_then(school: School, enter: Enter) -> None:
    """SAFE-8: no job, no closing and no cut access takes it away, however long it lasts."""
    parent = await school.person("parent")
    survey = await a_survey(school)
    id = await put(school, person=parent, route="welfare", survey=survey)
    unread = await put(school, person=parent, survey=survey)
    async with school.db.transaction() as tx:
        await cut_access(tx, parent, school.clock.now)
    school.clock.move(days=400)
    await school.rounds()
    assert (await found(school, id)).text == (await found(school, unread)).text == WORDS


def test_nothing_in_the_program_deletes_from_the_queue() -> None:
    """SAFE-8: but the nightly job, of what was read and is no concern (tests/test_keeping.py)."""
    code = {
        p: p.read_text(encoding="utf-8") for folder in ("bot", "data", "scheduler") for p in Path(folder).rglob("*.py")
    }
    found = [p.as_posix() for p, text in code.items() if re.search(r"delete\(\s*(tables\.)?queue\b", text)]
    assert found == ["data/keeping.py"]


async def test_words_go_a_week_after_they_are_in_the_record(school: School, enter: Enter) -> None:
    """SAFE-8: from the row, and with them who wrote it and why it went where it went."""
    id = await put(school, person=await school.person("parent", label="The Khan family"), route="welfare")
    dsl = await enter("dsl")
    await recorded(school, id, dsl)
    before = await sealed(school, id)
    school.clock.move(days=7, seconds=-1)
    await school.rounds()
    assert await sealed(school, id) == before
    school.clock.move(seconds=1)
    await school.rounds()
    item = await found(school, id)
    assert (item.kind, item.text, item.person, item.who, item.reason) == (EMPTIED, "", "", "", "")
    files = [school.db.path, school.db.path.with_name(school.db.path.name + "-wal")]
    assert not any(before in path.read_bytes() for path in files if path.exists())


async def sealed(school: School, id: str) -> bytes:
    async with school.db.reading() as tx:
        return bytes(await tx.value(select(queue.c.sealed).where(queue.c.id == id)))


async def test_a_slip_can_be_taken_back_for_a_week(school: School, enter: Enter, browsers: NewBrowser) -> None:
    """SAFE-8"""
    one, two = await put(school, route="welfare"), await put(school, route="welfare")
    dsl = await enter("dsl")
    await recorded(school, one, dsl)
    await recorded(school, two, dsl)
    school.clock.move(minutes=10)
    await dsl.open(f"/queue/{one}")
    page = await dsl.press("It is not there after all")
    assert "Check that it is complete in your record." in page.text
    school.clock.move(days=8)
    await school.rounds()
    assert ((await found(school, one)).text, (await found(school, two)).text) == (WORDS, "")
    dsl = await enter("dsl")
    page = await dsl.open(f"/queue/{two}")
    assert "The words here are deleted." in page.text
    assert "It is not there after all" not in page.labels
    await act(dsl, f"/queue/{two}/done", say="undo")
    assert (await found(school, two)).done_at is not None


async def test_words_of_a_survey_that_are_no_concern_need_no_record(school: School, enter: Enter) -> None:
    survey = await a_survey(school)
    id = await put(school, "words", survey=survey)
    dsl = await enter("dsl")
    await read(dsl, id)
    assert "Show the text to copy" not in dsl.page.labels
    await act(dsl, f"/queue/{id}/copy", say="text")
    assert dsl.answer.status_code == 404
    await read(dsl, id)
    await dsl.press("Send it there", route="welfare")
    assert "Show the text to copy" in dsl.page.labels


async def test_the_next_one_is_one_tap_away(school: School, enter: Enter) -> None:
    first, second = await put(school), await put(school, text="the second one")
    dsl = await enter("dsl")
    await read(dsl, first)
    page = await dsl.press("Read the next one (1 waits)")
    assert "the second one" in page.text
    assert (await found(school, second)).read_at == school.clock.now
    assert not any(label.startswith("Read the next") for label in page.labels)
