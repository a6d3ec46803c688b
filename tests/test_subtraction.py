"""Nobody's answer can be worked out from reports, one by one or together (SUP-1 to SUP-8, FAIL-5).

Two readers. One knows the program, which is open to all: what they see could come from many schools, and if in all of
those some small count is the same, it is told. All schools of a size are tried, so nothing is left to chance. The
other holds every file, page and message there is of random surveys, and looks for numbers that should not be there.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.charts import chart_svg
from bot.exports import answers_csv, counts_csv
from conversations.form import Form
from conversations.summary import Results, Tally, Thresholds, summarise, summary_text
from conversations.texts import load_texts

TEXTS = load_texts()
DAYS = (date(2026, 11, 2), date(2026, 11, 16))
ASKED = 40
SMALL = range(1, 5)
Tallies = dict[str, Tally]


def form(*questions: dict[str, object]) -> Form:
    heading = {
        "id": "any",
        "version": 1,
        "mode": "ANON",
        "audience": "parents",
        "title": {"en": "T"},
        "intro": {"en": "I"},
    }
    return Form.model_validate(heading | {"questions": list(questions)})


def question(id: str, kind: str, choices: int = 0, **more: object) -> dict[str, object]:
    labels = [{"id": f"c{n}", "label": {"en": f"Choice {n}"}} for n in range(choices)]
    return {"id": id, "type": kind, "text": {"en": f"Question {id}"}, "choices": labels, **more}


def outside(form: Form, tallies: Tallies, finished: int) -> Results:
    return summarise(form, "s-1", tallies, ASKED, finished, finished, *DAYS, "en", {}, inside=False)


# --- a reader who knows the program -------------------------------------------------------------------------------


def told_by(reports: Iterable[tuple[str, dict[str, int]]]) -> list[str]:
    """What is told: a count, or several together, that is 1 to 4 in every school with this very report."""
    alike: dict[str, list[dict[str, int]]] = defaultdict(list)
    for report, truth in reports:
        alike[report].append(truth)
    return [f"{some} in\n{report}" for report, truths in alike.items() for some in _pinned(truths)]


def _pinned(truths: list[dict[str, int]]) -> Iterator[tuple[str, ...]]:
    names = sorted({name for truth in truths for name in truth})
    for size in range(1, len(names) + 1):
        for some in itertools.combinations(names, size):
            sums = {sum(truth.get(name, 0) for name in some) for truth in truths}
            if len(sums) == 1 and sums <= set(SMALL):
                yield some


def shares(people: int, places: int) -> Iterator[tuple[int, ...]]:
    """All ways in which so many people can stand in so many places."""
    if places == 1:
        yield (people,)
        return
    for here in range(people + 1):
        for rest in shares(people - here, places - 1):
            yield (here, *rest)


def everything(form: Form, tallies: Tallies, finished: int) -> str:
    """All that goes outside: the words, the picture and the table."""
    results = outside(form, tallies, finished)
    return "\n".join((summary_text(results, TEXTS, "en"), counts_csv(results, TEXTS, "en")))


def as_truth(tally: Tally) -> dict[str, int]:
    return {**tally.counts, "skipped": tally.skipped}


@pytest.mark.parametrize("choices", [2, 3, 4])
@pytest.mark.parametrize("people", [10, 11, 12, 13, 15])
def test_one_choice_each_tells_no_small_count(people: int, choices: int) -> None:
    """SUP-1, SUP-2: every way in which so many people can answer."""
    asked = form(question("Q1", "one", choices))
    schools = (
        Tally(people - s[0], {f"c{n}": c for n, c in enumerate(s[1:])}, s[0]) for s in shares(people, choices + 1)
    )
    assert not told_by((everything(asked, {"Q1": t}, people), as_truth(t)) for t in schools)


@pytest.mark.parametrize(("people", "choices", "most"), [(10, 2, 2), (11, 2, 2), (13, 2, 2), (10, 3, 2), (11, 3, 2)])
def test_several_choices_each_tell_no_small_count(people: int, choices: int, most: int) -> None:
    """SUP-1, SUP-2"""
    asked = form(question("Q1", "few", choices, max=most))
    schools = (
        Tally(people - skips, {f"c{n}": c for n, c in enumerate(counts)}, skips)
        for skips in range(people + 1)
        for counts in itertools.product(range(people - skips + 1), repeat=choices)
        if people - skips <= sum(counts) <= most * (people - skips)
    )
    assert not told_by((everything(asked, {"Q1": t}, people), as_truth(t)) for t in schools)


@pytest.mark.parametrize("people", [10, 12, 14])
def test_numbers_tell_no_small_count(people: int) -> None:
    """SUP-1, SUP-2: the lowest and the highest number are one person's."""
    asked = form(question("Q1", "number"))
    schools = (Tally(people - s[0], {str(n): c for n, c in enumerate(s[1:]) if c}, s[0]) for s in shares(people, 4))
    assert not told_by((everything(asked, {"Q1": t}, people), as_truth(t)) for t in schools)


