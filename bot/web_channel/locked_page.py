"""The page a member of staff meets who was away for a while: locked, not lost."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.drawing import card, render
from bot.web_channel.second_factor import own_path
from bot.web_channel.sessions import Locked, csrf_of
from conversations.channel import Message
from data.codes import used_by


def draw_locked(
    request: Request, locked: Locked, status: int, *notices: Message, code: str = "", back: str = ""
) -> HTMLResponse:
    """Asks for six digits, or for the code of this browser's letter; `code` is one that was just opened here."""
    here = request.url.path.removeprefix(request.scope.get("root_path", "")) if request.method == "GET" else ""
    return render(
        request,
        "locked.html",
        status,
        locked.person.language,
        csrf=csrf_of(web_of(request), locked.secret),
        notices=[card(m) for m in notices],
        has_app=locked.has_app,
        code=code,
        back=own_path(back or getattr(request.state, "back", here)),
    )


async def opens(web: WebChannel, locked: Locked, code: str) -> bool:
    """Whether this is the code with which the person of this browser came in."""
    async with web.db.reading() as tx:
        return bool(code) and await used_by(tx, code, locked.person.id)
