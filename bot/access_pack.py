"""The folder of a subject access request: written for somebody who decides, read again, and made into a pack.

Its files: `review.csv` with a row for each passage, `gathered.json` with everything else, and after `finish` the pack
as PDF and JSON. No file's name tells of anybody (EXP-3); all are readable by their owner only.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from bot.cli.one_line import Problem
from bot.exports import FORMULA, as_csv, write_files
from bot.facts import House
from bot.item_record import pictures_named
from bot.my_data import Page
from bot.papers.printable import printable
from bot.papers.typesetting import pdf
from bot.subject_access import ASK, BLACK, DECISIONS, Decision, Gathered, due_dates, filled, held_back, without_hidden
from conversations.texts import long_date

REVIEW, WORK, PACK_PDF, PACK_JSON = "review.csv", "gathered.json", "subject-access.pdf", "subject-access.json"
COLUMNS = ("id", "where", "text", "suggestion", "why", "decision", "black out")
BETWEEN = ";"  # the words to black out


class PackProblem(Problem):
    """A folder that cannot be used; one line with the remedy, repeating nothing of what stands in it."""


@dataclass(frozen=True)
class Folder:
    """What was read from a folder."""

    values: dict[str, Any] = field(repr=False)
    passages: dict[str, str] = field(repr=False)
    decisions: dict[str, Decision] = field(repr=False)
    received: date = date.min

    @property
    def person(self) -> str:
        return str(self.values["account"]["number"])


def write_folder(folder: Path, gathered: Gathered, received: date) -> None:
    """A new folder that only its owner can open."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise PackProblem(f"{folder} is there already. Choose a new folder.") from None
    except OSError as error:
        raise PackProblem(f"{folder} cannot be made: {error.strerror}. Choose another folder.") from None
    os.chmod(folder, 0o700)
    rows = [
        (p.id, p.where, p.text, p.suggestion, p.why, p.suggestion, BETWEEN.join(p.names)) for p in gathered.passages
    ]
    work = {"received": received.isoformat(), "values": gathered.values}
    work |= {"passages": {p.id: p.text for p in gathered.passages}}
    write_files(folder, {REVIEW: as_csv([COLUMNS, *rows]), WORK: json.dumps(work, ensure_ascii=False, indent=1)})


def read_folder(folder: Path) -> Folder:
    """What was gathered and decided; PackProblem names the rows that are not decided."""
    try:
        work = json.loads((folder / WORK).read_text(encoding="utf-8"))
        review = (folder / REVIEW).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise PackProblem(f"{folder} is no folder of `yousaid sar prepare`. Run that first.") from None
    except UnicodeDecodeError:
        raise PackProblem(f"{REVIEW} is not in UTF-8. In Excel, save it as: CSV UTF-8.") from None
    except (OSError, ValueError):
        raise PackProblem(f"{folder} cannot be read. Run `yousaid sar prepare` again.") from None
    decisions = _decisions(review, work["passages"])
    return Folder(work["values"], work["passages"], decisions, date.fromisoformat(work["received"]))


def _decisions(review: str, passages: Mapping[str, str]) -> dict[str, Decision]:
    first = review.splitlines()[0] if review.strip() else ""
    separator = max(",;\t", key=first.count)
    rows = list(csv.DictReader(io.StringIO(review, newline=""), delimiter=separator))
    if not rows and not passages:
        return {}
    if any(column not in (rows[0] if rows else {}) for column in ("id", "decision", "black out")):
        raise PackProblem(f"{REVIEW} has lost its first line. It needs the columns id, decision and black out.")
    found = {_plain(row["id"]): _decision(row) for row in rows}
    _refuse(f"{REVIEW} lacks rows, so nothing was made", [id for id in passages if id not in found])
    waiting = [id for id in passages if found[id].what == ASK]
    _refuse("Ask the safeguarding lead, then write keep or hide. Not decided", waiting)
    _refuse("Write keep or hide as the decision", [id for id in passages if found[id].what not in DECISIONS])
    missing = [id for id, text in passages.items() if not _all_there(found[id], text)]
    _refuse("Words to black out do not stand in the text. Check their spelling", missing)
    return {id: found[id] for id in passages}


