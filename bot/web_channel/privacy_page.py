"""/privacy: the whole notice, for grown-ups and for pupils, open to anybody and made to be printed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bot.privacy import for_pupils, sections
from bot.web_channel.channel import web_of
from bot.web_channel.drawing import render
from bot.web_channel.sessions import visitor_of


async def show(request: Request) -> Response:
    """In the language of whoever this browser belongs to, else the school's first."""
    web, visitor = web_of(request), await visitor_of(request, used=False)
    language = visitor.person.language if visitor else web.house.school.languages[0]
    language = language if language in web.house.texts.languages else "en"
    pupils, adults = for_pupils(web.house, language), sections(web.house, language)
    return render(request, "privacy.html", 200, language, pupils=pupils, adults=adults)
