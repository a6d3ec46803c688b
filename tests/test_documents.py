"""The papers of data protection say what is so: the data map is the schema, periods are the settings, tests exist."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from sqlalchemy import LargeBinary

from bot.elmfield import ELMFIELD
from bot.facts import House
from bot.governance.data_map import data_map
from bot.governance.document import Document, as_markdown
from bot.governance.filling import Installation, papers
from bot.governance.printing import as_pdf
from conversations.secrecy import promises_secrecy
from conversations.texts import load_texts
from data.periods import Keeping, lines
from data.school import School
from data.tables import metadata
from tests.command_line import command_line_in
from tests.pdf_words import words_of

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "papers"
TODAY = date(2026, 11, 22)


def filled(school: School = ELMFIELD, telegram: bool = True, database: str = "a SQLite file") -> dict[str, Document]:
    return papers(Installation(House(school, load_texts()), database, telegram, TODAY))


PAPERS = filled()


def test_the_data_map_is_the_schema() -> None:
    """Children's Code 8: every table and column names its purpose and period; an unknown one fails."""
    mapped = {name: list(table.columns) for name, table in data_map().items()}
    assert mapped == {table.name: [c.name for c in table.columns] for table in metadata.sorted_tables}


def test_what_is_binary_in_the_schema_is_called_sealed_and_nothing_else_is() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            kind = data_map()[table.name].columns[column.name].kind
            if isinstance(column.type, LargeBinary):
                assert kind in ("sealed", "box"), f"{table.name}.{column.name}"
            elif (table.name, column.name) != ("visits", "code"):  # sealed, and written as hexadecimal digits
                assert kind in ("plain", "hash"), f"{table.name}.{column.name}"


@pytest.mark.parametrize("name", PAPERS)
def test_the_sample_papers_are_up_to_date(name: str, request: pytest.FixtureRequest) -> None:
    page = FOLDER / f"{name}.md"
    if request.config.getoption("--update-transcripts"):
        page.parent.mkdir(exist_ok=True)
        page.write_text(as_markdown(PAPERS[name]), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == as_markdown(PAPERS[name])


@pytest.mark.parametrize("name", PAPERS)
def test_papers_can_be_printed_with_every_word(name: str) -> None:
    printed = "".join(words_of(as_pdf(PAPERS[name])).split())
    for words in (PAPERS[name].title, PAPERS[name].about, PAPERS[name].sections[-1].heading):
        assert "".join(words.split()) in printed


@pytest.mark.parametrize("name", PAPERS)
def test_no_paper_promises_secrecy_or_leaves_a_gap(name: str) -> None:
    """SAFE-2, over the papers too."""
    words = as_markdown(PAPERS[name])
    assert not promises_secrecy(words)
    assert not re.search(r"\{|\}|None,", words)


def test_every_line_of_the_threat_model_names_a_test_that_is_there() -> None:
    (gets, *_) = PAPERS["threat-model"].sections
    assert gets.table
    assert len(gets.table.rows) >= 10
    for row in gets.table.rows:
        assert (ROOT / row[-1]).is_file(), row[-1]


def readme_periods() -> str:
    rows = ["| setting | unless given | what |", "|---|---|---|"]
    rows += [f"| `{p.name}` | {p.value} ({p.least} to {p.most}) | {p.what}: {p.then} |" for p in lines(Keeping())]
    return "\n".join(rows)


def test_the_readme_names_every_period(request: pytest.FixtureRequest) -> None:
    """6.8, Children's Code 6: from the model."""
    page = ROOT / "README.md"
    before, mark, rest = page.read_text(encoding="utf-8").partition("by tests/test_documents.py -->\n")
    table, end, after = rest.partition("<!-- end -->")
    assert (mark, end) == ("by tests/test_documents.py -->\n", "<!-- end -->")
    if request.config.getoption("--update-transcripts"):
        table = f"{readme_periods()}\n"
        page.write_text(before + mark + table + end + after, encoding="utf-8")
    assert table == f"{readme_periods()}\n"


def test_the_example_in_the_readme_can_be_set() -> None:
    block = re.search(r"^    keeping:\n(?:      .+\n)+", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert block
    assert Keeping.model_validate(yaml.safe_load(block[0])["keeping"]) == Keeping()


def test_papers_follow_the_settings() -> None:
    """Children's Code 6: what a paper promises is made from the setting it promises."""
    school = ELMFIELD.model_validate(ELMFIELD.model_dump() | {"keeping": {"backups_days": 9, "conf_names_months": 2}})
    changed = filled(school, telegram=False, database="a PostgreSQL server")
    assessment = as_markdown(changed["impact-assessment"])
    assert "kept 9 days at most" in assessment
    assert "PostgreSQL" in assessment
    assert "Telegram is switched off" in assessment
    assert "2 months after the survey closed" in as_markdown(changed["data-map"])


def test_the_command_line_writes_them_for_the_school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.set_up()
    ran = yousaid.done("documents", "--out", "papers")
    written = sorted(file.name for file in Path("papers").iterdir())
    assert written == sorted(f"{name}.{kind}" for name in PAPERS for kind in ("md", "pdf"))
    assert "Drafts" in ran.out
    assert Path("papers/breach-steps.pdf").read_bytes().startswith(b"%PDF")
