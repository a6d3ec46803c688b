"""`yousaid calendar`: three forms of file, everything wrong named at once, and what the doctor says of it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.calendar_file import CalendarProblem, guess, read_calendar
from bot.calendar_health import look_at_calendar
from data.audit import entries
from data.calendar import Calendar, Stretch, load_calendar, save_calendar
from data.database import Tx
from tests.command_line import CommandLine, command_line_in
from tests.school import School

EXAMPLE = (Path(__file__).parent.parent / "docs/calendar.md").read_text(encoding="utf-8")
CSV = """\
Name;Start date;End date
Autumn term;02/09/2026;18/12/2026
Half term;26 Oct 2026;30 Oct 2026
INSET day;2026-09-02;
"""
ICS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Elmfield//Calendar//EN
BEGIN:VEVENT
UID:1@elmfield
DTSTART;VALUE=DATE:20260902
DTEND;VALUE=DATE:20261219
SUMMARY:Autumn term
END:VEVENT
BEGIN:VEVENT
UID:2@elmfield
DTSTART;VALUE=DATE:20261026
DURATION:P5D
SUMMARY:Half term
END:VEVENT
BEGIN:VEVENT
UID:3@elmfield
DTSTART:20260902T080000Z
DTEND:20260902T150000Z
SUMMARY:Welcome back
CATEGORIES:INSET
END:VEVENT
BEGIN:VEVENT
UID:4@elmfield
DTSTART;VALUE=DATE:20261001
SUMMARY:School closed
STATUS:CANCELLED
END:VEVENT
END:VCALENDAR
"""
AUTUMN = (
    Stretch("term", date(2026, 9, 2), date(2026, 12, 18), "Autumn term"),
    Stretch("half-term", date(2026, 10, 26), date(2026, 10, 30), "Half term"),
)


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line_in(tmp_path, monkeypatch)
    made.set_up()
    return made


def example() -> str:
    found = re.search(r"```yaml\n(.+?)```", EXAMPLE, re.DOTALL)
    assert found
    return found[1]


def wrong(tmp_path: Path, name: str, text: str) -> list[str]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CalendarProblem) as caught:
        read_calendar(tmp_path / name)
    return caught.value.lines


@pytest.mark.parametrize(("name", "text"), [("c.csv", CSV), ("c.ics", ICS)])
def test_a_table_and_an_ics_file_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    """An end date of an .ics is the day after (RFC 5545 3.6.1); what was cancelled there does not count."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    read = read_calendar(tmp_path / name)

    assert read.stretches[:2] == AUTUMN
    assert (read.stretches[2].kind, read.stretches[2].first, read.stretches[2].last) == (
        "inset", date(2026, 9, 2), date(2026, 9, 2),
    )  # fmt: skip
    assert [line.split(": ", 1)[1] for line in read.guessed[:2]] == [
        '"Autumn term" counts as term',
        '"Half term" counts as half-term',
    ]
    assert len(read.stretches) == 3


def test_a_table_saved_by_a_spreadsheet_on_windows(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes("name,from\r\nTrêve holiday,26/10/2026\r\n".encode("cp1252"))
    assert read_calendar(tmp_path / "c.csv").stretches[0].name == "Trêve holiday"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Half term", "half-term"), ("Autumn half-term break", "half-term"), ("INSET", "inset"),
        ("Staff training - school closed to pupils", "inset"), ("Eid al-Adha", "festival"), ("Diwali", "festival"),
        ("Spring term", "term"), ("Term 3", "term"), ("Easter holiday", "holiday"), ("Christmas break", "holiday"),
        ("Bank holiday", "holiday"), ("School closed (polling station)", "closed"), ("SATs week", "exams"),
        ("GCSE exams", "exams"), ("Sports day", ""), ("Term ends", ""), ("First day of term", ""), ("", ""),
    ],
)  # fmt: skip
def test_kinds_are_guessed_from_plain_words(words: str, kind: str) -> None:
    assert guess(words) == kind


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    """Bad input (issue, Must hold): 31 February, end before start, overlapping terms, unknown kind, all with lines."""
    lines = wrong(
        tmp_path,
        "c.yaml",
        """\
