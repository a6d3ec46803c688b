"""`yousaid invite` for families: numbered letters, lists, the PDF, and the bot's two words on the terminal (B15)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.elmfield import ELMFIELD
from bot.facts import House
from bot.proof import proof_words
from conversations.texts import load_texts
from data.codes import Slip, find_invitation, read_code, slip_of_code, slips_of
from data.database import Tx
from data.people import find_group
from tests.command_line import GROUP, SCHOOL, CommandLine, command_line_in
from tests.pdf_words import words_of

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{2}")
LIST = "family,group,letters\nAli family,SEND parents,2\nFamily 2,Year 3 parents,\n"
TO_ALL = ("invite", "--role", "parent", "--csv")


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    ready = command_line_in(tmp_path, monkeypatch)
    ready.set_up()
    return ready


def slips(yousaid: CommandLine, group: str = GROUP) -> list[Slip]:
    async def work(tx: Tx) -> list[Slip]:
        return await slips_of(tx, await find_group(tx, group))

    found: list[Slip] = yousaid.change(work)
    return found


def words_for(yousaid: CommandLine, code: str) -> str:
    """The two words as the bot would say them."""

    async def work(tx: Tx) -> str:
        return " and ".join(proof_words(House(ELMFIELD, load_texts()), tx.vault, code, "en"))

    return str(yousaid.change(work))


def test_a_list_becomes_letters_and_codes(yousaid: CommandLine) -> None:
    """PR-1: two parents, two codes. The codes stay last, each alone on a line."""
    ran = yousaid.done(*TO_ALL, yousaid.write("families.csv", LIST), "--letters", "letters.pdf")
    codes, file = ran.lines[-3:], yousaid.folder / "letters.pdf"
    paper = words_of(file.read_bytes())
    assert all(CODE.fullmatch(code) for code in codes)
    assert not CODE.fullmatch(ran.lines[-4])
    assert re.findall(r"Letter (\d+)", paper) == ["1", "2", "1"]
    assert CODE.findall(paper) == codes
    assert [paper.count(label) for label in ("Ali family", "Family 2", "SEND", "Year 3")] == [2, 1, 0, 0]
    assert file.stat().st_mode & 0o077 == 0
    assert ran.lines[0] == "Letters: 3, in letters.pdf. Print and cut them, then delete the file."


def test_letters_are_numbered_and_know_when_they_were_made(yousaid: CommandLine) -> None:
    yousaid.done("invite", "--role", "parent", "--group", GROUP, "--family", " Ali\nB ", "--letters", "one.pdf")
    yousaid.done("invite", "--role", "parent", "--group", GROUP, "--count", "2", "--letters", "more.pdf")
    made = slips(yousaid)
    assert [(s.invitation.slip, s.invitation.label) for s in made] == [(1, "Ali B"), (2, ""), (3, "")]
    assert all(s.made_at and datetime.now(UTC) - s.made_at < timedelta(minutes=5) for s in made)
    assert re.findall(r"Letter (\d+)", words_of((yousaid.folder / "more.pdf").read_bytes())) == ["2", "3"]


def test_every_code_knows_when_it_was_made(yousaid: CommandLine) -> None:
    async def work(tx: Tx) -> Slip | None:
        return await slip_of_code(tx, read_code(code) or "")

    for role in ("staff", "parent"):
        code = yousaid.done("invite", "--role", role).lines[-1]
        found = yousaid.change(work)
        assert (found.made_at is not None, found.invitation.slip, found.invitation.made_by) == (True, None, "")


def test_the_words_of_each_code_are_told(yousaid: CommandLine) -> None:
    """B15: for somebody who gets no letter."""
    ran = yousaid.done("invite", "--role", "staff", "--count", "2")
    for code in ran.lines[-2:]:
        assert f"{code}: {words_for(yousaid, code)}" in ran.lines


def test_setup_tells_the_words_of_its_codes(yousaid: CommandLine) -> None:
    """B15"""
    ran = yousaid.set_up()
    assert CODE.fullmatch(ran.lines[-1])
    for code in re.findall(rf"^\w.*: ({CODE.pattern})$", ran.out, re.MULTILINE):
        assert f"  The bot shows these two words first: {words_for(yousaid, code)}" in ran.lines
    assert ran.out.count("two words first") == 3


@pytest.mark.parametrize(("arguments", "says"), [
    (["--group", GROUP], "The list names the families itself: leave out --group."),
    (["--count", "1"], "leave out --count."),
    (["--family", "Ali", "--language", "en"], "leave out --family and --language."),
    (["--uses", "2"], "A letter is for one adult: leave out --uses."),
])  # fmt: skip
def test_a_list_leaves_nothing_else_to_say(yousaid: CommandLine, arguments: list[str], says: str) -> None:
    assert says in yousaid(*TO_ALL, yousaid.write("families.csv", LIST), *arguments).refused()
    assert slips(yousaid) == []


@pytest.mark.parametrize(("arguments", "says"), [
    (["--role", "staff"], "Lists and letters are for families: use --role parent."),
    (["--role", "parent"], "Letters are numbered by group: add --group NAME, or --csv FILE."),
    (["--role", "parent", "--group", GROUP, "--uses", "3"], "A letter is for one adult"),
    (["--role", "parent", "--group", GROUP, "--family", "A123456789012"], "The bot never keeps UPNs"),
    (["--role", "parent", "--group", GROUP, "--family", "x" * 61], "The label is too long. It can have 60 letters."),
    (["--role", "parent", "--group", GROUP, "--family", "Ali 3/5/2018"], "looks like a date of birth"),
])  # fmt: skip
def test_letters_that_cannot_be_are_refused(yousaid: CommandLine, arguments: list[str], says: str) -> None:
    assert says in yousaid("invite", *arguments, "--letters", "letters.pdf").refused()
    assert not (yousaid.folder / "letters.pdf").exists()


def test_a_wrong_list_names_every_line_and_imports_nothing(yousaid: CommandLine) -> None:
    rows = LIST + "".join(f"F{n},Year 9,\n" for n in range(30)) + "A123456789012,SEND parents,\n"
    said = yousaid(*TO_ALL, yousaid.write("families.csv", rows), "--letters", "letters.pdf").refused()
    assert "Line 4: I do not know this group." in said
    assert "And 11 more lines like these. Nothing was made: mend families.csv and run it again." in said
    assert slips(yousaid) == []
    assert not (yousaid.folder / "letters.pdf").exists()


@pytest.mark.parametrize(("content", "says"), [
    (b"Zo\xeb,SEND parents", "This is not a CSV file in UTF-8. In Excel, save it as: CSV UTF-8."),
    (b"\x00\xff\xfe", "This is not a CSV file in UTF-8."),
    (b"", "There is no family in the list."),
])  # fmt: skip
def test_a_file_that_is_no_list_says_why(yousaid: CommandLine, content: bytes, says: str) -> None:
    (yousaid.folder / "families.csv").write_bytes(content)
    assert says in yousaid(*TO_ALL, "families.csv").refused()


def test_no_list_there(yousaid: CommandLine) -> None:
    assert "nowhere.csv: No such file or directory" in yousaid(*TO_ALL, "nowhere.csv").refused()


@pytest.mark.parametrize(("path", "says"), [
    ("there.pdf", "there.pdf is there already. Name a new file, or delete that one first."),
    ("no/folder.pdf", "There is no folder no. Make it first."),
])  # fmt: skip
def test_a_place_for_the_letters_that_will_not_do(yousaid: CommandLine, path: str, says: str) -> None:
    """Said before any code is made, and an older file of letters is kept."""
    old = yousaid.write("there.pdf", "letters of last week")
    assert says in yousaid("invite", "--role", "parent", "--group", GROUP, "--letters", path).refused()
    assert Path(old).read_text(encoding="utf-8") == "letters of last week"
    assert slips(yousaid) == []


def test_a_code_for_many_parents_is_no_letter(yousaid: CommandLine) -> None:
    """A code on a poster has no number; it would look like one family's letter."""
    yousaid.done("invite", "--role", "parent", "--group", GROUP, "--uses", "30")
    assert slips(yousaid) == []


def test_young_people_join_where_the_school_lets_them(yousaid: CommandLine) -> None:
    """AGE-1"""
    assert "are off" in yousaid("invite", "--role", "young-person").refused()
    yousaid.done("setup", "--from", yousaid.write("school.yaml", SCHOOL + "young_people: on\n"))
    code = yousaid.done("invite", "--role", "young-person").lines[-1]

    async def work(tx: Tx) -> str | None:
        found = await find_invitation(tx, read_code(code) or "", datetime.now(UTC))
        return found.role if found else None

    assert yousaid.change(work) == "young-person"
