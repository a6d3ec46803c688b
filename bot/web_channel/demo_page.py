"""The demo's page: three phones side by side, each the web channel itself under a path of its own."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.dialogue import Clock, Dialogue
from bot.letters import Letters
from bot.web_channel.app import error_page, make_app
from bot.web_channel.channel import DemoPhone
from bot.web_channel.drawing import render
from bot.web_channel.guard import Guard

PHONES = ("parent", "pupil", "senco")


def make_demo_app(dialogue: Dialogue, letters: Letters, clock: Clock, people: dict[str, str], folder: str) -> Starlette:
    """`people` says whose phone each is. Beside them, at the root, is the channel as a stranger meets it."""
    parts = (dialogue, dialogue.db, dialogue.house, letters, clock)
    channel = make_app(*parts)

    async def page(request: Request) -> Response:
        request.scope["app"] = channel
        return render(request, "demo.html", phones=PHONES, folder=folder)

    async def failed(request: Request, status: int) -> Response:
        request.scope["app"] = channel
        return error_page(request, status)

    phones = [Mount(f"/{name}", make_app(*parts, demo=DemoPhone(people[name]))) for name in PHONES]
    guard = Middleware(Guard, https=False, demo=True, failed=failed)
    return Starlette(routes=[Route("/", page), *phones, Mount("", channel)], middleware=[guard])
