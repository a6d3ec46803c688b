"""The safeguarding word screen: how much it finds, how often it is wrong, what it survives (SAFE-3, SAFE-12)."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.screening import Concern, screen

FOLDER = Path(__file__).parent / "safeguarding"


def sentences(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def texts(label: str) -> list[str]:
    return [row["text"] for row in sentences("sentences.csv") if row["label"] == label]


def recall_and_precision(rows: list[dict[str, str]]) -> tuple[float, float]:
    flagged = [row["label"] for row in rows if screen(row["text"])]
    found = flagged.count("concern")
    return found / sum(row["label"] == "concern" for row in rows), found / len(flagged)


def test_safe_3_the_screen_finds_concerns_and_leaves_most_school_talk() -> None:
    """SAFE-3: a word match raises. The patterns were made with these sentences in view."""
    recall, precision = recall_and_precision(sentences("sentences.csv"))
    print(f"sentences: recall {recall:.3f}, precision {precision:.3f}")
    assert recall >= 0.95
    assert precision >= 0.8


def test_safe_3_phrasings_the_patterns_never_saw_are_raised_about_half_the_time() -> None:
    """SAFE-3: why the screen may only raise. The aim for unseen words is 0.95 and is not reached.

    No pattern was changed because of a sentence in held_out.csv. When one is, move
    that sentence to sentences.csv and write a new one: the figure is worth something only while it is unseen.
    """
    recall, precision = recall_and_precision(sentences("held_out.csv"))
    print(f"held out: recall {recall:.3f}, precision {precision:.3f}")
    assert recall >= 0.5
    assert precision >= 0.8


def test_safe_3_a_concern_carries_its_kind_and_no_words() -> None:
    assert screen("i want to die") == Concern("self-harm")
    assert list(Concern.__dataclass_fields__) == ["kind"]


def test_safe_3_ordinary_words_are_not_raised() -> None:
    assert screen("the killer whale project was great") is None


def disguises(text: str) -> list[str]:
    return [
        text.upper(),
        "\u200b".join(text),
        "".join(letter * 3 if letter.isalpha() else letter for letter in text),
        " ".join(".".join(word) for word in text.split()),
        text.replace("'", ""),
        "".join("\x00" + letter for letter in text),
        text.translate(str.maketrans("aeo", "аео")),  # Cyrillic letters that look the same
    ]


DISGUISED = [disguises(text) for text in texts("concern") if screen(text)]


@pytest.mark.parametrize("way", range(7))
def test_safe_12_nine_in_ten_disguised_concerns_are_still_raised(way: int) -> None:
    raised = [screen(ways[way]) is not None for ways in DISGUISED]
    assert sum(raised) / len(raised) >= 0.9


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_safe_12_random_disguises_keep_nine_in_ten_raised(data: st.DataObject) -> None:
    """SAFE-12: words are screened as typed, so however they are typed."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(DISGUISED))), min_size=60, max_size=60, unique=True))
    seed = data.draw(st.randoms(use_true_random=False))
    raised = [screen(seed.choice(DISGUISED[index])) is not None for index in chosen]
    assert sum(raised) / len(raised) >= 0.9


@given(st.text(), st.sampled_from(["en", "pl", "", "../en", "\x00"]))
def test_safe_12_no_text_in_any_language_raises_an_error(text: str, language: str) -> None:
    assert screen(text, language) is None or isinstance(screen(text, language), Concern)


@pytest.mark.parametrize("text", ["\ud800", "", "\u0301" * 50, "1@!$" * 9])
def test_safe_12_broken_text_is_read_without_an_error(text: str) -> None:
    assert screen(text) is None


@pytest.mark.parametrize("part", ["i", "k.", "a\u0301\u0327", "iamthe", "dad ", "1@", "he she the ", ". "])
def test_safe_12_hundred_kilobytes_of_hostile_text_come_back(part: str) -> None:
    screen(part * (100_000 // len(part)))


def test_safe_12_another_language_is_read_with_its_words_and_the_english_ones() -> None:
    assert screen("my dad hits me", "pl") == screen("my dad hits me")
