"""More phones of one person, "was that you?", and logging out, chat and page (S20, B3, B4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.said import Tap, Text
from bot.web_channel.app import make_app
from data.outbox import on_page
from data.people import Address, people_with_role, person_at, set_stopped
from data.sessions import person_of_session, start_session
from data.tables import addresses
from tests.browser.plain import PlainBrowser
from tests.phones import Phone, Postbox, code_in
from tests.school import School
from tests.telegram_school import telegram_school
from tests.test_dialogue import SURVEY, send
from tests.test_telegram_journey import until

pytestmark = pytest.mark.both_databases

REFUSED = "That code does not work here. Please ask the school office for a new one: 0161 496 0000."
ADDED = "Elmfield Primary: a device was added to your account on 2 November 2026."
TRIED = "Elmfield Primary: your code was tried again on 2 November 2026."


async def parent_on(school: School, where: str, role: str = "parent") -> Phone:
    phone = Phone(school, where)
    await phone.opens(await school.code(role, "SEND parents" if role == "parent" else None))
    return phone


async def device_code(phone: Phone) -> str:
    await phone.types("/settings")
    return code_in(await phone.taps("Use another device"))


async def owner(school: School, where: str) -> str | None:
    async with school.db.reading() as tx:
        person = await person_at(tx, "telegram", where)
    return person.id if person else None


async def rounds(school: School) -> Postbox:
    box = Postbox()
    await school.rounds({"telegram": box})
    return box


@pytest.fixture
async def browser(school: School) -> AsyncIterator[PlainBrowser]:
    made = PlainBrowser(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
    yield made
    await made.close()


# --- another device -----------------------------------------------------------------------------------------------


async def test_another_phone_of_the_same_person_goes_on_at_the_same_question(school: School) -> None:
    """S20: "Use another device" gives the same person a code; no second person, no second place to answer."""
    await school.readers()
    old = await parent_on(school, "1")
    await school.people(11)
    await send(school)
    await old.forges(f"o={SURVEY}")
    await old.taps("Yes, start")
    code = await device_code(old)
    new = Phone(school, "2")
    assert "This code opens an account at Elmfield Primary that somebody has already" in await new.types(code)
    assert "This phone or computer now shows your account too" in await new.taps("Yes, start")
    assert await owner(school, "1") == await owner(school, "2")
    assert "Question 1 of 7" in await new.types("/again")
    async with school.db.reading() as tx:
        assert len(await people_with_role(tx, "parent")) == 12


async def test_the_chat_says_code_words_and_links(school: School) -> None:
    """B15 holds for this code too: both devices show the same two words."""
    old = await parent_on(school, "1")
    await old.types("/settings")
    said = await old.taps("Use another device")
    code = code_in(said)
    assert f"http://127.0.0.1:8080/join/{code}" in said
    words = next(line for line in said.splitlines() if line.startswith("Its two words: "))
    assert f"Check two words first: {words.removeprefix('Its two words: ')}." in await Phone(school, "2").types(code)


async def test_a_device_code_works_once_and_for_a_quarter_of_an_hour(school: School) -> None:
    """S20, B3"""
    old = await parent_on(school, "1")
    code = await device_code(old)
    await Phone(school, "2").opens(code)
    assert await Phone(school, "3").types(code) == REFUSED
    late = await device_code(old)
    school.clock.move(minutes=15)
    assert await Phone(school, "4").types(late) == REFUSED
    assert {await owner(school, x) for x in "34"} == {None}


async def test_somebody_elses_device_code_gets_the_one_sentence(school: School, browser: PlainBrowser) -> None:
    """S20: who joined already does not get into a second account, in a chat or on the page."""
    old, other = await parent_on(school, "1"), await parent_on(school, "2")
    code = await device_code(old)
    assert await other.types(code) == REFUSED
    async with school.db.transaction() as tx:
        secret = await start_session(tx, await owner(school, "2") or "", school.clock.now)
    browser.http.cookies.set("yousaid", secret, domain="127.0.0.1", path="/")
    page = await browser.open(f"/join/{code}")
    assert REFUSED in page.text
    assert "Yes, start" not in page.labels
    assert "You have joined already" in await old.types(code)
    assert await Phone(school, "3").opens(code)
    assert await owner(school, "3") == await owner(school, "1")


async def test_all_other_chats_hear_of_it_and_only_they(school: School) -> None:
    """S20: one neutral line and Open; the new phone itself is passed over."""
    old = await parent_on(school, "1")
    await Phone(school, "2").opens(await device_code(old))
    await rounds(school)
    await Phone(school, "3").opens(await device_code(old))
    box = await rounds(school)
    assert {where: box.lines(where) for where in box.sent} == {"1": [ADDED], "2": [ADDED]}
    assert [b.label for b in box.sent["1"][0].buttons] == ["Open"]
    asked = await old.forges(box.sent["1"][0].buttons[0].says)
    assert "On 2 November 2026, at 10:00, another phone or computer was added" in asked
    assert "Nothing has changed" in await old.taps("Yes, that was me")
    assert {await owner(school, x) for x in "123"} == {await owner(school, "1")}


async def test_no_that_was_not_me_logs_everything_else_out_at_once(school: School, browser: PlainBrowser) -> None:
    """S20, B4: one tap; phones, browsers, and codes for still more of them."""
    old = await parent_on(school, "1")
    await Phone(school, "2").opens(await device_code(old))
    person = await owner(school, "1") or ""
    async with school.db.transaction() as tx:
        secret = await start_session(tx, person, school.clock.now)
    ahead = await device_code(Phone(school, "2"))
    box = await rounds(school)
    await old.forges(box.sent["1"][0].buttons[0].says)
    said = await old.taps("No, that was not me")
    assert "Every other phone and computer is logged out" in said
    assert "0161 496 0000" in said
    assert (await owner(school, "1"), await owner(school, "2")) == (person, None)
    async with school.db.reading() as tx:
        assert await person_of_session(tx, secret, school.clock.now) is None
    assert await Phone(school, "3").types(ahead) == REFUSED
    assert "This is for grown-ups who have a code" in await Phone(school, "2").types("hello")


async def test_nobody_else_can_answer_that_question(school: School) -> None:
    """B1: the button of another person's letter says the same as one that never was."""
    old, other = await parent_on(school, "1"), await parent_on(school, "2")
    await Phone(school, "3").opens(await device_code(old))
    box = await rounds(school)
    ref = box.sent["1"][0].buttons[0].says.partition("=")[2]
    for kind in ("d", "mine", "not-mine"):
        assert await other.forges(f"{kind}={ref}") == await other.forges(f"{kind}=0123456789abcdef")
    assert await owner(school, "3") == await owner(school, "1")


