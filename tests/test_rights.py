"""What people can do about their data: see it, delete it, take back their yes, complain (domain 6.1, 6.2, 6.8)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from conversations.commands import menu_for
from conversations.roles import FAMILY_ROLES
from data.audit import entries
from data.codes import Invitation, make_code, read_code
from data.database import Tx
from data.erasing import erase_leftovers
from data.held import LEFT_OUT, SHOWN, held
from data.looks import note_look
from data.people import add_address, add_person, find_person, people_with_role
from data.queue import add_item, find_item, mark_read, mark_transferred, route_item, waiting_items
from data.surveys import find_survey
from data.tables import metadata
from data.tombstones import PERSON, buried
from tests.browser.plain import NewBrowser
from tests.school import School, Talk
from tests.telegram_school import telegram_school
from tests.test_telegram_journey import until
from tests.test_web_channel import sent, signed_in

PARENTS = "parent-send-provision"
CONF = "pupil-belong"


async def texts_of(talk: Talk, *lines: str) -> str:
    await talk.types(*lines)
    return talk.text


async def family(school: School, label: str = "Family Okoro") -> str:
    """A parent who joined with a letter."""
    from bot.joining import join
    from data.people import find_group

    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents")
        what = Invitation("parent", group, "en", label, slip=7)
        code = await make_code(tx, what, 1, school.clock.now + timedelta(days=14), school.clock.now)
        person = await join(tx, school.house, read_code(code) or "", school.clock.now, "en")
    assert person
    return person


async def answered(school: School, person: str, form: str = PARENTS, words: str = "") -> str:
    """This person answers the first choice everywhere and sends; the survey's id."""
    survey = await sent(school, form)
    talk = school.on(person)
    await talk.types("/surveys")
    await talk.taps("Open", "Yes, start")
    while "Send my answers" not in [b.label for m in talk.messages for b in m.buttons]:
        plain = [b.label for m in talk.messages for b in m.buttons]
        if "Done" in plain:
            await talk.types("1")
        elif words and "Your own words" in talk.text:
            await talk.types(words)
        else:
            await talk.taps(next(label for label in plain if label != "Yes, today"))
    await talk.taps("Send my answers")
    return survey


# --- /privacy -----------------------------------------------------------------------------------------------------


async def test_privacy_says_what_matters_in_short_and_leads_to_the_rights(school: School) -> None:
    """6.2, ANON-2: who decides and why, what Telegram knows, what cannot be found again; ICO standard 4."""
    talk = school.on(await school.person("parent"))
    text = await texts_of(talk, "/privacy")
    for said in ("Elmfield Primary decides", "public task", "Taking part is your choice", "not end-to-end encrypted",
                 "cannot be found again", "Version 1 of 22 November 2026.", "/whoreads", "/needhelp"):  # fmt: skip
        assert said in text
    assert [b.label for m in talk.messages for b in m.buttons] == [
        "My data",
        "Delete",
        "Complain about my data",
        "Menu",
    ]
    assert len(text.split()) < 170


async def test_pupils_get_words_of_their_own(school: School) -> None:
    """ICO standard 3."""
    text = await texts_of(school.on(await school.person("pupil")), "/privacy")
    assert "If you are not safe, we must tell Mr Okafor." in text
    assert "public task" not in text


async def test_privacy_works_before_joining(school: School) -> None:
    """The notice comes before the yes (ICO standard 4); Telegram asks every bot for a working /privacy."""
    from bot.said import Text
    from data.people import Address

    reply = await school.dialogue.hear(Address("telegram", "77"), Text("/privacy"))
    assert "public task" in reply.messages[0].text
    code = await school.code("parent")
    first = await school.dialogue.hear(Address("telegram", "77"), Text(f"/start {code}"))
    assert "type /privacy" in first.messages[0].text


async def test_the_page_of_the_notice_is_open_to_anybody(school: School, browsers: NewBrowser) -> None:
    """Periods as in force, the regulator, pupils' words too."""
    page = await browsers().open("/privacy")
    for said in ("For pupils", "For grown-ups", "3 months after closing", "30 days",
                 "Information Commissioner's Office", "the end of the next school year", "0161 496 0000"):  # fmt: skip
        assert said in page.text
    assert page.headings == ["How we keep your data"]


@pytest.mark.parametrize("role", FAMILY_ROLES)
def test_rights_are_two_taps_away_from_every_question(role: str) -> None:
    """ICO standard 15: on Telegram the menu beside every question, then /privacy with a button for each."""
    assert {"privacy", "needhelp", "stop"} <= set(menu_for([role]))


