"""Who gets in and who no longer: codes for families and colleagues, a second yes, cut access, children's names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.role_changes import grant_role, take_role_away
from bot.web_channel.app import make_app
from conversations.form import read_form
from data.access import cut_access
from data.children import MOST, add_places, names_of, set_name
from data.codes import Invitation, make_code, slips_of, waiting_slips
from data.forms import add_form
from data.links import make_link
from data.outbox import on_page
from data.people import add_address, find_group, person_at, set_stopped
from data.tables import children, links, sessions
from tests.browser.plain import PlainBrowser
from tests.phones import Phone, code_in
from tests.school import School, Talk
from tests.telegram_school import TelegramSchool, telegram_school
from tests.test_devices import REFUSED, device_code, owner, parent_on, rounds
from tests.test_dialogue import SURVEY, answer, send
from tests.test_telegram_journey import until
from tests.test_web_channel import signed_in

pytestmark = pytest.mark.both_databases

STRANGER = "This is for grown-ups who have a code from Elmfield Primary."
REFUSAL = "This is for staff. /help shows what you can do."
YES = "Elmfield Primary: a colleague asks for your yes."
CHANGED = "Elmfield Primary: what you can do here has changed."


@pytest.fixture
async def browser(school: School) -> AsyncIterator[PlainBrowser]:
    made = PlainBrowser(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
    yield made
    await made.close()


async def colleague(school: School, role: str, where: str, label: str = "") -> Talk:
    """Somebody with this role and a chat."""
    person = await school.person(role, label=label)
    async with school.db.transaction() as tx:
        await add_address(tx, person, "telegram", where)
    return school.on(person, "telegram")


async def makes(talk: Talk, role: str = "deputy safeguarding lead", name: str = "Mrs Lee") -> str:
    """A staff code made in a chat."""
    await talk.types("/invite")
    await talk.taps("A member of staff", role)
    await talk.types(name)
    await talk.taps("Make the code")
    return code_in(talk.text)


# --- /invite ------------------------------------------------------------------------------------------------------


async def test_the_office_makes_a_code_for_a_parent_and_for_nobody_else(school: School) -> None:
    """S20 (2): the group, a check, then code, words and link; it counts as a letter of that group."""
    talk = await colleague(school, "office", "1")
    await talk.types("/invite")
    assert "Letters for many families, who has joined, lost letters: all on one page." in talk.text
    assert "Which group do they join?" in talk.text
    assert not any("staff" in b.label or "young" in b.label for m in talk.messages for b in m.buttons)
    await talk.taps("Year 3 parents")
    assert "A code for: parent or carer, Year 3 parents." in talk.text
    assert "It is good until 16 November 2026." in talk.text
    await talk.taps("Make the code")
    code = code_in(talk.text)
    assert f"http://127.0.0.1:8080/join/{code}" in talk.text
    async with school.db.reading() as tx:
        assert [(s.invitation.slip, s.invitation.role) for s in await slips_of(tx)] == [(1, "parent")]
    parent = Phone(school, "2")
    assert "You have joined" in await parent.opens(code)
    known = await school.known(await owner(school, "2") or "")
    assert known.roles == {"parent"}


async def test_the_code_is_good_to_the_end_of_its_last_day(school: School) -> None:
    """S20 (4)"""
    talk = await colleague(school, "office", "1")
    await talk.types("/invite")
    await talk.taps("Year 3 parents", "Make the code")
    code = code_in(talk.text)
    school.clock.move(days=14, hours=13, minutes=59)
    assert "Do you want to join?" in await Phone(school, "2").types(code)
    school.clock.move(minutes=2)
    assert await Phone(school, "3").types(code) == REFUSED


async def test_the_way_to_the_page_is_a_link_in_a_chat_and_a_button_on_the_page(school: School) -> None:
    """The link works once and belongs to who asked."""
    talk = await colleague(school, "senco", "1")
    await talk.types("/invite")
    assert "http://127.0.0.1:8080/file/" in talk.text
    async with school.db.reading() as tx:
        assert [(r.kind, r.person) for r in await tx.all(select(links))] == [("people", talk.person)]
    page = school.on(talk.person, "web")
    await page.types("cancel", "/invite")
    assert [b.opens for b in page.messages[0].buttons] == ["people"]


@pytest.mark.parametrize("role", ["parent", "staff", "dsl", "deputy", "governor", "chair", "young-person"])
async def test_others_invite_nobody(school: School, role: str) -> None:
    talk = school.on(await school.person(role))
    await talk.types("/invite")
    assert talk.text == REFUSAL


async def test_a_role_lost_in_the_middle_ends_the_task(school: School) -> None:
    """Every tap asks again whether this person may: here /invite, and /send likewise."""
    await school.readers()
    await school.people(12)
    for command, taps, last in (
        ("/invite", ("A parent or carer", "Year 3 parents"), "Make the code"),
        ("/send", ("Help for extra needs (SEND)", "SEND parents"), "Send now"),
    ):
        talk = await colleague(school, "senco", command)
        await talk.types(command)
        await talk.taps(*taps)
        async with school.db.transaction() as tx:
            await take_role_away(tx, talk.person, "senco", school.clock.now)
        await talk.taps(last)
        assert talk.text == REFUSAL
        assert await talk.types("/again")
        assert last not in talk.text
    async with school.db.reading() as tx:
        assert await slips_of(tx) == []


# --- a staff code waits for a second person -----------------------------------------------------------------------


async def test_a_staff_code_made_in_a_chat_gives_its_role_only_after_a_colleagues_yes(school: School) -> None:
    """S20 (2), B4: the story from the code to the new menu."""
    senco, head = await colleague(school, "senco", "1", "Ms Patel"), await colleague(school, "head", "2", "Mrs Ahmed")
    code = await makes(senco)
    assert "The role waits until a colleague has said yes" in senco.text
    box = await rounds(school)
    assert {where: box.lines(where) for where in box.sent} == {"2": [YES]}
    new = Phone(school, "3")
    assert "a colleague must say yes to your role" in await new.opens(code)
    assert await new.types("/queue") == REFUSAL
    person = await owner(school, "3") or ""
    assert (await school.known(person)).roles == frozenset()
    head.reply = await head.forges(box.sent["2"][0].buttons[0].says)
    assert "Ms Patel, SENCO made a code.\nFor: Mrs Lee\nRole: deputy safeguarding lead\n" in head.text
    assert "Somebody has joined with it. The role waits for you." in head.text
    await head.taps("Yes, they may")
    assert (await school.known(person)).roles == {"deputy"}
    box = await rounds(school)
    assert box.lines("3") == [CHANGED]
    menu = box.sent["3"][0].menu
    assert menu is not None
    assert len(menu) <= 8
    assert "queue" in dict(menu)
    await new.types("/menu")
    assert "See how much is waiting to be read" in new.labels


async def test_a_code_agreed_to_before_it_is_used_gives_its_role_at_once(school: School) -> None:
    """S20 (2): also reachable under /invite, without the letter."""
    senco, head = await colleague(school, "senco", "1"), await colleague(school, "head", "2")
    code = await makes(senco)
    await head.types("/invite")
    await head.taps("Waits for a yes: deputy safeguarding lead, Mrs Lee")
    assert "Nobody has used it yet." in head.text
    await head.taps("Yes, they may")
    assert (await rounds(school)).lines("2") == []
    assert "You have joined. Thank you. When there is" in await Phone(school, "3").opens(code)
    assert (await school.known(await owner(school, "3") or "")).roles == {"deputy"}


async def test_neither_maker_nor_user_nor_anybody_without_the_right_says_yes(school: School) -> None:
    """B4, B1: a forged tap of each of them changes nothing."""
    senco, head = await colleague(school, "senco", "1"), await colleague(school, "head", "2")
    code = await makes(senco)
    await head.types(f"/start {code}", "yes")
    assert "A colleague must say yes to this role first" in head.text
    async with school.db.reading() as tx:
        ref = (await waiting_slips(tx, school.clock.now))[0].hash[:16]
    others = [await colleague(school, role, role) for role in ("office", "dsl", "parent", "staff")]
    for talk in (senco, head, *others):
        for kind in ("w", "grant", "deny"):
            reply = await talk.forges(f"{kind}={ref}")
            own = talk in (senco, head)
            assert reply.messages[0].text == ("Somebody else has to say yes to this one." if own else REFUSAL)
    assert (await school.known(head.person)).roles == {"head"}
    admin = await colleague(school, "admin", "9")
    admin.reply = await admin.forges(f"w={ref}")
    await admin.taps("Yes, they may")
    assert (await school.known(head.person)).roles == {"head", "deputy"}


async def test_the_right_is_asked_for_again_at_the_tap(school: School) -> None:
    """B1: who is no head any more says no yes."""
    senco, head = await colleague(school, "senco", "1"), await colleague(school, "head", "2")
    await colleague(school, "admin", "3")
    await makes(senco)
    await head.types("/invite")
    await head.taps("Waits for a yes: deputy safeguarding lead, Mrs Lee")
    async with school.db.transaction() as tx:
        await take_role_away(tx, head.person, "head", school.clock.now)
    await head.taps("Yes, they may")
    assert head.text == REFUSAL
    async with school.db.reading() as tx:
        assert len(await waiting_slips(tx, school.clock.now)) == 1


async def test_no_means_no_for_the_code_and_for_who_used_it(school: School) -> None:
    """B4: who came in with nothing else is a stranger again; a parent who used it stays a parent."""
    senco, head = await colleague(school, "senco", "1"), await colleague(school, "head", "2")
    await Phone(school, "3").opens(await makes(senco))
    parent = await parent_on(school, "4")
    await parent.opens(await makes(senco))
    unused = await makes(senco)
    for _ in range(3):
        await head.types("cancel", "/invite")
        await head.taps("Waits for a yes: deputy safeguarding lead, Mrs Lee", "No, they may not")
    assert STRANGER in await Phone(school, "3").types("/menu")
    assert (await school.known(await owner(school, "4") or "")).roles == {"parent"}
    assert await Phone(school, "5").types(unused) == REFUSED
    async with school.db.reading() as tx:
        assert await waiting_slips(tx, school.clock.now) == []


async def test_a_second_yes_or_an_old_button_finds_it_settled(school: School) -> None:
    """B2"""
    senco, head = await colleague(school, "senco", "1"), await colleague(school, "head", "2")
    admin = await colleague(school, "admin", "3")
    await Phone(school, "4").opens(await makes(senco))
    for talk in (head, admin):
        await talk.types("/invite")
        await talk.taps("Waits for a yes: deputy safeguarding lead, Mrs Lee")
    no = admin.button("No, they may not").says
    await head.taps("Yes, they may")
    assert "settled already" in (await admin.forges(no)).messages[0].text
    assert (await school.known(await owner(school, "4") or "")).roles == {"deputy"}


async def test_without_a_second_person_the_chat_says_so_at_once(school: School) -> None:
    """B4: and names the command line, whose codes never wait."""
    senco = await colleague(school, "senco", "1")
    await senco.types("/invite")
    await senco.taps("A member of staff", "deputy safeguarding lead")
    await senco.types("Mrs Lee")
    assert "nobody else can do that yet. Please make this code on the command line: yousaid invite." in senco.text
    assert "Make the code" not in [b.label for b in senco.messages[-1].buttons]
    assert "You have joined. Thank you. When" in await Phone(school, "2").opens(await school.code("deputy"))
    assert (await school.known(await owner(school, "2") or "")).roles == {"deputy"}


async def test_a_code_that_ran_out_waits_no_longer(school: School) -> None:
    senco, head = await colleague(school, "senco", "1"), await colleague(school, "head", "2")
    await makes(senco)
    await head.types("/invite")
    says = head.button("Waits for a yes: deputy safeguarding lead, Mrs Lee").says
    school.clock.move(days=20)
    assert "settled already, or too old" in (await head.forges(says)).messages[0].text
    assert (await rounds(school)).lines("2") == []


# --- roles that change --------------------------------------------------------------------------------------------


async def test_menus_follow_roles_given_and_taken_by_others(tmp_path: Path) -> None:
    """S20: over Telegram; at most 8 commands, and nothing of a role is left when it goes."""
    async with telegram_school(tmp_path) as bot:
        teacher = await bot.joins("staff")
        await until(lambda: "dropin" in teacher.menu)
        person = await known_at(bot, teacher.id)
        async with bot.school.db.transaction() as tx:
            await grant_role(tx, person, "senco", bot.school.clock.now)
        await bot.rounds()
        assert {"queue", "send", "invite"} <= set(teacher.menu)
        assert len(teacher.menu) <= 8
        await teacher.sees(CHANGED)
        bot.school.clock.move(minutes=1)
        async with bot.school.db.transaction() as tx:
            await take_role_away(tx, person, "senco", bot.school.clock.now)
            await set_stopped(tx, person, True, bot.school.clock.now)
        said = len(teacher.messages)
        await bot.rounds()
        assert not {"queue", "send", "invite"} & set(teacher.menu)
        assert "dropin" in teacher.menu
        assert len(teacher.messages) == said  # who stopped messages gets the menu without words


async def known_at(bot: TelegramSchool, chat: int) -> str:
    async with bot.school.db.reading() as tx:
        person = await person_at(tx, "telegram", str(chat))
    assert person
    return person.id


async def test_a_role_taken_signs_browsers_out(school: School, browser: PlainBrowser) -> None:
    """A4.5"""
    person = await school.person("senco", "parent")
    await signed_in(school, browser, person)
    async with school.db.transaction() as tx:
        assert await take_role_away(tx, person, "senco", school.clock.now)
        assert not await take_role_away(tx, person, "senco", school.clock.now)
        assert not await grant_role(tx, person, "parent", school.clock.now)
        assert await tx.all(select(sessions)) == []
    assert "You need a code" in (await browser.open("/me")).text


# --- access that the school cuts ----------------------------------------------------------------------------------


async def test_a_parent_whose_access_is_cut_is_a_stranger_in_the_open_chat(school: School) -> None:
    """PR-2, FAIL-6: words, commands, old buttons, old codes and codes for devices; the same moment."""
    await school.readers()
    parent = await parent_on(school, "1")
    await school.people(11)
    await send(school)
    await parent.forges(f"o={SURVEY}")
    first = parent.button("Yes, start").says
    code = await device_code(parent)
    async with school.db.transaction() as tx:
        await cut_access(tx, await owner(school, "1") or "", school.clock.now)
    never = Phone(school, "2")
    for words in ("hello", "/menu", "/surveys", "/settings", "/invite", "yes", "stop"):
        assert await parent.types(words) == await never.types(words)
        assert STRANGER in parent.text
    for says in (first, f"o={SURVEY}", "c=menu", "s=device", "j=yes", "d=2026-11-02"):
        assert await parent.forges(says) == await never.forges(says)
    assert await parent.types(code) == REFUSED
    await rounds(school)
    assert await owner(school, "1") is None


async def test_on_telegram_the_chat_of_a_cut_parent_is_cleared_and_loses_its_menu(tmp_path: Path) -> None:
    """PR-2: over real HTTP; letters that waited are not sent."""
    async with telegram_school(tmp_path) as bot:
        parent = await bot.joins("parent", "SEND parents")
        await until(lambda: "surveys" in parent.menu)
        person = await known_at(bot, parent.id)
        async with bot.school.db.transaction() as tx:
            await grant_role(tx, person, "governor", bot.school.clock.now)
            await cut_access(tx, person, bot.school.clock.now)
        await bot.rounds()
        assert "surveys" not in parent.menu
        assert [m.text.partition(".")[0] for m in parent.messages] == ["This chat is logged out"]
        await parent.types("/surveys")
        await parent.reads_until(STRANGER)


async def test_page_link_and_file_of_a_cut_person_open_nothing(school: School, browser: PlainBrowser) -> None:
    """PR-2: the open page at its next tap, and a one-time link that was sent before."""
    person = await school.person("senco", label="Ms Patel")
    await signed_in(school, browser, person)
    await browser.press("Menu")
    async with school.db.transaction() as tx:
        secret = await make_link(tx, person, "queue", "", school.clock.now)
        await cut_access(tx, person, school.clock.now)
    page = await browser.press("Menu")
    assert "You need a code" in page.text
    assert "Ms Patel" not in browser.answer.text
    assert "You need a code" in (await browser.open("/queue")).text
    await browser.open(f"/file/{secret}")
    assert browser.answer.status_code == 404


async def test_who_is_cut_is_not_written_to_about_their_old_code(school: School) -> None:
    """PR-2, B4: they try it again, are refused, and nothing is posted to them."""
    code = await school.code("parent", "SEND parents")
    parent = Phone(school, "1")
    await parent.opens(code)
    person = await owner(school, "1") or ""
    async with school.db.transaction() as tx:
        await cut_access(tx, person, school.clock.now)
    assert await parent.types(code) == REFUSED
    await rounds(school)
    async with school.db.reading() as tx:
        assert await on_page(tx, person) == []


# --- two parents of one child -------------------------------------------------------------------------------------


async def test_two_parents_with_one_label_see_nothing_of_each_other(school: School, browser: PlainBrowser) -> None:
    """PR-1, S20 (5): two codes, two spaces; answers, names, devices and letters of one never show to the other."""
    await school.readers()
    one, other = [await family_code(school, "Family 12") for _ in range(2)]
    first, second = Phone(school, "1"), Phone(school, "2")
    await first.opens(one)
    await second.opens(other)
    await school.people(10)
    await send(school)
    mine, theirs = await owner(school, "1") or "", await owner(school, "2") or ""
    assert mine != theirs
    await answer(school, mine, "More time for handover words")
    async with school.db.transaction() as tx:
        await set_name(tx, mine, 1, "Bobbin")
    await Phone(school, "3").opens(await device_code(first))
    assert (await rounds(school)).lines("2") == ["Elmfield Primary has 7 questions for you."]
    seen = [await second.types(words) for words in ("/menu", "/surveys", "/settings", "/whoreads", "/help")]
    seen.append(await second.forges(f"o={SURVEY}"))
    await signed_in(school, browser, theirs)
    seen.append(browser.answer.text)
    assert not [said for said in seen if "handover" in said or "Bobbin" in said or "Family 12" in said]
    assert "Yes, start" in second.labels
    async with school.db.reading() as tx:
        assert await names_of(tx, theirs) == [""]


async def family_code(school: School, label: str, count: int = 1, group: str = "SEND parents") -> str:
    async with school.db.transaction() as tx:
        what = Invitation("parent", await find_group(tx, group), "en", label, count)
        return await make_code(tx, what, 1, school.clock.now + timedelta(days=14))


# --- several children ---------------------------------------------------------------------------------------------


async def test_a_parent_names_as_many_children_as_the_code_says(school: School) -> None:
    """field.md 19: first name or nickname, changed and taken away again."""
    parent = Phone(school, "1")
    await parent.opens(await family_code(school, "Family 12", 2))
    await parent.types("/settings")
    await parent.taps("Names for your children", "Child 2")
    assert "Only you see this name" in await parent.types("  Bobbin ")
    person = await owner(school, "1") or ""
    async with school.db.reading() as tx:
        assert await names_of(tx, person) == ["", "Bobbin"]
    await parent.forges("s=children")
    assert {"Child 1", "Bobbin"} < set(parent.labels)
    await parent.taps("Bobbin")
    assert "Please use up to 40 letters" in await parent.types("x" * 41)
    await parent.types("-")
    async with school.db.reading() as tx:
        assert await names_of(tx, person) == ["", ""]
        stored = [bytes(r.sealed) for r in await tx.all(select(children))]
    assert not any(b"Bobbin" in sealed for sealed in stored)


async def test_places_come_with_each_group_and_staff_have_none(school: School) -> None:
    """A second letter for the same group is for the same children."""
    parent = Phone(school, "1")
    for n, group in ((2, "SEND parents"), (1, "SEND parents"), (1, "Year 3 parents")):
        await parent.opens(await family_code(school, "Family 12", n, group))
    async with school.db.transaction() as tx:
        person = await owner(school, "1") or ""
        assert len(await names_of(tx, person)) == 3
        await add_places(tx, person, 30)
        assert len(await names_of(tx, person)) == MOST
        assert not await set_name(tx, person, MOST + 1, "Bobbin")
    office = await colleague(school, "office", "2")
    await office.types("/settings")
    assert "Names for your children" not in [b.label for b in office.messages[0].buttons]
    assert "closed" in (await office.forges("s=children")).messages[0].text


FORM = """
id: lunch-check
version: 1
mode: CONF
audience: parents
title: {en: Lunch}
questions:
  - {id: l.1, type: one, text: {en: "Does {child} like lunch?"}, easy: {en: "Lunch: good for {child}?"},
     choices: [{id: good, label: {en: "{child} does"}}, {id: bad, label: {en: Not much}}]}
  - {id: l.2, type: text, text: {en: "What would help {child}?"}}
