"""The safeguarding ladder: who is alerted when, with a clock that is moved by hand (SAFE-5, SAFE-7, SAFE-9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.errands.send import default_sending, send_survey
from bot.gaps import gaps
from bot.role_changes import end_access, take_role_away
from conversations.channel import Message, TryLater, Unreachable
from conversations.naming import roles_named
from data.access import cut_access
from data.alerts import find_alert, set_any_hour, set_away, steps_of
from data.calendar import Calendar, Stretch, save_calendar
from data.forms import all_forms
from data.people import add_address, find_group, mark_unreachable, set_stopped
from data.queue import waiting_items
from data.school import check_school
from scheduler import ladder
from scheduler.alert_hours import next_alert_hours, takes_alerts
from scheduler.ladder import PATIENCE
from tests.school import ELMFIELD, Clock, School, opened

pytestmark = pytest.mark.both_databases

FRIDAY = datetime(2026, 11, 6, 15, 30, tzinfo=UTC)
FRIDAY_EVENING = FRIDAY.replace(hour=17, minute=59)
MONDAY_OPENING = datetime(2026, 11, 9, 8, 30, tzinfo=UTC)


class Phones:
    """The network edge: who got what. `blocked` and `down` are how it fails."""

    name = "telegram"

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.blocked: set[str] = set()
        self.down = False

    async def send(self, address: str, message: Message) -> None:
        if self.down:
            raise TryLater(30)
        if address in self.blocked:
            raise Unreachable
        self.got.append((address, message.text))

    def alerts(self) -> list[str]:
        found = [who for who, text in self.got if text == "New item to read."]
        self.got.clear()
        return found


class Friday:
    """A school whose DSL, deputy and head have phones, and a parent who types."""

    def __init__(self, school: School, people: dict[str, str]) -> None:
        self.school = school
        self.people = people
        self.phones = Phones()

    async def says(self, words: str = "my dad hits me") -> str:
        """What a parent typed outside any question; the reply."""
        parent = await self.school.person("parent")
        reply = await self.school.on(parent).types(words)
        return reply.messages[0].text

    async def at(self, when: datetime) -> list[str]:
        """Who is alerted when everything due by then has been done."""
        self.school.clock.set(when)
        for _ in range(4):  # a blocked phone moves an alert on, which is sent in the next round
            await self.school.rounds({"telegram": self.phones})
        return self.phones.alerts()

    async def item(self) -> str:
        async with self.school.db.reading() as tx:
            return (await waiting_items(tx))[-1].id

    async def taps(self, role: str) -> str:
        reply = await self.school.on(self.people[role], "telegram").forges(f"k={await self.item()}")
        return reply.messages[0].text


async def with_phone(school: School, role: str) -> str:
    id = await school.person(role)
    async with school.db.transaction() as tx:
        await add_address(tx, id, "telegram", role)
    return id


@pytest.fixture
async def friday(tmp_path: Path) -> AsyncIterator[Friday]:
    async with opened(tmp_path, Clock(FRIDAY)) as school:
        roles = ("dsl", "deputy", "head", "senco", "chair")
        yield Friday(school, {role: await with_phone(school, role) for role in roles})


# --- office hours -------------------------------------------------------------------------------------------------


async def test_each_has_a_quarter_of_an_hour_and_the_weekend_waits(friday: Friday) -> None:
    """SAFE-5: DSL at once, deputy after 15 minutes; at 16:00 school closes, so the head's turn is Monday, 8:30."""
    assert "Mr Okafor at Elmfield Primary has been told" in await friday.says()
    assert await friday.at(FRIDAY) == ["dsl"]
    assert await friday.at(FRIDAY + PATIENCE - timedelta(seconds=1)) == []
    assert await friday.at(FRIDAY + PATIENCE) == ["deputy"]
    assert await friday.at(FRIDAY + 2 * PATIENCE) == []
    assert await friday.at(MONDAY_OPENING - timedelta(seconds=1)) == []
    assert await friday.at(MONDAY_OPENING) == ["head"]


async def test_it_begins_again_until_somebody_taps(friday: Friday) -> None:
    """SAFE-5: nobody tapped, so nobody may think that somebody else did."""
    friday.school.clock.set(MONDAY_OPENING)
    await friday.says()
    rung = [await friday.at(MONDAY_OPENING + n * PATIENCE) for n in range(5)]
    assert rung == [["dsl"], ["deputy"], ["head"], ["dsl"], ["deputy"]]


