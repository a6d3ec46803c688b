"""invite, form, send, survey and close on a real database; each failure is one line."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from conversations.roles import INVITED
from data.codes import find_invitation, read_code
from data.database import Tx
from data.outbox import outbox_counts
from data.people import add_role, find_group
from data.school import load_school, save_school
from tests.command_line import GROUP, LUNCH, CommandLine, command_line_in

CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}")


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.set_up()
    return yousaid


@pytest.fixture
def lunch(yousaid: CommandLine) -> CommandLine:
    """With a small form, and twelve people to ask."""
    yousaid.done("form", "add", yousaid.write("lunch.yaml", LUNCH))
    yousaid.join(12)
    return yousaid


# --- invite -------------------------------------------------------------------------------------------------------


def test_invite_prints_links_first_and_then_each_code_alone(yousaid: CommandLine) -> None:
    ran = yousaid.done("invite", "--role", "parent", "--group", GROUP, "--count", "3")

    codes = ran.lines[-3:]
    assert all(CODE.fullmatch(code) for code in codes)
    assert [line for line in ran.lines if "/join/" in line] == [f"http://127.0.0.1:0/join/{c}" for c in codes]


def test_code_opens_what_was_asked_for(yousaid: CommandLine) -> None:
    ran = yousaid.done("invite", "--role", "parent", "--group", "send PARENTS", "--family", "Ali", "--language", "en")

    async def look(tx: Tx) -> tuple[object, str | None]:
        from bot.cli.opening import now_utc

        return await find_invitation(tx, read_code(ran.lines[-1]) or "", now_utc()), await find_group(tx, GROUP)

    found, group = yousaid.change(look)
    assert (found.role, found.group, found.language, found.label) == ("parent", group, "en", "Ali")


@pytest.mark.parametrize("role", [role for role in INVITED if role != "young-person"])
def test_every_role_but_young_people_can_be_invited(yousaid: CommandLine, role: str) -> None:
    assert CODE.fullmatch(yousaid.done("invite", "--role", role).lines[-1])


def test_young_people_are_off_unless_the_school_lets_them(yousaid: CommandLine) -> None:
    """AGE-1"""
    assert "are off" in yousaid("invite", "--role", "young-person").refused()

    async def let_them(tx: Tx) -> None:
        school = await load_school(tx)
        assert school
        await save_school(tx, school.model_copy(update={"young_people": True}))

    yousaid.change(let_them)
    assert CODE.fullmatch(yousaid.done("invite", "--role", "young-person").lines[-1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--role", "king"], "no role king"),
        (["--role", "pupil"], "no role pupil"),
        (["--role", "parent", "--group", "Year 9"], "The groups are: SEND parents, Year 3 parents, Year 4 parents."),
        (["--role", "parent", "--language", "xx"], "xx is not one of the school's languages: en"),
        (["--role", "parent", "--uses", "0"], "--uses"),
        ([], "--role"),
    ],
)
def test_wrong_invitations_are_refused_in_one_line(yousaid: CommandLine, arguments: list[str], says: str) -> None:
    assert says in yousaid("invite", *arguments).refused()


def test_public_address_stands_in_the_links(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_PUBLIC_URL", "https://voice.example.sch.uk/")

    ran = yousaid.done("invite", "--role", "parent")

    assert ran.lines[0] == f"https://voice.example.sch.uk/join/{ran.lines[-1]}"


# --- form ---------------------------------------------------------------------------------------------------------


def test_forms_are_listed_one_on_a_line(yousaid: CommandLine) -> None:
    ran = yousaid.done("form", "list")

    assert "parent-send-provision" in [line.split("  ")[0] for line in ran.lines]


def test_good_form_is_fine(yousaid: CommandLine) -> None:
    path = yousaid.write("lunch.yaml", LUNCH)

    assert yousaid.done("form", "check", path).lines == [f"{path}: fine"]


def test_check_advises_on_long_forms_and_many_words(yousaid: CommandLine) -> None:
    more = "".join(f"  - {{id: t{i}, type: text, text: {{en: {'word ' * 24}}}}}\n" for i in range(7))
    last = "  - {id: n, type: number, text: {en: How many?}}\n"

    ran = yousaid.done("form", "check", yousaid.write("lunch.yaml", LUNCH + more + last))

    assert "has 9 questions" in ran.out
    assert "asks for words 7 times" in ran.out
    assert "before the end" in ran.out
    assert "question t0 (en): a sentence of 24 words" in ran.out


def test_bad_form_is_named_by_file_question_and_remedy(yousaid: CommandLine) -> None:
    path = yousaid.write("lunch.yaml", LUNCH.replace("type: one", "type: few\n    max: 9").replace("intro", "intor"))

    ran = yousaid("form", "check", path)

    assert ran.code == 1
    assert all(line.startswith("lunch.yaml: ") for line in ran.err.splitlines())
    assert "`intor` is not known here" in ran.err
    assert "question lunch.1: " in ran.err


def test_same_version_is_not_added_twice_and_a_newer_one_is(lunch: CommandLine) -> None:
    assert "version 2" in lunch("form", "add", "lunch.yaml").refused()
    lunch.done("form", "add", lunch.write("lunch.yaml", LUNCH.replace("version: 1", "version: 2")))
    assert "version: 2" in lunch.done("form", "show", "lunch-check").out


def test_form_that_comes_with_the_program_needs_a_higher_version(yousaid: CommandLine) -> None:
    mine = LUNCH.replace("id: lunch-check", "id: drop-in-feedback")

    assert "is there in version" in yousaid("form", "add", yousaid.write("mine.yaml", mine)).refused()


def test_form_of_a_staff_errand_is_not_taken(yousaid: CommandLine) -> None:
    assert "errand" in yousaid("form", "add", yousaid.write("mine.yaml", LUNCH + "errand: true\n")).refused()


def test_show_prints_a_form_that_can_be_read_again(yousaid: CommandLine) -> None:
    source = yousaid.done("form", "show", "parent-send-provision").out

    yousaid.done("form", "check", yousaid.write("copy.yaml", source))
    assert "There is no form nonsense" in yousaid("form", "show", "nonsense").refused()


# --- send and survey ----------------------------------------------------------------------------------------------


def test_send_ends_with_the_surveys_id_and_invites_everybody(lunch: CommandLine) -> None:
    ran = lunch.done("send", "lunch-check", "--group", GROUP)

    assert ran.lines[-1] == "lunch-check-1"
    assert lunch.change(outbox_counts) == {"waiting": 12}


def test_second_sending_is_counted_and_the_forms_id_means_the_latest(lunch: CommandLine) -> None:
    lunch.done("send", "lunch-check", "--group", GROUP)
    lunch.done("send", "lunch-check", "--group", GROUP)

    assert lunch.done("survey", "show", "lunch-check").lines[0] == "id: lunch-check-2"


def test_dates_decision_and_decider_are_taken_as_given(lunch: CommandLine) -> None:
    day = date.today() + timedelta(days=3)
    words = ["--closes", f"{day:%d/%m/%Y}", "--decision", "what we cook", "--decider", "Mrs Cook"]

    lunch.done("send", "lunch-check", "--group", GROUP, *words)

    row = json.loads(lunch.done("survey", "show", "lunch-check-1", "--json").out)
    assert (row["decision"], row["decider"]) == ("what we cook", "Mrs Cook")
    assert row["closes_at"].startswith(day.isoformat())
    assert row["answer_by"] == (day + timedelta(days=14)).isoformat()


def test_how_far_a_sending_is(lunch: CommandLine) -> None:
    """Field 20: counts only, in words and as JSON."""
    lunch.done("send", "lunch-check", "--group", GROUP)
    assert lunch.done("survey", "delivery", "lunch-check").lines == [
        "Invitations to lunch-check-1",
        "On the way now: 12",
    ]
    row = json.loads(lunch.done("survey", "delivery", "lunch-check", "--json").out)[0]
    assert (row["kind"], row["waiting"], row["sent"], row["letters"], row["failed"]) == ("invitation", 12, 0, 12, {})


def test_surveys_are_listed_with_their_counts(lunch: CommandLine) -> None:
    lunch.done("send", "lunch-check", "--group", GROUP)
    lunch.answer("lunch-check-1", 6)

    assert lunch.done("survey", "list").lines == ["lunch-check-1  open  12  6  6"]


def test_show_as_json_has_the_counts(lunch: CommandLine) -> None:
    lunch.done("send", "lunch-check", "--group", GROUP)
    lunch.answer("lunch-check-1", 2)

    row = json.loads(lunch.done("survey", "show", "lunch-check", "--json").out)

    assert {k: row[k] for k in ("id", "state", "asked", "started", "finished")} == {
        "id": "lunch-check-1",
        "state": "open",
        "asked": 12,
        "started": 2,
        "finished": 2,
    }
    assert row["group"] == GROUP


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense", "--group", GROUP], "There is no form nonsense"),
        (["lunch-check", "--group", "Year 9"], "The groups are"),
        (["lunch-check", "--group", "Year 3 parents"], "Nobody in that group has joined yet"),
        (["lunch-check", "--group", GROUP, "--closes", "soon"], "that is not a date"),
        (["lunch-check", "--group", GROUP, "--closes", "2020-01-01"], "must be today or later"),
        (["lunch-check", "--group", GROUP, "--closes", "2090-01-02", "--answer-by", "2090-01-01"], "must come after"),
        (["parent-send-provision", "--group", GROUP], "nobody is there to read them yet"),
    ],
)
def test_what_must_not_be_sent_is_refused_in_one_line(lunch: CommandLine, arguments: list[str], says: str) -> None:
    assert says in lunch("send", *arguments).refused()
    assert lunch.done("form", "list")
    assert not list(lunch.key_file.parent.glob("box-*"))


def test_fewer_than_ten_people_are_not_asked_without_names(yousaid: CommandLine) -> None:
    yousaid.join(9)

    assert "Only 9 people" in yousaid("send", "drop-in-feedback", "--group", GROUP).refused()


def test_forms_with_words_go_out_once_the_readers_have_joined(lunch: CommandLine) -> None:
    async def readers(tx: Tx) -> None:
        from data.people import members

        group = await find_group(tx, GROUP)
        for person, role in zip(await members(tx, group or ""), ("dsl", "deputy"), strict=False):
            await add_role(tx, person, role)

    lunch.change(readers)

    assert lunch.done("send", "parent-send-provision", "--group", GROUP).lines[-1] == "parent-send-provision-1"


def test_unknown_survey_names_those_there_are(lunch: CommandLine) -> None:
    lunch.done("send", "lunch-check", "--group", GROUP)

    assert "There are: lunch-check-1." in lunch("survey", "show", "nonsense").refused()


# --- close --------------------------------------------------------------------------------------------------------


def test_close_opens_the_box_and_destroys_its_key(lunch: CommandLine) -> None:
    lunch.done("send", "lunch-check", "--group", GROUP)
    lunch.answer("lunch-check-1", 7)

    ran = lunch.done("close", "lunch-check")

    assert ran.out == "lunch-check-1 is closed. 7 of 12 people answered.\n"
    assert lunch.done("survey", "list").lines == ["lunch-check-1  closed  12  7  7"]
    assert not list(lunch.key_file.parent.glob("box-*"))
    assert "closed already" in lunch("close", "lunch-check-1").refused()


def test_box_with_few_answers_stays_closed_unless_told_otherwise(lunch: CommandLine) -> None:
    lunch.done("send", "lunch-check", "--group", GROUP)
    lunch.answer("lunch-check-1", 4)

    assert "Only 4 finished" in lunch("close", "lunch-check").refused()
    assert lunch.done("survey", "list").lines == ["lunch-check-1  open  12  4  4"]
    assert "nobody can read the answers" in lunch.done("close", "lunch-check", "--anyway").out
    assert lunch.done("survey", "list").lines == ["lunch-check-1  unopened  12  4  4"]


def test_survey_whose_box_key_is_gone_can_still_be_listed_and_ended(lunch: CommandLine) -> None:
    lunch.done("send", "lunch-check", "--group", GROUP)
    (lunch.key_file.parent / "box-lunch-check-1.key").unlink()

    assert lunch.done("survey", "list").lines == ["lunch-check-1  open  12  -  -"]
    assert "answers are lost" in lunch.done("close", "lunch-check").out
    assert "lunch-check-1  lost" in lunch.done("survey", "list").out


def test_a_third_sending_in_a_half_term_asks_only_the_others(lunch: CommandLine) -> None:
    """6.9: and says how many were left out; where nobody is left it says from when it works."""
    for _ in range(2):
        lunch.done("send", "lunch-check", "--group", GROUP)
    assert "You can send this from" in lunch("send", "lunch-check", "--group", GROUP).refused()
    lunch.join(10)
    ran = lunch.done("send", "lunch-check", "--group", GROUP)
    assert ran.lines[0].startswith("Sent to 10 people")
    assert ran.lines[1].startswith("Not asked, as they have had two consultations this half term: ")