async def test_who_wants_no_messages_finds_it_on_the_page(school: School) -> None:
    """MSG-3: after /stop the bot says nothing of its own accord, here too."""
    old = await parent_on(school, "1")
    person = await owner(school, "1") or ""
    async with school.db.transaction() as tx:
        await set_stopped(tx, person, True, school.clock.now)
    await Phone(school, "2").opens(await device_code(old))
    assert (await rounds(school)).sent == {}
    async with school.db.reading() as tx:
        assert [letter.kind for letter in await on_page(tx, person)] == ["device"]


async def test_a_browser_is_a_device_too(school: School, browser: PlainBrowser) -> None:
    """S20: the page asks, adds, and the chat hears of it."""
    old = await parent_on(school, "1")
    page = await browser.open(f"/join/{await device_code(old)}")
    assert page.headings == ["Is this your other device?"]
    page = await browser.press("Yes, start")
    assert "This phone or computer now shows your account too" in page.text
    async with school.db.reading() as tx:
        secret = browser.http.cookies["yousaid"]
        seen = await person_of_session(tx, secret, school.clock.now)
    assert seen is not None
    assert seen.id == await owner(school, "1")
    assert (await rounds(school)).lines("1") == [ADDED]


async def test_somebody_with_the_page_only_is_asked_there_and_stays_signed_in(
    school: School, browser: PlainBrowser
) -> None:
    """S20: No, on the page, logs out all but this browser."""
    await browser.open(f"/join/{await school.code('parent', 'SEND parents')}")
    await browser.press("Yes, start")
    await browser.type("/settings")
    page = await browser.press("Use another device")
    new = Phone(school, "2")
    await new.opens(code_in(page.text.replace(" Its two words", "\nIts two words")))
    await rounds(school)
    page = await browser.open("/me")
    assert ADDED in page.text
    await browser.press("Open")
    page = await browser.press("No, that was not me")
    assert "Every other phone and computer is logged out" in page.text
    assert await owner(school, "2") is None
    assert "Your settings" in (await browser.type("/settings")).text


# --- a code that somebody tries again -----------------------------------------------------------------------------


async def test_a_used_code_is_refused_and_who_used_it_is_asked(school: School) -> None:
    """B4: used on ..., was that you? The stranger learns nothing; the letter is one a day."""
    code = await school.code("parent", "SEND parents")
    first = Phone(school, "1")
    await first.opens(code)
    school.clock.move(days=3)
    strangers = [Phone(school, str(n)) for n in range(2, 6)]
    said = {await stranger.types(f"/start {code}") for stranger in strangers}
    assert said == {await Phone(school, "9").types("/start 0000-0000-00")} == {REFUSED}
    box = await rounds(school)
    assert {where: box.lines(where) for where in box.sent} == {"1": [TRIED.replace("2 Nov", "5 Nov")]}
    asked = await first.forges(box.sent["1"][0].buttons[0].says)
    assert "Your code was used on 2 November 2026. On 5 November 2026 somebody tried it again" in asked
    school.clock.move(days=1)
    await strangers[0].types(f"/start {code}")
    assert len((await rounds(school)).lines("1")) == 1