async def test_a_tap_ends_it(friday: Friday) -> None:
    await friday.says()
    assert await friday.at(FRIDAY) == ["dsl"]
    assert "1 item waits to be read" in await friday.taps("dsl")
    assert await friday.at(FRIDAY + PATIENCE) == []
    assert await friday.at(MONDAY_OPENING) == []
    async with friday.school.db.reading() as tx:
        what = [step.what for step in await steps_of(tx, await friday.item())]
    assert what == ["alerted", "acknowledged"]


async def test_a_tap_of_somebody_else_changes_nothing(friday: Friday) -> None:
    """B1: a forged tap of a parent, and one of the SENCO's for an item that is not there."""
    await friday.says()
    parent = await friday.school.person("parent")
    reply = await friday.school.on(parent).forges(f"k={await friday.item()}")
    assert reply.messages[0].text == "This is for staff. /help shows what you can do."
    await friday.school.on(friday.people["senco"]).forges("k=000000000000")
    async with friday.school.db.reading() as tx:
        assert await find_alert(tx, await friday.item())


# --- outside ------------------------------------------------------------------------------------------------------


async def test_in_the_evening_those_who_chose_it_at_once_and_the_ladder_on_monday(friday: Friday) -> None:
    """SAFE-5, SAFE-6: and the reply says that nobody is reading now."""
    friday.school.clock.set(FRIDAY_EVENING)
    said = await friday.says()
    assert "School is closed now and nobody is reading this now. Mr Okafor will see it." in said
    assert "0161 496 0001" in said
    assert await friday.at(FRIDAY_EVENING) == ["dsl"]
    assert await friday.at(FRIDAY_EVENING + timedelta(hours=30)) == []
    assert await friday.at(MONDAY_OPENING) == ["dsl"]
    assert await friday.at(MONDAY_OPENING + PATIENCE) == ["deputy"]


async def test_everybody_chooses_for_themselves(friday: Friday) -> None:
    """SAFE-5: a head who chose alerts at any hour gets them, a DSL who chose school hours does not."""
    async with friday.school.db.transaction() as tx:
        await set_any_hour(tx, friday.people["head"], True)
        await set_any_hour(tx, friday.people["dsl"], False)
    friday.school.clock.set(FRIDAY_EVENING)
    await friday.says()
    assert await friday.at(FRIDAY_EVENING) == ["head"]
    assert await friday.at(MONDAY_OPENING) == ["dsl"]


async def test_nobody_is_woken_where_nobody_chose_it(friday: Friday) -> None:
    async with friday.school.db.transaction() as tx:
        await set_any_hour(tx, friday.people["dsl"], False)
    friday.school.clock.set(FRIDAY_EVENING)
    await friday.says()
    assert await friday.at(FRIDAY_EVENING + timedelta(hours=8)) == []
    assert await friday.at(MONDAY_OPENING) == ["dsl"]


# --- when school is shut for long ---------------------------------------------------------------------------------

SUMMER = datetime(2027, 7, 22, 11, 0, tzinfo=UTC)  # noon on the Thursday after the last day
TERMS = (
    Stretch("term", date(2026, 9, 2), date(2026, 12, 18)),
    Stretch("term", date(2027, 4, 12), date(2027, 7, 21)),
    Stretch("closed", date(2026, 11, 9), date(2026, 11, 9)),
    Stretch("term", date(2027, 9, 2), date(2027, 12, 17)),
)


async def shut(friday: Friday, *sleeping: str) -> None:
    """With this calendar; these want no alerts outside school hours."""
    async with friday.school.db.transaction() as tx:
        await save_calendar(tx, TERMS)
        for role in sleeping:
            await set_any_hour(tx, friday.people[role], False)


async def test_on_the_first_day_of_summer_nothing_waits_for_september(friday: Friday) -> None:
    """SAFE-5, SAFE-6: who wants school hours only hears on weekdays too, and it climbs; the reply is honest."""
    await shut(friday, "dsl")
    friday.school.clock.set(SUMMER)
    said = await friday.says()
    assert "School is closed now and nobody is reading this now. Mr Okafor will see it." in said
    assert "School opens Thursday 2 September, 8:30." in said
    assert "0161 496 0001" in said
    assert await friday.at(SUMMER) == ["dsl"]
    assert await friday.at(SUMMER + PATIENCE) == ["deputy"]
    assert await friday.at(SUMMER + 2 * PATIENCE) == ["head"]


