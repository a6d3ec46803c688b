"""A term imported from a table or a calendar: all that is wrong at once, nothing half, and nothing twice."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.events.importing import Reader, Term, Wrong, import_term, read_term
from bot.events.table import decoded
from data.calendar import Stretch, save_calendar
from data.events import Occasion, coming_occasions
from data.outbox import claim
from tests.command_line import CommandLine, command_line_in
from tests.school import School

DOCS = (Path(__file__).parent.parent / "docs" / "events.md").read_text(encoding="utf-8")
TABLE = re.findall(r"```csv\n(.*?)```", DOCS, re.DOTALL)[0]
CALENDAR = re.findall(r"```\n(BEGIN:VCALENDAR.*?)```", DOCS, re.DOTALL)[0]


async def read(school: School, text: str, group: str = "") -> Term:
    async with school.db.reading() as tx:
        return await read_term(Reader(tx, school.house, school.clock.now, group), text)


async def imported(school: School, text: str, group: str = "") -> Term:
    async with school.db.transaction() as tx:
        reader = Reader(tx, school.house, school.clock.now, group)
        term = await read_term(reader, text)
        await import_term(reader, term)
        return term


async def wrong(school: School, text: str, group: str = "SEND parents") -> list[str]:
    with pytest.raises(Wrong) as problem:
        await imported(school, text, group)
    return problem.value.lines


async def planned(school: School) -> list[Occasion]:
    async with school.db.reading() as tx:
        return await coming_occasions(tx, None, school.clock.now)


@pytest.mark.both_databases
async def test_the_example_of_the_docs_is_planned_and_a_second_time_changes_nothing(school: School) -> None:
    host = await school.person("senco", label="Ms Patel")
    first = await imported(school, TABLE)
    found = await planned(school)
    assert [o.event.kind for o in found] == ["dropin", "coffee", "charity", "dropin"]
    assert (found[0].event.host, found[0].slots, found[0].event.access) == (host, 4, {"quiet": "The library next door"})
    assert found[0].event.id == found[3].event.id  # rows that differ in their time alone are one series
    assert all(o.first_at for o in found)
    again = await imported(school, TABLE)
    assert (first.n, again.n, again.known) == (4, 0, 4)
    assert await planned(school) == found


async def test_a_file_imported_again_in_the_middle_of_the_term_is_still_right(school: School) -> None:
    await school.person("senco", label="Ms Patel")
    await imported(school, TABLE)
    school.clock.move(days=15)
    assert (await imported(school, TABLE)).known == 4


async def test_the_calendar_of_the_docs_is_planned(school: School) -> None:
    await imported(school, CALENDAR, "Year 3 parents")
    (occasion,) = await planned(school)
    assert (occasion.event.kind, occasion.event.title, occasion.event.place) == ("coffee", "Coffee morning", "The hall")
    assert occasion.starts_at == datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
    assert occasion.ends_at == datetime(2026, 11, 12, 10, 30, tzinfo=UTC)


async def test_each_person_hears_of_a_whole_term_in_one_message(school: School) -> None:
    """6.9"""
    parent = await school.person("parent")
    rows = "\n".join(f"coffee,Coffee {n},{n}/11/2026,9:00,SEND parents" for n in (10, 17, 24))
    await imported(school, f"kind,title,date,starts,group\n{rows}\n")
    async with school.db.transaction() as tx:
        letters = await claim(tx, "test", datetime(2027, 1, 1, tzinfo=UTC), 100)
    assert [(letter.kind, letter.person) for letter in letters] == [("event", parent)]


async def test_all_wrong_lines_are_named_at_once_and_nothing_is_planned(school: School) -> None:
    """Each with its line and its remedy; the good line between them is not planned either."""
    text = """kind,title,date,starts,ends,group,slots,places,ways,online,host,place