async def test_no_after_a_second_try_logs_the_others_out(school: School) -> None:
    """B4: the same one tap."""
    code = await school.code("parent", "SEND parents")
    first = Phone(school, "1")
    await first.opens(code)
    await Phone(school, "2").opens(await device_code(first))
    await rounds(school)
    await Phone(school, "3").types(f"/start {code}")
    box = await rounds(school)
    assert box.lines("2") == [TRIED]
    await first.forges(box.sent["1"][0].buttons[0].says)
    await first.taps("No, that was not me")
    assert (await owner(school, "2"), await owner(school, "3")) == (None, None)
    assert await owner(school, "1")


async def test_a_known_person_and_a_browser_are_refused_and_told_of_alike(
    school: School, browser: PlainBrowser
) -> None:
    """B4: whichever way the code is tried again."""
    codes = [await school.code("parent", "SEND parents") for _ in range(2)]
    for where, code in zip("12", codes, strict=True):
        await Phone(school, where).opens(code)
    other = await parent_on(school, "3")
    assert await other.types(f"/start {codes[0]}") == REFUSED
    assert REFUSED in (await browser.open(f"/join/{codes[1]}")).text
    box = await rounds(school)
    assert {where: box.lines(where) for where in box.sent} == {"1": [TRIED], "2": [TRIED]}


async def test_a_code_for_many_asks_nobody_and_ones_own_is_just_used_already(school: School) -> None:
    """B4: only where the code was one person's."""
    many = await school.code("parent", "SEND parents", uses=2)
    for where in "12":
        await Phone(school, where).opens(many)
    assert await Phone(school, "3").types(many) == REFUSED
    assert "You have joined already" in await Phone(school, "1").types(many)
    assert (await rounds(school)).sent == {}


async def test_two_accounts_race_for_one_code_two_hundred_times(school: School) -> None:
    """B4: one of them wins each time, the other gets the one sentence, and the winner is asked once that day."""
    for n in range(200):
        code = await school.code("parent", "SEND parents")
        both = [Address("telegram", f"{n}-{who}") for who in "ab"]
        await asyncio.gather(*(school.dialogue.hear(a, Text(f"/start {code}")) for a in both))
        replies = await asyncio.gather(*(school.dialogue.hear(a, Tap("j=yes")) for a in both))
        assert sorted(bool(r.joined) for r in replies) == [False, True]
        assert [r.messages[0].text for r in replies if not r.joined] == [REFUSED]
    async with school.db.reading() as tx:
        assert len(await people_with_role(tx, "parent")) == 200
    box = await rounds(school)
    assert sorted(len(lines) for lines in box.sent.values()) == [1] * 200


async def test_two_phones_race_for_one_device_code(school: School) -> None:
    """B4: it is spent once."""
    old = await parent_on(school, "1")
    for n in range(50):
        code = await device_code(old)
        both = [Address("telegram", f"{n}-{who}") for who in "ab"]
        await asyncio.gather(*(school.dialogue.hear(a, Text(f"/start {code}")) for a in both))
        replies = await asyncio.gather(*(school.dialogue.hear(a, Tap("j=yes")) for a in both))
        assert sorted(bool(r.joined) for r in replies) == [False, True]


# --- logging out --------------------------------------------------------------------------------------------------


async def test_logging_out_asks_first_and_then_this_chat_is_a_strangers(school: School) -> None:
    """S20 (8): only this phone; what was said stays, and a code of one's own brings it back."""
    old = await parent_on(school, "1")
    new = Phone(school, "2")
    await new.opens(await device_code(old))
    await new.types("/settings")
    assert "To come back you need a new code" in await new.taps("Log out on this phone")
    await new.taps("Yes, log out")
    assert new.reply.logged_out
    assert "This is for grown-ups who have a code" in await new.types("/menu")
    assert await owner(school, "1")
    box = await rounds(school)
    assert box.forgotten == ["2"]
    async with school.db.reading() as tx:
        assert len(await tx.all(select(addresses))) == 1
    await new.opens(await device_code(old))
    assert await owner(school, "2") == await owner(school, "1")