- {kind: term, name: Autumn, from: 2 September 2026, to: 18 December 2026}
- {kind: term, name: Spring, from: 10 December 2026, to: 25 March 2027}
- {kind: half-term, from: 30 October 2026, to: 26 October 2026}
- {kind: inset, on: 31 February 2027}
- {kind: party, on: 1 July 2027}
- {name: Sports day, on: 1 July 2027}
- {kind: holiday, from: 5 April}
- {kind: term, from: 12 April 2027, to: 21 July 2072}
- {name: Term ends, on: 21 July 2027}
- {kind: closed}
""",
    )
    assert lines == [
        "c.yaml: line 2: this term begins before the term of line 1 is over. Mend its days.",
        "c.yaml: line 3: it ends on 2026-10-26, before it begins on 2026-10-30. Swap the days, or mend one.",
        "c.yaml: line 4: 31 February 2027 is not a day there is. Write it like 26 October 2026 or 2026-10-26.",
        'c.yaml: line 5: "party" is no kind of day. The kinds are: '
        "term, half-term, inset, holiday, festival, exams, closed.",
        'c.yaml: line 6: what "Sports day" is cannot be guessed. Add its kind, or take it out: '
        "term, half-term, inset, holiday, festival, exams, closed.",
        "c.yaml: line 7: 5 April has no year. Write it like 26 October 2026 or 2026-10-26.",
        "c.yaml: line 8: 16538 days are too many for term. Look at the years.",
        'c.yaml: line 9: "Term ends" is one day. Write a term as one entry, from its first to its last day.',
        "c.yaml: line 10: its first day is missing.",
    ]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("c.txt", "", "a calendar is a file that ends in .yaml, .csv or .ics."),
        ("c.yaml", "", "it must be a list"),
        ("c.yaml", "- {kind: term", "line 1: check indents"),
        ("c.yaml", "- {kind: term, form: 1 May 2027}", "line 1: `form` is not known here."),
        ("c.yaml", "[]", "it holds no days."),
        ("c.csv", "a,b\n1,2\n", "line 1: the headings must be: kind, name, from, to."),
        ("c.csv", "kind,from\nterm,2026-09-01,\ninset,soon\n", "line 3: soon is not a day there is."),
        ("c.ics", "hello", "it is no iCalendar file."),
        (
            "c.csv",
            "kind,from,to\nterm,1/9/2026,18/12/2026\nterm,5/1/2062,20/3/2062\n",
            "line 3: this term and the one of",
        ),
        ("c.csv", "PK\x03\x04\0", "it is no text."),
        ("c.ics", ICS.replace("DURATION:P5D", "DURATION:P9999999D"), "days are too many for half-term."),
        (
            "c.ics",
            ICS.replace("DURATION:P5D", "DTSTART;VALUE=DATE:20261027"),
            "a second DTSTART is not a day there is.",
        ),
        ("c.ics", ICS.replace("20260902\nDTEND", "20260230\nDTEND"), "line 4: 20260230 is not a day there is."),
        ("c.ics", ICS.replace("DURATION:P5D", "RRULE:FREQ=WEEKLY"), "line 10: it repeats."),
        ("c.ics", ICS.replace("Half term", "Trip"), 'line 10: what "Trip" is cannot be guessed.'),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, text: str, says: str) -> None:
    assert any(says in line for line in wrong(tmp_path, name, text))


def test_load_check_and_show(yousaid: CommandLine) -> None:
    """The example of docs/calendar.md: checked, loaded, noted in the log, and shown; a later file takes its place."""
    file = yousaid.write("calendar.yaml", example())
    assert yousaid.done("calendar", "check", file).lines[-1] == f"{file}: fine, 12 entries."
    assert yousaid.change(lambda tx: load_calendar(tx)) == Calendar()

    assert yousaid.done("calendar", "load", file).out.startswith("12 entries loaded. It reaches to 2027-07-21.")
    shown = yousaid.done("calendar", "show")
    assert "2026-10-26 to 2026-10-30    half-term" in shown.lines
    assert "2026-11-08                  festival   Diwali" in shown.lines
    assert shown.lines[-1].startswith("Bank holidays: as in england. It reaches to 2027-07-21.")

    async def noted(tx: Tx) -> list[str]:
        return [e.detail["entries"] for e in await entries(tx, "calendar", "calendar.loaded")]

    assert yousaid.change(noted) == ["12"]
    guessed = yousaid.done("calendar", "load", yousaid.write("new.csv", CSV))
    assert guessed.lines[1] == 'line 3: "Half term" counts as half-term'
    assert len(yousaid.change(lambda tx: load_calendar(tx)).stretches) == 3


def test_nothing_is_half_loaded(yousaid: CommandLine) -> None:
    yousaid.done("calendar", "load", yousaid.write("good.csv", CSV))
    ran = yousaid("calendar", "load", yousaid.write("bad.yaml", example() + "- {kind: inset, on: 31 February 2027}\n"))

    assert ran.code == 1
    assert ran.err.strip() == (
        "bad.yaml: line 13: 31 February 2027 is not a day there is. Write it like 26 October 2026 or 2026-10-26."
    )
    assert len(yousaid.change(lambda tx: load_calendar(tx)).stretches) == 3


@pytest.mark.both_databases
async def test_doctor_says_what_the_calendar_lacks(school: School) -> None:
    async def look(now: datetime) -> tuple[str, str]:
        async with school.db.reading() as tx:
            finding = await look_at_calendar(tx, school.house.school, now)
        return finding.state, finding.says

    now = datetime(2026, 10, 27, 9, tzinfo=UTC)
    state, says = await look(now)
    assert (state, says.split(":")[0]) == ("look", "no terms are known")
    async with school.db.transaction() as tx:
        await save_calendar(tx, AUTUMN)
    assert await look(now) == ("ok", "to 2026-12-18; today the bot writes to nobody of its own accord (Half term)")
    assert await look(now + timedelta(days=7)) == ("ok", "to 2026-12-18; today is a school day")
    assert (await look(datetime(2026, 11, 7, tzinfo=UTC)))[0] == "look"
