"""The copy of an item for the school's own record, as text or as a paper; each is noted before it goes out (SAFE-8)."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.item_record import Record, record_of
from bot.papers.typesetting import NotPrintable, pdf
from bot.web_channel.channel import web_of
from bot.web_channel.door import acting
from bot.web_channel.queue_door import read_item
from bot.web_channel.queue_item import can_be_recorded
from bot.web_channel.staff_page import draw_for
from data.looks import note_look

PAPER = "queue_copy.typ"


async def take(request: Request) -> Response:
    """The copy, as a PDF or on a page from which it can be copied."""
    entered = await acting(request, "queue", names=False)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    how = "pdf" if form.get("say") == "pdf" else "text"
    async with web.db.transaction() as tx:
        item = await read_item(tx, request, visitor)
        if not can_be_recorded(visitor.person, item):
            raise HTTPException(404)
        await note_look(tx, visitor.person.id, "copy", item.id, how, web.now)
    async with web.db.reading() as tx:
        record = await record_of(tx, web.house, item, visitor.person.language, visitor.person.id, web.now)
    made = await _paper(record, visitor.person.language) if how == "pdf" else None
    if made:
        headers = {"content-disposition": 'attachment; filename="record.pdf"'}  # the name tells of nobody
        return Response(made, media_type="application/pdf", headers=headers)
    notice = web.say(visitor.person.language, "queue.record-no-pdf") if how == "pdf" else ""
    routed = item.route is not None and not item.done_at
    page = {"item": item.id, "text": record.as_text(), "routed": routed, "notice": notice}
    return draw_for(request, visitor, "queue_copy.html", 200, **page)


async def _paper(record: Record, language: str) -> bytes | None:
    """Typeset in a thread, since nobody else should wait for it. None where our fonts lack a letter."""
    try:
        return await asyncio.to_thread(pdf, PAPER, record.as_values(language))
    except NotPrintable:
        return None