async def test_rights_are_two_taps_away_on_the_page(school: School, browsers: NewBrowser) -> None:
    """ICO standard 15, in the middle of a question; the place is kept."""
    parents = await school.people(10)
    await school.readers()
    await sent(school, PARENTS)
    browser = await signed_in(school, browsers(), parents[0])
    await browser.press("Open", "Yes, start")
    for command in ("See what is linked to you", "Delete what is linked to you", "Ask for help from a person"):
        page = await browser.press("Menu")
        assert command in page.labels
    await browser.press("Delete what is linked to you")
    page = await browser.press("Cancel")
    assert "Nothing was sent or changed" in page.text


# --- /mydata ------------------------------------------------------------------------------------------------------


def test_every_table_is_shown_or_left_out_with_a_reason() -> None:
    """6.8: a new table fails here until somebody has decided."""
    assert set(metadata.tables) == set(SHOWN) | set(LEFT_OUT)
    assert not set(SHOWN) & set(LEFT_OUT)
    assert all(len(reason) > 20 for reason in LEFT_OUT.values())
    with_person = {name for name, table in metadata.tables.items() if "person" in table.c}
    assert with_person - set(SHOWN) == {"links"}  # a link to this very page


async def test_my_data_shows_what_is_linked_to_me(school: School, browsers: NewBrowser) -> None:
    await school.readers()
    senco = await school.person("senco", label="Ms Patel")
    me = await family(school)
    await school.people(10)
    survey = await answered(school, me)
    async with school.db.transaction() as tx:
        item = await add_item(tx, "words", school.clock.now, "the visit was late", me, "Family Okoro")
        await add_item(tx, "flagged", school.clock.now, "something hard to say", me, "Family Okoro")
        await note_look(tx, senco, "name", item, "to call Family Okoro", school.clock.now)
        await add_address(tx, me, "telegram", "4711")
    browser = await signed_in(school, browsers(), me)
    page = await browser.open("/mydata")
    for said in ("Family Okoro", "SEND parents", "A chat on Telegram", "SENCO looked at who is behind",
                 "the visit was late", "It lies in a closed box", "Very well", "What is not here"):  # fmt: skip
        assert said in page.text
    for hidden in ("something hard to say", "Ms Patel", "to call", "4711"):
        assert hidden not in page.text
    values = json.loads((await browser.http.get("/mydata/file")).content)
    assert set(SHOWN.values()) | {"made", "consent"} == set(values)
    assert values["open_questions"][0]["survey"] == survey
    assert values["open_questions"][0]["sent"] is True


@pytest.mark.both_databases
async def test_my_data_never_tells_that_somebody_called_for_help(school: School) -> None:
    """SAFE-4, FAIL-3: whoever holds the phone reads the same before and after, whatever readers do with it."""
    dsl, _ = await school.readers()
    me, now = await family(school), school.clock.now

    async def shown(tx: Tx) -> object:
        found = await held(tx, me, now, "en")
        assert found
        return found.values

    async with school.db.transaction() as tx:
        item = await add_item(tx, "words", now, "he gets bruises there", me, "Family Okoro")
        with_words = await shown(tx)
        for kind in ("help", "talk", "flagged"):
            call = await add_item(tx, kind, now, "", me, "Family Okoro")
            await mark_read(tx, call, dsl, now)
            await note_look(tx, dsl, "name", call, "to call them", now)
        assert await shown(tx) == with_words
        found = await find_item(tx, item)
        assert found
        await route_item(tx, found, "welfare", (), "", dsl, now)
        await note_look(tx, dsl, "copy", item, "", now)
        after = await shown(tx)
    assert isinstance(after, dict)
    assert (after["words"], after["looks"]) == ([], [])


async def test_my_data_is_offered_in_a_chat_by_a_one_time_link(school: School, browsers: NewBrowser) -> None:
    me = await family(school)
    text = await texts_of(school.on(me, "telegram"), "/mydata")
    assert "Open questions: 0." in text
    link = text.split("http://127.0.0.1:8080")[1].split()[0]
    browser = browsers()
    await browser.open(link)
    page = await browser.press("Open")
    assert page.headings == ["What is linked to you"]
    await browsers().open(link)
    other = browsers()
    await other.open(link)
    assert other.answer.status_code == 404


async def test_nobody_else_sees_it(school: School, browsers: NewBrowser) -> None:
    """PR-1"""
    me, other = await family(school, "Family Okoro"), await family(school, "Family Lee")
    browser = await signed_in(school, browsers(), other)
    assert "Okoro" not in (await browser.open("/mydata")).text
    stranger = browsers()
    await stranger.open("/mydata")
    assert "You need a code" in stranger.page.headings
    assert me not in stranger.answer.text


# --- /delete ------------------------------------------------------------------------------------------------------


