"""Messages as a page draws them: which buttons are answers, which are controls, and the templates themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.said import OPEN, TALK, Tap
from bot.web_channel.channel import WebChannel, root_of, web_of
from conversations import words as w
from conversations.channel import Button, Message

FOLDER = Path(__file__).parent
MAIN = (w.START, w.SEND, w.DONE, w.GO_ON)
QUOTING = (w.QUOTE, w.NO_QUOTE)  # an answer among the controls of the review
ONE_TAP = (f"{OPEN}=", f"{TALK}=ask")  # what somebody came for: questions, or an adult to talk to
BIG = ("answer", "main")  # kinds of buttons that come first
LONGEST_HEADING = 90
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Drawn:
    """One button of a page. `kind` is its look; `pressed` is "true" or "false" for choices that can be marked."""

    label: str = field(repr=False)
    says: str = field(repr=False)
    opens: str = field(repr=False)
    kind: str
    pressed: str = ""


@dataclass(frozen=True)
class Part:
    """A paragraph. `numbered` is its first line where that begins an item of a list: "1. How is school?"."""

    numbered: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True)
class Card:
    """A message of a page. `answers` come first and big, `controls` after them."""

    message: Message
    heading: str = field(repr=False)
    parts: tuple[Part, ...]
    answers: tuple[Drawn, ...]
    controls: tuple[Drawn, ...]
    picture: int | None = None
    file: int | None = None


def card(message: Message, said: Sequence[Message] = ()) -> Card:
    """The message ready to draw; pictures and files are fetched by their number in the last reply."""
    return _card(message, message.title, message.text, said)


def screen_card(message: Message, said: Sequence[Message] = ()) -> Card:
    """The main message of a page, which needs a heading: its title, or else its first line if that is short."""
    first, _, rest = message.text.partition("\n")
    if message.title or len(first) > LONGEST_HEADING:
        return card(message, said)
    return _card(message, first, rest, said)


def _card(message: Message, heading: str, text: str, said: Sequence[Message]) -> Card:
    drawn = [_drawn(b) for b in message.buttons]
    number = next((i for i, m in enumerate(said) if m.picture is message.picture and m.file is message.file), None)
    return Card(
        message,
        heading,
        tuple(_parts(text)),
        tuple(d for d in drawn if d.kind in BIG),
        tuple(d for d in drawn if d.kind not in BIG),
        number if message.picture else None,
        number if message.file else None,
    )


def _parts(text: str) -> Iterator[Part]:
    """Paragraphs, and the items of numbered lists each by itself."""
    for paragraph in re.split(r"\n{2,}|\n(?=\d+\. )", text):
        first, _, rest = paragraph.partition("\n")
        if re.match(r"\d+\. ", first):
            yield Part(first, rest)
        elif paragraph.strip():
            yield Part("", paragraph.strip("\n"))


def _drawn(button: Button) -> Drawn:
    of_run = Tap(button.says).of_run()
    key = of_run[1].key if of_run else ""
    marks = key[:1] in (w.MARK, w.UNMARK) or key in QUOTING
    pressed = str(button.marked).lower() if marks else ""
    kind = "main" if button.says.startswith(ONE_TAP) else _kind(key)
    return Drawn(button.label, button.says, button.opens, kind, pressed)


def _kind(key: str) -> str:
    if key == w.HELP:
        return "help"
    if key in MAIN:
        return "main"
    return "control" if key.startswith(".") and key not in QUOTING else "answer"


class Words:
    """The page's phrases in one language, for templates: `t("queue-title")`."""

    def __init__(self, web: WebChannel, language: str) -> None:
        self.web = web
        self.language = language

    def __call__(self, key: str, **facts: object) -> str:
        return self.web.say(self.language, key if "." in key else f"web.{key}", **facts)


def render(request: Request, template: str, status: int = 200, language: str = "en", **facts: object) -> HTMLResponse:
    """A page. `menu` and `csrf` come with `facts` where somebody has joined."""
    web = web_of(request)
    known = {"root": root_of(request), "t": Words(web, language), "language": language, "school": web.house.school.name}
    defaults: dict[str, object] = {
        "csrf": "",
        "joined": False,
        "version": "",
        "up_to": 0,
        "locks": 0,
        "can_lock": False,
        "not_done": False,
    }
    html = TEMPLATES.get_template(template).render({**defaults, **known, **facts})
    return HTMLResponse(html, status, {"content-language": language})