def _decision(row: Mapping[str, str | None]) -> Decision:
    black = tuple(word for part in _plain(row["black out"]).split(BETWEEN) if (word := part.strip()))
    return Decision(_plain(row["decision"]).casefold(), black)


def _plain(cell: str | None) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from running it."""
    text = (cell or "").strip()
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text


def _all_there(decision: Decision, text: str) -> bool:
    return decision.what != "keep" or all(word.casefold() in text.casefold() for word in decision.black)


def _refuse(problem: str, ids: list[str]) -> None:
    if ids:
        more = f" and {len(ids) - 8} more" if len(ids) > 8 else ""
        raise PackProblem(f"{problem}: {', '.join(ids[:8])}{more}.")


# --- the pack -----------------------------------------------------------------------------------------------------


def write_pack(folder: Path, house: House, found: Folder, today: date) -> list[Path]:
    """The pack for the person, as PDF with a covering letter and as JSON; their paths."""
    values = filled(found.values, found.passages, found.decisions)
    values |= {key: without_hidden(values[key]) for key in ("words", "staff")}
    letter = covering_letter(house, found, today)
    paper = pdf("access_pack.typ", _printed(_paper(house, values, letter)))
    made = write_files(folder, {PACK_JSON: json.dumps(values, ensure_ascii=False, indent=2)})
    target, half = folder / PACK_PDF, folder / f".{PACK_PDF}.part"
    half.write_bytes(paper)
    os.chmod(half, 0o600)
    half.replace(target)
    return [target, *made]


def covering_letter(house: House, found: Folder, today: date) -> list[str]:
    """What this is, what was held back in general words, and where to go if it is not right."""
    hidden, blacked = held_back(found.decisions.values())
    by, record_by = (long_date(day, "en") for day in due_dates(found.received))
    facts = {"date": long_date(found.received, "en"), "day": by, "time": record_by}
    keys = ["what", *(["hidden"] if hidden else []), *(["blacked"] if blacked else [])]
    keys += ["nothing-hidden"] if not hidden and not blacked else []
    keys += ["anonymous", "dates", "record", "rights"]
    made = house.say("en", "sar.made", date=long_date(today, "en"))
    return [made, *(house.say("en", f"sar.{key}", **facts) for key in keys)]


def _paper(house: House, values: dict[str, Any], letter: list[str]) -> dict[str, Any]:
    sections: list[dict[str, Any]] = [
        {"title": s.title, "pairs": s.pairs, "lines": s.lines, "blocks": [_block(b) for b in s.blocks]}
        for s in Page(house, "en", values).sections()
    ]
    staff = [line for row in values["staff"] if (line := _note(row))]
    if staff:
        more = {"title": house.say("en", "sar.staff"), "pairs": (), "lines": staff, "blocks": []}
        sections.insert(-1, more)
    return {"title": house.say("en", "sar.title"), "school": house.school.name, "letter": letter, "sections": sections}


def _block(block: Any) -> dict[str, Any]:
    return {"title": block.title, "note": block.note, "text": block.text, "pairs": block.pairs}


def _note(row: Mapping[str, str]) -> str:
    return f"{row['at'][:10]}: " + " - ".join(part for part in (row["what"], row["text"]) if part)


def _printed(value: Any) -> Any:
    """Pictures by name, letters that our fonts lack as a question mark; the template draws what is blacked out."""
    if isinstance(value, dict):
        return {key: _printed(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printed(inner) for inner in value]
    named = BLACK.join(pictures_named(part) for part in str(value).split(BLACK))
    return "".join(c if printable(c) or c in BLACK or c == "\n" else "?" for c in named)
