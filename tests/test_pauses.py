"""Pauses: a family in grief, or whose child was excluded or left, hears nothing of the bot's own accord (FAIL-18)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.errands.send import default_sending, send_survey
from data.audit import entries
from data.children import add_places, names_of, set_name, take_out_name
from data.forms import all_forms
from data.moments import moment
from data.outbox import ALERT, LATE, post
from data.pauses import APART, HELD, REASONS, end_pause, pause_of, set_pause
from data.people import add_address, find_group
from data.replaying import carry_over, replay, tombstones_in
from data.tables import outbox, pauses
from data.tombstones import CHILD, PAUSE, buried, child_ref
from scheduler.sending import EVEN_PAUSED
from tests.browser.plain import NewBrowser
from tests.event_days import add_dropin
from tests.phones import Postbox
from tests.school import MONDAY, School, opened
from tests.test_people_page import office
from tests.test_web_channel import naps

__all__ = ["naps"]  # a fixture
LONDON = ZoneInfo("Europe/London")


class Family:
    """A parent on Telegram, and what reached their chat."""

    def __init__(self, school: School, person: str, box: Postbox) -> None:
        self.school = school
        self.person = person
        self.box = box

    async def lines(self) -> list[str]:
        """What comes now."""
        self.box.sent.clear()
        await self.school.rounds({"telegram": self.box})  # type: ignore[dict-item]
        return self.box.lines("1")

    async def pause(self, reason: str = "bereavement", until: datetime | None = None) -> None:
        async with self.school.db.transaction() as tx:
            await set_pause(tx, self.person, reason, until, "office", self.school.clock.now)

    async def ends(self) -> None:
        async with self.school.db.transaction() as tx:
            assert await end_pause(tx, self.person, "office", self.school.clock.now)

    async def states(self) -> list[tuple[str, str, str | None]]:
        async with self.school.db.reading() as tx:
            mine = select(outbox).where(outbox.c.person == self.person).order_by(outbox.c.id)
            return [(r.kind, r.state, r.why) for r in await tx.all(mine)]


@pytest.fixture
async def family(school: School) -> Family:
    await school.people(11)
    await school.readers()
    person = await school.person("parent", label="Family Otter")
    async with school.db.transaction() as tx:
        await add_address(tx, person, "telegram", "1")
    return Family(school, person, Postbox())


async def ask(school: School, form: str = "parent-send-provision") -> str:
    async with school.db.transaction() as tx:
        found = (await all_forms(tx))[form]
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, found, group, school.clock.now.date())
        return (await send_survey(tx, school.house, sending, school.clock.now)).id


async def plan_dropin(school: School, starts: datetime) -> None:
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        await add_dropin(tx, group, starts, "Hall", starts - timedelta(days=1))


# --- while it lasts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", REASONS)
async def test_nothing_goes_out_of_the_bots_own_accord(family: Family, reason: str) -> None:
    """FAIL-18, A7 standard 5: no question, no reminder, no result, for as long as it lasts."""
    await family.pause(reason)
    await ask(family.school)
    await plan_dropin(family.school, MONDAY + timedelta(days=3))
    for _ in range(40):
        assert await family.lines() == []
        family.school.clock.move(days=1)
    assert {(kind, state) for kind, state, _ in await family.states()} == {
        ("invitation", "dropped"), ("reminder", "dropped"), ("nudge", "dropped"), ("unopened", "dropped"),
    }  # fmt: skip


async def test_replies_to_what_they_write_still_come(family: Family) -> None:
    await family.pause()
    await ask(family.school)
    talk = family.school.on(family.person)
    await talk.types("/surveys")
    assert talk.messages
    await talk.types("I need help, he hits me")
    assert "999" in talk.text


async def test_alerts_to_staff_are_untouched(school: School) -> None:
    """SAFE-5: a DSL who is a parent too, and in grief, is still called."""
    dsl, box = await school.person("dsl", "parent"), Postbox()
    family = Family(school, dsl, box)
    async with school.db.transaction() as tx:
        await add_address(tx, dsl, "telegram", "1")
    await family.pause()
    talk = school.on(await school.person("parent"))
    await talk.types("I need help, he hits me")
    assert "New item to read." in await family.lines()
    async with school.db.transaction() as tx:
        await post(tx, "test-alert", "test-2026-11", [dsl], school.clock.now, ALERT)
    assert len(await family.lines()) == 1


def test_only_staff_and_account_messages_pass_a_pause() -> None:
    """What a later version sends is held back unless somebody decides otherwise."""
    families = {"invitation", "reminder", "told", "not-sent", "unopened", "lost"}
    assert not families & EVEN_PAUSED


# --- when it is over ----------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_what_still_makes_sense_comes_afterwards_one_a_day(family: Family) -> None:
    """Nothing piles up into a burst; a drop-in that is over is not mentioned."""
    school = family.school
    await family.pause()
    await ask(school)
    await plan_dropin(school, MONDAY + timedelta(days=2))
    await plan_dropin(school, MONDAY + timedelta(days=7))
    for _ in range(6):
        assert await family.lines() == []
        school.clock.move(days=1)
    school.clock.set(MONDAY + timedelta(days=6, hours=7))
    assert await family.lines() == []
    await family.ends()
    days = []
    for _ in range(5):
        days.append(len(await family.lines()))
        school.clock.move(days=1)
    assert sum(days) == 3
    assert max(days) == 1
    states = await family.states()
    assert ("nudge", "sent", None) in states  # its time came days after the pause
    assert [s for s in states if s[0] == "reminder"] == [("reminder", "dropped", LATE), ("reminder", "sent", None)]
    assert ("invitation", "sent", None) in states


async def test_a_reminder_of_questions_whose_time_came_in_the_pause_is_let_go(family: Family) -> None:
    """FAIL-18, 6.9: the invitation that waited comes when the pause is over; a day later no reminder follows it."""
    await family.pause()
    await ask(family.school)
    for _ in range(11):
        assert await family.lines() == []
        family.school.clock.move(days=1)
    await family.ends()
    assert sum([len(await family.lines()) for _ in range(2) if family.school.clock.move(days=1)]) == 1
    assert {(kind, state) for kind, state, _ in await family.states()} == {("invitation", "sent"), ("nudge", "dropped")}


async def test_questions_that_closed_meanwhile_are_not_mentioned(family: Family) -> None:
    await family.pause(until=MONDAY + timedelta(days=30))
    await ask(family.school)
    for _ in range(50):
        assert await family.lines() == []
        family.school.clock.move(days=1)


async def test_until_a_day_begins_again_on_that_day_by_itself(family: Family) -> None:
    school = family.school
    await family.pause(until=MONDAY + timedelta(days=4))
    await ask(school)
    assert await family.lines() == []
    assert [why for _, _, why in await family.states()] == [HELD]
    school.clock.set(MONDAY + timedelta(days=3, hours=23))
    assert await family.lines() == []
    school.clock.set(MONDAY + timedelta(days=4))
    assert len(await family.lines()) == 1


async def test_a_pause_made_longer_or_shorter_holds_what_is_held_accordingly(family: Family) -> None:
    await family.pause(until=MONDAY + timedelta(days=2))
    await ask(family.school)
    assert await family.lines() == []
    await family.pause(until=MONDAY + timedelta(days=5))
    family.school.clock.move(days=2)
    assert await family.lines() == []
    family.school.clock.move(days=1)
    await family.pause("other", until=MONDAY + timedelta(days=4))
    assert await family.lines() == []
    family.school.clock.move(days=1)
    assert len(await family.lines()) == 1


async def test_who_left_gets_nothing_for_good(family: Family) -> None:
    """FAIL-18: no message for a child marked left; a date makes no difference."""
    await family.pause("left", until=MONDAY + timedelta(days=2))
    for form in ("parent-send-provision", "drop-in-feedback"):
        await ask(family.school, form)
        for _ in range(30):
            assert await family.lines() == []
            family.school.clock.move(days=1)


@pytest.mark.parametrize("change", [date(2026, 10, 25), date(2027, 3, 28)])
async def test_a_pause_ends_at_local_midnight_on_both_sides_of_a_change_of_the_clock(
    school: School, change: date
) -> None:
    """FAIL-18: also where the night has 23 or 25 hours."""
    for day in (change, change + timedelta(days=1)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=LONDON)
        person = await school.person("parent")
        async with school.db.transaction() as tx:
            await set_pause(tx, person, "other", midnight, "office", school.clock.now)
        async with school.db.reading() as tx:
            assert await pause_of(tx, person, midnight.astimezone(UTC) - timedelta(seconds=1))
            assert await pause_of(tx, person, midnight.astimezone(UTC)) is None


STEPS = ("pause", "until", "end", "ask", "dropin", "day", "night")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=16), data=st.data())
async def test_whatever_happens_nothing_goes_while_paused_and_one_held_message_a_day_after(
    steps: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """FAIL-18 over random terms: pauses begun, changed and ended, questions and drop-ins in between."""
    async with opened(tmp_path_factory.mktemp("term")) as school:
        await school.people(11)
        await school.readers()
        person = await school.person("parent")
        async with school.db.transaction() as tx:
            await add_address(tx, person, "telegram", "1")
        family, forms = Family(school, person, Postbox()), ["parent-send-provision", "drop-in-feedback"]
        for step in steps:
            if step in ("pause", "until"):
                days = data.draw(st.integers(1, 9))
                await family.pause("other", school.clock.now + timedelta(days=days) if step == "until" else None)
            elif step == "end":
                async with school.db.transaction() as tx:
                    await end_pause(tx, person, "office", school.clock.now)
            elif step == "ask" and forms:
                await ask(school, forms.pop())
            elif step == "dropin":
                await plan_dropin(school, school.clock.now + timedelta(days=data.draw(st.integers(1, 5))))
            else:
                school.clock.move(hours=24 if step == "day" else 7)
            async with school.db.reading() as tx:
                held = await pause_of(tx, person, school.clock.now)
            said = await family.lines()
            assert not (held and said)
        async with school.db.transaction() as tx:
            held_ids = [r.id for r in await tx.all(select(outbox.c.id).where(outbox.c.why == HELD))]
            await end_pause(tx, person, "office", school.clock.now)
            due = [moment(r.due_at) for r in await tx.all(select(outbox).where(outbox.c.id.in_(held_ids)))]
        assert all(abs(a - b) >= APART for a, b in combinations(due, 2))


# --- restored, forgotten ------------------------------------------------------------------------------------------


async def test_a_restore_does_not_end_a_pause_nor_bring_a_name_back(school: School) -> None:
    """Trust A4.3: yesterday's backup knows nothing of today's grief."""
    person = await school.person("parent")
    async with school.db.transaction() as tx:
        await add_places(tx, person, 2)
        await set_name(tx, person, 1, "Ben")
        await set_name(tx, person, 2, "Mia")
    await school.db.wipe_deleted()
    yesterday = school.db.path.read_bytes()
    async with school.db.transaction() as tx:
        await set_pause(tx, person, "bereavement", None, "office", school.clock.now)
        assert await take_out_name(tx, person, " BEN ", school.clock.now) == 1
        stones = await tombstones_in(tx)
        assert await buried(tx, PAUSE, [person]) == [person]
        assert await buried(tx, CHILD, [child_ref(person, 1), child_ref(person, 2)]) == [child_ref(person, 1)]
    folder = school.db.path.parent.parent / "restored"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "yousaid.db").write_bytes(yesterday)
    async with opened(folder) as restored, restored.db.transaction() as tx:
        await carry_over(tx, stones)
        assert await replay(tx, restored.clock.now) == {PAUSE: 1, CHILD: 1}
        assert await names_of(tx, person) == ["", "Mia"]
        assert await pause_of(tx, person, restored.clock.now)


async def test_an_ended_pause_leaves_nothing(family: Family) -> None:
    await family.pause()
    await family.ends()
    async with family.school.db.reading() as tx:
        assert await tx.all(select(pauses)) == []
        assert await buried(tx, PAUSE, [family.person]) == []


async def test_the_reason_is_sealed_everywhere(family: Family) -> None:
    """Only those who may open the page read it: not on the disk, not in the log's plain columns."""
    await family.pause("bereavement")
    await family.school.db.wipe_deleted()
    assert b"bereavement" not in family.school.db.path.read_bytes()
    async with family.school.db.reading() as tx:
        rows = await entries(tx, family.person, "pause.set")
    assert [(row.actor, dict(row.detail)) for row in rows] == [("office", {"reason": "bereavement"})]


