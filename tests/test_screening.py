"""The safeguarding word screen: how much it finds, how often it is wrong, what it survives (SAFE-3, SAFE-12)."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.screening import Concern, screen
from data.queue import waiting_items
from tests.school import School
from tests.test_dialogue import answer, send

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


Recorder = Callable[[str, object], None]


def test_safe_3_the_screen_finds_concerns_and_leaves_most_school_talk(record_property: Recorder) -> None:
    """SAFE-3: a word match raises. The patterns were made with these sentences in view."""
    rows = sentences("sentences.csv")
    recall, precision = recall_and_precision(rows)
    record_property("figure", f"word screen, {len(rows)} sentences: recall {recall:.3f}, precision {precision:.3f}")
    assert len(rows) >= 300
    assert recall >= 0.95
    assert precision >= 0.8


def test_safe_3_phrasings_the_patterns_never_saw_are_raised_about_half_the_time(record_property: Recorder) -> None:
    """SAFE-3: why the screen may only raise. The aim for unseen words is 0.95 and is not reached.

    No pattern was changed because of a sentence in held_out.csv. When one is, move
    that sentence to sentences.csv and write a new one: the figure is worth something only while it is unseen.
    """
    rows = sentences("held_out.csv")
    recall, precision = recall_and_precision(rows)
    record_property("figure", f"word screen, {len(rows)} never seen: recall {recall:.3f}, precision {precision:.3f}")
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


# --- what depends on it -------------------------------------------------------------------------------------------


async def test_safe_3_words_that_nothing_flags_reach_the_same_readers(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SAFE-3: the screen only raises priority. Blind to everything, it loses nobody's words."""
    told = [row["text"] for row in sentences("held_out.csv") if row["label"] == "concern"][:6]
    for module in ("conversations.engine", "bot.dialogue", "bot.joining"):
        monkeypatch.setattr(f"{module}.screen", lambda *_: None)
    await school.readers()
    parents = await school.people(12)
    await send(school)
    for person, words in zip(parents, told, strict=False):
        await answer(school, person, words)
    async with school.db.reading() as tx:
        assert await waiting_items(tx) == []
    school.clock.move(hours=6)
    await school.rounds()
    async with school.db.reading() as tx:
        items = await waiting_items(tx)
    assert sorted(i.text for i in items) == sorted(told)
    assert {i.kind for i in items} == {"words"}


async def test_safe_3_the_screen_changes_when_words_are_read_and_nothing_else(school: School) -> None:
    """SAFE-3: flagged ones come first and at once, the others at the reading time; both are there."""
    flagged, quiet = "my uncle hurts me", "More time, please."
    assert screen(flagged)
    assert not screen(quiet)
    await school.readers()
    parents = await school.people(12)
    await send(school)
    for person, words in ((parents[0], quiet), (parents[1], flagged)):
        talk = school.on(person)
        await talk.forges("o=parent-send-provision-1")
        await talk.types("yes", *["skip"] * 6, words)
        await talk.types(*(["Go on"] if words == flagged else []), "Send my answers")
        assert "We have your answers" in talk.text
    school.clock.move(hours=6)
    await school.rounds()
    async with school.db.reading() as tx:
        items = await waiting_items(tx)
    assert [(i.kind, i.text) for i in items] == [("flagged", flagged), ("words", quiet)]
