"""One answer to one question, as a plain value that is JSON either way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["choice", "text", "read", "number", "date", "skipped", "raised"]


@dataclass(frozen=True)
class Answer:
    """`values` are choice ids, or one text, number or ISO date; empty when skipped or raised.

    "raised" stands for words that left the answers for a human reader (SAFE-12); "read" for words that readers have
    and that stay with the answers too, for a child's papers (NAMED).
    """

    kind: Kind
    values: tuple[str, ...] = field(default=(), repr=False)

    def to_json(self) -> list[str]:
        return [self.kind, *self.values]

    @classmethod
    def from_json(cls, raw: list[str]) -> Answer:
        return cls(raw[0], tuple(raw[1:]))  # type: ignore[arg-type]


SKIPPED = Answer("skipped")
RAISED = Answer("raised")


def chosen(*ids: str) -> Answer:
    return Answer("choice", ids)
