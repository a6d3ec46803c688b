"""What a paper is made of: a title, what it is about, and sections of text, points and tables. As Markdown, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent
NAMES = (
    "impact-assessment", "records-of-processing", "processor-contract", "breach-steps", "threat-model",
    "retention-schedule",
)  # fmt: skip


class Table(BaseModel):
    """Rows of cells, each as long as `columns`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Section(BaseModel):
    """One heading with what stands under it, in this order; `made` names a table that the program fills in."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    heading: str
    text: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None
    made: str | None = None


class Document(BaseModel):
    """One paper, in English: it is for people of the school who answer to English law."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    title: str
    about: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Filling:
    """What fills the gaps: facts by name, and the tables that are made."""

    facts: Mapping[str, str]
    tables: Mapping[str, Table]


def template(name: str) -> Document:
    """The paper as it is written, with its gaps."""
    raw = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return Document.model_validate(raw)


def filled(document: Document, filling: Filling) -> Document:
    """The paper for one school. KeyError names a gap that nothing fills."""
    return Document(
        title=_fill(document.title, filling),
        about=_fill(document.about, filling),
        sections=tuple(_section(section, filling) for section in document.sections),
    )


def _section(section: Section, filling: Filling) -> Section:
    made = filling.tables[section.made] if section.made else section.table
    rows = tuple(tuple(_fill(cell, filling) for cell in row) for row in made.rows) if made else ()
    return Section(
        heading=_fill(section.heading, filling),
        text=tuple(_fill(line, filling) for line in section.text),
        points=tuple(_fill(line, filling) for line in section.points),
        table=Table(columns=made.columns, rows=rows) if made else None,
    )


def _fill(words: str, filling: Filling) -> str:
    return " ".join(words.format_map(filling.facts).split())


def as_markdown(document: Document) -> str:
    """The filled paper as a Markdown page."""
    blocks = [f"# {document.title}", document.about]
    for section in document.sections:
        blocks += [f"## {section.heading}", *section.text]
        blocks += ["\n".join(f"- {point}" for point in section.points)] if section.points else []
        blocks += [_markdown_table(section.table)] if section.table else []
    return "\n\n".join(blocks) + "\n"


def _markdown_table(table: Table) -> str:
    rows = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