async def test_delete_says_what_goes_and_what_stays_before_it_does(school: School) -> None:
    """6.8: from what is really there; both ways out are one tap and of one kind (ICO standard 13)."""
    await school.readers()
    me = await family(school)
    await school.people(10)
    await answered(school, me)
    async with school.db.transaction() as tx:
        await add_item(tx, "flagged", school.clock.now, "please look", me, "Family Okoro")
    talk = school.on(me)
    text = await texts_of(talk, "/delete")
    assert "1 set of answers that you sent and nobody has counted yet." in text
    assert "1 thing you wrote, until a member of staff has read it" in text
    assert "Answers without names. Nobody can find yours any more." in text
    assert "Encrypted copies hold it for 30 more days at most." in text
    assert [b.label for b in talk.messages[-1].buttons] == ["Yes, delete", "Cancel"]
    await talk.taps("Cancel")
    assert await known(school, me)


async def known(school: School, person: str) -> bool:
    async with school.db.reading() as tx:
        return await held(tx, person, school.clock.now, "en") is not None


@pytest.mark.parametrize("way", ["tap", "typed", "number"])
async def test_yes_delete_deletes_at_once(school: School, way: str) -> None:
    """6.8: at once, confirmed, with the day from which no backup holds it."""
    me = await family(school)
    talk = school.on(me)
    await talk.types("/delete")
    await (talk.taps("Yes, delete") if way == "tap" else talk.types("yes, delete" if way == "typed" else "1"))
    assert "From 2 December 2026 on no backup holds it any more." in talk.text
    assert talk.reply.logged_out
    assert not await known(school, me)
    async with school.db.reading() as tx:
        assert await buried(tx, PERSON, [me]) == [me]
        assert [e.what for e in await entries(tx, me)][-1] == "person.erased"


async def test_the_page_says_goodbye_and_forgets(school: School, browsers: NewBrowser) -> None:
    browser = await signed_in(school, browsers(), await family(school))
    await browser.press("Menu", "Delete what is linked to you")
    page = await browser.press("Yes, delete")
    assert "From 2 December 2026 on no backup holds it any more." in page.text
    assert "clear-site-data" in browser.answer.headers
    assert "You need a code" in (await browser.open("/me")).headings


async def test_the_last_admin_stays_until_there_is_another(school: School) -> None:
    admin = await school.person("admin")
    for talk in (school.on(admin),):
        assert "You are the only admin here." in await texts_of(talk, "/delete")
        await talk.types("/settings")
        await talk.taps("Take back my yes")
        assert "You are the only admin here." in talk.text
    await school.person("admin")
    talk = school.on(admin)
    await talk.types("/delete")
    await talk.taps("Yes, delete")
    assert not await known(school, admin)


async def test_whoever_is_on_the_ladder_hears_of_the_gap_and_alerts_go_on(school: School) -> None:
    """SAFE-5, SAFE-9: an alert that waits for somebody who deletes themselves goes to the next one at once."""
    dsl, deputy = await school.readers()
    async with school.db.transaction() as tx:
        await add_address(tx, dsl, "telegram", "1")
        await add_address(tx, deputy, "telegram", "2")
    await school.on(await school.person("parent")).types("/needhelp")
    talk = school.on(dsl)
    assert "nobody here is told of urgent words as: safeguarding lead" in await texts_of(talk, "/delete")
    await talk.taps("Yes, delete")
    async with school.db.reading() as tx:
        (item,) = await waiting_items(tx)
        steps = [(e.what, e.detail.get("person")) for e in await entries(tx, item.id)]
        assert steps[-1] == ("alert.alerted", deputy)
        assert await people_with_role(tx, "dsl") == []


async def test_words_that_must_be_read_stay_until_then(school: School) -> None:
    """SAFE-8: unread words and unfinished concerns keep their author until a human is done with them; then they go."""
    me, dsl = await family(school, ""), await school.person("dsl")
    async with school.db.transaction() as tx:
        unread = await add_item(tx, "words", school.clock.now, "the first", me, "")
        concern = await add_item(tx, "flagged", school.clock.now, "the second", me, "parent or carer")
        await mark_read(tx, concern, dsl, school.clock.now)
        done = await add_item(tx, "words", school.clock.now, "the third", me, "")
        await mark_read(tx, done, dsl, school.clock.now)
    talk = school.on(me)
    await talk.types("/delete")
    await talk.taps("Yes, delete")
    assert "must still read stay" in talk.text

    async def texts() -> list[str]:
        async with school.db.transaction() as tx:
            await erase_leftovers(tx, school.clock.now)
            found = [await find_item(tx, id) for id in (unread, concern, done)]
        return [item.text for item in found if item]

    assert await texts() == ["the first", "the second", ""]
    async with school.db.transaction() as tx:
        item = await find_item(tx, concern)
        assert item
        assert item.who == "parent or carer, SEND parents 7"  # the letter, by which the office finds who it is
        await mark_read(tx, unread, dsl, school.clock.now)
        await route_item(tx, item, "welfare", (), "", dsl, school.clock.now)
    assert await texts() == ["", "the second", ""]
    async with school.db.transaction() as tx:
        await mark_transferred(tx, concern, dsl, school.clock.now)
    assert await texts() == ["", "", ""]


