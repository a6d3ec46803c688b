"""Answers as counts, and counts as sentences that say all the chart says; too small numbers stay hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from conversations.counting import CountCheck, count_and_removed
from conversations.form import Form, Question, fill, said
from conversations.suppression import CELL_LEAST as CELL_LEAST
from conversations.suppression import SKIPS, Hidden, hide_few, hide_few_of_many
from conversations.suppression import suppress as suppress
from conversations.texts import Texts, long_date

STAFF_LEAST = 5
PUBLIC_LEAST = 10
PERCENT_LEAST = 10  # "percentages of 7 people" mislead (domain 7.3)
MOST_NUMBERS = 6  # more different numbers than this are shown as bands
ANSWERED = "~answered"


@dataclass(frozen=True)
class Thresholds:
    """From how many answers on something is shown; a school can raise them, never lower them (SUP-8)."""

    staff: int = STAFF_LEAST
    public: int = PUBLIC_LEAST
    cell: int = CELL_LEAST

    def __post_init__(self) -> None:
        if self.staff < STAFF_LEAST or self.public < PUBLIC_LEAST or self.cell < CELL_LEAST:
            raise ValueError(f"Thresholds can be raised, never below {STAFF_LEAST} and {PUBLIC_LEAST}.")


LEAST = Thresholds()


@dataclass(frozen=True)
class Tally:
    """What storage counts for one question. `answered` leaves out skips and words that were taken out.

    `counts` is by choice id, or by the number as text; empty for words and dates.
    """

    answered: int
    counts: Mapping[str, int] = field(repr=False)
    skipped: int


@dataclass(frozen=True)
class Row:
    """One line of a question; no count when hidden, and `few` when the reader may know that it is 1 to 4."""

    id: str
    label: str
    count: int | None
    few: bool = False


@dataclass(frozen=True)
class QuestionSummary:
    """`several` when people could pick more than one. No `answered` where the base itself tells too much."""

    id: str
    type: str
    text: str
    answered: int | None
    rows: tuple[Row, ...]
    skipped: int | None
    hidden: bool
    several: bool = False


@dataclass(frozen=True)
class Results:
    """A closed survey's counts, ready to be shown. `hidden` when too few finished to show anything.

    `themes` are what readers approved of the words people wrote, with how often. `count` shows that no sheet is
    missing. `visits`: people were asked after each visit, and may have answered more than once.
    """

    title: str
    survey: str
    asked: int
    started: int
    finished: int
    opened: date
    closed: date
    questions: tuple[QuestionSummary, ...]
    audience: str = "parents"
    hidden: bool = False
    least: int = STAFF_LEAST
    cell: int = CELL_LEAST
    themes: tuple[tuple[str, int], ...] = ()
    count: CountCheck | None = None
    visits: bool = False


def summarise(
    form: Form,
    survey_id: str,
    tallies: Mapping[str, Tally],
    asked: int,
    started: int,
    finished: int,
    opened: date,
    closed: date,
    language: str,
    facts: Mapping[str, str],
    inside: bool = True,
    thresholds: Thresholds = LEAST,
) -> Results:
    """What may be shown of a closed survey: to its staff, or to everybody else (`inside=False`)."""
    least = thresholds.staff if inside else thresholds.public
    questions = []
    for question in form.questions:
        tally = tallies.get(question.id, Tally(0, {}, 0))
        plain = _plain(question, tally, language, facts)
        shown = finished >= least and (tally.answered >= least or question.type == "text")
        if not shown:
            questions.append(_all_hidden(plain))
        else:
            hidden = not inside and _tells_another(question, questions)
            guarded = plain if inside else _guarded(question, plain, tally, thresholds)
            questions.append(_all_hidden(plain) if hidden else guarded)
    return Results(
        title=fill(said(form.title, language), facts),
        survey=survey_id,
        asked=asked,
        started=started,
        finished=finished,
        opened=opened,
        closed=closed,
        questions=tuple(questions),
        audience=form.audience,
        hidden=finished < least,
        least=least,
        cell=thresholds.cell,
    )


def _tells_another(question: Question, before: list[QuestionSummary]) -> bool:
    """Whether how many were asked this would tell a hidden count: only those who chose something were."""
    others = [q for q in before if q.id in question.show_if]
    return any(q.answered is None or any(row.count is None for row in q.rows) for q in others)


def _plain(question: Question, tally: Tally, language: str, facts: Mapping[str, str]) -> QuestionSummary:
    words = question.type == "text"  # nor is it said how many wrote: the rest would tell how many words were taken out
    return QuestionSummary(
        id=question.id,
        type=question.type,
        text=fill(said(question.text, language), facts),
        answered=None if words else tally.answered,
        rows=tuple(_rows(question, tally, language, facts)),
        skipped=None if words else tally.skipped,
        hidden=False,
        several=question.type == "few" and question.max != 1,
    )


def _rows(question: Question, tally: Tally, language: str, facts: Mapping[str, str]) -> Iterator[Row]:
    if question.type == "number":
        yield from _number_rows(tally.counts)
    for choice in question.choices:
        yield Row(choice.id, fill(said(choice.label, language), facts), tally.counts.get(choice.id, 0))


def _number_rows(counts: Mapping[str, int]) -> list[Row]:
    """Each number, if they are few, else bands."""
    ordered = _in_order(counts)
    if len(ordered) > MOST_NUMBERS:
        return _bands(counts, CELL_LEAST)
    return [Row(number, number, count) for number, count in ordered.items()]


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {n: counts[n] for n in sorted(counts, key=Decimal) if counts[n]}


def _bands(counts: Mapping[str, int], least: int) -> list[Row]:
    """Neighbouring numbers joined until at least `least` people stand in each band; nothing if all join.

    The outer bands are open, since the lowest and the highest number are one person's.
    """
    ordered = _in_order(counts)
    wanted = max(least, -(-sum(ordered.values()) // MOST_NUMBERS))
    bands: list[list[str]] = [[]]
    for number in ordered:
        if sum(ordered[n] for n in bands[-1]) >= wanted:
            bands.append([])
        bands[-1].append(number)
    if len(bands) > 1 and sum(ordered[n] for n in bands[-1]) < wanted:
        bands[-2:] = [bands[-2] + bands[-1]]
    ends = [("", b[-1]) if b is bands[0] else (b[0], "") if b is bands[-1] else (b[0], b[-1]) for b in bands]
    rows = [_band(*end, sum(ordered[n] for n in b)) for end, b in zip(ends, bands, strict=True)]
    return rows if len(rows) > 1 else []


def _band(first: str, last: str, count: int) -> Row:
    label = f"≤ {last}" if not first else f"≥ {first}" if not last else f"{first} – {last}"
    return Row(f"{first}..{last}", first if first == last else label, count)


def _all_hidden(question: QuestionSummary) -> QuestionSummary:
    rows = () if question.type == "number" else tuple(Row(r.id, r.label, None) for r in question.rows)
    return replace(question, answered=None, rows=rows, skipped=None, hidden=True)


def _guarded(question: Question, plain: QuestionSummary, tally: Tally, thresholds: Thresholds) -> QuestionSummary:
    """For readers outside: 1 to 4 are not told, nor what they could be worked out from (SUP-1, SUP-2)."""
    if question.type == "text":
        return plain
    rows = tuple(_bands(tally.counts, thresholds.cell)) if question.type == "number" else plain.rows
    counts = {row.id: row.count or 0 for row in rows}
    told = _several(question, counts, tally, thresholds) if plain.several else _one_each(counts, tally, thresholds)
    if told is None:
        return _all_hidden(plain)
    hidden, few = told
    base_told = SKIPS not in hidden
    return replace(
        plain,
        answered=plain.answered if base_told else None,
        rows=tuple(Row(r.id, r.label, None, r.id in few) if r.id in hidden else r for r in rows),
        skipped=plain.skipped if base_told else None,
    )


def _one_each(counts: Mapping[str, int], tally: Tally, thresholds: Thresholds) -> Hidden | None:
    """Everybody stands in one line: the choices and the skips add up to all who saw the question."""
    line = {SKIPS: tally.skipped, **(counts or {ANSWERED: tally.answered})}
    return hide_few(line, thresholds.cell, tally.answered + tally.skipped - thresholds.public)


def _several(question: Question, counts: Mapping[str, int], tally: Tally, thresholds: Thresholds) -> Hidden | None:
    """People stand in as many lines as they may pick."""
    seen_by, most = tally.answered + tally.skipped, question.max or len(question.choices)
    return hide_few_of_many(counts, tally.skipped, seen_by, most, thresholds.cell, seen_by - thresholds.public)


def summary_text(results: Results, texts: Texts, language: str) -> str:
    """The results in words: a block per question, a line per answer, as a screen reader reads it well."""
    if results.hidden:
        too_few = texts.say(language, "summary.too-few", least=results.least)
        return f"{results.title}\n{too_few}"
    heading = texts.say(language, "summary.heading", title=results.title)
    blocks = [f"{heading}\n{base_line(results, texts, language)}"]
    for number, question in enumerate(results.questions, 1):
        title = texts.say(language, "summary.question", n=number, text=question.text)
        blocks.append("\n".join([title, *question_lines(question, results, texts, language)]))
    if results.themes:
        blocks.append(themes_line(results, texts, language))
    blocks += count_lines(results, texts, language)
    return "\n\n".join(blocks)


def count_lines(results: Results, texts: Texts, language: str) -> list[str]:
    """That sheets were taken out, and the count that anybody can check (AUDIT-1)."""
    lines = count_and_removed(results.count, texts, language)
    return [" ".join(lines)] if lines else []


def themes_line(results: Results, texts: Texts, language: str) -> str:
    """ "What people wrote about: drop-ins (7), lunch (fewer than 5)"."""
    told = [_theme_words(theme, count, results, texts, language) for theme, count in results.themes]
    return texts.say(language, "summary.themes", text=", ".join(told))


def _theme_words(theme: str, count: int, results: Results, texts: Texts, language: str) -> str:
    key = "summary.theme" if count >= results.cell else "summary.theme-few"
    return texts.say(language, key, label=theme, count=count, least=results.cell)


def question_lines(question: QuestionSummary, results: Results, texts: Texts, language: str) -> list[str]:
    """All that is told about one question, in words."""
    lines = note_words(question, texts, language)
    if not question.hidden:
        lines += [row_words(row, question, results, texts, language) for row in question.rows]
    if question.skipped:
        lines.append(skipped_words(question, texts, language))
    return lines


def skipped_words(question: QuestionSummary, texts: Texts, language: str) -> str:
    label = texts.say(language, "summary.skipped")
    return texts.say(language, "summary.row-alone", label=label, count=question.skipped)


def base_line(results: Results, texts: Texts, language: str) -> str:
    """How many of those asked answered, or how often, and from when to when."""
    key = "base" if percent_told(results, results.asked) else "base-plain"
    key = "base-visits" if results.visits else key
    return texts.say(
        language,
        f"summary.{key}",
        finished=results.finished,
        asked=results.asked,
        percent=percent(results.finished, results.asked),
        opened=long_date(results.opened, language),
        closed=long_date(results.closed, language),
    )


def percent_told(results: Results, base: int) -> bool:
    """Never for pupils (SCALE-4), nor of a handful."""
    return results.audience != "pupils" and base >= PERCENT_LEAST


def percent(part: int, base: int) -> int:
    return (200 * part + base) // (2 * base) if base else 0


def row_words(row: Row, question: QuestionSummary, results: Results, texts: Texts, language: str) -> str:
    """One line: "Easy: 12 of 20 (60 %)", "Hard: fewer than 5", "Not sure: hidden to protect people"."""
    if row.count is None:
        key = "few-row" if row.few else "hidden-row"
        return texts.say(language, f"summary.{key}", label=row.label, least=results.cell)
    base = question.answered
    if base is None:
        return texts.say(language, "summary.row-alone", label=row.label, count=row.count)
    key = "row-said" if results.audience == "pupils" else "row" if percent_told(results, base) else "row-plain"
    share = percent(row.count, base)
    return texts.say(language, f"summary.{key}", label=row.label, count=row.count, base=base, percent=share)


def note_words(question: QuestionSummary, texts: Texts, language: str) -> list[str]:
    """What stands under a question's text: how many answered, or why nothing is shown."""
    if question.type == "text":
        return [texts.say(language, "summary.words")]
    if question.hidden:
        return [texts.say(language, "summary.question-hidden")]
    notes = [texts.say(language, "summary.base-hidden")]
    if question.answered is not None:
        notes = [texts.say(language, "summary.of", n=question.answered)]
    if question.several:
        notes.append(texts.say(language, "summary.several"))
    return notes