async def test_nights_and_weekends_of_a_holiday_stay_quiet_for_those_who_chose_it(friday: Friday) -> None:
    """SAFE-5: Saturday's words reach them on Monday at 8:30; whoever is awake at any hour hears at once."""
    await shut(friday, "dsl")
    saturday, monday = SUMMER + timedelta(days=2), datetime(2027, 7, 26, 7, 30, tzinfo=UTC)
    friday.school.clock.set(saturday)
    await friday.says()
    assert await friday.at(saturday) == []
    assert await friday.at(monday - timedelta(seconds=1)) == []
    assert await friday.at(monday) == ["dsl"]
    assert await friday.at(monday + PATIENCE) == ["deputy"]


async def test_a_lead_who_does_not_tap_in_the_holidays_is_followed_by_the_deputy(friday: Friday) -> None:
    """SAFE-5: alerted at once on Thursday night, and nobody tapped: Friday, 8:30, it begins again and climbs."""
    await shut(friday)
    night = SUMMER + timedelta(hours=11)
    friday.school.clock.set(night)
    await friday.says()
    assert await friday.at(night) == ["dsl"]
    morning = datetime(2027, 7, 23, 7, 30, tzinfo=UTC)
    assert await friday.at(morning) == ["dsl"]
    assert await friday.at(morning + PATIENCE) == ["deputy"]


async def test_a_day_off_waits_for_the_next_opening(friday: Friday) -> None:
    """SAFE-5: three days shut in a row are a weekend, not a holiday."""
    await shut(friday, "dsl")
    friday.school.clock.set(FRIDAY_EVENING)
    await friday.says()
    assert await friday.at(MONDAY_OPENING) == []
    assert await friday.at(MONDAY_OPENING + timedelta(days=1)) == ["dsl"]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 12, 18), True),  # the last day of term
        (date(2026, 12, 21), True),  # a Monday between two terms
        (date(2026, 12, 25), False),
        (date(2026, 12, 28), False),  # Boxing Day, kept on the Monday
        (date(2026, 12, 29), True),
        (date(2026, 11, 9), False),  # a single day off
    ],
)
def test_which_days_count_for_alerts(day: date, hours: bool) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    school = check_school(ELMFIELD, "school.yaml")
    assert takes_alerts(noon, school, Calendar(TERMS)) == hours
    assert next_alert_hours(noon, school, Calendar(TERMS)) - noon < timedelta(days=5)


async def test_whoever_chooses_school_hours_hears_what_that_means(friday: Friday) -> None:
    talk = friday.school.on(friday.people["dsl"])
    await talk.types("/queue")
    await talk.taps("Alert me in school hours only")
    assert "In half terms and holidays they come in those hours on weekdays" in talk.text


# --- who cannot be reached ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [FRIDAY, FRIDAY_EVENING])
async def test_a_blocked_phone_moves_it_on_at_once_at_any_hour(friday: Friday, at: datetime) -> None:
    """SAFE-5"""
    friday.phones.blocked = {"dsl"}
    friday.school.clock.set(at)
    await friday.says()
    assert await friday.at(at) == ["deputy"]
    friday.phones.blocked = {"dsl", "deputy"}
    await friday.says("my uncle hurts me")
    assert await friday.at(at + timedelta(seconds=20)) == ["head"]


async def test_a_reader_who_stopped_messages_counts_as_blocked(friday: Friday) -> None:
    """Design section 3: stop is absolute; the next person's turn comes at once."""
    async with friday.school.db.transaction() as tx:
        await set_stopped(tx, friday.people["dsl"], True, FRIDAY)
    await friday.says()
    assert await friday.at(FRIDAY) == ["deputy"]


async def test_a_reader_with_only_the_web_page_counts_as_blocked(tmp_path: Path) -> None:
    async with opened(tmp_path, Clock(FRIDAY)) as school:
        friday = Friday(school, {"dsl": await school.person("dsl"), "deputy": await with_phone(school, "deputy")})
        await friday.says()
        assert await friday.at(FRIDAY) == ["deputy"]


async def test_who_only_looks_at_the_page_is_not_said_to_be_told(tmp_path: Path) -> None:
    """SAFE-6: it waits on their list, and the reply says whom to tell too; a pupil, a grown-up who is there."""
    async with opened(tmp_path, Clock(FRIDAY)) as school:
        friday = Friday(school, {"dsl": await school.person("dsl")})
        said = await friday.says()
        assert "It waits on the list that Mr Okafor reads." in said
        assert "please call the school too: 0161 496 0000" in said
        pupil = school.on(await school.person("pupil"))
        await pupil.types("my dad hits me")
        assert "Please tell a grown-up here too." in pupil.text