drop-in,,10/11/2026,9:00,10:00,SEND parents,,,,,,Hall
drop-in,,31/2/2026,9:00,10:00,SEND parents,,,,,,Hall
party,,10/11/2026,9:00,10:00,SEND parents,,,,,,Hall
drop-in,,10/11/2026,soon,10:00,SEND parents,,,,,,Hall
drop-in,,10/11/2026,11:00,10:00,SEND parents,,,,,,Hall
drop-in,,10/11/2026,9:00,10:00,Year 9 parents,,,,,,Hall
drop-in,,10/11/2025,9:00,10:00,SEND parents,,,,,,Hall
drop-in,,10/11/2026,9:00,10:00,SEND parents,12,,,,,Hall
drop-in,,10/11/2026,9:00,10:00,SEND parents,,many,,,,Hall
drop-in,,10/11/2026,9:00,10:00,SEND parents,,,by owl,,,Hall
drop-in,,10/11/2026,9:00,10:00,SEND parents,,,,meet.example,,Hall
drop-in,,10/11/2026,9:00,10:00,SEND parents,,,,,Mr Nobody,Hall
coffee,,10/11/2026,9:00,10:00,SEND parents,,,,,,Hall
drop-in,,10/11/2026,9:00,10:00,SEND parents,,,,,,strictly confidential
drop-in,,10/11/2026,9:00,10:00,,,,,,,Hall
drop-in,,10/11/2062,9:00,10:00,SEND parents,,,,,,Hall
drop-in,,31/12/9999,9:00,10:00,SEND parents,,,,,,Hall
"""
    lines = await wrong(school, text, "")
    says = (
        "no date", "no kind", "no time", "end after it begins", "no group", "is past", "length of a slot",
        "number of places", "no way to talk", "https://", "name of one colleague", "no title", "Nobody may promise",
        "does not say for which group", "look at its year", "look at its year",
    )  # fmt: skip
    assert [line.partition(":")[0] for line in lines] == [f"Line {n}" for n in range(3, 19)]
    assert [told for told, line in zip(says, lines, strict=True) if told not in line] == []
    assert await planned(school) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Missing: date, starts"),
        ("kind,title\ndrop-in,x\n", "Missing: date, starts"),
        ("date,starts\n", "There is no drop-in or event in it"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "no iCalendar file"),
        (CALENDAR.replace("LOCATION", "RRULE:FREQ=HOURLY\nLOCATION"), "Line 4: It repeats in a way"),
        (CALENDAR.replace(";TZID=Europe/London:20261112T090000", ";VALUE=DATE:20261112"), "Line 4: It has no time"),
        (CALENDAR.replace("20261112T090000", "soon"), "Line 4: It has no time"),
        ("date,starts\n" + "1/12/2026,9:00\n" * 401, "more than 400 lines"),
    ],
)
async def test_a_file_that_cannot_be_read_says_what_to_do(school: School, text: str, says: str) -> None:
    assert says in "\n".join(await wrong(school, text))


async def test_cells_pasted_from_a_spreadsheet_are_read_too(school: School) -> None:
    term = await read(school, "Date\tStart\tWhere\tFor\n12/11/2026\t9am\tRoom 4\tSEND parents\n")
    ((event, (starts, _)),) = term.times
    assert (event.place, f"{starts:%d.%m. %H:%M}") == ("Room 4", "12.11. 09:00")


async def test_a_cancelled_event_of_a_calendar_is_left_out(school: School) -> None:
    two = CALENDAR.replace("END:VEVENT\n", "STATUS:CANCELLED\nEND:VEVENT\n")
    assert "There is no drop-in or event in it" in "\n".join(await wrong(school, two))


async def test_times_of_a_calendar_in_another_zone_are_told_in_the_schools(school: School) -> None:
    utc = CALENDAR.replace(";TZID=Europe/London:20261112T090000", ":20270615T080000Z")
    utc = utc.replace(";TZID=Europe/London:20261112T103000", ":20270615T093000Z")
    ((_, (starts, ends)),) = (await read(school, utc, "SEND parents")).times
    assert (f"{starts:%H:%M}", f"{ends:%H:%M}") == ("09:00", "10:30")


# --- entries that repeat ------------------------------------------------------------------------------------------

TERMS = [
    Stretch("term", date(2026, 9, 3), date(2026, 12, 18)),
    Stretch("half-term", date(2026, 11, 23), date(2026, 11, 27)),
    Stretch("inset", date(2026, 12, 10), date(2026, 12, 10)),
    Stretch("term", date(2027, 1, 5), date(2027, 3, 26)),
]


async def days(school: School, rule: str, *more: str, at: str = "TZID=Europe/London:20261112T090000") -> list[str]:
    """The days of the coffee morning of Thursday 12 November, where it repeats like this."""
    async with school.db.transaction() as tx:
        await save_calendar(tx, TERMS)
    day = at.partition(":")[2][:8]
    text = CALENDAR.replace("TZID=Europe/London:20261112T090000", at).replace("20261112T1030", f"{day}T1030")
    term = await read(school, text.replace("LOCATION", "\n".join([rule, *more, "LOCATION"])), "SEND parents")
    assert {f"{ends - starts}" for _, (starts, ends) in term.times} == {"1:30:00"}
    return [f"{starts:%d.%m. %H:%M}" for _, (starts, _) in term.times]


async def test_every_thursday_is_every_thursday_in_term(school: School) -> None:
    """What a rule makes ends with the terms that are known, and leaves out half term, INSET days and holidays."""
    found = await days(school, "RRULE:FREQ=WEEKLY;BYDAY=TH")
    assert [day[:6] for day in found[:6]] == ["12.11.", "19.11.", "03.12.", "17.12.", "07.01.", "14.01."]
    assert found[-1] == "25.03. 09:00"
    assert {day[7:] for day in found} == {"09:00"}


async def test_dates_that_somebody_wrote_down_stay(school: School) -> None:
    """RDATE adds one, on an INSET day too; EXDATE takes one out, also as a day without a time."""
    more = ("RDATE;TZID=Europe/London:20261210T090000,20261211T090000", "EXDATE;TZID=Europe/London:20261119T090000")
    found = await days(school, "RRULE:FREQ=WEEKLY;UNTIL=20261217T235959Z", *more, "EXDATE;VALUE=DATE:20261203")
    assert [day[:6] for day in found] == ["12.11.", "10.12.", "11.12.", "17.12."]


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=5", "12.11. 07.01."),  # 26.11. is half term, 10.12. INSET, 24.12. holidays
        ("RRULE:FREQ=WEEKLY;UNTIL=20261119", "12.11. 19.11."),
        ("RRULE:FREQ=DAILY;COUNT=6", "12.11. 13.11. 16.11. 17.11."),
        (
            "RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=4",
            "12.11. 14.11. 21.11. 28.11. 05.12.",
        ),
        ("RRULE:FREQ=MONTHLY;BYDAY=2TH;COUNT=4", "12.11. 14.01. 11.02."),
        ("RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20270131", "12.11. 30.11. 29.01."),
        (
            "RRULE:FREQ=WEEKLY;COUNT=2\nRRULE:FREQ=MONTHLY;BYMONTHDAY=1;UNTIL=20270301",
            "12.11. 19.11. 01.12. 01.02. 01.03.",
        ),
    ],
)
async def test_rules_are_read_as_calendars_read_them(school: School, rule: str, first: str) -> None:
    assert " ".join(day[:6] for day in await days(school, rule)) == first


async def test_nine_in_the_morning_stays_nine_when_the_clocks_change(school: School) -> None:
    """A rule counts in the zone in which it was written; what is past of it is no mistake."""
    found = await days(school, "RRULE:FREQ=WEEKLY;COUNT=8", at="TZID=Europe/London:20261008T090000")
    assert found == ["05.11. 09:00", "12.11. 09:00", "19.11. 09:00"]


async def test_one_date_of_a_series_that_was_moved_or_cancelled(school: School) -> None:
    """RECURRENCE-ID: its own entry counts, and not the date that the rule makes."""
    head, entry, end = re.split(r"(BEGIN:VEVENT.*END:VEVENT\n)", CALENDAR, flags=re.DOTALL)
    series = entry.replace("LOCATION", "RRULE:FREQ=WEEKLY;COUNT=3\nLOCATION")
    moved = entry.replace("SUMMARY", "RECURRENCE-ID;TZID=Europe/London:20261119T090000\nSUMMARY").replace(
        "20261112", "20261120"
    )
    off = entry.replace("SUMMARY", "STATUS:CANCELLED\nRECURRENCE-ID;TZID=Europe/London:20261126T090000\nSUMMARY")
    term = await read(school, f"{head}{series}{moved}{off}{end}", "SEND parents")
    assert [f"{starts:%d.%m.}" for _, (starts, _) in term.times] == ["12.11.", "20.11."]


async def test_days_without_school_that_were_left_out_are_counted(school: School) -> None:
    async with school.db.transaction() as tx:
        await save_calendar(tx, TERMS)
    text = CALENDAR.replace("LOCATION", "RRULE:FREQ=WEEKLY;COUNT=5\nLOCATION")
    term = await imported(school, text, "SEND parents")
    assert (term.n, term.left_out) == (3, 2)
    again = await imported(school, text, "SEND parents")
    assert (again.n, again.known) == (0, 3)
    assert len({o.event.id for o in await planned(school)}) == 1  # one series


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("RRULE:FREQ=SOMETIMES", "in a way that I cannot read"),
        ("RRULE:FREQ=WEEKLY;BYDAY=XX", "in a way that I cannot read"),
        ("RRULE:FREQ=WEEKLY;COUNT=0", "in a way that I cannot read"),
        ("RRULE:FREQ=DAILY;INTERVAL=0", "in a way that I cannot read"),
        ("RRULE:FREQ=DAILY;BYHOUR=9,10", "in a way that I cannot read"),
        ("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "in a way that I cannot read"),  # there is none, for ever
        ("RRULE:FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2", "in a way that I cannot read"),
        ("RRULE:FREQ=WEEKLY\nEXDATE:soon", "in a way that I cannot read"),
        ("RRULE:FREQ=DAILY", "more than 100 times"),
        ("RRULE:FREQ=WEEKLY;COUNT=1\nEXDATE;TZID=Europe/London:20261112T090000", "none of its dates"),
    ],
)
async def test_a_bad_rule_is_named_with_all_that_is_wrong(school: School, rule: str, says: str) -> None:
    """Each with its line, all at once, and nothing is planned."""
    entry = re.findall(r"BEGIN:VEVENT.*END:VEVENT\n", CALENDAR, re.DOTALL)[0]
    bad = entry.replace("LOCATION", f"{rule}\nLOCATION")
    whole_day = entry.replace(";TZID=Europe/London:20261112T090000", ";VALUE=DATE:20261112")
    lines = await wrong(school, CALENDAR.replace(entry, bad + entry + whole_day))
    assert len(lines) == 2
    assert says in lines[0]
    assert lines[0].startswith("Line 4: ")
    assert "It has no time" in lines[1]
    assert await planned(school) == []


ONE = "kind,title,date,starts,group,place\ncoffee,Tea,10/11/2026,9:00,SEND parents,{}\n"


def test_a_file_is_read_as_windows_saves_it() -> None:
    """Excel's "Unicode text" is UTF-16: it came as letters with gaps between."""
    for coding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert decoded(ONE.format("Café").encode(coding)) == ONE.format("Café")


