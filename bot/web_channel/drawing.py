"""Messages as a page draws them: which buttons are answers, which are controls, and the templates themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.said import OPEN, Tap
from bot.web_channel.channel import WebChannel, root_of, web_of
from conversations import words as w
from conversations.channel import Button, Message

FOLDER = Path(__file__).parent
MAIN = (w.START, w.SEND, w.DONE, w.GO_ON)
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

    label: str
    says: str
    opens: str
    kind: str
    pressed: str = ""


@dataclass(frozen=True)
class Card:
    """A message of a page. `answers` come first and big, `controls` after them."""

    message: Message
    answers: tuple[Drawn, ...]
    controls: tuple[Drawn, ...]
    picture: int | None = None
    file: int | None = None

    @property
    def paragraphs(self) -> list[str]:
        return [p for p in self.message.text.split("\n\n") if p.strip()]


def card(message: Message, all_said: Sequence[Message] = ()) -> Card:
    """The message ready to draw; pictures and files are fetched by their number in the last reply."""
    drawn = [_drawn(b) for b in message.buttons]
    answers = tuple(d for d in drawn if d.kind in ("answer", "main"))
    number = next((i for i, m in enumerate(all_said) if m.picture == message.picture and m.file == message.file), None)
    return Card(
        message,
        answers,
        tuple(d for d in drawn if d not in answers),
        number if message.picture else None,
        number if message.file else None,
    )


def _drawn(button: Button) -> Drawn:
    of_run = Tap(button.says).of_run()
    key = of_run[1].key if of_run else ""
    pressed = str(button.marked).lower() if key[:1] in (w.MARK, w.UNMARK) else ""
    kind = "main" if button.says.startswith(f"{OPEN}=") else _kind(key)
    return Drawn(button.label, button.says, button.opens, kind, pressed)


def _kind(key: str) -> str:
    if key == w.HELP:
        return "help"
    if key in MAIN:
        return "main"
    return "control" if key.startswith(".") else "answer"


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
    defaults: dict[str, object] = {"csrf": "", "joined": False, "version": "", "up_to": 0}
    html = TEMPLATES.get_template(template).render({**defaults, **known, **facts})
    return HTMLResponse(html, status, {"content-language": language})
