"""How far a sending is, and that staff pause, go on and stop it; a person's STOP comes before everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from bot.delivery import lines_about, takes
from bot.errands.send import default_sending, send_survey
from conversations.channel import Message, TryLater
from data.audit import entries
from data.database import Tx
from data.delivery import (
    KINDS,
    Delivery,
    decided,
    deliveries_about,
    delivery_of,
    in_json,
    pause_sending,
    resume_sending,
    stop_sending,
)
from data.outbox import ALERT, Letter, post
from data.pauses import set_pause
from data.people import add_address, find_group, set_stopped
from data.tables import outbox
from scheduler.nudging import nudge_due
from scheduler.sending import Sender, send_due
from tests.browser.plain import NewBrowser
from tests.event_days import add_dropin, add_meeting, add_slots
from tests.phones import Postbox
from tests.school import MONDAY, School
from tests.telegram_school import telegram_school
from tests.test_dialogue import SURVEY, send
from tests.test_privacy_modes import room


class Door(Postbox):
    """A channel that asks letters to wait for their turn, and lets the test do something meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.pause = 0.0
        self.meanwhile: object = None
        self.later: set[str] = set()
        self.one_after_another = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, address: str, urgent: bool = False) -> AsyncIterator[None]:
        async with self.one_after_another:
            if callable(self.meanwhile):
                act, self.meanwhile = self.meanwhile, None
                await act()
        yield

    async def send(self, address: str, message: Message) -> None:
        if address in self.later:
            raise TryLater(30)
        await super().send(address, message)


async def asked(school: School, n: int = 12, on_telegram: int | None = None) -> list[str]:
    """People who are sent questions; the first so many have Telegram."""
    await school.readers()
    people = await school.people(n)
    async with school.db.transaction() as tx:
        for number, person in enumerate(people[: n if on_telegram is None else on_telegram]):
            await add_address(tx, person, "telegram", str(3000 + number))
    await send(school)
    return people


async def report(school: School) -> Delivery:
    async with school.db.reading() as tx:
        found = await delivery_of(tx, "invitation", SURVEY)
    assert found
    return found


@pytest.mark.both_databases
async def test_every_letter_is_counted_once_with_the_reason(school: School) -> None:
    """Field 20: sent, waits until, waits on the page, blocked, wants none, asked to wait."""
    people = await asked(school, 12, on_telegram=9)
    door = Door()
    door.blocked, door.later = {"3000"}, {"3001", "3002"}
    async with school.db.transaction() as tx:
        await set_stopped(tx, people[3], True, school.clock.now)
    assert (await report(school)).waiting == 12
    await school.rounds({"telegram": door})
    found = await report(school)
    assert (found.sent, found.page, found.blocked, found.stopped, found.waiting) == (5, 3, 1, 1, 2)
    assert found.letters == 12
    assert found.reached == 8
    assert found.next_at
    assert found.next_at > school.clock.now
    assert json.loads(json.dumps(in_json(found)))["sent"] == 5


@pytest.mark.both_databases
async def test_pause_go_on_and_stop(school: School) -> None:
    """What waits stays; goes on where it was; stopped is for good and not counted as reached. Each is noted."""
    await asked(school, 12)
    door, now = Door(), school.clock.now
    async with school.db.transaction() as tx:
        assert await pause_sending(tx, "invitation", SURVEY, now, None)
        assert not await pause_sending(tx, "invitation", SURVEY, now, None)
    await school.rounds({"telegram": door})
    assert (await report(school)).held == 12
    assert door.sent == {}
    async with school.db.transaction() as tx:
        assert await resume_sending(tx, "invitation", SURVEY, now, None)
    door.later = {str(3000 + n) for n in range(8)}
    await school.rounds({"telegram": door})
    async with school.db.transaction() as tx:
        assert await stop_sending(tx, "invitation", SURVEY, now, None)
        assert not await stop_sending(tx, "invitation", SURVEY, now, None)
    school.clock.move(minutes=5)
    door.later = set()
    await school.rounds({"telegram": door})
    found = await report(school)
    assert (found.sent, found.called_off, found.reached, found.under_way) == (4, 8, 4, False)
    async with school.db.reading() as tx:
        noted = [row.what for row in await entries(tx, SURVEY, "sending.paused", "sending.resumed", "sending.stopped")]
    assert noted == ["sending.paused", "sending.resumed", "sending.stopped"]