async def test_nobody_has_joined_and_the_reply_does_not_pretend(tmp_path: Path) -> None:
    """SAFE-6: no reply says that somebody was told when nobody could be. Whoever joins later is alerted."""
    async with opened(tmp_path, Clock(FRIDAY)) as school:
        friday = Friday(school, {})
        said = await friday.says()
        assert "Nobody has been told yet." in said
        assert "To be sure that it is seen, please call the school too: 0161 496 0000." in said
        assert await friday.at(FRIDAY) == []
        await with_phone(school, "deputy")
        assert await friday.at(FRIDAY + PATIENCE) == ["deputy"]


async def test_somebody_away_is_passed_and_hands_over_what_waits(friday: Friday) -> None:
    """SAFE-5: "I am away until" hands over to the deputy."""
    await friday.says()
    assert await friday.at(FRIDAY) == ["dsl"]
    talk = friday.school.on(friday.people["dsl"])
    await talk.types("/queue")
    await talk.taps("I am away")
    await talk.types("5 November 2026")
    assert "a day that is still to come" in talk.text
    await talk.types("10 November 2062")
    assert "a day in the next 12 months" in talk.text
    await talk.types("10 November 2026")
    assert "Until Tuesday 10 November alerts go to Mrs Lee." in talk.text
    assert await friday.at(FRIDAY + timedelta(seconds=5)) == ["deputy"]
    await friday.says("my uncle hurts me")
    assert await friday.at(FRIDAY + timedelta(seconds=10)) == ["deputy"]
    await friday.taps("deputy")
    friday.school.clock.set(datetime(2026, 11, 10, 9, 0, tzinfo=UTC))
    await friday.says("mum slaps me")
    assert "dsl" in await friday.at(datetime(2026, 11, 10, 9, 0, tzinfo=UTC))


async def test_back_early(friday: Friday) -> None:
    async with friday.school.db.transaction() as tx:
        await set_away(tx, friday.people["dsl"], FRIDAY + timedelta(days=9))
    talk = friday.school.on(friday.people["dsl"])
    await talk.types("/queue")
    assert "Mr Okafor (safeguarding lead) is away. Back on Sunday 15 November." in talk.text
    await talk.taps("I am back")
    await friday.says()
    assert await friday.at(FRIDAY) == ["dsl"]


async def test_telegram_is_down_and_the_alert_is_tried_until_it_is_up(friday: Friday) -> None:
    """A5: help requests always arrive. The page shows them meanwhile."""
    friday.phones.down = True
    await friday.says()
    assert await friday.at(FRIDAY) == []
    assert await friday.at(FRIDAY + timedelta(minutes=10)) == []
    await friday.school.on(friday.people["deputy"]).types("/queue")
    friday.phones.down = False
    assert set(await friday.at(FRIDAY + timedelta(minutes=14))) == {"dsl"}
    assert set(await friday.at(FRIDAY + timedelta(minutes=20))) == {"deputy"}


async def test_an_alert_that_was_seen_meanwhile_is_not_sent_any_more(friday: Friday) -> None:
    friday.phones.down = True
    await friday.says()
    await friday.at(FRIDAY)
    await friday.taps("deputy")
    friday.phones.down = False
    assert await friday.at(FRIDAY + timedelta(minutes=2)) == []


async def test_a_reader_whose_access_was_cut_gets_nothing(friday: Friday) -> None:
    """PR-2"""
    async with friday.school.db.transaction() as tx:
        await cut_access(tx, friday.people["dsl"], FRIDAY)
    await friday.says()
    assert await friday.at(FRIDAY) == ["deputy"]


@pytest.mark.parametrize("at", [FRIDAY, FRIDAY_EVENING])
@pytest.mark.parametrize(("roles", "then"), [(("dsl", "head"), "deputy"), (("dsl", "deputy"), "head")])
async def test_somebody_blocked_with_two_roles_is_passed_once_and_for_all(
    tmp_path: Path, at: datetime, roles: tuple[str, str], then: str
) -> None:
    """SAFE-5: in a small school, also within the second in which the alert came."""
    async with opened(tmp_path, Clock(at)) as school:
        both = await school.person(*roles)
        async with school.db.transaction() as tx:
            await add_address(tx, both, "telegram", "both")
        friday = Friday(school, {then: await with_phone(school, then)})
        friday.phones.blocked = {"both"}
        await friday.says()
        assert await friday.at(at) == [then]


