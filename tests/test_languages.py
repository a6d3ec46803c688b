"""The language files: nothing missing, nothing promised, every placeholder known."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from conversations.form import Form
from conversations.library import FOLDER, bundled_forms, errand
from conversations.secrecy import promises_secrecy
from conversations.texts import load_texts

TEXTS = load_texts()
ROOT = Path(__file__).parent.parent
FACTS = {
    "visit_period",
    "came",
    "columns",
    "missed",
    "new",
    "number",
    "old",
    "reason",
    "text",
    "until",
    "ways",
    "words",
    "address",
    "age",
    "answer",
    "answer_date",
    "answer_readers",
    "asked",
    "at",
    "base",
    "chair",
    "child",
    "close_date",
    "close_time",
    "closed",
    "code",
    "council",
    "count",
    "date",
    "day",
    "decider",
    "decision",
    "deputy",
    "dsl",
    "ends",
    "finished",
    "group",
    "head",
    "highest",
    "label",
    "least",
    "hours",
    "low",
    "middle",
    "minutes",
    "n",
    "name",
    "name_readers",
    "names_period",
    "numbers",
    "of",
    "opened",
    "opens",
    "percent",
    "period",
    "phone",
    "place",
    "reader",
    "role",
    "roles",
    "routed_readers",
    "school",
    "senco",
    "sendiass",
    "started",
    "survey",
    "time",
    "title",
    "who",
    "word_readers",
}
ACCESS = ("approve.letter", "device.added", "device.tried", "chat.")  # bot/access_letters.py


def phrases() -> list[tuple[str, str]]:
    found = []
    for language, table in TEXTS.phrases.items():
        for key, phrase in table.items():
            forms = phrase.values() if isinstance(phrase, dict) else [phrase]
            found += [(f"{language}:{key}", words) for words in forms]
    return found


def form_texts() -> list[tuple[str, str]]:
    found = []
    errands = [errand(path.stem) for path in sorted((FOLDER / "errands").glob("*.yaml"))]
    for form in (*bundled_forms().values(), *errands):
        asked = [t for q in form.questions for t in (q.text, q.easy or {}, *(c.label for c in q.choices))]
        for texts in (form.title, form.intro or {}, form.decision or {}, *asked):
            found += [(f"{form.id}:{language}", words) for language, words in texts.items()]
    return found


def test_every_phrase_is_words() -> None:
    assert [key for key, words in phrases() if not isinstance(words, str) or not words.strip()] == []


def test_every_language_has_every_phrase() -> None:
    english = set(TEXTS.phrases["en"])
    assert {x: sorted(english ^ set(table)) for x, table in TEXTS.phrases.items() if english != set(table)} == {}


def test_every_phrase_that_the_code_names_is_there() -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for f in ("bot", "conversations") for p in (ROOT / f).rglob("*.py"))
    named = set(re.findall(r'(?:say|phrase|tell|list)\((?:[a-z.]*language, )?\s*"([a-z]+(?:[.-][a-zA-Z-]+)*)"', code))
    assert len(named) > 50
    assert sorted(key for key in named - {"en"} if not TEXTS.has(key)) == []


@pytest.mark.parametrize(("key", "words"), phrases() + form_texts())
def test_no_text_promises_secrecy(key: str, words: str) -> None:
    """SAFE-2: and "secret" stands only where it is said that it cannot be kept."""
    assert not promises_secrecy(words)
    assert "secret" not in words.lower().replace("i can't keep it secret", "")


@pytest.mark.parametrize(
    "words",
    ["This is just between us.", "Your answers stay secret", "It is completely private.", "No one will know.",
     "Nobody else will find out what you say", "It's our little secret", "We keep what you say secret",
     "JUST\u00a0BETWEEN\u200b US", "100% confidential", "Nobody will see your answers", "I will tell nobody",
     "We won't tell anyone", "We’ll never tell anybody", "A talk off the record", "Your secret is safe with us",
     "Private and confidential", "What you say stays in the room"],
)  # fmt: skip
def test_a_promise_is_known_as_one(words: str) -> None:
    """SAFE-2: and no school's own form can make it."""
    assert promises_secrecy(words)
    raw = {"id": "own", "version": 1, "mode": "CONF", "audience": "parents", "title": {"en": "Own"}}
    question = {"id": "q", "type": "text", "text": {"en": words}}
    with pytest.raises(ValueError, match="stays secret"):
        Form.model_validate(raw | {"questions": [question]})


@pytest.mark.parametrize(
    "words",
    ["I can't keep it secret if you are not safe.", "We do not keep it secret", "We never keep this secret",
     "Nobody can tell whose paper is whose.", "Which club? Secret garden", "Nobody will read the answers",
     "A safe adult will never tell you to keep quiet.", "We won't tell anyone who wrote it.", "Tell somebody"],
)  # fmt: skip
def test_what_is_no_promise_is_let_through(words: str) -> None:
    assert not promises_secrecy(words)


def test_every_placeholder_is_a_known_fact() -> None:
    unknown = {}
    for key, words in phrases():
        names = {name for _, name, _, _ in string.Formatter().parse(words) if name}
        if names - FACTS:
            unknown[key] = names - FACTS
    assert unknown == {}


def test_invitations_and_alerts_are_neutral_on_a_lock_screen() -> None:
    """FAIL-7: no name, no need in what comes unasked."""
    unasked = ("invitation", "reminder.", "event.", "staff.alert", "closing.", *ACCESS)
    for key, words in phrases():
        if key.split(":")[1].startswith(unasked):
            assert not re.search(r"send|needs|safeguard|danger|\{(title|group|senco|dsl|head|name)\}", words.lower())


def test_a_form_shows_who_decides_and_when_people_hear() -> None:
    """X2, X3"""
    intro = " ".join(words for key, words in phrases() if key.startswith("en:intro."))
    readers = ("name_readers", "answer_readers", "word_readers")
    for fact in ("decision", "decider", *readers, "close_date", "answer_date", "n", "minutes"):
        assert "{" + fact + "}" in intro


@pytest.mark.parametrize("form", bundled_forms().values(), ids=lambda f: f.id)
def test_bundled_forms_keep_to_the_rules_of_wording(form: Form) -> None:
    """Domain 4.1, 4.2: short sentences, no double negatives, at most one text question in a survey, last."""
    longest = 10 if form.audience == "pupils" else 20
    for q in form.questions:
        for sentence in re.split(r"[.?!]\s*", q.text["en"]):
            assert len(sentence.split()) <= longest + 1, sentence
    texts = [i for i, q in enumerate(form.questions) if q.type == "text"]
    assert texts in ([], [len(form.questions) - 1])


def test_sentences_are_short_enough_to_read() -> None:
    """Domain 4.1: adults 20 words at most; pupils 10, but for the one about safety that the bank words so."""
    too_long = []
    for key, words in phrases() + form_texts():
        if ":staff." in key or ":typed." in key or key.endswith(":proof.words"):
            continue
        most = 13 if "pupil" in key else 20
        for sentence in re.split(r"(?<=[.?!])\s+|\n", words):
            if len(re.findall(r"[\w{}'’-]+", sentence)) > most:
                too_long.append((key, sentence))
    assert too_long == []
