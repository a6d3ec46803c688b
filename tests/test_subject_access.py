"""`yousaid sar`: gathered, weighed passage by passage, and made into a pack that tells of nobody else (6.8)."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.subject_access import BLACK, due_dates
from data.audit import entries
from data.database import Tx
from data.looks import note_look
from data.people import add_person, add_role
from data.queue import add_item, find_item, mark_read, route_item
from tests.command_line import CommandLine, command_line_in
from tests.pdf_words import words_of

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
OWN = "Mrs Lee was kind, but the Kowalczyk boy shouted. =cmd|'/c calc'!A0"
HARM = "my husband hits my son"


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    found = command_line_in(tmp_path, monkeypatch)
    found.set_up()
    return found


def family(yousaid: CommandLine, label: str = "Okoro family") -> str:
    async def work(tx: Tx) -> str:
        senco = await add_person(tx, "en", "Ms Patel", NOW)
        await add_role(tx, senco, "senco")
        await add_person(tx, "en", "Kowalczyk", NOW)
        me = await add_person(tx, "en", label, NOW)
        await add_role(tx, me, "parent")
        await add_item(tx, "words", NOW, OWN, me, label)
        item = await add_item(tx, "flagged", NOW, HARM, me, label)
        await mark_read(tx, item, senco, NOW)
        found = await find_item(tx, item)
        assert found
        await route_item(tx, found, "welfare", (), "", senco, NOW)
        await add_item(tx, "words", NOW, "The Okoro family is always late.", senco, "Ms Patel")
        await note_look(tx, senco, "name", item, "Kowalczyk asked about it", NOW)
        await note_look(tx, senco, "family", me, "Kowalczyk rang the office", NOW)
        await add_item(tx, "help", NOW, "", me, label)
        return me

    return str(yousaid.change(work))


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "review.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def decide(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "review.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def prepared(yousaid: CommandLine) -> Path:
    family(yousaid)
    yousaid.done("sar", "prepare", "--family", "okoro FAMILY", "--out", "request")
    return yousaid.folder / "request"


def test_every_passage_waits_with_a_suggestion(yousaid: CommandLine) -> None:
    """Third parties and safety: names of others are found; nothing about safety goes out by itself."""
    folder = prepared(yousaid)
    rows = {row["text"].lstrip("'"): row for row in rows_of(folder)}
    own, harm = rows[OWN], rows[HARM]
    assert (own["suggestion"], own["decision"]) == ("keep", "keep")
    assert {"Mrs Lee", "Kowalczyk"} <= set(own["black out"].split(";"))
    assert (harm["suggestion"], harm["decision"]) == ("ask-dsl", "ask-dsl")
    assert rows["The Okoro family is always late."]["suggestion"] == "hide"
    assert rows["Kowalczyk rang the office"]["black out"] == "Kowalczyk"
    for said in ("Kowalczyk asked about it", "Asked for help"):  # that they looked, or that it came, tells as much
        assert rows[said]["suggestion"] == "ask-dsl"
    assert rows["A child's welfare"]["suggestion"] == "ask-dsl"  # where it was sent tells as much


def test_the_folder_is_for_its_owner_only_and_names_tell_of_nobody(yousaid: CommandLine) -> None:
    """EXP-3"""
    folder = prepared(yousaid)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(p.name for p in folder.iterdir()) == ["gathered.json", "review.csv"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}


def test_no_cell_runs_in_a_spreadsheet(yousaid: CommandLine) -> None:
    """EXP-2: also not in words that somebody wrote to do so."""
    family(yousaid, "=HYPERLINK(0)")
    yousaid.done("sar", "prepare", "--family", "=HYPERLINK(0)", "--out", "request")
    with (yousaid.folder / "request" / "review.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")] == []


def test_nothing_is_made_before_the_dsl_was_asked(yousaid: CommandLine) -> None:
    folder = prepared(yousaid)
    line = yousaid("sar", "finish", "request").refused()
    assert line.startswith("Ask the safeguarding lead, then write keep or hide. Not decided: P")
    assert HARM not in line
    assert not (folder / "subject-access.pdf").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"decision": "perhaps"}, "Write keep or hide as the decision: P001."),
        (
            {"decision": "keep", "black out": "Nobody"},
            "Words to black out do not stand in the text. Check their spelling: P001.",
        ),
    ],
)
def test_what_is_wrong_in_the_table_is_named_by_its_row(yousaid: CommandLine, wrong: dict[str, str], said: str) -> None:
    folder = prepared(yousaid)
    rows = [row | ({"decision": "hide"} if row["decision"] == "ask-dsl" else {}) for row in rows_of(folder)]
    decide(folder, [rows[0] | wrong, *rows[1:]])
    assert yousaid("sar", "finish", "request").refused() == said


def test_a_pack_without_what_was_hidden(yousaid: CommandLine) -> None:
    """PDF and JSON; what was held back is said in general words; both steps stand in the log (AUDIT)."""
    folder = prepared(yousaid)
    rows = rows_of(folder)
    decide(folder, [row | ({"decision": "hide"} if row["decision"] == "ask-dsl" else {}) for row in rows])
    yousaid.done("sar", "finish", "request")
    text = (folder / "subject-access.json").read_text(encoding="utf-8")
    words = " ".join(words_of((folder / "subject-access.pdf").read_bytes()).split())
    for hidden in ("Mrs Lee", "Kowalczyk", HARM, "always late", "child's welfare"):
        assert hidden not in text
        assert hidden not in words
    assert f"{BLACK} was kind" in text
    assert "blacked out was kind" in words
    for said in ("Some passages were left out.", "Some words are blacked out", "Okoro family", "0303 123 1113"):
        assert said in words
    values = json.loads(text)
    assert [word["text"] for word in values["words"]] == [OWN.replace("Mrs Lee", BLACK).replace("Kowalczyk", BLACK)]
    assert [note["what"] for note in values["staff"]] == ["family"]  # PR-1: no black bar says that others wrote
    assert len([look for look in values["looks"] if look["what"] == "name"]) == 0
    assert "somebody else holds your phone" not in words
    person = values["account"]["number"]

    async def looks(tx: Tx) -> list[str]:
        return [e.what for e in await entries(tx, person)]

    assert [w for w in yousaid.change(looks) if "sar" in w] == ["look.sar", "look.export-sar"]


def test_one_line_where_it_is_not_clear_who_is_meant(yousaid: CommandLine) -> None:
    first, second = family(yousaid), family(yousaid)
    line = yousaid("sar", "prepare", "--family", "Okoro family", "--out", "request").refused()
    assert first in line
    assert second in line
    assert "Okoro" not in line
    assert "Nobody has this label." in yousaid("sar", "prepare", "--family", "Smith", "--out", "x").refused()
    assert "nobody with this number" in yousaid("sar", "prepare", "--person", "0", "--out", "x").refused()
    assert "Say who it is" in yousaid("sar", "prepare", "--out", "x").refused()
    yousaid.done("sar", "prepare", "--person", first, "--out", "request")
    assert "there already" in yousaid("sar", "prepare", "--person", first, "--out", "request").refused()
    assert "no folder of" in yousaid("sar", "finish", "nowhere").refused()


def test_dates() -> None:
    """6.8: one month; 15 school days, of which weekends are none."""
    assert due_dates(date(2026, 1, 31)) == (date(2026, 2, 28), date(2026, 2, 20))
