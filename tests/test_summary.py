"""Counts as sentences and as a picture; what is too small stays hidden, whatever sums a reader does."""

from __future__ import annotations

import re
import struct
from datetime import date
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.charts import WIDTH, chart, chart_svg, text_width
from conversations.library import bundled_forms
from conversations.summary import Results, Tally, Thresholds, summarise, summary_text
from conversations.suppression import suppress
from conversations.texts import load_texts

pytestmark = pytest.mark.both_databases

TEXTS = load_texts()
FORM = bundled_forms()["parent-send-provision"]
DAYS = (date(2026, 11, 2), date(2026, 11, 16))


def tallies(finished: int) -> dict[str, Tally]:
    """Everybody answers; the first choice takes all but two where there are that many."""
    found = {}
    for q in FORM.questions:
        if q.choices:
            first, second = q.choices[0].id, q.choices[1].id
            found[q.id] = Tally(finished, {first: max(0, finished - 2), second: min(2, finished)}, 0)
    return found


def results(finished: int, inside: bool = True) -> Results:
    return summarise(FORM, "s-1", tallies(finished), 40, finished, finished, *DAYS, "en", {}, inside)


def test_staff_see_counts_from_five_on() -> None:
    """SUP-1: counts per choice over all who answered are not cells."""
    assert results(4).hidden
    assert "hidden to protect people" in summary_text(results(4), TEXTS, "en")
    text = summary_text(results(14), TEXTS, "en")
    assert "14 of 40 people answered (35 %). Open 2 November 2026 to 16 November 2026." in text
    assert "Very well: 12 of 14 (86 %)" in text
    assert "Quite well: 2 of 14 (14 %)" in text


def test_others_see_nothing_below_ten_and_no_small_count() -> None:
    """SUP-1, SUP-2, SUP-7"""
    assert results(9, inside=False).hidden
    text = summary_text(results(20, inside=False), TEXTS, "en")
    assert "Quite well: fewer than 5" in text
    assert "Very well: 18" not in text
    assert "hidden to protect people" in text
    assert not re.search(r": 2 of", text)


def test_thresholds_can_be_raised_never_lowered() -> None:
    """SUP-8"""
    assert Thresholds(staff=8).staff == 8
    for lower in ({"staff": 4}, {"public": 9}, {"cell": 4}):
        with pytest.raises(ValueError, match="raised"):
            Thresholds(**lower)


def test_pupils_results_say_n_of_m_never_percent() -> None:
    """SCALE-4"""
    form = bundled_forms()["pupil-belong"]
    given_answers = {q.id: Tally(20, {q.choices[0].id: 20}, 0) for q in form.questions}
    found = summarise(form, "p-1", given_answers, 30, 20, 20, *DAYS, "en", {})
    text = summary_text(found, TEXTS, "en")
    assert "Good: 20 of 20 said" in text
    assert "%" not in text


tables = st.dictionaries(
    st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")), st.integers(0, 6), min_size=2, max_size=6
)


@settings(max_examples=150, deadline=None)
@given(tables, st.booleans())
def test_no_hidden_cell_can_be_worked_out(cells: dict[tuple[str, str], int], sensitive: bool) -> None:
    """SUP-1, SUP-2, SUP-3: the reader knows every total; a small cell is never shown, nor the only possible value.

    Cells that the totals alone tell (a group with one answer) no hiding mends: they are left out.
    """
    shown = suppress(cells, sensitive)
    rows, columns = sorted({g for g, _ in shown}), sorted({a for _, a in shown})
    table = {(g, a): cells.get((g, a), 0) for g in rows for a in columns}
    assert all(v is None or v == table[c] for c, v in shown.items())
    assert all(v is None for c, v in shown.items() if 0 < table[c] < 5)
    hidden = [c for c, v in shown.items() if v is None]
    if not hidden or sum(table.values()) > 24:
        return
    possible = values(table, set(hidden), rows, columns)
    everything = values(table, set(table), rows, columns)
    for cell in hidden:
        assert len(possible[cell]) > 1 or len(everything[cell]) == 1, (table, shown)


def values(table, hidden, rows, columns):  # type: ignore[no-untyped-def]
    """For each hidden cell, the values it can have for a reader who knows all totals and all visible cells."""
    cells = sorted(hidden)
    row_left = {g: sum(table[g, a] for a in columns if (g, a) in hidden) for g in rows}
    column_left = {a: sum(table[g, a] for g in rows if (g, a) in hidden) for a in columns}
    found = {cell: set() for cell in cells}  # type: ignore[var-annotated]

    def fill(at: int, chosen: list[int]) -> None:
        if at == len(cells):
            if not any(row_left.values()) and not any(column_left.values()):
                for cell, value in zip(cells, chosen, strict=True):
                    found[cell].add(value)
            return
        group, answer = cells[at]
        for value in range(min(row_left[group], column_left[answer]) + 1):
            row_left[group] -= value
            column_left[answer] -= value
            if row_left[group] == 0 or any(c[0] == group for c in cells[at + 1 :]):
                fill(at + 1, [*chosen, value])
            row_left[group] += value
            column_left[answer] += value

    fill(0, [])
    return found


# --- the picture --------------------------------------------------------------------------------------------------


def test_the_picture_is_a_png_as_wide_as_a_phone_needs() -> None:
    """And low enough: a messenger shrinks a picture by its longer side."""
    png = chart(results(14), TEXTS, "en")
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert width == WIDTH
    assert 1000 < height < 2500


def test_no_words_leave_the_picture_and_all_are_escaped() -> None:
    """Long labels and <&> in them."""
    long = "A label of sixty letters & <tags> that goes on until it ends"
    questions = [q.model_copy(update={"text": {"en": long * 2}}) if i == 0 else q for i, q in enumerate(FORM.questions)]
    form = FORM.model_copy(update={"questions": tuple(questions), "title": {"en": long}})
    svg = chart_svg(summarise(form, "s-1", tallies(14), 40, 14, 14, *DAYS, "en", {}), TEXTS, "en")
    assert "<tags>" not in svg
    assert "&lt;tags&gt;" in svg
    height = int(re.search(r'height="(\d+)"', svg)[1])  # type: ignore[index]
    for x, y, size, words in re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="(\d+)"[^>]*>([^<]*)<', svg):
        assert float(x) + text_width(unescape(words), int(size)) <= WIDTH
        assert float(y) < height


def test_nothing_is_told_by_colour_alone() -> None:
    """Each answer has its pattern, its number and its words in the key."""
    svg = chart_svg(results(14), TEXTS, "en")
    assert len(set(re.findall(r"url\(#(p\d)\)", svg))) >= 2
    assert "Very well: 12<" in svg