# --- the page -----------------------------------------------------------------------------------------------------


async def test_the_office_pauses_changes_and_ends(family: Family, browsers: NewBrowser) -> None:
    """Without JavaScript: a reason, a day or none, one tap to end."""
    school = family.school
    browser = await office(school, browsers)
    page = await browser.open(f"/people/family/{family.person}")
    assert "Pause messages to this family" in browser.answer.text
    page = await browser.open(f"/people/pause/{family.person}")
    assert page.headings == ["Pause messages"]
    assert "also for their other children" in page.text
    page = await browser.press("Pause messages", reason="bereavement", until="")
    assert "No messages are sent. Paused since 2 November 2026." in page.text
    assert "Somebody has died" in page.text
    page = await browser.press("Change the pause", reason="exclusion", until="2026-11-20")
    assert "No messages are sent. Messages go again on 20 November 2026." in page.text
    await browser.open(f"/people/family/{family.person}")
    assert "Messages go again on 20 November 2026." in browser.answer.text
    assert "excluded" not in browser.answer.text
    await browser.open(f"/people/pause/{family.person}")
    page = await browser.press("End the pause")
    assert "End the pause" not in page.labels
    async with school.db.reading() as tx:
        whats = [row.what for row in await entries(tx, family.person) if row.what.startswith("pause")]
    assert whats == ["pause.set", "pause.set", "pause.ended"]


