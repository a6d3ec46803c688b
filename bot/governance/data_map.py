"""The data map: every table and column, whose data, why, until when, and how it lies on the disk."""

from __future__ import annotations

from functools import cache
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, field_validator

from bot.governance.document import FOLDER, Document, Section, Table

Kind = Literal["plain", "sealed", "box", "hash"]
WAYS: dict[str, str] = {
    "plain": "readable",
    "sealed": "encrypted, the key lies elsewhere",
    "box": "encrypted with the ballot box's own key",
    "hash": "a keyed hash",
}


class MappedColumn(BaseModel):
    """How a column lies on the disk, and what it holds."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    kind: Kind
    holds: str


class MappedTable(BaseModel):
    """One table of the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    whose: str
    why: str
    until: str
    columns: dict[str, MappedColumn]

    @field_validator("columns", mode="before")
    @classmethod
    def _columns(cls, raw: dict[str, str]) -> dict[str, dict[str, str]]:
        """Each is written as "sealed, the family's label"."""
        parts = {name: words.partition(", ") for name, words in raw.items()}
        return {name: {"kind": kind, "holds": holds} for name, (kind, _, holds) in parts.items()}


@cache
def data_map() -> dict[str, MappedTable]:
    """By table, in the order of the file."""
    raw = yaml.safe_load((FOLDER / "data-map.yaml").read_text(encoding="utf-8"))
    return {name: MappedTable.model_validate(table) for name, table in raw.items()}


def map_document() -> Document:
    """The map as a paper, with gaps for the periods."""
    sections = tuple(_section(name, table) for name, table in data_map().items())
    about = "Every table and column of {school}'s database, made from the file that a test compares with the schema."
    return Document(title="Data map", about=about, sections=sections)


def _section(name: str, table: MappedTable) -> Section:
    rows = tuple((column, c.holds, WAYS[c.kind]) for column, c in table.columns.items())
    lines = (f"Whose: {table.whose}.", f"Why: {table.why}.", f"Kept: {table.until}.")
    return Section(heading=name, text=lines, table=Table(columns=("Column", "What it holds", "On the disk"), rows=rows))
