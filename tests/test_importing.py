"""A term imported from a table or a calendar: all that is wrong at once, nothing half, and nothing twice."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.events.importing import Reader, Term, Wrong, import_term, read_term
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
"""
    lines = await wrong(school, text, "")
    says = (
        "no date", "no kind", "no time", "end after it begins", "no group", "is past", "length of a slot",
        "number of places", "no way to talk", "https://", "name of one colleague", "no title", "Nobody may promise",
        "does not say for which group",
    )  # fmt: skip
    assert [line.partition(":")[0] for line in lines] == [f"Line {n}" for n in range(3, 17)]
    assert [told for told, line in zip(says, lines, strict=True) if told not in line] == []
    assert await planned(school) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Missing: date, starts"),
        ("kind,title\ndrop-in,x\n", "Missing: date, starts"),
        ("date,starts\n", "There is no drop-in or event in it"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "no iCalendar file"),
        (CALENDAR.replace("LOCATION", "RRULE:FREQ=WEEKLY\nLOCATION"), "Line 4: It repeats"),
        (CALENDAR.replace(";TZID=Europe/London:20261112T090000", ";VALUE=DATE:20261112"), "Line 4: It has no time"),
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


# --- the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line_in(tmp_path, monkeypatch)
    made.set_up()
    return made


FUTURE = "kind,title,date,starts,group\ndrop-in,,3/6/2099,9:00,SEND parents\n"


def test_event_check_import_and_list(yousaid: CommandLine) -> None:
    file = yousaid.write("term.csv", FUTURE)
    assert yousaid.done("event", "check", file).lines[-1] == "All is right. 1 time would be planned."
    assert "Nothing is planned yet" in yousaid("event", "list").err
    assert yousaid.done("event", "import", file).lines[-1] == "1 time is planned."
    assert "was planned already" in yousaid.done("event", "import", file).lines[-1]
    assert yousaid.done("event", "list").lines == ["2099-06-03 09:00  dropin  SEND parents"]
    assert '"kind": "dropin"' in yousaid.done("event", "list", "--json").out


def test_event_import_names_every_wrong_line_and_plans_nothing(yousaid: CommandLine) -> None:
    ran = yousaid("event", "import", yousaid.write("term.csv", f"{FUTURE}x,,3/6/2099,9:00,\nx,,?,9:00,\n"))
    assert (ran.code, len(ran.err.splitlines())) == (1, 2)
    assert "term.csv: Line 3" in ran.err
    assert "Nothing is planned yet" in yousaid("event", "list").err
    assert "cannot be read" in yousaid("event", "check", "no-such.csv").refused()