@pytest.mark.parametrize("people", [12, 16, 20])
def test_who_was_asked_more_tells_no_small_count(people: int) -> None:
    """SUP-2: a question for those who chose c0 or c1 says how many did; the rest of 16 would be a small group."""
    asked = form(question("Q1", "one", 3), question("Q2", "one", 2, show_if={"Q1": ["c0", "c1"]}))
    reports = []
    for skips, *counts in shares(people, 4):
        first = Tally(people - skips, {f"c{n}": c for n, c in enumerate(counts)}, skips)
        more = counts[0] + counts[1]
        for yes in {0, more // 2, more}:
            tallies = {"Q1": first, "Q2": Tally(more, {"c0": yes, "c1": more - yes}, 0)}
            reports.append((everything(asked, tallies, people), as_truth(first)))
    assert not told_by(reports)


def test_this_reader_finds_what_a_careless_rule_tells() -> None:
    """Hiding the large count only where the small one would be told by it, tells by hiding."""

    def careless(few: int, together: int) -> str:
        return f"fewer than 5, hidden, {together} in all" if few == 4 else f"fewer than 5, the rest, {together} in all"

    assert told_by((careless(few, 11), {"few": few}) for few in range(1, 5))


# --- a reader who holds everything --------------------------------------------------------------------------------

QUESTIONS = (
    question("Q1", "one", 3),
    question("Q2", "few", 4, max=2),
    question("Q3", "one", 2, show_if={"Q1": ["c0"]}),
)
FORM = form(*QUESTIONS)
sheets = st.lists(
    st.tuples(
        st.sampled_from(["c0", "c1", "c2", ""]),
        st.sets(st.sampled_from(["c0", "c1", "c2", "c3"]), max_size=2),
        st.sampled_from(["c0", "c1", ""]),
    ),
    min_size=0,
    max_size=30,
)
Sheets = list[tuple[str, set[str], str]]


def counted(given: Sheets) -> Tallies:
    """As storage counts them."""
    first, second, third = ([s[n] for s in given] for n in range(3))
    more = [c for c, s in zip(third, first, strict=True) if s == "c0"]
    return {
        "Q1": Tally(sum(map(bool, first)), Counter(filter(None, first)), first.count("")),
        "Q2": Tally(sum(map(bool, second)), Counter(c for s in second for c in s), sum(not s for s in second)),
        "Q3": Tally(sum(map(bool, more)), Counter(filter(None, more)), more.count("")),
    }


def read(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.removeprefix("\ufeff"))))


@settings(max_examples=150, deadline=None)
@given(sheets)
def test_no_report_for_others_shows_a_small_count_anywhere(given_: Sheets) -> None:
    """SUP-1, SUP-7: words, picture and table of the same results, read number by number."""
    results = outside(FORM, counted(given_), len(given_))
    text, table, picture = (
        summary_text(results, TEXTS, "en"), counts_csv(results, TEXTS, "en"), chart_svg(results, TEXTS, "en"),
    )  # fmt: skip
    if len(given_) < 10:
        assert not re.search(r"Choice \d: \d", text)
    shown = [int(n) for n in re.findall(r"Choice \d: (\d+)", text + re.sub("<[^>]+>", "\n", picture))]
    cells = [row["count"] for row in read(table)]
    shown += [int(cell) for cell in cells if cell.isdigit()]
    assert not set(shown) & set(SMALL)


@settings(max_examples=150, deadline=None)
@given(sheets)
def test_staff_see_nothing_of_a_question_that_fewer_than_five_answered(given_: Sheets) -> None:
    """SUP-1: nor in the file of answers, where it would stand row by row."""
    tallies = counted(given_)
    results = summarise(FORM, "s-1", tallies, ASKED, len(given_), len(given_), *DAYS, "en", {})
    table = read(counts_csv(results, TEXTS, "en"))
    rows = [(f"s{n}", _values(*sheet)) for n, sheet in enumerate(given_)]
    hidden = {q.id for q in results.questions if q.hidden}
    numbers = {id: n for n, (id, _) in enumerate(rows)}
    file = list(
        csv.DictReader(io.StringIO(answers_csv(FORM, rows, numbers, TEXTS, "en", hidden).removeprefix("\ufeff")))
    )
    for id in ("Q1", "Q2", "Q3"):
        if len(given_) < 5 or tallies[id].answered < 5:
            assert not any(cell["count"].isdigit() for cell in table if cell["question"] == id)
            assert not any("Choice" in row[f"{id} words"] or row[id] for row in file)


def _values(first: str, second: set[str], third: str) -> dict[str, tuple[str, ...]]:
    values = {"Q1": (first or "~skipped",), "Q2": tuple(sorted(second)) or ("~skipped",)}
    return values | ({"Q3": (third or "~skipped",)} if first == "c0" else {})


@settings(max_examples=100, deadline=None)
@given(sheets, st.integers(5, 12), st.integers(10, 20))
def test_raised_thresholds_only_hide_more(given_: Sheets, staff: int, public: int) -> None:
    """SUP-8: two schools, or one before and after, show nothing through a higher threshold that a lower one hides."""
    tallies, n = counted(given_), len(given_)
    for inside in (True, False):
        low = summarise(FORM, "s-1", tallies, ASKED, n, n, *DAYS, "en", {}, inside)
        high = summarise(FORM, "s-1", tallies, ASKED, n, n, *DAYS, "en", {}, inside, Thresholds(staff, public, 5))
        for before, after in zip(low.questions, high.questions, strict=True):
            assert after.hidden or not before.hidden