async def test_of_two_deputies_one_blocked_the_other_still_has_a_quarter_of_an_hour(friday: Friday) -> None:
    second = await friday.school.person("deputy")
    async with friday.school.db.transaction() as tx:
        await add_address(tx, second, "telegram", "second")
    friday.phones.blocked = {"second"}
    await friday.says()
    assert await friday.at(FRIDAY) == ["dsl"]
    assert await friday.at(FRIDAY + PATIENCE) == ["deputy"]
    assert await friday.at(MONDAY_OPENING) == ["head"]


async def test_all_are_blocked_and_nobody_is_written_to_in_a_circle(friday: Friday) -> None:
    """The page has it; every quarter of an hour they are tried again."""
    friday.phones.blocked = {"dsl", "deputy", "head"}
    await friday.says()
    for seconds in range(20):
        assert await friday.at(FRIDAY + timedelta(seconds=seconds)) == []
    async with friday.school.db.reading() as tx:
        assert [s.what for s in await steps_of(tx, await friday.item())].count("alerted") == 3
    friday.phones.blocked = set()
    async with friday.school.db.transaction() as tx:
        await mark_unreachable(tx, "telegram", "head", False)
    assert await friday.at(MONDAY_OPENING) == ["head"]


async def test_who_is_known_to_be_out_of_reach_is_not_said_to_be_told(friday: Friday) -> None:
    """SAFE-6"""
    friday.phones.blocked = {"dsl"}
    await friday.says()
    await friday.at(FRIDAY)
    assert "Mrs Lee at Elmfield Primary has been told" in await friday.says("my uncle hurts me")


@pytest.mark.parametrize(("hour", "closed"), [(15, False), (18, True)])
async def test_no_reply_says_that_somebody_will_see_it_when_nobody_can_be_told(
    tmp_path: Path, hour: int, closed: bool
) -> None:
    """SAFE-6: neither by day nor in the evening."""
    async with opened(tmp_path, Clock(FRIDAY.replace(hour=hour))) as school:
        said = await Friday(school, {}).says()
    assert "Nobody has been told yet." in said
    assert "will see it" not in said
    assert ("nobody is reading this now" in said) == closed


async def test_in_the_evening_the_reply_names_no_reader_who_is_away(friday: Friday) -> None:
    """SAFE-6: a lead who is away did not choose to sleep."""
    async with friday.school.db.transaction() as tx:
        await set_any_hour(tx, friday.people["dsl"], False)
        await set_away(tx, friday.people["dsl"], FRIDAY + timedelta(days=20))
    friday.school.clock.set(FRIDAY_EVENING)
    assert "Mrs Lee will see it." in await friday.says()
    assert await friday.at(FRIDAY_EVENING) == ["deputy"]


async def test_somebody_goes_away_who_was_not_asked(friday: Friday) -> None:
    """The ladder still begins on Monday with the safeguarding lead."""
    friday.school.clock.set(FRIDAY_EVENING)
    await friday.says()
    assert await friday.at(FRIDAY_EVENING) == ["dsl"]
    talk = friday.school.on(friday.people["head"])
    await talk.types("/queue")
    await talk.taps("I am away")
    await talk.types("20 November 2026")
    assert await friday.at(FRIDAY_EVENING + timedelta(seconds=5)) == []
    assert await friday.at(MONDAY_OPENING) == ["dsl"]


async def test_who_loses_the_role_hands_over_and_gets_nothing_more(friday: Friday) -> None:
    """PR-2, SAFE-5: at any hour; also what Telegram did not take yet."""
    friday.phones.down = True
    friday.school.clock.set(FRIDAY_EVENING)
    await friday.says()
    await friday.at(FRIDAY_EVENING)
    async with friday.school.db.transaction() as tx:
        await take_role_away(tx, friday.people["dsl"], "dsl", FRIDAY_EVENING)
    friday.phones.down = False
    assert await friday.at(FRIDAY_EVENING + timedelta(minutes=2)) == ["deputy"]


# --- items about somebody -----------------------------------------------------------------------------------------


async def test_what_is_about_the_safeguarding_lead_passes_them(friday: Friday) -> None:
    """SAFE-7: neither alert nor queue nor reply."""
    said = await friday.says("Mr Okafor touched my son")
    assert "Okafor" not in said
    assert "Mrs Lee at Elmfield Primary has been told" in said
    assert await friday.at(FRIDAY) == ["deputy"]
    assert "Nothing is waiting" in (await friday.school.on(friday.people["dsl"]).types("/queue")).messages[0].text
    await friday.taps("dsl")
    async with friday.school.db.reading() as tx:
        assert await find_alert(tx, await friday.item())
    assert await friday.at(FRIDAY + PATIENCE) == ["head"]
    assert "1 item waits" in (await friday.school.on(friday.people["head"]).types("/queue")).messages[0].text