"""


async def test_a_form_speaks_of_the_only_child_by_its_nickname_and_no_member_of_staff_ever_sees_it(
    school: School, browser: PlainBrowser, tmp_path: Path
) -> None:
    """field.md 19: on every screen of the parent; in no result, queue, letter or page of staff."""
    senco, dsl, people = await named_survey(school)
    named, twins, nameless = (school.on(p) for p in people[:3])
    for talk in (named, twins, nameless):
        talk.reply = await talk.forges("o=lunch-check-1")
        await talk.taps("Yes, start")
    assert "Does Bobbin like lunch?" in named.text
    assert "Bobbin does" in [b.label for b in named.messages[0].buttons]
    assert "Does your child like lunch?" in twins.text
    assert "Does your child like lunch?" in nameless.text
    await named.taps("Easier words")
    assert "Lunch: good for Bobbin?" in named.text
    await named.taps("Bobbin does")
    assert "What would help Bobbin?" in named.text
    await named.types("Smaller tables.")
    await named.taps("Send my answers")
    await named.types("/needhelp")
    seen = await everything_staff_see(school, browser, senco, dsl)
    assert "Smaller tables." in seen
    assert "your child" in seen
    assert "Bobbin" not in seen


async def named_survey(school: School) -> tuple[Talk, Talk, list[str]]:
    """A CONF survey that speaks of {child}: one parent with an only child's name, one of two, one without a name."""
    people = await school.people(6)
    dsl, senco = await colleague(school, "dsl", "8"), await colleague(school, "senco", "9")
    await school.person("deputy")
    async with school.db.transaction() as tx:
        await add_form(tx, read_form(FORM, "lunch-check.yaml"), FORM)
        for person, n in zip(people[:3], (1, 2, 1), strict=True):
            await add_places(tx, person, n)
        for person in people[:2]:
            await set_name(tx, person, 1, "Bobbin")
    await senco.types("/send")
    await senco.taps("Lunch", "SEND parents", "Send now")
    return senco, dsl, people