@pytest.mark.both_databases
async def test_a_persons_stop_counts_between_claim_and_send(school: School) -> None:
    """Absolute and immediate: also for what is claimed, and for what is tried again."""
    people = await asked(school, 1 + 11)
    door = Door()

    async def stop() -> None:
        async with school.db.transaction() as tx:
            for person in people:
                await set_stopped(tx, person, True, school.clock.now)

    door.meanwhile = stop
    await school.rounds({"telegram": door})
    assert door.sent == {}
    assert (await report(school)).stopped == 12


async def test_a_stop_reaches_what_is_being_retried(school: School) -> None:
    people = await asked(school, 12)
    door = Door()
    door.later = {"3000"}
    await school.rounds({"telegram": door})
    await school.on(people[0]).types("STOP")
    door.later = set()
    school.clock.move(minutes=2)
    await school.rounds({"telegram": door})
    assert "3000" not in door.sent
    assert (await report(school)).stopped == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("act", [pause_sending, stop_sending])
async def test_staff_hold_or_stop_between_claim_and_send(school: School, act: object) -> None:
    """What is claimed when staff tap does not go either."""
    await asked(school, 12)
    door = Door()

    async def decide() -> None:
        async with school.db.transaction() as tx:
            assert await act(tx, "invitation", SURVEY, school.clock.now, None)  # type: ignore[operator]

    door.meanwhile = decide
    await school.rounds({"telegram": door})
    found = await report(school)
    assert door.sent == {}
    assert (found.held, found.called_off) == ((12, 0) if act is pause_sending else (0, 12))


async def test_a_line_that_loses_the_answers_does_not_bring_the_same_words_for_ever(tmp_path: Path) -> None:
    """Telegram took it, and nobody hears of that: tried again ever more rarely, and never given up."""
    async with telegram_school(tmp_path) as bot:
        await bot.joins("parent", "SEND parents")
        now = bot.school.clock.now
        async with bot.school.db.transaction() as tx:
            await add_dropin(tx, await find_group(tx, "SEND parents") or "", now + timedelta(days=3), "Room 4", now)
        before = len(bot.server.calls_of("sendMessage"))
        bot.server.delay = 0.5
        bot.channel.bot.request._read_timeout = 0.2
        for _ in range(24):
            await bot.rounds()
            bot.school.clock.move(minutes=5)
        assert len(bot.server.calls_of("sendMessage")) - before == 5
        bot.server.delay = 0
        bot.school.clock.move(hours=9)
        await bot.rounds()
        async with bot.school.db.reading() as tx:
            assert [(r.kind, r.state) for r in await tx.all(select(outbox))] == [("reminder", "sent")]