async def test_who_logs_in_again_before_the_chat_is_tidied_keeps_it(school: School) -> None:
    """S20 (8): the chat is theirs, and nothing of it is cleared."""
    old = await parent_on(school, "1")
    code = await device_code(old)
    await old.forges("s=leave")
    assert await owner(school, "1") is None
    await old.opens(code)
    assert (await rounds(school)).forgotten == []
    assert await owner(school, "1")


async def test_a_blocked_chat_is_tidied_away_all_the_same(school: School) -> None:
    """S20 (8): what cannot be reached is forgotten."""
    await (await parent_on(school, "1")).forges("s=leave")
    box = Postbox()
    box.blocked.add("1")
    await school.rounds({"telegram": box})
    async with school.db.reading() as tx:
        assert await tx.all(select(addresses)) == []


async def test_logging_out_of_the_page(school: School, browser: PlainBrowser) -> None:
    """S20 (8): the browser gets the page for a code, and its old cookie opens nothing."""
    await browser.open(f"/join/{await school.code('parent', 'SEND parents')}")
    await browser.press("Yes, start")
    secret = browser.http.cookies["yousaid"]
    await browser.type("/settings")
    await browser.press("Log out on this phone")
    await browser.press("Yes, log out")
    assert "You need a code" in (await browser.open("/me")).text
    browser.http.cookies.set("yousaid", secret, domain="127.0.0.1", path="/")
    assert "You need a code" in (await browser.open("/me")).text


async def test_on_telegram_the_chat_is_cleared_as_far_as_telegram_allows(tmp_path: Path) -> None:
    """S20 (8): two days back, other people's chats untouched, the menu gone; what is older is said to stay."""
    async with telegram_school(tmp_path) as bot:
        other = await bot.joins("parent", "SEND parents")
        parent = await bot.joins("parent", "SEND parents")
        await until(lambda: "surveys" in parent.menu)
        parent.ages(hours=49)
        old = {m.id for m in parent.messages}
        for _ in range(3):
            await parent.types("/menu")
            await parent.reads_until("Menu")
        kept = {m.id for m in other.messages}
        await parent.types("/settings")
        await parent.sees_button("Log out on this phone")
        await parent.taps("Log out on this phone")
        await parent.sees_button("Yes, log out")
        await parent.taps("Yes, log out")
        await parent.reads_until("You are logged out here")
        await until(lambda: "surveys" not in parent.menu)
        await bot.rounds()
        await parent.sees("This chat is logged out. I cleared the last two days")
        assert {m.id for m in parent.messages} == old | {parent.last.id}
        assert parent.inbound
        assert all(at < max(old) for at in parent.inbound)
        assert {m.id for m in other.messages} == kept
        assert other.deleted == []
        assert "surveys" in other.menu
        await bot.rounds()
        assert len([m for m in parent.messages if "logged out" in m.text]) == 1


async def test_clearing_ends_within_reason_in_a_busy_bot(tmp_path: Path) -> None:
    """S20 (8): numbers are shared by all chats, so that a chat's own messages may lie far apart."""
    async with telegram_school(tmp_path) as bot:
        parent = await bot.joins("parent", "SEND parents")
        for _ in range(4000):
            bot.server.new_message_id()
        await parent.types("/settings")
        await parent.sees_button("Log out on this phone")
        await parent.taps("Log out on this phone")
        await parent.sees_button("Yes, log out")
        await parent.taps("Yes, log out")
        await parent.reads_until("You are logged out here")
        await bot.rounds()
        await parent.sees("This chat is logged out")
        assert len(bot.server.calls_of("deleteMessages")) == 30


async def test_what_telegram_postpones_is_tidied_later(tmp_path: Path) -> None:
    """S20 (8): a flood limit in the middle of it only delays."""
    async with telegram_school(tmp_path) as bot:
        parent = await bot.joins("parent", "SEND parents")
        bot.server.fail_next("deleteMessages", 429, "Too Many Requests", parameters={"retry_after": 1})
        await bot.school.dialogue.hear(Address("telegram", str(parent.id)), Tap("s=leave"))
        await bot.rounds()
        await bot.rounds()
        await until(lambda: len(parent.messages) == 1)
        async with bot.school.db.reading() as tx:
            assert await tx.all(select(addresses)) == []


async def test_the_letter_names_no_other_day_than_the_schools(school: School) -> None:
    """The day is the school's, not UTC's: a try at half past midnight in summer time."""
    school.clock.set(datetime(2027, 6, 1, 23, 30, tzinfo=UTC))
    code = await school.code("parent", "SEND parents")
    await Phone(school, "1").opens(code)
    school.clock.now += timedelta(minutes=1)
    await Phone(school, "2").types(code)
    assert (await rounds(school)).lines("1") == [TRIED.replace("2 November 2026", "2 June 2027")]