async def test_what_is_about_all_of_them_goes_to_the_chair(friday: Friday) -> None:
    """SAFE-7"""
    said = await friday.says("I told Mr Okafor, Mrs Lee and Mrs Ahmed that he hits me. They laughed")
    assert "Mr Jones at Elmfield Primary has been told" in said
    assert await friday.at(FRIDAY) == ["chair"]
    assert "1 item waits" in await friday.taps("chair")


async def test_a_reader_who_writes_is_read_by_somebody_else(friday: Friday) -> None:
    """SAFE-5: what the safeguarding lead wrote is not theirs to take, so their tap does not end it."""
    reply = await friday.school.on(friday.people["dsl"], "telegram").types("/needhelp")
    assert "Mrs Lee at Elmfield Primary has been told that you asked for help." in reply.messages[0].text
    assert await friday.at(FRIDAY) == ["deputy"]
    await friday.taps("dsl")
    assert await friday.at(FRIDAY + PATIENCE) == ["head"]


@pytest.mark.parametrize("label", ["Mrs Doe", "Mr Doe (was our lead until July)"])
async def test_what_is_about_a_second_deputy_does_not_go_to_them(friday: Friday, label: str) -> None:
    """SAFE-7: whoever joined under a name, also one that school.yaml does not know (any more)."""
    second = await friday.school.person("deputy", label=label)
    async with friday.school.db.transaction() as tx:
        await add_address(tx, second, "telegram", "second")
    await friday.says("Mrs Doe hits me")
    assert await friday.at(FRIDAY) == ["dsl"]
    assert await friday.at(FRIDAY + PATIENCE) == ["head"]
    assert "Nothing is waiting" in (await friday.school.on(second).types("/queue")).messages[0].text


async def test_what_is_about_the_chair_too_goes_to_the_senco(friday: Friday) -> None:
    said = await friday.says("Mr Okafor, Mrs Lee, Mrs Ahmed and Mr Jones hit me")
    assert "Ms Patel at Elmfield Primary has been told" in said
    assert await friday.at(FRIDAY) == ["senco"]
    assert "1 item waits" in await friday.taps("senco")


async def test_sent_on_to_a_head_who_is_not_there_or_blocked_is_noted(friday: Friday) -> None:
    """SAFE-7: the item's page says whom nothing reached."""
    friday.phones.blocked = {"head"}
    await friday.says()
    await friday.taps("dsl")
    async with friday.school.db.transaction() as tx:
        item = (await waiting_items(tx))[-1]
        await ladder.alert_routed(tx, item, "staff", FRIDAY)
        await cut_access(tx, friday.people["chair"], FRIDAY)
        await ladder.alert_routed(tx, item, "head", FRIDAY)
    await friday.at(FRIDAY)
    async with friday.school.db.reading() as tx:
        steps = [(s.what, s.role, s.person) for s in await steps_of(tx, item.id)]
    assert ("blocked", None, friday.people["head"]) in steps
    assert ("nobody", "chair", None) in steps


async def test_somebody_with_two_roles_is_barred_by_either(tmp_path: Path) -> None:
    """SAFE-7: a SENCO who is DSL too does not see what is about the SENCO."""
    async with opened(tmp_path, Clock(FRIDAY)) as school:
        both = await school.person("senco", "dsl")
        friday = Friday(school, {"dsl": both})
        await friday.says("Ms Patel hits my son")
        assert "Nothing is waiting" in (await school.on(both).types("/queue")).messages[0].text


