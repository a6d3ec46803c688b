"""The count that anybody can check: every answer sheet belongs to somebody who took part, and none has vanished."""

from __future__ import annotations

from dataclasses import dataclass

from conversations.texts import Texts


@dataclass(frozen=True)
class CountCheck:
    """Sheets on one side, people on the other: both sides must be the same.

    `counted` sheets, and those `removed` with a reason; people who `took_part`, sheets given on `paper`, and people
    who took part and are `gone`: deleted since.
    """

    counted: int
    removed: int
    took_part: int
    paper: int
    gone: int

    @property
    def sheets(self) -> int:
        return self.counted + self.removed

    @property
    def people(self) -> int:
        return self.took_part + self.paper + self.gone

    @property
    def holds(self) -> bool:
        return self.sheets == self.people

    def as_values(self) -> dict[str, int | bool]:
        """For JSON, by the names of the fields."""
        return {**vars(self), "holds": self.holds}


def count_words(check: CountCheck, texts: Texts, language: str) -> str:
    """ "23 sheets counted, 1 taken out: 24 in all. 22 people took part, 1 on paper, ...: 24 in all." """
    sheets = _side(texts, language, check.sheets, {"sheets": check.counted, "removed": check.removed})
    people = {"people": check.took_part, "paper": check.paper, "gone": check.gone}
    lines = [sheets, _side(texts, language, check.people, people)]
    return " ".join(lines if check.holds else [*lines, texts.say(language, "counting.wrong")])


def removed_words(check: CountCheck, texts: Texts, language: str) -> str:
    """That sheets were taken out; "" where none was."""
    return texts.say(language, "counting.removed-note", n=check.removed) if check.removed else ""


def count_and_removed(check: CountCheck | None, texts: Texts, language: str) -> list[str]:
    """Both, a line each; nothing for a survey that has no count."""
    if check is None:
        return []
    return list(filter(None, (removed_words(check, texts, language), count_words(check, texts, language))))


def _side(texts: Texts, language: str, total: int, parts: dict[str, int]) -> str:
    """The first part always, the others only where there is something to say."""
    first, *_ = parts
    told = [texts.say(language, f"counting.{key}", n=n) for key, n in parts.items() if n or key == first]
    key = "counting.total" if len(told) > 1 else "counting.alone"
    return texts.say(language, key, text=", ".join(told), n=total)
