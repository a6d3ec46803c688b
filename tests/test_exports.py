"""The files of a closed survey: what stands in them, that they open safely, and who gets which."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from bot.exports import answers_csv, as_csv, codebook_csv, counts_csv, safe, write_files
from bot.results import results_of
from data.answers import sheets_of
from data.removals import sheet_numbers
from data.surveys import find_survey
from tests.school import School
from tests.test_dialogue import SURVEY, answer, send

pytestmark = pytest.mark.both_databases


async def files(school: School) -> dict[str, list[list[str]]]:
    await school.readers()
    parents = await school.people(12)
    senco = await send(school)
    for person in parents[:11]:
        await answer(school, person, "=1+1 is what they wrote")
    await senco.types("/close")
    await senco.taps("Close and count")
    async with school.db.reading() as tx:
        survey = await find_survey(tx, SURVEY)
        assert survey
        results = await results_of(tx, school.house, survey, "en")
        sheets, numbers = await sheets_of(tx, SURVEY, survey.form), await sheet_numbers(tx, survey)
    texts = school.house.texts
    made = {
        "counts": counts_csv(results, texts, "en"),
        "answers": answers_csv(survey.form, sheets, numbers, texts, "en"),
        "codebook": codebook_csv(survey.form, results, survey.mode, "SENCO", date(2026, 11, 16), texts, "en"),
    }
    return {name: read(content) for name, content in made.items()}


def read(content: str) -> list[list[str]]:
    assert content.startswith("\ufeff")
    return list(csv.reader(io.StringIO(content.removeprefix("\ufeff"))))


async def test_counts_answers_and_code_book_agree(school: School) -> None:
    """EXP-1, EXP-4: an allow-list of columns; mode, thresholds and dates stand in the code book only."""
    found = await files(school)
    counts = {(r[0], r[2]): r[4] for r in found["counts"][1:]}
    assert counts["B1.1", "very-well"] == "11"
    assert counts["B1.1", "quite-well"] == "0"
    head, *rows = found["answers"]
    assert head[:3] == ["sheet", "B1.1", "B1.1 words"]
    assert len(rows) == 11
    assert {r[1] for r in rows} == {"very-well"}
    assert not any("B1.7" in name for name in head)
    assert "wrote" not in str(found)
    book = dict(r[:2] for r in found["codebook"])
    assert book["mode"] == "ANON"
    assert book["open to"] == "02/11/2026"
    assert book["B1.1 very-well"] == "Very well"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_cells_that_a_spreadsheet_would_run_are_made_safe(cell: str) -> None:
    """EXP-2"""
    assert safe(cell) == f"'{cell}"
    assert read(as_csv([[cell, "plain", 3]]))[0][0].startswith("'")


def test_files_are_whole_and_private(tmp_path: Path) -> None:
    (path,) = write_files(tmp_path / "new", {"a.csv": as_csv([["a", "b"]])})
    assert path.read_bytes() == b"\xef\xbb\xbfa,b\r\n"
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in path.parent.iterdir()] == ["a.csv"]


async def test_chat_export_sends_the_counts(school: School) -> None:
    """EXP-5: answers do not travel through a chat."""
    await files(school)
    talk = school.on(await school.person("dsl"))
    await talk.types("/export")
    file = talk.messages[-1].file
    assert file
    assert file.name == f"{SURVEY}-counts.csv"
    assert read(file.content.decode("utf-8"))[0][0] == "question"
