"""Form, Question, Choice: what may be asked. Read from YAML, checked strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from conversations.secrecy import promises_secrecy

Words = Annotated[str, StringConstraints(min_length=1, max_length=1500, strip_whitespace=True)]
Texts = dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")], Words]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
FormId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
QuestionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]

MOST_CHOICES = {
    "one": 6,
    "scale": 6,
    "ask": 6,
    "few": 9,
}  # domain 4.2: what a small screen and a tired reader bear
MOST_QUESTIONS = 10

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class FormError(Exception):
    """A form file that cannot be played; each line names file, question and remedy."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Choice(Strict):
    """One answer that can be tapped. `concern` marks a choice that a human must see at once."""

    id: Id
    label: Texts
    concern: Literal["talk"] | None = None


class Question(Strict):
    """`show_if` maps an earlier question's id to the choice ids after which this one is asked."""

    id: QuestionId
    type: Literal["one", "few", "scale", "text", "number", "date", "ask"]
    text: Texts
    easy: Texts | None = None
    choices: tuple[Choice, ...] = Field(default=(), strict=False)
    max: int | None = None
    least: int | None = None
    most: int | None = None
    show_if: dict[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field(default_factory=dict)
    filled: bool = False  # the choices come from the database (groups, surveys), not from the file
    fixed: bool = False  # known before it begins, so that nobody is offered to change it
    short: Texts | None = None  # a name for the answer on the review screen of a staff errand

    @property
    def tapped(self) -> bool:
        return self.type in MOST_CHOICES

    def choice(self, id: str) -> Choice | None:
        return next((c for c in self.choices if c.id == id), None)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Question:
        for problem in _question_problems(self):
            raise ValueError(problem)
        return self


class Form(Strict):
    """What may be asked, in all its languages. `errand` forms are staff tasks, not surveys."""

    id: FormId
    version: int = Field(ge=1)
    mode: Literal["ANON", "CONF", "NAMED"]
    audience: Literal["parents", "pupils", "staff"]
    title: Texts
    intro: Texts | None = None
    decision: Texts | None = None
    minutes: int | None = Field(default=None, ge=1, le=30)
    errand: bool = False
    questions: tuple[Question, ...] = Field(strict=False)

    def question(self, id: str) -> Question | None:
        return next((q for q in self.questions if q.id == id), None)

    @property
    def languages(self) -> set[str]:
        return set(self.title)

    @property
    def takes_words(self) -> bool:
        return any(q.type == "text" for q in self.questions)

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """The facts that the texts of this form name in {braces}; worked out once, because every tap asks."""
        asked = [t for q in self.questions for t in (q.text, q.easy or {}, *(c.label for c in q.choices))]
        texts = (self.title, self.intro or {}, *asked)
        return frozenset(name for text in texts for words in text.values() for name in PLACEHOLDER.findall(words))

    @model_validator(mode="after")
    def _hangs_together(self) -> Form:
        problems = _form_problems(self)
        if problems:
            raise ValueError("\n".join(problems))
        return self


def said(texts: Texts | None, language: str) -> str:
    """The text in this language, else in English, else in the first language there is; "" for none."""
    if not texts:
        return ""
    return texts.get(language) or texts.get("en") or next(iter(texts.values()))


def fill(words: str, facts: Mapping[str, str]) -> str:
    """The words with every known {name} filled in; other braces are just braces."""
    return PLACEHOLDER.sub(lambda found: facts.get(found[1], found[0]), words)


def load_form(path: Path) -> Form:
    """The form in this YAML file; raises FormError naming file, question and remedy."""
    try:
        raw = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FormError([f"{path.name}: is not UTF-8 text. Save it as UTF-8."]) from None
    except OSError as error:
        raise FormError([f"{path.name}: cannot be read ({error.strerror})."]) from None
    return read_form(raw, path.name)


def read_form(raw: str, name: str) -> Form:
    """The form in this YAML text; `name` stands in the errors."""
    try:
        value = yaml.load(raw, _WordLoader)  # noqa: S506 - a SafeLoader that keeps yes and no as words
    except yaml.YAMLError as error:
        raise FormError([f"{name}: {_yaml_problem(error)}"]) from None
    if not isinstance(value, dict):
        raise FormError([f"{name}: is not a form. It must begin with lines such as `id:` and `version:`."])
    try:
        return Form.model_validate(value)
    except ValidationError as error:
        raise FormError(_plain_problems(error, value, name)) from None


def _question_problems(q: Question) -> list[str]:
    ids = [c.id for c in q.choices]
    problems = []
    if q.tapped and not q.filled and len(ids) < 2:
        problems.append("needs at least 2 choices. Add `choices`.")
    if not q.tapped and ids:
        problems.append(f"is of type {q.type}, which takes no choices. Remove `choices` or use type one or few.")
    if len(set(ids)) < len(ids):
        problems.append("has two choices with the same id. Give each its own.")
    if q.tapped and len(ids) > MOST_CHOICES[q.type]:
        problems.append(f"has {len(ids)} choices; {q.type} takes at most {MOST_CHOICES[q.type]}. Join or drop some.")
    if q.max is not None and (q.type != "few" or not 1 <= q.max <= len(ids)):
        problems.append("`max` goes with type few, from 1 to the number of choices.")
    if q.type != "number" and (q.least is not None or q.most is not None):
        problems.append("`least` and `most` go with type number. Remove them.")
    return problems


def _form_problems(form: Form) -> list[str]:
    problems = _promises("", form.title, form.intro)
    seen: dict[str, Question] = {}
    for q in form.questions:
        if q.id in seen:
            problems.append(f"question {q.id}: this id stands twice. Give each question its own.")
        problems += _show_if_problems(q, seen)
        problems += _language_problems(form, q)
        problems += _promises(f"question {q.id}: ", q.text, q.easy, *(c.label for c in q.choices))
        seen[q.id] = q
    if not form.errand and not 1 <= len(form.questions) <= MOST_QUESTIONS:
        problems.append(f"has {len(form.questions)} questions; a form takes 1 to {MOST_QUESTIONS}. 3 to 7 is best.")
    if form.mode == "ANON" and form.audience == "pupils" and form.takes_words:
        problems.append("asks pupils for words without names. Use mode CONF, or drop the text question (ANON).")
    return problems


def _show_if_problems(q: Question, seen: dict[str, Question]) -> list[str]:
    problems = []
    for other, ids in q.show_if.items():
        if other not in seen:
            problems.append(f"question {q.id}: show_if names {other}, which is not an earlier question.")
            continue
        unknown = [i for i in ids if not seen[other].choice(i)]
        if unknown or not ids:
            named = ", ".join(unknown) or "no choice"
            problems.append(
                f"question {q.id}: show_if names {named}, which {other} does not offer. Use its choice ids."
            )
    return problems


def _promises(where: str, *texts: Texts | None) -> list[str]:
    """SAFE-2: a child who is not safe is always helped, so no form may say that nobody will know."""
    told = [words for text in texts if text for words in text.values() if promises_secrecy(words)]
    return [f"{where}promises that something stays secret. Nobody may (SAFE-2). Remove it."] if told else []


def _language_problems(form: Form, q: Question) -> list[str]:
    texts = [q.text, *(c.label for c in q.choices), *([q.easy] if q.easy else [])]
    missing = {language for t in texts for language in form.languages - set(t)}
    return [f"question {q.id}: lacks a text in {', '.join(sorted(missing))}. The title has it."] if missing else []


def _plain_problems(error: ValidationError, value: dict[str, Any], name: str) -> list[str]:
    lines = []
    for e in error.errors(include_input=False, include_url=False):
        where = _where(e["loc"], value)
        for problem in _plain(e["type"], e["msg"], e["loc"]).split("\n"):
            lines.append(f"{name}: {where}{problem}")
    return lines


def _plain(kind: str, message: str, loc: tuple[int | str, ...]) -> str:
    key = loc[-1] if loc else ""
    if kind == "extra_forbidden":
        return f"`{key}` is not known here. Check its spelling, or remove it."
    if kind == "missing":
        return f"`{key}` is missing. Add it."
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"`{key}`: {message}."


def _where(loc: tuple[int | str, ...], value: dict[str, Any]) -> str:
    if len(loc) < 2 or loc[0] != "questions" or not isinstance(loc[1], int):
        return ""
    try:
        return f"question {value['questions'][loc[1]]['id']}: "
    except (KeyError, TypeError, IndexError):
        return f"question number {loc[1] + 1}: "


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "is not valid YAML"
    return f"line {mark.line + 1}: {problem}. Check indents, colons and quotes." if mark else f"{problem}."


# The C parser, because the Python one breaks words off at a "?" inside braces.
class _WordLoader(yaml.CSafeLoader):
    """YAML in which an unquoted yes, no, on or off stays a word, and no key may stand twice."""


_WordLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_WordLoader.yaml_implicit_resolvers.setdefault("t", []).append(("tag:yaml.org,2002:bool", re.compile(r"^true$")))
_WordLoader.yaml_implicit_resolvers.setdefault("f", []).append(("tag:yaml.org,2002:bool", re.compile(r"^false$")))


def _unique_mapping(loader: _WordLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    keys = [loader.construct_object(k, deep=True) for k, _ in node.value]
    twice = next((k for i, k in enumerate(keys) if k in keys[:i]), None)
    if twice is not None:
        raise yaml.constructor.ConstructorError(None, None, f"`{twice}` stands twice", node.start_mark)
    return yaml.CSafeLoader.construct_mapping(loader, node, deep=True)


_WordLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