STAFF = {"dsl": "Mr Okafor", "deputy": "Mrs Lee", "head": "Mrs Ahmed", "chair": "Mr Jones", "senco": "Ms Patel"}


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("mr okafor hurts me", {"dsl"}),
        ("Okafor's hand was there", {"dsl"}),
        ("mr okafer hurts me", {"dsl"}),
        ("MRS LEE pulled my hair", {"deputy"}),
        ("I leave him alone at least", set()),
        ("the headteacher shouts", {"head"}),
        ("the head teacher and the SENCO laughed", {"head", "senco"}),
        ("he hit me on the head", set()),
        ("my head hurts", set()),
        ("the head hit me on the head", {"head"}),
        ("the head of year shouts", set()),
        ("the safeguarding lead did nothing", {"dsl"}),
        ("my uncle hits me", set()),
        ("mrs lees hand", {"deputy"}),
        ("the head-teacher shouts", {"head"}),
        ("the head of our school shouts", {"head"}),
        ("", set()),
    ],
)
def test_who_is_named(text: str, roles: set[str]) -> None:
    """SAFE-7"""
    assert roles_named(text, STAFF) == roles


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ms Smith-Jones", "Mr Smith hits me"),
        ("Ms Smith-Jones", "miss jones hits me"),
        ("Mr Núñez", "mr nunez hits me"),
        ("Mr O'Neill", "mr o neill hits me"),
        ("Dr. McDonald", "mc donald hits me"),
        ("Mr Okafor (deputy head)", "mr okafor hits me"),
        ("Mr Okafor, DSL", "mr okafor hits me"),
    ],
)
def test_names_as_people_really_write_them(name: str, text: str) -> None:
    """SAFE-7"""
    assert roles_named(text, {"deputy": name}) == {"deputy"}


# --- what the school can see of it --------------------------------------------------------------------------------


async def test_doctor_and_queue_say_who_cannot_be_alerted(tmp_path: Path) -> None:
    """SAFE-9"""
    async with opened(tmp_path, Clock(FRIDAY)) as school:
        await with_phone(school, "deputy")
        await school.person("head")
        async with school.db.reading() as tx:
            lines = await gaps(tx, school.house, "en", FRIDAY)
    assert lines == [
        "Mr Okafor (safeguarding lead) has not joined. No alert can go there.",
        "Mrs Ahmed (head teacher) cannot be reached by message now.",
        "Mr Jones (chair of governors) has not joined. No alert can go there.",
    ]


async def test_once_a_month_a_test_alert_and_who_tapped(friday: Friday) -> None:
    """SAFE-9"""
    db, house = friday.school.db, friday.school.house
    assert await ladder.test_alert_due(db, house.school, FRIDAY)
    assert not await ladder.test_alert_due(db, house.school, FRIDAY + timedelta(minutes=5))
    await friday.at(FRIDAY)
    await friday.school.rounds({"telegram": friday.phones})
    talk = friday.school.on(friday.people["dsl"])
    await talk.forges("k=test-2026-11")
    reply = await talk.forges("k=test-2026-11")
    assert reply.messages[0].text == "Thank you. Alerts reach you."
    async with db.reading() as tx:
        steps = await steps_of(tx, "test-2026-11")
    assert [s.what for s in steps].count("acknowledged") == 1
    assert not await ladder.test_alert_due(db, house.school, datetime(2026, 12, 1, 8, 0, tzinfo=UTC))
    assert await ladder.test_alert_due(db, house.school, datetime(2026, 12, 1, 8, 30, tzinfo=UTC))


async def test_words_of_a_survey_about_a_reader_pass_them_too(friday: Friday) -> None:
    """SAFE-7: also words that nothing flagged."""
    school = friday.school
    parents = await school.people(10)
    async with school.db.transaction() as tx:
        forms = await all_forms(tx)
        group = await find_group(tx, "SEND parents") or ""
        plan = default_sending(school.house, forms["parent-send-provision"], group, FRIDAY.date())
        sent = await send_survey(tx, school.house, plan, FRIDAY)
    talk = school.on(parents[0])
    talk.reply = await talk.forges(f"o={sent.id}")
    await talk.taps("Yes, start", *["Skip"] * 6)
    await talk.types("Mr Okafor never answers my letters")
    await talk.taps("Send my answers")
    await friday.at(FRIDAY.replace(hour=8) + timedelta(days=3))
    for role, sees in {"dsl": "Nothing is waiting", "deputy": "1 item waits", "senco": "1 item waits"}.items():
        assert sees in (await school.on(friday.people[role]).types("/queue")).messages[0].text


async def test_what_waits_for_somebody_whose_access_ends_goes_on_at_once(friday: Friday) -> None:
    """SAFE-5, PR-2: also in the evening, when nothing else climbs."""
    friday.school.clock.set(FRIDAY_EVENING)
    await friday.says()
    assert await friday.at(FRIDAY_EVENING) == ["dsl"]
    async with friday.school.db.transaction() as tx:
        await end_access(tx, friday.people["dsl"], FRIDAY_EVENING)
    assert await friday.at(FRIDAY_EVENING + timedelta(seconds=5)) == ["deputy"]


