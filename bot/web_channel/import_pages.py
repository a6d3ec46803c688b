"""/events/import: a term of drop-ins and events from a file or from pasted cells: looked at first, then planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from bot.booking.words import title_of, when
from bot.events.importing import Reader, Term, Wrong, import_term, read_term
from bot.events.table import decoded
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import Form, acting, looking, to
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from data.database import Tx
from data.people import all_groups

ACTION = "event"
PART = 512 * 1024  # bytes of a file; a term has a few thousand


async def show(request: Request) -> Response:
    visitor = await looking(request, ACTION)
    return visitor if isinstance(visitor, Response) else await _form(request, visitor)


async def take(request: Request) -> Response:
    """`check` shows what would be planned, or all that is wrong; `make` plans it. The same file twice plans it once."""
    web, let_in = web_of(request), await acting(request, ACTION, names=False, read=read_file)
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    try:
        async with web.db.transaction() as tx:
            reader = _reader(tx, web, visitor, form)
            term = await read_term(reader, form.get("text", ""))
            if form.get("do") == "make":
                await import_term(reader, term)
    except Wrong as wrong:
        return await _form(request, visitor, 422, wrong.lines, form)
    if form.get("do") == "make":
        return to(request, "/events")
    return _check(request, visitor, form, term)


def _reader(tx: Tx, web: WebChannel, visitor: Visitor, form: Form) -> Reader:
    me = visitor.person
    return Reader(tx, web.house, web.now, form.get("group", ""), me.id, me.id, me.language)


async def read_file(request: Request) -> Form:
    """The fields of the form; a file goes before what was pasted."""
    async with request.form(max_files=1, max_fields=20, max_part_size=PART) as sent:
        form = {name: value for name, value in sent.items() if isinstance(value, str)}
        file = sent.get("file")
        content = await file.read(PART) if isinstance(file, UploadFile) else b""
    return form | ({"text": decoded(content)} if content else {})


async def _form(
    request: Request, visitor: Visitor, status: int = 200, wrong: Sequence[str] = (), form: Form | None = None
) -> Response:
    web, sent = web_of(request), form or {}
    async with web.db.reading() as tx:
        groups = list((await all_groups(tx)).values())
    sample = f"kind,title,date,starts,ends,place,group\ndrop-in,,12/11/2026,9:00,10:00,Room 4,{next(iter(groups), '')}"
    facts = {"groups": groups, "wrong": wrong, "text": sent.get("text", ""), "chosen": sent.get("group", "")}
    return draw_for(request, visitor, "import.html", status, sample=sample, **facts)


def _check(request: Request, visitor: Visitor, form: Form, term: Term) -> Response:
    web, language = web_of(request), visitor.person.language
    rows = [(when(web.house, language, *t), title_of(web.house, e, language), e.place) for e, t in term.times]
    counts = {"known": term.known, "left-out": term.left_out}
    remarks = [web.say(language, f"import.{what}", n=n) for what, n in counts.items() if n]
    facts: dict[str, Any] = {"rows": rows, "n": term.n, "remarks": remarks}
    sent = {"text": form.get("text", ""), "group": form.get("group", "")}
    return draw_for(request, visitor, "import_check.html", 200, **facts, **sent)
