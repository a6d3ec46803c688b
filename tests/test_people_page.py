"""/people: who has joined, letters, lost letters, access cut, staff roles; with labels only after a second factor."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.invitations import invite_families, read_families
from bot.said import Text
from data.audit import entries
from data.codes import find_invitation, read_code, slips_of
from data.factors import find_factor
from data.links import make_link
from data.looks import LOOK, looks_at
from data.people import add_address, all_groups, find_group, find_person, mark_unreachable, set_stopped
from data.sessions import start_session
from data.tables import audit, codes
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.pdf_words import words_of
from tests.school import School
from tests.test_second_factor import cookie, set_up
from tests.test_staff_sessions import joined
from tests.test_web_channel import naps, signed_in

__all__ = ["naps"]  # a fixture

LIST = "family,group,language\nKhan family,SEND parents,en\nFamily 12,Year 3 parents,en\n"
Staff = Callable[..., "object"]


async def office(school: School, browsers: NewBrowser, role: str = "office", label: str = "") -> PlainBrowser:
    """Somebody of staff with a second factor that counts now."""
    person = await school.person(role, label=label)
    browser = await signed_in(school, browsers(), person)
    await set_up(school, browser, "/people")
    browser.person = person  # type: ignore[attr-defined]
    return browser


async def letters(school: School, text: str = LIST) -> list[str]:
    """The codes of letters that were made for this list."""
    async with school.db.transaction() as tx:
        families = read_families(text, await all_groups(tx), school.house)
        return [m.code for m in await invite_families(tx, school.house, families, "", school.clock.now)]


async def slip(school: School, label: str) -> str:
    async with school.db.reading() as tx:
        return next(s.hash for s in await slips_of(tx) if s.invitation.label == label)


async def group_of(school: School, name: str = "SEND parents") -> str:
    async with school.db.reading() as tx:
        return await find_group(tx, name) or ""


async def person_of(school: School, label: str) -> str:
    async with school.db.reading() as tx:
        return next(s.person or "" for s in await slips_of(tx) if s.invitation.label == label)


async def codes_in(browser: PlainBrowser) -> list[str]:
    """The codes in the PDF that was just made."""
    answer = await browser.http.get("/people/paper")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="letters.pdf"'
    return re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}\b", words_of(answer.content))


async def good(school: School, code: str) -> bool:
    async with school.db.reading() as tx:
        return await find_invitation(tx, read_code(code) or "", school.clock.now) is not None


# --- numbers ------------------------------------------------------------------------------------------------------


async def test_numbers_need_no_second_factor_and_name_nobody(school: School, browsers: NewBrowser) -> None:
    made = await letters(school)
    family = browsers()
    await family.open(f"/join/{made[0]}")
    await family.press("Yes, start")
    browser = await signed_in(school, browsers(), await school.person("office"))
    page = await browser.open("/people")
    assert page.headings == ["Who has joined"]
    assert "1 joined · 0 not yet" in page.text
    assert "0 joined · 1 not yet" in page.text
    assert "Khan" not in browser.answer.text
    assert "Staff" not in page.text


async def test_blocked_and_stopped_are_counted(school: School, browsers: NewBrowser) -> None:
    people = await school.people(3)
    async with school.db.transaction() as tx:
        await add_address(tx, people[0], "telegram", "1")
        await mark_unreachable(tx, "telegram", "1", True)
        await set_stopped(tx, people[1], True, school.clock.now)
    browser = await signed_in(school, browsers(), await school.person("office"))
    page = await browser.open("/people")
    assert "3 joined · 0 not yet" in page.text
    assert "2 stopped or out of reach" in page.text


@pytest.mark.parametrize("path", ["letters", "calls", "group/{group}", "letter/{letter}", "staff", "made", "paper"])
async def test_labels_need_the_second_factor(school: School, browsers: NewBrowser, path: str) -> None:
    """A4.5: names only after six digits."""
    await letters(school)
    browser = await signed_in(school, browsers(), await school.person("senco"))
    address = path.format(group=await group_of(school), letter=await slip(school, "Khan family"))
    await browser.open(f"/people/{address}")
    assert browser.answer.url.path == "/factor"
    assert "Khan" not in browser.answer.text
    async with school.db.reading() as tx:
        assert await tx.all(select(audit).where(audit.c.what.startswith(LOOK))) == []


async def test_second_factor_leads_back_and_counts_for_ten_minutes(school: School, browsers: NewBrowser) -> None:
    await letters(school)
    browser = await signed_in(school, browsers(), await school.person("senco"))
    path = f"/people/group/{await group_of(school)}"
    await set_up(school, browser, path)
    assert "Khan family" in browser.page.text
    school.clock.move(minutes=8)
    page = await browser.open(path)
    assert "Khan family" in page.text
    school.clock.move(minutes=1)
    page = await browser.open(path)
    assert page.headings == ["Your six digits"]


async def test_every_look_at_labels_is_noted_before(school: School, browsers: NewBrowser) -> None:
    await letters(school)
    browser = await office(school, browsers)
    group, letter = await group_of(school), await slip(school, "Khan family")
    for path in (f"group/{group}", f"letter/{letter}", "calls"):
        await browser.open(f"/people/{path}")
    async with school.db.reading() as tx:
        found = [(look.what, look.person) for ref in (group, letter, "all") for look in await looks_at(tx, ref)]
    me = browser.person  # type: ignore[attr-defined]
    assert found == [("labels", me), ("letter", me), ("call-list", me)]


# --- letters ------------------------------------------------------------------------------------------------------


async def test_letters_from_a_list(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    page = await browser.press("Check the list", text=LIST)
    assert page.headings == ["The list is fine. It makes 2 letters."]
    assert await slips(school) == []
    page = await browser.press("Make 2 letters")
    assert (browser.answer.url.path, page.headings) == ("/people/made", ["2 letters are ready"])
    assert "16 November 2026" in page.text
    found = await codes_in(browser)
    assert len(found) == 2
    assert [await good(school, code) for code in found] == [True, True]
    assert await slips(school) == ["Khan family", "Family 12"] or await slips(school) == ["Family 12", "Khan family"]


async def slips(school: School) -> list[str]:
    async with school.db.reading() as tx:
        return [s.invitation.label for s in await slips_of(tx)]


async def test_letters_from_a_file(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    address, fields = browser.sending("Check the list")
    file = {"file": ("list.csv", ("\ufeff" + LIST).encode(), "text/csv")}
    browser.answer = await browser.http.post(address, data=fields, files=file)
    assert browser.page.headings == ["The list is fine. It makes 2 letters."]
    await browser.press("Make 2 letters")
    assert len(await codes_in(browser)) == 2


async def test_all_that_is_wrong_is_said_at_once_and_nothing_is_made(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    wrong = "family,group,language\nKhan,Year 9,en\n<b>Lee</b>,SEND parents,xx\nA123456789012,SEND parents,en\n"
    page = await browser.press("Check the list", text=wrong)
    assert browser.answer.status_code == 422
    assert "Please mend 3 things. Nothing was made." in page.text
    assert all(f"Line {n}:" in page.text for n in (2, 3, 4))
    assert "<b>Lee</b>" not in browser.answer.text
    assert await slips(school) == []


async def test_a_picture_is_no_list(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    address, fields = browser.sending("Check the list")
    file = {"file": ("list.png", b"\x89PNG\r\n\x1a\n\xff\xfe" * 30, "image/png")}
    browser.answer = await browser.http.post(address, data=fields, files=file)
    assert browser.answer.status_code == 422
    assert "CSV" in browser.page.text


async def test_list_that_is_too_long_is_refused_politely(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    address, fields = browser.sending("Check the list")
    for size, status in ((200_000, 422), (300_000, 413)):
        file = {"file": ("list.csv", b"x" * size, "text/csv")}
        answer = await browser.http.post(address, data=fields, files=file)
        assert answer.status_code == status


async def test_letters_by_number(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    group = await group_of(school)
    await browser.open("/people/letters")
    page = await browser.press("Make letters", group=group, language="en", count="3")
    assert page.headings == ["3 letters are ready"]
    page = await browser.open(f"/people/group/{group}")
    assert [f"Letter {n}" in page.text for n in (1, 2, 3, 4)] == [True, True, True, False]


@pytest.mark.parametrize("count", ["0", "201", "-1", "x", "", "1" * 400, "٣"])
async def test_odd_numbers_make_nothing(school: School, browsers: NewBrowser, count: str) -> None:
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    page = await browser.press("Make letters", group=await group_of(school), language="en", count=count)
    assert browser.answer.status_code == 422
    assert "a number from 1 to 200" in page.text
    assert await slips(school) == []


async def test_double_click_makes_letters_once(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    address, fields = browser.sending("Make letters", group=await group_of(school), language="en", count="2")
    for _ in range(2):
        answer = await browser.http.post(address, data=fields)
        assert answer.url.path == "/people/made"
    assert len(await slips(school)) == 2


async def test_letters_are_gone_after_a_quarter_of_an_hour(school: School, browsers: NewBrowser) -> None:
    """Codes are stored nowhere in the clear."""
    browser = await office(school, browsers)
    await browser.open("/people/letters")
    await browser.press("Make letters", group=await group_of(school), language="en", count="1")
    code = (await codes_in(browser))[0]
    async with school.db.reading() as tx:
        rows = await tx.all(select(codes))
    assert code not in repr(rows)
    assert (read_code(code) or code) not in repr(rows)
    school.clock.move(minutes=7)
    await browser.open("/people/made")
    school.clock.move(minutes=9)
    async with school.db.transaction() as tx:  # the same person, later
        secret = await start_session(tx, browser.person, school.clock.now)  # type: ignore[attr-defined]
        from data.sessions import renew_session

        secret = await renew_session(tx, secret, school.clock.now, school.clock.now + timedelta(minutes=5))
    browser.http.cookies.set("yousaid", secret, domain="127.0.0.1", path="/")
    assert (await browser.http.get("/people/paper")).status_code == 404
    page = await browser.open("/people/made")
    assert page.headings == ["These letters are not here any more"]


async def test_letters_of_one_clerk_are_not_there_for_another(school: School, browsers: NewBrowser) -> None:
    one, other = await office(school, browsers), await office(school, browsers)
    await one.open("/people/letters")
    await one.press("Make letters", group=await group_of(school), language="en", count="1")
    assert (await other.http.get("/people/paper")).status_code == 404


# --- one letter ---------------------------------------------------------------------------------------------------


async def test_lost_letter_gets_a_new_code_and_the_old_one_is_dead(school: School, browsers: NewBrowser) -> None:
    """B4"""
    old = (await letters(school))[0]
    browser = await office(school, browsers)
    await browser.open(f"/people/letter/{await slip(school, 'Khan family')}")
    page = await browser.press("Make a new letter")
    assert page.headings == ["1 letter is ready"]
    new = (await codes_in(browser))[0]
    assert (await good(school, old), await good(school, new)) == (False, True)
    assert sorted(await slips(school)) == ["Family 12", "Khan family"]


async def test_that_was_not_the_family(school: School, browsers: NewBrowser) -> None:
    """B4: "used on 2 November: that was not the family": one tap puts out whoever is in, and makes a new letter."""
    old = (await letters(school))[0]
    thief, family = browsers(), browsers()
    await thief.open(f"/join/{old}")
    await thief.press("Yes, start")
    browser = await office(school, browsers)
    page = await browser.open(f"/people/letter/{await slip(school, 'Khan family')}")
    assert "Joined on 2 November 2026" in page.text
    page = await browser.press("End it and make a new letter")
    assert page.headings == ["1 letter is ready"]
    page = await thief.open("/me")
    assert page.headings == ["You need a code"]
    await thief.open(f"/join/{old}")
    assert thief.answer.status_code == 404
    await family.open(f"/join/{(await codes_in(browser))[0]}")
    await family.press("Yes, start")
    assert family.answer.url.path == "/me"
    page = await browser.open(f"/people/letter/{await slip(school, 'Khan family')}")
    assert "Joined on 2 November 2026" in page.text


async def test_access_is_cut_everywhere_at_once(school: School, browsers: NewBrowser) -> None:
    """PR-2: in chats, pages and links, the same minute."""
    code = (await letters(school))[0]
    family = browsers()
    await family.open(f"/join/{code}")
    await family.press("Yes, start")
    person = await person_of(school, "Khan family")
    async with school.db.transaction() as tx:
        await add_address(tx, person, "telegram", "77")
        link = await make_link(tx, person, "queue", "", school.clock.now)
    browser = await office(school, browsers)
    letter = await slip(school, "Khan family")
    await browser.open(f"/people/letter/{letter}")
    page = await browser.press("End their access", reason="order")
    assert "Access ended on 2 November 2026" in page.text
    page = await family.open("/me")
    assert page.headings == ["You need a code"]
    assert (await browsers().http.get(f"/file/{link}")).status_code == 404
    async with school.db.reading() as tx:
        known = await find_person(tx, person)
        why = [(e.actor, e.detail["reason"]) for e in await entries(tx, person, "access.ended")]
    assert known
    assert known.roles == frozenset()
    assert why == [(browser.person, "order")]  # type: ignore[attr-defined]
    page = await browser.open("/people")
    assert "0 joined · 0 not yet" in page.text


async def test_letter_made_by_mistake_is_taken_back(school: School, browsers: NewBrowser) -> None:
    code = (await letters(school))[0]
    browser = await office(school, browsers)
    await browser.open(f"/people/letter/{await slip(school, 'Khan family')}")
    page = await browser.press("Take the letter back")
    assert "Nobody has a letter for this group yet." in page.text
    assert not await good(school, code)


async def test_joined_letter_is_not_taken_back_and_not_made_twice(school: School, browsers: NewBrowser) -> None:
    code = (await letters(school))[0]
    browser = await office(school, browsers)
    await browser.open(f"/people/letter/{await slip(school, 'Khan family')}")
    forms = [browser.sending(label) for label in ("Make a new letter", "Take the letter back")]
    family = browsers()
    await family.open(f"/join/{code}")
    await family.press("Yes, start")
    for address, fields in forms:
        await browser.http.post(address, data=fields)
    page = await family.open("/me")
    assert "Menu" in page.labels
    assert sorted(await slips(school)) == ["Family 12", "Khan family"]


async def test_new_letters_for_all_who_have_not_joined(school: School, browsers: NewBrowser) -> None:
    text = "".join(f"Family {n},SEND parents,en\n" for n in range(5))
    made = await letters(school, text)
    family = browsers()
    await family.open(f"/join/{made[0]}")
    await family.press("Yes, start")
    school.clock.move(days=20)
    browser = await office(school, browsers)
    page = await browser.open(f"/people/group/{await group_of(school)}")
    assert "Not yet. The code was good until 16 November 2026" in page.text
    page = await browser.press("Make 4 new letters")
    assert page.headings == ["4 letters are ready"]
    assert len(await codes_in(browser)) == 4
    assert len(await slips(school)) == 5
    page = await family.open("/me")
    assert "Menu" in page.labels


async def test_family_without_a_letter_is_listed_and_can_be_cut(school: School, browsers: NewBrowser) -> None:
    person = await school.person("parent", label="The Lees")
    browser = await office(school, browsers)
    page = await browser.open(f"/people/group/{await group_of(school)}")
    assert "The Lees" in page.text
    await browser.open(f"/people/family/{person}")
    await browser.press("End their access")
    async with school.db.reading() as tx:
        known = await find_person(tx, person)
    assert known
    assert known.roles == frozenset()


async def test_call_list_names_who_has_not_joined_or_is_out_of_reach(school: School, browsers: NewBrowser) -> None:
    made = await letters(school, "".join(f"Family {n},SEND parents,en\n" for n in range(4)))
    for code in made[:3]:
        family = browsers()
        await family.open(f"/join/{code}")
        await family.press("Yes, start")
    blocked, stopped = await person_of(school, "Family 1"), await person_of(school, "Family 2")
    async with school.db.transaction() as tx:
        await add_address(tx, blocked, "telegram", "1")
        await mark_unreachable(tx, "telegram", "1", True)
        await set_stopped(tx, stopped, True, school.clock.now)
    browser = await office(school, browsers)
    page = await browser.open("/people/calls")
    assert [f"Family {n}" in page.text for n in range(4)] == [False, True, False, True]
    assert "no message reaches them" in page.text


# --- who may ------------------------------------------------------------------------------------------------------


async def test_office_sees_families_only(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    await school.person("head", label="Mrs Ahmed")
    for path in ("/people/staff", "/people/staff/abc"):
        page = await browser.open(path)
        assert (browser.answer.status_code, "This is for staff." in page.text) == (403, True)
        assert "Mrs Ahmed" not in page.text


async def test_office_does_not_cut_off_a_colleague(school: School, browsers: NewBrowser) -> None:
    code = (await letters(school))[0]
    family = browsers()
    await family.open(f"/join/{code}")
    await family.press("Yes, start")
    await family.open(f"/join/{await school.code('governor')}")
    await family.press("Yes, start")
    browser = await office(school, browsers)
    letter = await slip(school, "Khan family")
    page = await browser.open(f"/people/letter/{letter}")
    assert "This person works here too." in page.text
    assert page.labels == ["Lock", "Sign out here", "Sign out everywhere"]
    csrf = page.forms[0].fields["csrf"]
    for what in ("cut", "not-family"):
        answer = await browser.http.post(f"/people/letter/{letter}", data={"csrf": csrf, "do": what})
        assert answer.status_code == 403
    page = await family.open("/me")
    assert "Menu" in page.labels


async def test_nobody_cuts_their_own_access(school: School, browsers: NewBrowser) -> None:
    browser = browsers()
    code = (await letters(school))[0]
    await browser.open(f"/join/{code}")
    await browser.press("Yes, start")
    await browser.open(f"/join/{await school.code('admin')}")
    await browser.press("Yes, start")
    await set_up(school, browser)
    page = await browser.open(f"/people/letter/{await slip(school, 'Khan family')}")
    assert "This is your own account." in page.text


@pytest.mark.parametrize("action", ["again", "letters", "letter", "family", "staff", "waiting"])
async def test_every_form_needs_its_token_its_role_and_the_second_factor(
    school: School, browsers: NewBrowser, action: str
) -> None:
    """CSRF, and A4.5 at the moment of acting, not only of looking."""
    await letters(school)
    colleague, family = await school.person("dsl", label="Mr Okafor"), await school.person("parent")
    letter, group = await slip(school, "Khan family"), await group_of(school)
    address, data = {
        "again": (f"/people/group/{group}", {}),
        "letters": ("/people/letters", {"do": "count", "group": group, "language": "en", "count": "5"}),
        "letter": (f"/people/letter/{letter}", {"do": "back"}),
        "family": (f"/people/family/{family}", {"do": "cut"}),
        "staff": (f"/people/staff/{colleague}", {"do": "cut"}),
        "waiting": (f"/people/waiting/{letter}", {"do": "yes"}),
    }[action]
    before = await everything(school)
    for role, proved in (("admin", True), ("admin", False), ("parent", False), ("dsl", False), ("governor", False)):
        browser = await signed_in(school, browsers(), await school.person(role))
        if proved:
            await set_up(school, browser)
        token = (await browser.open("/me")).forms[0].fields["csrf"]
        state = await everything(school)
        answer = await browser.http.post(address, data=data | {"csrf": "0" * 64 if proved else token})
        assert answer.status_code == 403 or answer.url.path == "/factor"
        assert await everything(school) == state
    assert [row for row in before if row not in await everything(school)] == []


async def everything(school: School) -> list[str]:
    from data.tables import people, roles

    async with school.db.reading() as tx:
        return [repr(row) for table in (codes, people, roles) for row in await tx.all(select(table))]


async def test_families_never_see_a_group_or_a_label(school: School, browsers: NewBrowser) -> None:
    """FAIL-7: the group may tell of a need."""
    code = (await letters(school))[0]
    family = browsers()
    for path in (f"/join/{code}",):
        await family.open(path)
        assert "SEND" not in family.answer.text
    await family.press("Yes, start")
    for path in ("/me", "/people", "/people/calls", f"/people/group/{await group_of(school)}"):
        await family.open(path)
        assert "SEND parents" not in family.answer.text
        assert "Khan" not in family.answer.text


async def test_link_from_the_chat_leads_here(school: School, browsers: NewBrowser) -> None:
    person = await school.person("office")
    reply = await school.dialogue.hear_person(person, Text("/invite"), "telegram")
    link = re.search(r"/file/[\w-]+", "\n".join(m.text for m in reply.messages))
    assert link
    browser = browsers()
    await browser.open(link[0])
    page = await browser.press("Open")
    assert (browser.answer.url.path, page.headings) == ("/people", ["Who has joined"])


# --- staff --------------------------------------------------------------------------------------------------------


async def test_roles_are_given_and_taken(school: School, browsers: NewBrowser) -> None:
    """A4.5: a role change ends or locks every browser of whom it concerns."""
    colleague = browsers()
    await joined(school, colleague, "staff")
    async with school.db.reading() as tx:
        from data.people import people_with_role

        who = (await people_with_role(tx, "staff"))[0]
    admin = await office(school, browsers, "admin")
    await admin.open(f"/people/staff/{who}")
    page = await admin.press("Give a role", role="deputy")
    assert "deputy safeguarding lead, member of staff" in page.text or "member of staff, deputy" in page.text
    page = await colleague.open("/queue")
    assert page.headings == ["This page is locked"]
    await admin.open(f"/people/staff/{who}")
    await admin.press("Take away: deputy safeguarding lead")
    assert (await school.known(who)).roles == {"staff"}
    page = await colleague.open("/me")
    assert page.headings == ["You need a code"]


async def test_reset_of_the_app(school: School, browsers: NewBrowser) -> None:
    colleague = await office(school, browsers, "dsl", "Mr Okafor")
    who = colleague.person  # type: ignore[attr-defined]
    admin = await office(school, browsers, "admin")
    page = await admin.open(f"/people/staff/{who}")
    assert page.headings == ["Mr Okafor"]
    page = await admin.press("Reset the app")
    assert "No app yet" in page.text
    assert "Reset the app" not in page.labels
    async with school.db.reading() as tx:
        assert await find_factor(tx, who) is None
    page = await colleague.open("/me")
    assert page.headings == ["You need a code"]


async def test_nobody_changes_their_own_roles(school: School, browsers: NewBrowser) -> None:
    admin = await office(school, browsers, "admin")
    me = admin.person  # type: ignore[attr-defined]
    page = await admin.open(f"/people/staff/{me}")
    assert "This is your own account." in page.text
    csrf = page.forms[0].fields["csrf"]
    for data in ({"do": "give", "role": "dsl"}, {"do": "take", "role": "admin"}, {"do": "reset"}, {"do": "cut"}):
        answer = await admin.http.post(f"/people/staff/{me}", data=data | {"csrf": csrf})
        assert answer.status_code == 403
    assert (await school.known(me)).roles == {"admin"}


@pytest.mark.parametrize("role", ["parent", "pupil", "young-person", "god", "", "admin; drop"])
async def test_only_roles_of_staff_are_given_here(school: School, browsers: NewBrowser, role: str) -> None:
    admin, who = await office(school, browsers, "admin"), await school.person("dsl")
    await admin.open(f"/people/staff/{who}")
    await admin.press("Give a role", role=role)
    assert (await school.known(who)).roles == {"dsl"}


async def test_parent_is_no_colleague(school: School, browsers: NewBrowser) -> None:
    admin, parent = await office(school, browsers, "admin"), await school.person("parent", label="Khan")
    await admin.open(f"/people/staff/{parent}")
    assert admin.answer.status_code == 404
    page = await admin.open("/people/staff")
    assert "Khan" not in page.text


async def waiting_code(school: School, maker: str) -> str:
    """A staff code made in a chat by this person; it waits for a yes."""
    from bot.invitations import good_until
    from data.codes import Invitation, make_code

    what = Invitation("deputy", None, "en", "Mrs Lee", waits=True, made_by=maker)
    async with school.db.transaction() as tx:
        return await make_code(tx, what, 1, good_until(school.house, school.clock.now), school.clock.now)


async def test_waiting_role_takes_a_second_persons_yes(school: School, browsers: NewBrowser) -> None:
    """B4: a staff role needs a second person's yes."""
    maker = await office(school, browsers, "head", "Mrs Ahmed")
    code = await waiting_code(school, maker.person)  # type: ignore[attr-defined]
    new = browsers()
    await new.open(f"/join/{code}")
    await new.press("Yes, start")
    await new.open("/queue")
    assert new.answer.status_code == 403
    page = await maker.open("/people/staff")
    assert "Somebody else has to say yes" in page.text
    csrf = page.forms[0].fields["csrf"]
    async with school.db.reading() as tx:
        row = await tx.first(select(codes.c.hash).where(codes.c.waits.is_(True)))
    assert row
    answer = await maker.http.post(f"/people/waiting/{row.hash}", data={"csrf": csrf, "do": "yes"})
    assert answer.status_code == 403
    senco = await office(school, browsers, "senco")
    page = await senco.open("/people/staff")
    assert "Mrs Lee: deputy safeguarding lead" in page.text
    assert "The code was made by Mrs Ahmed." in page.text
    page = await senco.press("Yes, they may")
    assert "Waits for a yes" not in page.text
    page = await new.open("/queue")
    assert page.headings == ["This page is locked"]
    await new.press("Go on", code=code)
    assert (new.answer.status_code, new.answer.url.path) == (200, "/queue")


async def test_no_to_a_waiting_role_ends_it(school: School, browsers: NewBrowser) -> None:
    code = await waiting_code(school, await school.person("head"))
    new = browsers()
    await new.open(f"/join/{code}")
    await new.press("Yes, start")
    senco = await office(school, browsers, "senco")
    await senco.open("/people/staff")
    await senco.press("No, they may not")
    page = await new.open("/me")
    assert page.headings == ["You need a code"]
    assert cookie(new)