@pytest.mark.parametrize("place", ["a\0b", '"The hall', "PK\x03\x04\0"])
async def test_what_is_no_table_is_refused_whole(school: School, place: str) -> None:
    """A quotation mark that is not closed took the lines after it into one cell; a nought byte breaks PostgreSQL."""
    (line,) = await wrong(school, ONE.format(place) + "coffee,More tea,11/11/2026,9:00,SEND parents,Hall\n")
    assert "It cannot be read as a table." in line
    assert await planned(school) == []


async def test_invisible_letters_of_a_cell_are_left_out(school: School) -> None:
    """As of what is typed."""
    term = await read(school, ONE.format("The\u202e hall\u200b"))
    assert term.events[0][0].place == "The hall"


async def test_two_rooms_at_one_hour_are_two_rows(school: School) -> None:
    """A parents' evening: the second room was taken for the first one, and lost. The same line twice is one."""
    rows = "".join(f"drop-in,10/11/2026,17:00,SEND parents,Room {n}\n" for n in (1, 2, 2))
    text = f"kind,date,starts,group,place\n{rows}"
    assert ((await imported(school, text)).n, (await imported(school, text)).n) == (2, 0)
    assert sorted(o.event.place for o in await planned(school)) == ["Room 1", "Room 2"]


@pytest.mark.parametrize(("letters", "right"), [(300, True), (2000, False)])
async def test_an_address_of_a_video_meeting_may_be_long(school: School, letters: int, right: bool) -> None:
    text = f"date,starts,group,online\n10/11/2026,9:00,SEND parents,https://meet.example/{'a' * letters}\n"
    if right:
        assert (await imported(school, text)).n == 1
    else:
        assert "begins with https://" in (await wrong(school, text))[0]