# --- the school's calendar ----------------------------------------------------------------------------------------

AUTUMN = (
    Stretch("term", date(2026, 9, 2), date(2026, 12, 18)),
    Stretch("half-term", date(2026, 11, 9), date(2026, 11, 13)),
    Stretch("inset", date(2026, 11, 16), date(2026, 11, 16)),
    Stretch("festival", date(2026, 11, 17), date(2026, 11, 17)),
    Stretch("closed", date(2026, 11, 18), date(2026, 11, 18)),
)


async def load(school: School, stretches: tuple[Stretch, ...] = AUTUMN) -> None:
    async with school.db.transaction() as tx:
        await save_calendar(tx, stretches)


async def test_in_half_term_it_climbs_on_weekdays_and_the_reply_says_when_school_opens(friday: Friday) -> None:
    """SAFE-5, SAFE-6: a half term is no long weekend; in the evening of one nothing climbs."""
    await load(friday.school)
    evening = datetime(2026, 11, 11, 19, tzinfo=UTC)
    friday.school.clock.set(evening)
    said = await friday.says()

    assert "nobody is reading this now. Mr Okafor will see it. School opens Monday 16 November, 8:30." in said
    assert await friday.at(evening) == ["dsl"]
    opening = datetime(2026, 11, 12, 8, 30, tzinfo=UTC)
    assert await friday.at(opening - timedelta(seconds=1)) == []
    assert await friday.at(opening) == ["dsl"]
    assert await friday.at(opening + PATIENCE) == ["deputy"]


async def test_a_ladder_that_began_goes_on_in_the_holiday(friday: Friday) -> None:
    """SAFE-5: Friday's second step, and the third on the first weekday of half term."""
    await load(friday.school)
    await friday.says()
    assert await friday.at(FRIDAY) == ["dsl"]
    assert await friday.at(FRIDAY + PATIENCE) == ["deputy"]
    assert await friday.at(MONDAY_OPENING - timedelta(seconds=1)) == []
    assert await friday.at(MONDAY_OPENING) == ["head"]


async def test_a_calendar_put_right_hurries_what_waited_by_the_wrong_one(friday: Friday) -> None:
    """SAFE-5: a slip in a file must not hold an alert back for longer than the slip lasts."""
    async with friday.school.db.transaction() as tx:
        await set_any_hour(tx, friday.people["dsl"], False)
    await load(friday.school, (Stretch("closed", date(2026, 11, 5), date(2026, 11, 6)),))
    await friday.says()
    assert await friday.at(FRIDAY + PATIENCE) == []

    await load(friday.school, ())
    async with friday.school.db.transaction() as tx:
        await ladder.hurry(tx, friday.school.house.school, FRIDAY + PATIENCE)
    assert await friday.at(FRIDAY + PATIENCE) == ["dsl"]


@pytest.mark.parametrize(
    ("when", "open_now", "opens"),
    [
        ("2026-11-06T10:00", True, "2026-11-16T08:30"),
        ("2026-11-11T10:00", False, "2026-11-16T08:30"),  # half term
        ("2026-11-16T10:00", True, "2026-11-17T08:30"),  # INSET: staff are in
        ("2026-11-17T10:00", True, "2026-11-19T08:30"),  # a festival: the bot is silent, the office is open
        ("2026-11-18T10:00", False, "2026-11-19T08:30"),  # closed
        ("2026-12-21T10:00", False, "2027-01-11T08:30"),  # three weeks after the last day that is known
        ("2028-05-01T10:00", False, "2028-05-02T08:30"),  # no calendar any more: weekdays without bank holidays
    ],
)
def test_office_days_follow_the_calendar(when: str, open_now: bool, opens: str) -> None:
    school = check_school(ELMFIELD, "school.yaml")
    at, calendar = datetime.fromisoformat(when).replace(tzinfo=school.zone), Calendar(AUTUMN)
    assert school.is_open(at, calendar) is open_now
    assert school.next_opening(at, calendar) == datetime.fromisoformat(opens).replace(tzinfo=school.zone)


def test_a_calendar_that_is_shut_for_ever_still_opens() -> None:
    """SAFE-5: then the weekdays of the office hours count, so that every alert is due some time."""
    school = check_school(ELMFIELD, "school.yaml")
    shut = Calendar((Stretch("closed", date(2026, 1, 1), date(2030, 1, 1)),))
    assert school.next_opening(FRIDAY, shut) == MONDAY_OPENING