async def everything_staff_see(school: School, browser: PlainBrowser, senco: Talk, dsl: Talk) -> str:
    seen = []
    for talk, lines in ((dsl, ("/queue", "/summary")), (senco, ("/close", "/summary", "/export", "/invite", "/queue"))):
        for line in lines:
            await talk.types("cancel", line)
            seen.append(talk.text)
            if line == "/close":
                await talk.taps("Close and count")
                seen.append(talk.text)
            seen += [m.file.content.decode() for m in talk.messages if m.file]
    box = await rounds(school)
    seen += [m.as_text() for where in box.sent for m in box.sent[where]]
    for person in (dsl.person, senco.person):
        await signed_in(school, browser, person)
        seen.append(browser.answer.text)
        page = await browser.open("/queue")
        seen.append(browser.answer.text)
        while "Read" in page.labels:
            page = await browser.press("Read")
            seen.append(browser.answer.text)
            page = await browser.open("/queue")
    return "\n".join(seen)


# --- young people -------------------------------------------------------------------------------------------------


async def test_young_people_have_no_accounts_unless_the_school_lets_them(school: School) -> None:
    """AGE-1: off by default: not offered, and a code from before opens nothing; on, it does."""
    senco = await colleague(school, "senco", "1")
    code = await school.code("young-person", "SEND parents")
    await senco.types("/invite")
    assert "A young person of 16 or over" not in [b.label for b in senco.messages[-1].buttons]
    assert await Phone(school, "2").types(code) == REFUSED
    await senco.types("cancel")
    on = replace(school.house, school=school.house.school.model_copy(update={"young_people": True}))
    school.dialogue.house = on
    await senco.types("/invite")
    await senco.taps("A young person of 16 or over", "SEND parents", "Make the code")
    for where, good in (("2", code), ("3", code_in(senco.text))):
        assert "You have joined" in await Phone(school, where).opens(good)
        assert (await school.known(await owner(school, where) or "")).roles == {"young-person"}


async def test_a_forged_choice_of_a_young_person_makes_no_code_where_they_are_off(school: School) -> None:
    """AGE-1, B1: the button of a choice that is not offered."""
    senco = await colleague(school, "senco", "1")
    await senco.types("/invite")
    parent = senco.button("A parent or carer").says
    await senco.forges(parent.replace(":parent", ":young-person"))
    async with school.db.reading() as tx:
        assert await slips_of(tx) == []
    senco.reply = await senco.forges(parent)
    assert "Which group do they join?" in senco.text


async def test_the_page_refuses_a_young_persons_code_too(school: School, browser: PlainBrowser) -> None:
    """AGE-1: on the web."""
    assert REFUSED in (await browser.open(f"/join/{await school.code('young-person', 'SEND parents')}")).text