async def test_a_length_beyond_all_calendars_is_a_wrong_line(school: School) -> None:
    text = CALENDAR.replace("DTEND;TZID=Europe/London:20261112T103000", "DURATION:P9999999D")
    assert text != CALENDAR
    assert "It must end after it begins, on the same day." in (await wrong(school, text))[0]


# --- the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line_in(tmp_path, monkeypatch)
    made.set_up()
    return made


DAY = datetime.now(UTC).date() + timedelta(days=90)  # the command line reads the clock of the machine
FUTURE = f"kind,title,date,starts,group\ndrop-in,,{DAY},9:00,SEND parents\n"


def test_event_check_import_and_list(yousaid: CommandLine) -> None:
    file = yousaid.write("term.csv", FUTURE)
    assert yousaid.done("event", "check", file).lines[-1] == "All is right. 1 time would be planned."
    assert "Nothing is planned yet" in yousaid("event", "list").err
    assert yousaid.done("event", "import", file).lines[-1] == "1 time is planned."
    assert "was planned already" in yousaid.done("event", "import", file).lines[-1]
    assert yousaid.done("event", "list").lines == [f"{DAY} 09:00  dropin  SEND parents"]
    assert '"kind": "dropin"' in yousaid.done("event", "list", "--json").out


def test_event_delivery_counts_what_was_sent_about_it(yousaid: CommandLine) -> None:
    """Issue 5: a delivery report for every sending."""
    yousaid.join(3, "SEND parents")
    file = yousaid.write(
        "term.csv", f"{FUTURE}coffee morning,Coffee and cake,{DAY + timedelta(days=1)},9:00,SEND parents\n"
    )
    yousaid.done("event", "import", file)
    dropin, coffee = (row["id"] for row in json.loads(yousaid.done("event", "list", "--json").out))
    assert yousaid("event", "delivery", dropin).err.strip() == "Nothing was sent about it yet."
    assert yousaid.done("event", "delivery", coffee).lines == ["Announcements of Coffee and cake", "On the way now: 3"]
    assert json.loads(yousaid.done("event", "delivery", coffee, "--json").out)[0]["waiting"] == 3
    assert "no such drop-in or event" in yousaid("event", "delivery", "nothing").err


def test_event_import_names_every_wrong_line_and_plans_nothing(yousaid: CommandLine) -> None:
    ran = yousaid("event", "import", yousaid.write("term.csv", f"{FUTURE}x,,{DAY},9:00,\nx,,?,9:00,\n"))
    assert (ran.code, len(ran.err.splitlines())) == (1, 2)
    assert "term.csv: Line 3" in ran.err
    assert "Nothing is planned yet" in yousaid("event", "list").err
    assert "cannot be read" in yousaid("event", "check", "no-such.csv").refused()