@pytest.mark.both_databases
async def test_what_staff_let_go_on_at_that_moment_is_not_left_behind(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading that it is held and writing so: nobody would find what is held by no decision."""
    await asked(school, 12)
    door, waits = Door(), asyncio.Lock()

    async def pause() -> None:
        async with school.db.transaction() as tx:
            await pause_sending(tx, "invitation", SURVEY, school.clock.now, None)

    async def then_resumed(tx: Tx, kind: str, ref: str) -> str:
        found = await decided(tx, kind, ref)
        async with waits:
            if found and door.meanwhile != "resumed":
                door.meanwhile = "resumed"
                async with school.db.transaction() as other:
                    assert await resume_sending(other, kind, ref, school.clock.now, None)
        return found

    door.meanwhile = pause
    monkeypatch.setattr("scheduler.sending.decided", then_resumed)
    await school.rounds({"telegram": door})
    found = await report(school)
    assert (found.sent, found.held, found.decision) == (12, 0, "")


async def test_a_claim_that_another_took_over_is_not_sent_twice(school: School) -> None:
    """A lease that ran out while the letter waited for its turn."""
    await asked(school, 12)
    door = Door()

    async def taken_over() -> None:
        async with school.db.transaction() as tx:
            await tx.run(outbox.update().where(outbox.c.state == "sending").values(owner="1:other"))

    door.meanwhile = taken_over
    sender = Sender(school.db, school.house.school, school.letters.compose, {"telegram": door}, school.owner)
    await send_due(sender, school.clock.now, 200)
    async with school.db.reading() as tx:
        states = [r.owner for r in await tx.all(select(outbox).where(outbox.c.kind == "invitation"))]
    assert door.sent == {}
    assert set(states) == {"1:other"}


async def test_while_a_channel_takes_nothing_nothing_is_claimed(school: School) -> None:
    """A long 429: what waits stays as it is, and nothing is spent on it."""
    await asked(school, 12)
    door = Door()
    door.pause = 30.0
    await school.rounds({"telegram": door})
    found = await report(school)
    assert (found.waiting, door.sent) == (12, {})
    door.pause = 0.0
    await school.rounds({"telegram": door})
    assert (await report(school)).sent == 12


async def test_what_one_person_is_told_keeps_its_order_and_an_alert_waits_for_nothing(school: School) -> None:
    """A letter whose words take longer to make is not overtaken by the next to the same person."""
    person, box = await school.person("dsl"), Postbox()
    async with school.db.transaction() as tx:
        await add_address(tx, person, "telegram", "5")
        for kind in ("told", "wedid"):
            await post(tx, kind, "lunch-1", [person], school.clock.now)

    async def compose(letter: Letter, now: datetime) -> Message:
        if letter.kind == "told":
            async with school.db.transaction() as tx:
                await post(tx, "alert", "x", [person], now, ALERT)
            await send_due(sender, now)
        return Message(letter.kind)

    sender = Sender(school.db, school.house.school, compose, {"telegram": box}, school.owner)
    await send_due(sender, school.clock.now)
    assert [message.text for message in box.sent["5"]] == ["alert", "told", "wedid"]


@pytest.mark.both_databases
async def test_a_long_sending_is_no_trouble_and_one_that_stands_still_is(school: School, browsers: NewBrowser) -> None:
    """/readyz: a letter to thousands takes minutes, and a wait that Telegram asked for is no fault of ours."""
    page, door = browsers(), Door()

    async def ready(minutes: float) -> bool:
        school.clock.move(minutes=minutes)
        return (await page.http.get("/readyz")).status_code == 200

    async def telegram_asks_to_wait() -> None:
        door.pause = 600.0

    await asked(school, 40)
    assert await ready(4)
    assert not await ready(2)
    door.meanwhile = telegram_asks_to_wait
    sender = Sender(school.db, school.house.school, school.letters.compose, {"telegram": door}, school.owner)
    while await send_due(sender, school.clock.now):
        pass
    found = await report(school)
    assert found.sent
    assert found.waiting  # due for six minutes
    assert await ready(0)
    assert await ready(14)
    assert not await ready(2)  # ten minutes that Telegram asked for, and five more
    door.pause = 0.0
    await send_due(sender, school.clock.now)
    assert (await report(school)).sent == 40
    assert await ready(60)


async def test_staff_see_how_far_it_is_and_stop_it(school: School) -> None:
    """In chat, by buttons; the last step asks once more, because it cannot be taken back."""
    await asked(school, 12, on_telegram=0)
    senco = school.on(await school.person("senco"))
    await senco.types("/summary")
    await senco.taps("How far is it?")
    assert "On the way now: 12" in senco.text
    await senco.taps("Pause sending")
    assert "Paused by staff: 12" in senco.text
    await senco.taps("Go on sending")
    await senco.taps("Stop sending")
    assert "12 people have not got it yet" in senco.text
    await senco.taps("Yes, stop sending")
    assert "Stopped by staff before it went: 12" in senco.text
    assert not [b for m in senco.messages for b in m.buttons if b.label in ("Pause sending", "Stop sending")]


@pytest.mark.parametrize("role", ["parent", "staff", "office", "governor", "dsl"])
async def test_only_who_may_send_may_stop(school: School, role: str) -> None:
    await asked(school, 12)
    talk = school.on(await school.person(role))
    for act in "lhgas":
        talk.reply = await talk.forges(f"far={act}:invitation:{SURVEY}")
        assert talk.text == "This is for staff. /help shows what you can do."
    assert (await report(school)).waiting == 12


async def test_a_forged_report_finds_nothing(school: School) -> None:
    senco = school.on(await school.person("senco"))
    for says in ("far=l:invitation:nothing", "far=s:alert:x", "far=x", "far=h::", "far=z:invitation:a"):
        senco.reply = await senco.forges(says)
        assert len(senco.messages) == 1
        assert not senco.messages[0].buttons or "How far" not in senco.text


async def test_letters_after_a_change_are_a_sending_of_their_own(school: School) -> None:
    """An occasion that was moved: its letters name "ID.2"."""
    person = await school.person("parent")
    async with school.db.transaction() as tx:
        await post(tx, "reminder", "abc", [person], school.clock.now)
        await post(tx, "reminder", "abc.2", [person], school.clock.now)
        await post(tx, "reminder", "abcd", [person], school.clock.now)
        found = await deliveries_about(tx, "abc")
    assert [(d.kind, d.ref) for d in found] == [("reminder", "abc"), ("reminder", "abc.2")]


async def reminded(school: School) -> tuple[str, Door]:
    """An open survey with names whose reminder has been posted: all states a letter can have are among its people."""
    await school.readers()
    people = await school.people(8)
    async with school.db.transaction() as tx:
        for number, person in enumerate(people[:7]):
            await add_address(tx, person, "telegram", str(3000 + number))
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, room("CONF", id="lunch"), group, school.clock.now.date())
        survey = await send_survey(tx, school.house, sending, school.clock.now)
    door = Door()
    await school.rounds({"telegram": door})
    await finishes(school, people[0], survey.id)  # before the reminder is posted
    school.clock.set(survey.nudge_at or MONDAY)
    assert await nudge_due(school.db, school.clock.now)
    await finishes(school, people[1], survey.id)  # before it is sent
    async with school.db.transaction() as tx:
        await set_stopped(tx, people[2], True, school.clock.now)
        await set_pause(tx, people[3], "other", None, "", school.clock.now)
    door.blocked, door.later = {"3004"}, {"3005"}
    await school.rounds({"telegram": door})
    return survey.id, door


async def finishes(school: School, person: str, survey: str) -> None:
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={survey}")
    await talk.taps("Yes, start", "Skip", "Skip", "Skip", "Send my answers")


@pytest.mark.both_databases
async def test_a_reminder_is_counted_by_itself_and_each_letter_once(school: School) -> None:
    """Field 20, 6.9: it adds nothing to the invitations, and shows in the report with its reasons."""
    survey, _ = await reminded(school)
    async with school.db.reading() as tx:
        invited, again = await deliveries_about(tx, survey)
        rows = await tx.all(select(outbox.c.person).where(outbox.c.ref == survey, outbox.c.kind == "nudge"))
    assert (invited.kind, invited.sent, invited.page, invited.letters) == ("invitation", 7, 1, 8)
    assert (again.kind, again.letters, len(rows)) == ("nudge", 7, 7)
    assert (again.sent, again.waiting, again.page, again.blocked, again.stopped, again.over) == (1, 1, 1, 1, 1, 2)
    assert not again.failed


async def test_the_report_in_chat_and_on_the_command_line_shows_reminders_too(school: School) -> None:
    """Field 20: neither is hidden behind the other, and the reminders can be stopped by themselves."""
    survey, door = await reminded(school)
    senco = school.on(await school.person("senco"))
    await senco.types("/summary")
    await senco.taps("How far is it?")
    text, calls = senco.messages[-2].text, senco.messages[-1].text
    assert "Who cannot be reached stands on the call list." in calls
    async with school.db.reading() as tx:
        on_command_line = await lines_about(tx, school.house, "en", survey, school.clock.now)
    assert [line for line in text.splitlines() if line] == on_command_line
    first, _, second = text.partition("\n\n")
    assert first.splitlines()[0] == "Invitations to lunch-1"
    assert second.splitlines()[0] == "Reminders of lunch-1"
    await senco.taps("Reminders of lunch-1", "Stop sending", "Yes, stop sending")
    door.later = set()
    school.clock.move(minutes=5)
    await school.rounds({"telegram": door})
    assert (await report_of(school, "nudge", survey)).called_off == 1
    assert (await report_of(school, "invitation", survey)).called_off == 0


async def report_of(school: School, kind: str, ref: str) -> Delivery:
    async with school.db.reading() as tx:
        found = await delivery_of(tx, kind, ref)
    assert found
    return found


@pytest.mark.both_databases
async def test_what_nothing_sent_in_time_is_named_and_not_sent(school: School) -> None:
    """Must hold of issue 5: the bot was off until the drop-in had begun; or the line was down."""
    people = await school.people(3)
    door, start = Door(), MONDAY + timedelta(days=2)
    async with school.db.transaction() as tx:
        await add_address(tx, people[0], "telegram", "3000")
        await add_address(tx, people[1], "telegram", "3001")
        occasion = await add_slots(tx, await find_group(tx, "SEND parents") or "", start, 2)
        other = await add_slots(tx, await find_group(tx, "SEND parents") or "", start + timedelta(hours=3), 2)
    school.clock.set(start + timedelta(minutes=1))
    door.later = {"3001"}
    await school.rounds({"telegram": door})
    late = await report_of(school, "reminder", occasion.id)
    assert (late.late, late.sent, late.letters) == (3, 0, 3)
    again = await report_of(school, "reminder", other.id)
    assert (again.sent, again.page, again.waiting, again.late) == (1, 1, 1, 0)
    assert [message.text for message in door.sent["3000"]] == [
        "Elmfield Primary: there is a date for you today, 13:00."
    ]
    school.clock.move(hours=4)
    door.later = set()
    await school.rounds({"telegram": door})
    again = await report_of(school, "reminder", other.id)
    assert (again.waiting, again.late, again.letters) == (0, 1, 3)
    async with school.db.reading() as tx:
        assert "Not sent, as it would have come too late: 1" in await lines_about(
            tx, school.house, "en", other.id, school.clock.now
        )


async def test_the_report_of_an_event_names_it_and_leads_to_the_call_list(school: School, browsers: NewBrowser) -> None:
    """Issue 5: a delivery report for every sending; whoever may change the event sees it, and can hold it."""
    people, host = await school.people(3), await school.person("staff")
    senco, door = await school.person("senco"), Door()
    async with school.db.transaction() as tx:
        for number, person in enumerate(people[:2]):
            await add_address(tx, person, "telegram", str(3000 + number))
        group = await find_group(tx, "SEND parents") or ""
        event = (await add_meeting(tx, group, MONDAY + timedelta(days=9), host=host))[0].event
        await post(tx, "event", event.id, people, school.clock.now)
    door.blocked, door.later = {"3000"}, {"3001"}
    await school.rounds({"telegram": door})
    leads = school.on(host)
    leads.reply = await leads.forges(f"far=l:event:{event.id}")
    assert leads.text.splitlines()[0] == "Announcements of Coffee morning"
    assert "Have blocked the bot: 1" in leads.text
    await leads.taps("Pause sending")
    assert "Paused by staff: 1" in leads.text
    other = school.on(await school.person("staff"))
    other.reply = await other.forges(f"far=g:event:{event.id}")
    assert other.text.startswith("This is for staff.")
    reader = school.on(senco, "telegram")
    reader.reply = await reader.forges(f"far=l:event:{event.id}")
    page = browsers()
    await page.open("/file/" + reader.text.rpartition("/file/")[2].split()[0])
    await page.press("Open")
    assert page.answer.history[-1].url.path == "/people/calls"
    assert page.answer.url.path == "/factor"  # names wait for the second proof, as ever
    reader = school.on(senco, "web")
    reader.reply = await reader.forges(f"far=l:event:{event.id}")
    assert [b.opens for b in reader.messages[-1].buttons] == ["people/calls"]


def test_every_sending_that_is_counted_is_one_that_is_posted() -> None:
    """A name that nothing posts, or none has words for, would hide letters from the report."""
    code = "".join(path.read_text() for folder in ("bot", "scheduler") for path in Path(folder).rglob("*.py"))
    assert not [kind for kind in KINDS if f'"{kind}"' not in code]
    phrases = yaml.safe_load(Path("conversations/languages/en.yaml").read_text())["delivery"]["kind"]
    assert set(phrases) == set(KINDS)


def test_how_long_it_takes_is_said_beforehand(school: School) -> None:
    assert takes(school.house, "en", 1) == "Sending takes about 1 second."
    assert takes(school.house, "en", 40) == "Sending takes about 2 seconds."
    assert takes(school.house, "en", 60) == "Sending takes about 3 seconds."
    assert takes(school.house, "en", 10_000) == "Sending takes about 6 minutes."
