"""The page at /me as it is now, for whoever needs to draw it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.web_channel.channel import web_of
from bot.web_channel.drawing import card, render, screen_card
from bot.web_channel.scene import scene_of
from bot.web_channel.sessions import Visitor, csrf_of
from conversations.channel import Message


async def draw(request: Request, visitor: Visitor, status: int = 200, *extra: Message) -> HTMLResponse:
    """The page of this person now, with `extra` notices above."""
    web = web_of(request)
    scene = await scene_of(web, visitor)
    said = web.replies.messages(visitor.key, web.now)
    return render(
        request,
        "me.html",
        status,
        scene.person.language,
        joined=True,
        csrf=csrf_of(web, visitor.secret),
        scene=scene,
        screen=screen_card(scene.screen, said) if scene.screen else None,
        notices=[card(m, said) for m in (*extra, *scene.notices)],
        more=[card(m, said) for m in scene.more],
        news=[card(m) for m in scene.news],
        version=scene.version,
        up_to=scene.up_to,
    )