async def test_the_chat_is_cleared_and_the_last_row_goes(tmp_path: object) -> None:
    """6.8, ANON-4: the chat is tidied; its goodbye names the day; then nothing of the person is left."""
    async with telegram_school(tmp_path) as bot:  # type: ignore[arg-type]
        parent = await bot.joins("parent", "SEND parents")
        async with bot.school.db.reading() as tx:
            (me,) = await people_with_role(tx, "parent")
        await parent.types("/delete")
        await parent.sees_button("Yes, delete")
        await parent.taps("Yes, delete")
        await parent.reads_until("is deleted")
        await bot.rounds()
        await until(lambda: "What was linked to you at Elmfield Primary is deleted" in parent.messages[-1].text)
        assert "2 December 2026" in parent.messages[-1].text
        async with bot.school.db.transaction() as tx:
            assert await find_person(tx, me)
            assert await erase_leftovers(tx, bot.school.clock.now) == 1
            assert await find_person(tx, me) is None


# --- taking back one's yes ----------------------------------------------------------------------------------------


async def test_taking_back_the_yes_ends_everything_but_what_was_given(school: School) -> None:
    """6.2: revocable; PR-2 by their own wish. What was sent still counts, as was said when it was given."""
    me = await family(school)
    await school.readers()
    await school.people(10)
    survey = await answered(school, me)
    talk = school.on(me)
    await talk.types("/settings")
    await talk.taps("Take back my yes")
    assert "What you have sent stays as we said then. /delete takes away more" in talk.text
    await talk.taps("Yes, take it back")
    assert talk.reply.logged_out
    async with school.db.reading() as tx:
        found = await find_survey(tx, survey)
        assert found
        assert "consent.withdrawn" in [e.what for e in await entries(tx, me)]
        person = await find_person(tx, me)
        assert person
        assert person.roles == frozenset()


# --- complaints ---------------------------------------------------------------------------------------------------


async def test_a_complaint_reaches_the_head_and_is_acknowledged_at_once(school: School, browsers: NewBrowser) -> None:
    """Data (Use and Access) Act 2025: acknowledged, with the day of the answer and the regulator."""
    head, me = await school.person("head"), await family(school)
    talk = school.on(me)
    await talk.types("/privacy")
    await talk.taps("Complain about my data")
    await talk.types("You sent my letter to the neighbours.")
    assert "The school answers by 2 December 2026." in talk.text
    assert "0303 123 1113" in talk.text
    async with school.db.reading() as tx:
        (item,) = await waiting_items(tx)
    assert (item.kind, item.route, item.person) == ("complaint", "complaint", me)
    browser = await signed_in(school, browsers(), head)
    page = await browser.open("/queue")
    assert "Complaint about data: answer by 2 December 2026" in page.text


async def test_a_complaint_about_the_head_goes_to_the_chair(school: School) -> None:
    """SAFE-7"""
    talk = school.on(await family(school))
    await talk.types("/privacy")
    await talk.taps("Complain about my data")
    await talk.types("Mrs Ahmed told everybody what I wrote.")
    async with school.db.reading() as tx:
        (item,) = await waiting_items(tx)
    assert (item.about, item.reached) == (("head",), ("chair",))


async def test_danger_in_a_complaint_still_raises_an_alert(school: School) -> None:
    """SAFE-12"""
    await school.readers()
    talk = school.on(await family(school))
    await talk.types("/privacy")
    await talk.taps("Complain about my data")
    await talk.types("my husband hits my son every night and you told him what I wrote")
    assert "999" in talk.text
    assert "The school answers by" in talk.text
    async with school.db.reading() as tx:
        assert sorted(item.kind for item in await waiting_items(tx)) == ["complaint", "flagged"]


# --- the documents ------------------------------------------------------------------------------------------------


async def test_the_list_of_keys_in_the_docs_is_true(school: School) -> None:
    page = (Path(__file__).parent.parent / "docs" / "my-data.md").read_text(encoding="utf-8")
    async with school.db.transaction() as tx:
        found = await held(tx, await _parent(tx, school), school.clock.now, "en")
    assert found
    rows = {key: set(re.findall(r"`(\w+)`", text)) for key, text in re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.M)}
    assert set(rows) == set(found.values)
    assert all(set(found.values[key]) <= rows[key] for key in ("account", "consent", "alerts"))


async def _parent(tx: Tx, school: School) -> str:
    return await add_person(tx, "en", "", school.clock.now)
