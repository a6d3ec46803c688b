"""Staff plan drop-ins and events in chat, change them, call them off; everybody concerned is told once (S3, S15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.events.series import days_of, read_length
from data.access import take_role
from data.audit import last_entries
from data.bookings import COMING, WAITING, Booking, book
from data.calendar import Calendar, Stretch, save_calendar
from data.database import Tx
from data.erasing import erase
from data.events import Occasion, coming_occasions
from data.moments import new_id
from data.outbox import Letter, claim, on_page
from data.wishes import wish
from tests.school import MONDAY, School, Talk

pytestmark = pytest.mark.both_databases

YEAR_3 = "Year 3 parents"
TERM = Calendar(
    (
        Stretch("term", MONDAY.date() - timedelta(days=60), datetime(2026, 12, 18, tzinfo=UTC).date()),
        Stretch("inset", datetime(2026, 11, 24, tzinfo=UTC).date(), datetime(2026, 11, 24, tzinfo=UTC).date()),
    )
)


async def planner(school: School, role: str = "senco") -> Talk:
    return school.on(await school.person(role, label="Ms Patel"))


async def dropin(school: School, *more: str, role: str = "senco") -> Talk:
    """A drop-in on Tuesday 10 November, planned to the end; `more` is typed at the last screen."""
    talk = await planner(school, role)
    await talk.types("/dropin", "10 November", "9am", "The library", YEAR_3, *more, "Send now")
    return talk


async def planned(school: School) -> list[Occasion]:
    async with school.db.reading() as tx:
        return await coming_occasions(tx, None, school.clock.now)


async def books(school: School, occasion: Occasion, person: str, state: str = COMING) -> None:
    async with school.db.transaction() as tx:
        await book(tx, occasion, Booking(new_id(), occasion.id, person, state, made_at=school.clock.now))


async def kinds(school: School, person: str) -> list[str]:
    """What the person was sent, oldest first; the web page keeps it."""
    await school.rounds()
    async with school.db.reading() as tx:
        return [letter.kind for letter in reversed(await on_page(tx, person))]


async def waiting(tx: Tx) -> list[Letter]:
    """All that is to go out."""
    return await claim(tx, "test", datetime(2027, 1, 1, tzinfo=UTC), 100)


async def logged(school: School) -> list[str]:
    async with school.db.reading() as tx:
        return [entry.what for entry in await last_entries(tx, 50)]


async def test_four_questions_plan_a_drop_in(school: School) -> None:
    """S15.1: nobody has to book; the preview says day, time and place (field 30)."""
    talk = await planner(school)
    await talk.types("/dropin", "next Tuesday", "half 3", "The library", YEAR_3)
    assert "Tuesday 10 November, 15:30 to 16:30\nThe library" in talk.text
    assert [b.label for b in talk.messages[-1].buttons] == ["Send now", "Change", "Cancel"]
    await talk.taps("Send now")
    (occasion,) = await planned(school)
    assert (occasion.event.slot_minutes, occasion.event.host) == (None, talk.person)
    assert occasion.starts_at == datetime(2026, 11, 10, 15, 30, tzinfo=UTC)
    assert "dropin.made" in await logged(school)


async def test_a_drop_in_is_not_announced_but_stands_in_the_list(school: School) -> None:
    parent = await school.person("parent", group=YEAR_3)
    await dropin(school)
    assert await kinds(school, parent) == []
    talk = school.on(parent)
    await talk.types("/dropins")
    assert "Tuesday 10 November" in talk.text


async def test_everything_else_is_set_under_change(school: School) -> None:
    talk = await planner(school)
    await talk.types("/dropin", "10 November", "9am", "The library", YEAR_3)
    await talk.types("Change", "5", "11:00")
    await talk.types("Change", "7", "Every 15 minutes", "2")
    assert "You can keep a time of 15 minutes, or just come." in talk.text
    await talk.types("Change", "9", "1, 3", "meet.example/room")
    assert "it begins with https://" in talk.text
    await talk.types("https://meet.example/room")
    await talk.types("Change", "12", "2, 5", "Quiet", "Room 4")
    assert "Noise: Quiet\nQuiet place: Room 4" in talk.text
    await talk.types("Send now")
    (occasion,) = await planned(school)
    event = occasion.event
    assert (event.slot_minutes, event.capacity, occasion.slots) == (15, 2, 8)
    assert (event.ways, event.online) == (("in-person", "video"), "https://meet.example/room")
    assert event.access == {"noise": "Quiet", "quiet": "Room 4"}


async def test_it_comes_again_every_other_week_but_not_on_days_without_school(school: School) -> None:
    async with school.db.transaction() as tx:
        await save_calendar(tx, TERM.stretches)
    await dropin(school, "Change", "6", "Every other week")
    days = [o.starts_at.date().isoformat() for o in await planned(school)]
    assert days == ["2026-11-10", "2026-12-08"]


@pytest.mark.parametrize(
    ("repeats", "last", "n"), [("once", "2026-11-03", 1), ("weekly", "2026-12-15", 6), ("monthly", "2026-12-01", 2)]
)
def test_the_days_of_a_series_end_with_the_term(repeats: str, last: str, n: int) -> None:
    days = days_of(MONDAY.date() + timedelta(days=1), repeats, TERM)
    assert (days[-1].isoformat(), len(days)) == (last, n)


@pytest.mark.parametrize(
    ("words", "minutes"),
    [("90 minutes", 90), ("1 hour", 60), ("1h 30m", 90), ("2 hours", 120), ("0 minutes", 0), ("90", 0), ("13 h", 0)],
)
def test_lengths_are_read_as_people_say_them(words: str, minutes: int) -> None:
    assert read_length(words) == (timedelta(minutes=minutes) if minutes else None)


@pytest.mark.parametrize(
    ("number", "typed", "says"),
    [
        ("5", "8am", "It must end after it begins"),
        ("5", "soon", "I need a time, like 10:30"),
        ("1", "31 February", "I need a date"),
        ("1", "1 November 2026", "That day is past"),
        ("3", "x" * 201, "That is too long"),
        ("3", "Room 4, strictly confidential", "Nobody may promise that"),
        ("1", "Saturday", "There is no school on one of these days"),
    ],
)
async def test_what_is_not_right_is_said_and_nothing_is_lost(
    school: School, number: str, typed: str, says: str
) -> None:
    """SAFE-2 for promises; a day off school may be meant so."""
    talk = await planner(school)
    await talk.types("/dropin", "10 November", "9am", "The library", YEAR_3, "Change", number, typed)
    assert says in talk.text
    assert {"Back", "Change"} & {b.label for b in talk.messages[-1].buttons}


async def test_the_long_address_of_a_video_meeting_fits(school: School) -> None:
    """Those of Teams have some 300 letters; other words that families see have 200 at most."""
    address = "https://teams.example/l/meetup-join/19%3ameeting_" + "a" * 250
    talk = await dropin(school, "Change", "8", "1, 3", "https://two words")
    assert "it begins with https://" in talk.text
    await talk.types(address, "Send now")
    assert [o.event.online for o in await planned(school)] == [address]


@pytest.mark.parametrize("erased", [True, False])
async def test_a_host_who_leaves_in_the_middle_is_named_before_anything_is_planned(
    school: School, erased: bool
) -> None:
    """The colleague was deleted, or lost the role, between the choice and `Send now`."""
    other = await school.person("staff", label="Mr Reed")
    talk = await planner(school)
    await talk.types("/dropin", "10 November", "9am", "The library", YEAR_3, "Change", "9", "Mr Reed")
    assert "With Mr Reed" in talk.text
    async with school.db.transaction() as tx:
        await (erase(tx, other, school.clock.now) if erased else take_role(tx, other, "staff", school.clock.now))
    await talk.types("Send now")
    assert "The colleague who leads it is not here any more." in talk.text
    await talk.types("Change", "9", "Me", "Send now")
    (occasion,) = await planned(school)
    assert occasion.event.host == talk.person


@pytest.mark.parametrize("erased", [True, False])
async def test_a_host_who_leaves_before_a_change_of_host_is_named(school: School, erased: bool) -> None:
    other = await school.person("staff", label="Mr Reed")
    talk = await dropin(school)
    (occasion,) = await planned(school)
    talk.reply = await talk.forges(f"alter={occasion.id}")
    await talk.types("Who leads it", "Mr Reed")
    async with school.db.transaction() as tx:
        await (erase(tx, other, school.clock.now) if erased else take_role(tx, other, "staff", school.clock.now))
    await talk.types("Send now")
    assert "The colleague who leads it is not here any more." in talk.text
    assert await planned(school) == [occasion]


@pytest.mark.parametrize("typed", ["31/12/9999", "10 November 2062", "6 May 2028"])
async def test_a_year_that_is_a_slip_is_asked_again(school: School, typed: str) -> None:
    """The calendar ends with the year 9999: such a day broke the preview, and a day is shown without its year."""
    talk = await planner(school)
    await talk.types("/dropin", typed)
    assert "That day is very far away" in talk.text
    await talk.types("10/11/2027", "9am", "The library", YEAR_3)
    assert "Please look at the year: 10 November 2027." in talk.text
    await talk.types("Change", "1", "10 November 2026")
    assert "Please look at the year" not in talk.text
    await talk.types("Send now", "/event", "1", "Tea", "4 May", "9", "The hall", YEAR_3, "Change", "9", "4 May 9999, 9")
    assert "I need a day to come and a time" in talk.text
    (occasion,) = await planned(school)
    talk.reply = await talk.forges(f"alter={occasion.id}")
    await talk.types("Its day or time", typed)
    assert "That day is very far away" in talk.text
    await talk.types("10/11/2027", "9")
    assert "Please look at the year: 10 November 2027." in talk.text


@pytest.mark.parametrize("typed", ["2.5", "2,5", "0", "-1", "1e9"])
async def test_places_are_counted_in_whole_numbers(school: School, typed: str) -> None:
    """Half a place broke the preview, and every tap after it."""
    talk = await planner(school)
    await talk.types("/dropin", "10 November", "9am", "The library", YEAR_3, "Change", "7", "Every 15 minutes", typed)
    assert "I need a number here, like 12." in talk.text
    await talk.types("2", "Send now")
    assert [o.event.capacity for o in await planned(school)] == [2]


async def test_a_coffee_morning_is_announced_once_to_its_group(school: School) -> None:
    """S3; 6.9: one message about it."""
    parent, other = await school.person("parent", group=YEAR_3), await school.person("parent")
    talk = await planner(school, "office")
    await talk.types("/event", "A coffee morning", "Coffee and cake", "12 November", "9am", "The hall", YEAR_3)
    assert "Coffee and cake\nThursday 12 November, 9:00 to 10:00\nThe hall" in talk.text
    await talk.types("Send now")
    async with school.db.transaction() as tx:
        assert [(letter.kind, letter.person) for letter in await waiting(tx)] == [("event", parent)]
    assert other != parent
    assert "event.made" in await logged(school)


async def test_several_times_can_be_offered(school: School) -> None:
    """S3.3: which of several times."""
    talk = await planner(school)
    await talk.types("/event", "1", "Coffee", "12 November", "9am", "The hall", YEAR_3)
    await talk.types("Change", "9", "some day")
    assert "I need a day to come and a time on each line" in talk.text
    await talk.types("13 November, half 3\nnext Tuesday 10am", "Send now")
    found = await planned(school)
    assert [f"{o.starts_at:%d %H:%M}" for o in found] == ["10 10:00", "12 09:00", "13 15:30"]
    assert len({o.event.id for o in found}) == 1


@pytest.mark.parametrize(("number", "kind"), [("3", "charity"), ("4", "wellbeing")])
async def test_charity_and_wellbeing_reach_only_those_who_chose_them(school: School, number: str, kind: str) -> None:
    """MSG-2, S13.1"""
    keen, _ = await school.person("parent", group=YEAR_3), await school.person("parent", group=YEAR_3)
    async with school.db.transaction() as tx:
        await wish(tx, keen, kind)
    talk = await planner(school)
    await talk.types("/event", number, "Fun run", "12 November", "9am", "The field", YEAR_3)
    assert "those in Year 3 parents who chose to hear of such events (1)" in talk.text
    await talk.types("Send now")
    async with school.db.transaction() as tx:
        assert [letter.person for letter in await waiting(tx)] == [keen]


# --- changes ------------------------------------------------------------------------------------------------------


async def changing(school: School, talk: Talk, command: str = "/dropin") -> Talk:
    await talk.types(command)
    await talk.taps("Change one that is planned")
    talk.reply = await talk.forges(talk.messages[-1].buttons[0].says)
    return talk


async def test_a_moved_drop_in_tells_whoever_booked_or_waits_once_and_reminds_anew(school: School) -> None:
    coming, waits, silent = [await school.person("parent", group=YEAR_3) for _ in range(3)]
    talk = await dropin(school)
    (occasion,) = await planned(school)
    await books(school, occasion, coming)
    await books(school, occasion, waits, WAITING)
    await changing(school, talk)
    await talk.types("Its day or time", "12 November", "2pm")
    assert "Before: Tuesday 10 November, 9:00 to 10:00\nNow: Thursday 12 November, 14:00 to 15:00" in talk.text
    assert "2 people are told, once." in talk.text
    await talk.types("Send now")
    (now,) = await planned(school)
    assert (now.id, now.sequence, f"{now.first_at:%a %H:%M}") == (occasion.id, 1, "Wed 16:00")
    async with school.db.transaction() as tx:
        told = [(x.kind, x.ref, x.person) for x in await waiting(tx)]
    assert sorted(told) == sorted(("event-changed", f"{occasion.id}.1", p) for p in (coming, waits))
    assert silent not in {person for _, _, person in told}
    assert "dropin.changed" in await logged(school)


async def test_a_reminder_of_the_old_time_goes_and_one_of_the_new_time_comes(school: School) -> None:
    """6.9: each reminder once, and only of what is so."""
    parent = await school.person("parent", group=YEAR_3)
    talk = await dropin(school)
    school.clock.set(datetime(2026, 11, 9, 16, 0, tzinfo=UTC))
    assert await kinds(school, parent) == ["reminder"]
    await changing(school, talk)
    await talk.types("1", "13 November", "9am")
    assert "1 person is told" in talk.text
    await talk.types("Send now")
    await kinds(school, parent)
    school.clock.set(datetime(2026, 11, 12, 16, 0, tzinfo=UTC))
    assert await kinds(school, parent) == ["event-changed", "reminder"]  # the old one went from the page


async def test_one_time_called_off_leaves_the_others(school: School) -> None:
    parent = await school.person("parent", group=YEAR_3)
    talk = await dropin(school, "Change", "6", "Every week")
    first, second, *_ = await planned(school)
    await books(school, first, parent)
    await changing(school, talk)
    await talk.types("Call off this time", "The heating is broken")
    assert "Tuesday 10 November, 9:00 to 10:00 is off.\nWhy: The heating is broken" in talk.text
    assert [b.label for b in talk.messages[-1].buttons] == ["Send now", "Change", "Leave it as it was"]
    await talk.types("Send now")
    assert (await planned(school))[0].id == second.id
    async with school.db.transaction() as tx:
        assert [(x.kind, x.ref, x.person) for x in await waiting(tx)] == [("event-cancelled", first.id, parent)]
    assert "dropin.cancelled" in await logged(school)


async def test_a_whole_series_called_off_tells_each_person_once(school: School) -> None:
    parent = await school.person("parent", group=YEAR_3)
    talk = await dropin(school, "Change", "6", "Every week")
    occasions = await planned(school)
    for occasion in occasions[:3]:
        await books(school, occasion, parent)
    await changing(school, talk)
    await talk.types("Call off all its times", "Ms Patel has moved", "Send now")
    assert await planned(school) == []
    async with school.db.transaction() as tx:
        told = [(x.kind, x.ref, x.person) for x in await waiting(tx)]
    assert told == [("event-cancelled", occasions[0].event.id, parent)]


async def test_another_place_for_a_series_is_told_once_and_renews_every_calendar_file(school: School) -> None:
    parent = await school.person("parent", group=YEAR_3)
    talk = await dropin(school, "Change", "6", "Every week")
    for occasion in await planned(school):
        await books(school, occasion, parent)
    await changing(school, talk)
    await talk.types("Its place", "The hall", "Send now")
    found = await planned(school)
    assert {(o.event.place, o.sequence) for o in found} == {("The hall", 1)}
    async with school.db.transaction() as tx:
        assert [(x.kind, x.ref) for x in await waiting(tx)] == [("event-details", found[0].ref)]


async def test_an_announced_event_that_is_off_is_told_to_all_and_not_announced_any_more(school: School) -> None:
    parent = await school.person("parent", group=YEAR_3)
    talk = await planner(school)
    await talk.types("/event", "1", "Coffee", "12 November", "9am", "The hall", YEAR_3, "Send now")
    (occasion,) = await planned(school)
    await changing(school, talk, "/event")
    await talk.types("Call off this time", "No cake", "Send now")
    async with school.db.transaction() as tx:
        kinds = [(x.kind, x.person) for x in await waiting(tx)]
    assert ("event-cancelled", parent) in kinds
    assert occasion.id


async def test_only_whoever_leads_or_looks_after_it_may_change_it(school: School) -> None:
    await dropin(school, role="staff")
    (occasion,) = await planned(school)
    other, head = await planner(school, "staff"), await planner(school, "head")
    await other.types("/dropin")
    await other.taps("Change one that is planned")
    assert "Nothing is planned that you can change" in other.text
    reply = await other.forges(f"alter={occasion.id}")
    assert "This is for staff" in reply.messages[0].text
    reply = await head.forges(f"alter={occasion.id}")
    assert "What do you want to change?" in reply.messages[0].as_text()
    reply = await school.on(await school.person("parent")).forges(f"alter={occasion.id}")
    assert "This is for staff" in reply.messages[0].text


async def test_a_second_tap_on_send_changes_nothing_more(school: School) -> None:
    talk = await dropin(school)
    await changing(school, talk)
    await talk.types("1", "13 November", "9am")
    says = talk.button("Send now").says
    await talk.forges(says)
    await talk.forges(says)
    assert [o.sequence for o in await planned(school)] == [1]


async def test_what_has_begun_cannot_be_changed(school: School) -> None:
    talk = await dropin(school)
    (occasion,) = await planned(school)
    await changing(school, talk)
    await talk.types("2", "The hall")
    school.clock.set(occasion.starts_at)
    await talk.types("Send now")
    assert "cannot be changed any more" in talk.text
    assert (await planned(school))[0].event.place == "The library"


async def test_another_host_can_be_chosen_by_name_and_the_look_is_noted(school: School) -> None:
    talk = await dropin(school)
    colleague = await school.person("staff", label="Mr Reed")
    await changing(school, talk)
    await talk.types("Who leads it", "Mr Reed")
    assert "Now led by: Mr Reed" in talk.text
    await talk.types("Send now")
    assert (await planned(school))[0].event.host == colleague
    assert "look.labels" in await logged(school)


async def test_whoever_leads_it_from_now_on_and_whoever_does_no_more_are_told_once(school: School) -> None:
    """FAIL-7: one neutral line; which one it is follows the tap. Who changes it themselves needs no letter."""
    talk = await dropin(school)
    first, second = [await school.person("staff", label=name) for name in ("Mr Reed", "Ms Wood")]
    await changing(school, talk)
    await talk.types("Who leads it", "Mr Reed")
    assert "1 person is told, once." in talk.text
    await talk.types("Send now")
    assert await kinds(school, first) == ["host-changed"]
    assert await kinds(school, talk.person) == []
    await changing(school, talk)
    await talk.types("Who leads it", "Ms Wood", "Send now")
    assert (await kinds(school, first), await kinds(school, second)) == (["host-changed"], ["host-changed"])
    says = {first: "You no longer lead something at school.", second: "You are down to lead something at school."}
    for person, line in says.items():
        async with school.db.reading() as tx:
            (letter,) = await on_page(tx, person)
        message = await school.letters.compose(letter, school.clock.now)
        assert message
        assert (message.text, [b.label for b in message.buttons]) == (line, ["Open"])
        reply = await school.on(person).forges(message.buttons[0].says)
        assert "Tuesday 10 November, 9:00 to 10:00" in reply.messages[0].text
        assert (reply.messages[0].buttons[0].label == "Who comes") == (person == second)


async def test_a_colleague_who_is_to_lead_what_another_plans_is_told(school: School) -> None:
    colleague = await school.person("staff", label="Mr Reed")
    await dropin(school, "Change", "9", "Mr Reed")
    assert (await planned(school))[0].event.host == colleague
    assert await kinds(school, colleague) == ["host-changed"]


async def test_more_room_gives_places_to_those_who_wait_longest(school: School) -> None:
    """S15: they get the same letter as when somebody gives a place back; nobody else hears of it."""
    talk = await dropin(school, "Change", "7", "Every 30 minutes", "1")
    (occasion,) = await planned(school)
    people = [await school.person("parent", group=YEAR_3) for _ in range(4)]
    for slot, person in enumerate(people[:2]):
        async with school.db.transaction() as tx:
            await book(tx, occasion, Booking(new_id(), occasion.id, person, COMING, slot, made_at=school.clock.now))
    for person in people[2:]:
        school.clock.move(minutes=1)
        await books(school, occasion, person, WAITING)
    await changing(school, talk)
    await talk.types("Something else", "Times to keep", "Every 30 minutes", "2")
    assert "Before: A time of 30 minutes can be kept, by 1 family at a time." in talk.text
    assert "2 families wait for a place. Who gets one is told." in talk.text
    await talk.types("Send now")
    assert [await kinds(school, person) for person in people] == [[], [], ["place-free"], ["place-free"]]
    assert (await planned(school))[0].event.capacity == 2


async def test_a_place_that_somebody_has_is_not_taken_away_by_less_room(school: School) -> None:
    talk = await planner(school)
    await talk.types("/event", "1", "Coffee", "12 November", "9am", "The hall", YEAR_3, "Send now")
    (occasion,) = await planned(school)
    person = await school.person("parent", group=YEAR_3)
    async with school.db.transaction() as tx:
        await book(tx, occasion, Booking(new_id(), occasion.id, person, COMING, heads=5, made_at=school.clock.now))
    await changing(school, talk, "/event")
    await talk.types("Something else", "How many can come", "Yes, a limit", "4")
    assert "5 people have a place already, so it cannot be fewer." in talk.text
    assert [b.label for b in talk.messages[-1].buttons] == ["Change", "Leave it as it was"]
    await talk.types("Change", "4", "5")
    assert "Before: People can just come, with no limit.\nNow: 5 people can come." in talk.text
    await talk.types("Send now")
    assert (await planned(school))[0].event.capacity == 5
    assert "event.changed" in await logged(school)


async def test_times_that_are_kept_are_not_shifted(school: School) -> None:
    talk = await dropin(school, "Change", "7", "Every 30 minutes", "1")
    (occasion,) = await planned(school)
    person = await school.person("parent", group=YEAR_3)
    async with school.db.transaction() as tx:
        await book(tx, occasion, Booking(new_id(), occasion.id, person, COMING, 1, made_at=school.clock.now))
    await changing(school, talk)
    await talk.types("Something else", "Times to keep", "Every 15 minutes", "1")
    assert "1 family has kept a time, and would lose it." in talk.text
    await talk.types("Leave it as it was")
    assert (await planned(school))[0].event.slot_minutes == 30


async def test_a_place_that_is_kept_meanwhile_is_not_lost(school: School) -> None:
    """Between the last screen and the tap somebody kept a time: the screen says so, and nothing is changed."""
    talk = await dropin(school, "Change", "7", "Every 30 minutes", "1")
    (occasion,) = await planned(school)
    await changing(school, talk)
    await talk.types("Something else", "Times to keep", "No, people just come")
    person = await school.person("parent", group=YEAR_3)
    async with school.db.transaction() as tx:
        await book(tx, occasion, Booking(new_id(), occasion.id, person, COMING, 1, made_at=school.clock.now))
    await talk.types("Send now")
    assert "would lose it" in talk.text
    assert (await planned(school))[0].event.slot_minutes == 30


async def test_what_helps_people_to_come_can_be_changed(school: School) -> None:
    parent = await school.person("parent", group=YEAR_3)
    talk = await dropin(school, "Change", "9", "Me", "Change", "10", "Cost", "1 pound")
    (occasion,) = await planned(school)
    await books(school, occasion, parent)
    await changing(school, talk)
    await talk.types("Something else", "What helps people to come", "Cost", "Nothing at all")
    assert "Before: 1 pound\nNow: Nothing at all" in talk.text
    await talk.types("Send now")
    await changing(school, talk)
    await talk.types("Something else", "What helps people to come", "A quiet room", "The library", "Send now")
    assert (await planned(school))[0].event.access == {"cost": "Nothing at all", "quiet": "The library"}
    await changing(school, talk)
    await talk.types("Something else", "What helps people to come", "Cost", "-", "Send now")
    assert (await planned(school))[0].event.access == {"quiet": "The library"}
    assert set(await kinds(school, parent)) == {"event-details"}


async def test_a_new_time_that_is_near_is_told_in_one_message(school: School) -> None:
    """6.9: its first reminder is late already, and the message about the change says the same."""
    coming, silent = [await school.person("parent", group=YEAR_3) for _ in range(2)]
    talk = await dropin(school)
    (occasion,) = await planned(school)
    await books(school, occasion, coming)
    school.clock.set(datetime(2026, 11, 5, 10, 0, tzinfo=UTC))
    await changing(school, talk)
    await talk.types("1", "5 November", "3pm", "Send now")
    assert await kinds(school, coming) == ["event-changed"]
    assert await kinds(school, silent) == ["reminder"]
    school.clock.set(datetime(2026, 11, 5, 14, 0, tzinfo=UTC))
    assert await kinds(school, coming) == ["event-changed", "reminder-hour"]


async def test_the_preview_is_what_a_parent_sees(school: School) -> None:
    """S3: the same words, made in one place."""
    talk = await planner(school)
    parent = await school.person("parent", group=YEAR_3)
    await talk.types("/event", "1", "Coffee", "12 November", "9am", "The hall", YEAR_3)
    await talk.types("Change", "10", "Yes, a limit", "20", "Change", "15", "2, 7", "Quiet", "Boots")
    seen = talk.text.partition("Coffee\n")[2].partition("\n\n")[0]
    assert seen.splitlines()[-2:] == ["Noise: Quiet", "What to wear: Boots"]
    await talk.types("Send now")
    (occasion,) = await planned(school)
    reply = await school.on(parent).forges(f"e=open.{occasion.id}")
    assert reply.messages[0].text.strip() == seen
