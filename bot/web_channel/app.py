"""The web channel as an application: its routes, and around them the guard."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.dialogue import Clock, Dialogue
from bot.facts import House
from bot.letters import Letters
from bot.web_channel import (
    calendar_page,
    colleague_pages,
    event_pages,
    factor_pages,
    health,
    import_pages,
    join_pages,
    letter_pages,
    letters_pages,
    link_pages,
    lock_pages,
    my_data_pages,
    name_pages,
    pages,
    pause_pages,
    people_pages,
    privacy_page,
    queue_acts,
    queue_copies,
    queue_names,
    queue_pages,
    record_pages,
    removal_pages,
    results_pages,
)
from bot.web_channel.channel import DemoPhone, WebChannel
from bot.web_channel.drawing import render
from bot.web_channel.guard import Guard
from data.database import Database

STATIC = Path(__file__).parent / "static"
WORDS = {403: "expired", 404: "not-found", 413: "too-long", 503: "busy-now"}  # other statuses: "error"


def make_app(
    dialogue: Dialogue, db: Database, house: House, letters: Letters, clock: Clock, demo: DemoPhone | None = None
) -> Starlette:
    """The web channel of this school, to be served or mounted under a prefix."""
    web = WebChannel(dialogue, db, house, letters, clock, demo)

    async def failed(request: Request, status: int) -> Response:
        request.scope["app"] = app
        return error_page(request, status)

    guard = Middleware(Guard, https=web.secure, demo=demo is not None, failed=failed)
    app = Starlette(routes=routes(), middleware=[guard], exception_handlers={HTTPException: _http_error})
    app.state.web = web
    return app


def routes() -> list[Route | Mount]:
    get, post = ["GET"], ["POST"]
    return [
        Route("/", pages.home, methods=get),
        Route("/me", pages.me, methods=get),
        Route("/me", pages.act, methods=post),
        Route("/me/version", pages.version, methods=get),
        Route("/me/picture/{number:int}", pages.picture, methods=get),
        Route("/me/file/{number:int}", pages.file, methods=get),
        Route("/mydata", my_data_pages.show, methods=get),
        Route("/mydata/file", my_data_pages.file, methods=get),
        Route("/calendar/{id}", calendar_page.file, methods=get),
        Route("/privacy", privacy_page.show, methods=get),
        Route("/join/{code}", join_pages.show, methods=get),
        Route("/join/{code}", join_pages.answer, methods=post),
        Route("/queue", queue_pages.show, methods=get),
        Route("/queue/{id}", queue_pages.show_item, methods=get),
        Route("/queue/{id}", queue_pages.read, methods=post),
        Route("/queue/{id}/name", queue_names.ask, methods=get),
        Route("/queue/{id}/name", queue_names.show, methods=post),
        Route("/queue/{id}/route", queue_acts.send_on, methods=post),
        Route("/queue/{id}/copy", queue_copies.take, methods=post),
        Route("/queue/{id}/done", queue_acts.record, methods=post),
        Route("/queue/{id}/comment", queue_acts.comment, methods=post),
        Route("/queue/{id}/{act}", queue_pages.to_item, methods=get),
        Route("/people", people_pages.show, methods=get),
        Route("/people/letters", letters_pages.new, methods=get),
        Route("/people/letters", letters_pages.make, methods=post),
        Route("/people/made", letters_pages.made, methods=get),
        Route("/people/paper", letters_pages.paper, methods=get),
        Route("/people/calls", people_pages.calls, methods=get),
        Route("/people/group/{id}", people_pages.group, methods=get),
        Route("/people/group/{id}", people_pages.again, methods=post),
        Route("/people/letter/{id}", letter_pages.show_letter, methods=get),
        Route("/people/letter/{id}", letter_pages.act_on_letter, methods=post),
        Route("/people/family/{id}", letter_pages.show_family, methods=get),
        Route("/people/family/{id}", letter_pages.act_on_family, methods=post),
        Route("/people/pause/{id}", pause_pages.show, methods=get),
        Route("/people/pause/{id}", pause_pages.change, methods=post),
        Route("/people/staff", colleague_pages.show, methods=get),
        Route("/people/staff/{id}", colleague_pages.show_one, methods=get),
        Route("/people/staff/{id}", colleague_pages.change, methods=post),
        Route("/people/waiting/{id}", colleague_pages.decide, methods=post),
        Route("/results", results_pages.show, methods=get),
        Route("/results/{id}", results_pages.show_one, methods=get),
        Route("/results/{id}", results_pages.save, methods=post),
        Route("/results/{id}/sheet", removal_pages.show, methods=get),
        Route("/results/{id}/sheet", removal_pages.take_out, methods=post),
        Route("/events", event_pages.show, methods=get),
        Route("/events/import", import_pages.show, methods=get),
        Route("/events/import", import_pages.take, methods=post),
        Route("/events/{id}", event_pages.show_one, methods=get),
        Route("/events/{id}", event_pages.save_sheet, methods=post),
        Route("/names", name_pages.show, methods=get),
        Route("/names/{id}", name_pages.show_sheets, methods=get),
        Route("/names/{id}/{sheet}", name_pages.ask, methods=get),
        Route("/names/{id}/{sheet}", name_pages.open_key, methods=post),
        Route("/records", record_pages.show, methods=get),
        Route("/records/{id}", record_pages.show_family, methods=get),
        Route("/records/{id}", record_pages.read, methods=post),
        Route("/factor", factor_pages.show, methods=get),
        Route("/factor", factor_pages.answer, methods=post),
        Route("/factor/picture", factor_pages.picture, methods=get),
        Route("/file/{token}", link_pages.show, methods=get),
        Route("/file/{token}", link_pages.open, methods=post),
        Route("/unlock", lock_pages.unlock, methods=post),
        Route("/sign-out", lock_pages.sign_out, methods=post),
        Route("/healthz", health.healthz, methods=get),
        Route("/readyz", health.readyz, methods=get),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = error_page(request, error.status_code, "file-gone" if error.detail == "link" else "")
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def error_page(request: Request, status: int, words: str = "") -> Response:
    """A kind page for whatever went wrong; it says what to do and shows no cause."""
    key = words or WORDS.get(status, "error")
    text = request.app.state.web.say("en", f"web.{key}")
    return render(request, "message.html", status, title="sorry-title", text=text)
