"""What makes a valid form easier to answer: fewer questions, shorter sentences, words last."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conversations.form import Form, Question, Texts

LONGEST = {"pupils": 10, "parents": 20, "staff": 20}  # words in a sentence
BEST = 7  # questions


def advice(form: Form) -> list[str]:
    """A line for each thing to think about; none for a form that is as it should be."""
    return [*_number(form), *_words(form), *_sentences(form)]


def _number(form: Form) -> Iterator[str]:
    if len(form.questions) > BEST:
        yield f"has {len(form.questions)} questions. People answer more when there are at most {BEST}."


def _words(form: Form) -> Iterator[str]:
    texts = [q for q in form.questions if q.type == "text"]
    if len(texts) > 1:
        yield f"asks for words {len(texts)} times. Once is best: more is tiring, and many words give people away."
    if texts and form.mode != "NAMED" and form.questions[-1].type != "text":
        yield f"question {texts[-1].id}: asks for words before the end. Put the text question last."


def _sentences(form: Form) -> Iterator[str]:
    most = LONGEST[form.audience]
    for where, texts in _said(form):
        for language, words in texts.items():
            long = [n for n in map(_length, re.split(r"[.!?:]+(?:\s|$)", words)) if n > most]
            if long:
                yield f"{where} ({language}): a sentence of {max(long)} words. At most {most} are easy to read."


def _said(form: Form) -> Iterator[tuple[str, Texts]]:
    if form.intro:
        yield "intro", form.intro
    for q in form.questions:
        yield from _of_question(q)


def _of_question(q: Question) -> Iterator[tuple[str, Texts]]:
    yield f"question {q.id}", q.text
    if q.easy:
        yield f"question {q.id}, easy", q.easy


def _length(sentence: str) -> int:
    return len(sentence.split())
