"""The files of a closed survey: counts, answers and a code book, as CSV that opens safely in a spreadsheet.

Built column by column from an allow-list (EXP-1), safe against formulas (EXP-2), UTF-8 with BOM, UK dates (EXP-7).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from conversations.counting import count_words, removed_words
from conversations.form import Form, Question, said
from conversations.summary import PUBLIC_LEAST, QuestionSummary, Results, Row
from conversations.texts import Texts
from data.comments import QUOTE, Comment

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ANON_LEAST = 10  # answer sheets, below which ANON sheets are not exported row by row

Sheet = tuple[str, Mapping[str, tuple[str, ...]]]


def counts_csv(results: Results, texts: Texts, language: str) -> str:
    """What the summary shows, a line per answer; hidden counts say so (SUP-7)."""
    rows: list[Sequence[object]] = [("question", "question words", "answer", "answer words", "count", "answered")]
    for question in results.questions:
        answered = _count(question.answered, texts, language)
        lines = [*question.rows, *_skipped(question, texts, language)]
        rows += [
            (question.id, question.text, row.id, row.label, _row_count(row, results, texts, language), answered)
            for row in lines
        ]
    return as_csv(rows)


def answers_csv(
    form: Form,
    sheets: Iterable[Sheet],
    numbers: Mapping[str, int],
    texts: Texts,
    language: str,
    hidden: Collection[str] = (),
) -> str:
    """A line per answer sheet in its random order, choices as ids and as words; words of people are in no export.

    `numbers` are those of the sheets, by their ids: where one was taken out, its number is missing. `hidden` are the
    questions of which the summary shows nothing: so few answered them that neither does this file (SUP-1).
    """
    protected = "", texts.say(language, "summary.hidden")
    questions = [q for q in form.questions if q.type != "text"]
    head = ["sheet", *(name for q in questions for name in (q.id, f"{q.id} words"))]
    rows: list[Sequence[object]] = [head]
    for id, values in sheets:
        each = (protected if q.id in hidden else _answer(q, values.get(q.id), texts, language) for q in questions)
        rows.append([numbers[id], *(cell for pair in each for cell in pair)])
    return as_csv(rows)


def comments_csv(comments: Iterable[Comment]) -> str:
    """What readers approved, in the order given: themes, and words only where their author allowed a quote (SUP-6)."""
    rows: list[Sequence[object]] = [("themes", "words", "kind")]
    rows += [("; ".join(c.themes), c.words if c.state == QUOTE else "", c.state) for c in comments]
    return as_csv(rows)


def codebook_csv(
    form: Form, results: Results, mode: str, made_by: str, made_on: date, texts: Texts, language: str
) -> str:
    """What the other files mean: mode, thresholds, dates, who made them, every question and answer id (EXP-4)."""
    rows: list[Sequence[object]] = [("name", "meaning")]
    rows += [
        ("survey", results.survey),
        ("title", results.title),
        ("form", f"{form.id}, version {form.version}"),
        ("mode", mode),
        ("open from", uk_date(results.opened)),
        ("open to", uk_date(results.closed)),
        ("people asked", results.asked),
        ("people who started", results.started),
        ("people who finished", results.finished),
        *_sheets(results, texts, language),
        ("counts are shown from", f"{results.least} answers on"),
        ("answers", "raw answers, a line for each sheet; not a report: do not show, copy or send them to anybody"),
        ("comments", f"from {PUBLIC_LEAST} answers on: approved themes, and words whose author allowed a quote"),
        ("made by", made_by),
        ("made on", uk_date(made_on)),
    ]
    for question in form.questions:
        rows.append((question.id, said(question.text, language)))
        rows += [(f"{question.id} {choice.id}", said(choice.label, language)) for choice in question.choices]
    return as_csv(rows)


def _sheets(results: Results, texts: Texts, language: str) -> list[Sequence[object]]:
    """The count that anybody can check, and whether sheets were taken out (AUDIT-1)."""
    if results.count is None:
        return []
    removed = removed_words(results.count, texts, language)
    rows: list[Sequence[object]] = [("answer sheets", count_words(results.count, texts, language))]
    return [*rows, ("taken out", removed)] if removed else rows


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write each file whole or not at all; their paths. OSError when the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in files.items():
        target, half = folder / name, folder / f".{name}.part"
        half.write_text(content, encoding="utf-8", newline="")
        os.chmod(half, 0o600)
        half.replace(target)
        written.append(target)
    return written


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """CSV text with a BOM, every cell safe."""
    out = io.StringIO(newline="")
    out.write(BOM)
    csv.writer(out).writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def safe(cell: object) -> object:
    """Numbers as they are; text that a spreadsheet would run begins with an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def uk_date(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _skipped(question: QuestionSummary, texts: Texts, language: str) -> list[Row]:
    if question.type == "text":
        return []
    label = texts.say(language, "summary.skipped")
    return [Row("skipped", label, question.skipped)]


def _row_count(row: Row, results: Results, texts: Texts, language: str) -> object:
    if row.count is None and row.few:
        return texts.say(language, "export.few", least=results.cell)
    return _count(row.count, texts, language)


def _count(count: int | None, texts: Texts, language: str) -> object:
    return texts.say(language, "summary.hidden") if count is None else count


def answer_words(q: Question, values: tuple[str, ...] | None, texts: Texts, language: str) -> str:
    """One answer as people read it."""
    return _answer(q, values, texts, language)[1]


def _answer(q: Question, values: tuple[str, ...] | None, texts: Texts, language: str) -> tuple[str, str]:
    """(ids, words) of one answer."""
    if not values:
        return "", texts.say(language, "export.not-asked")
    if values[0].startswith("~"):
        return "", texts.say(language, "export.skipped")
    if q.type == "date":
        return values[0], uk_date(date.fromisoformat(values[0]))
    chosen = [c for c in q.choices if c.id in values]
    words = "; ".join(said(c.label, language) for c in chosen) if chosen else values[0]
    return "; ".join(values), words