@pytest.mark.parametrize("typed", ["2026-11-02", "2020-01-01", "soon"])
async def test_a_day_that_is_none_or_over_changes_nothing(family: Family, browsers: NewBrowser, typed: str) -> None:
    browser = await office(family.school, browsers)
    await browser.open(f"/people/pause/{family.person}")
    page = await browser.press("Pause messages", reason="other", until=typed)
    assert "Please give a day after today, such as 16 November 2026" in page.text
    assert browser.answer.status_code == 422
    async with family.school.db.reading() as tx:
        assert await pause_of(tx, family.person, family.school.clock.now) is None


async def test_left_suggests_to_end_the_access(family: Family, browsers: NewBrowser) -> None:
    browser = await office(family.school, browsers)
    await browser.open(f"/people/pause/{family.person}")
    page = await browser.press("Pause messages", reason="left", until="2026-12-01")
    assert "They left. Nothing is sent any more." in page.text
    assert "Then think about ending their access too" in page.text


@pytest.mark.both_databases
async def test_one_childs_name_can_be_taken_out_without_showing_any(family: Family, browsers: NewBrowser) -> None:
    """FAIL-18: the names are the parent's own; a child who died is named nowhere."""
    async with family.school.db.transaction() as tx:
        await add_places(tx, family.person, 2)
        await set_name(tx, family.person, 1, "Ben")
        await set_name(tx, family.person, 2, "Mia")
    browser = await office(family.school, browsers)
    page = await browser.open(f"/people/pause/{family.person}")
    assert "Ben" not in browser.answer.text
    page = await browser.press("Take this name out", name="Zoe")
    assert "No such name is written here" in page.text
    page = await browser.press("Take this name out", name="ben ")
    assert "The name is out." in page.text
    assert "Mia" not in browser.answer.text
    async with family.school.db.reading() as tx:
        assert await names_of(tx, family.person) == ["", "Mia"]
        rows = await entries(tx, family.person, "child-name.out")
    assert [row.detail["n"] for row in rows] == ["0", "1"]
    page = await browser.press("Take out all their names")
    assert "All names are out." in page.text
    async with family.school.db.reading() as tx:
        assert await names_of(tx, family.person) == ["", ""]


async def test_the_page_is_of_families_only(school: School, browsers: NewBrowser) -> None:
    browser = await office(school, browsers)
    for person in (await school.person("senco"), "nobody"):
        await browser.open(f"/people/pause/{person}")
        assert browser.answer.status_code == 404


async def test_who_sends_hears_how_many_are_paused(family: Family) -> None:
    await family.pause()
    talk = family.school.on(await family.school.person("senco"))
    await talk.types("/send")
    await talk.taps("Help for extra needs (SEND)", "SEND parents", "Send now")
    assert "Sent to 12 people" in talk.text
    assert "Messages to 1 of them are paused, so they are not asked now." in talk.text
