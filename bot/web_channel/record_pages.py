"""/records: what families said by name, for their children's papers; each sheet is noted before it is shown.

Who may come here is who was named before question 1 as reading it (conversations/readers.py, NAMED).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.child_papers import TEMPLATE, as_values, family_of, paper_of
from bot.papers.typesetting import NotPrintable, pdf
from bot.web_channel.channel import web_of
from bot.web_channel.door import acting, looking
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from data.database import Tx
from data.looks import note_look
from data.records import Record, all_records, records_of

ACTION = "records"
ALL = "all"


@dataclass(frozen=True)
class Family:
    """Somebody whose sheets are here: their id, what staff call them, and how many sheets there are."""

    id: str
    name: str = field(repr=False)
    count: int


async def show(request: Request) -> Response:
    """The families, by label; nothing of what they said."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        await note_look(tx, visitor.person.id, "labels", "records", "", web.now)
        families = await _families(tx, request, visitor)
    return draw_for(request, visitor, "records.html", families=families)


async def show_family(request: Request) -> Response:
    """Which sheets one family gave: title, date, who and how. What they said comes after pressing a button."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        found = await _records(tx, request)
        await note_look(tx, visitor.person.id, "family", request.path_params["id"], "", web.now)
        return await _draw(tx, request, visitor, found, opened=False)


async def read(request: Request) -> Response:
    """One sheet or all of them, on the page or as a PDF for the pupil's file; noted first, a row for each sheet."""
    entered = await acting(request, ACTION)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    which, printed = form.get("paper", ""), form.get("as") == "pdf"
    async with web.db.transaction() as tx:  # committed before anything is shown
        chosen = [r for r in await _records(tx, request) if which in (r.id, ALL)]
        for record in chosen:
            await note_look(tx, visitor.person.id, "export-record" if printed else "record", record.id, "", web.now)
    if not chosen:
        raise HTTPException(404)
    made = await _printed(request, visitor, chosen) if printed else None
    if made:
        headers = {"content-disposition": 'attachment; filename="papers.pdf"'}  # the name tells of nobody
        return Response(made, media_type="application/pdf", headers=headers)
    notice = web.say(visitor.person.language, "queue.record-no-pdf") if printed else ""
    async with web.db.reading() as tx:
        return await _draw(tx, request, visitor, chosen, True, which, notice)


async def _printed(request: Request, visitor: Visitor, records: Sequence[Record]) -> bytes | None:
    """Typeset in a thread, since nobody else should wait for it. None where our fonts lack a letter."""
    web, language = web_of(request), visitor.person.language
    async with web.db.reading() as tx:
        papers = [await paper_of(tx, web.house, r, language, visitor.person.roles) for r in records]
        family = await family_of(tx, web.house, records[0], language)
        values = await as_values(tx, web.house, family, papers, visitor.person.id, web.now, language)
    try:
        return await asyncio.to_thread(pdf, TEMPLATE, values)
    except NotPrintable:
        return None


async def _draw(
    tx: Tx,
    request: Request,
    visitor: Visitor,
    records: Sequence[Record],
    opened: bool,
    which: str = ALL,
    notice: str = "",
) -> Response:
    web, language = web_of(request), visitor.person.language
    papers = [await paper_of(tx, web.house, record, language, visitor.person.roles) for record in records]
    facts = {"family": await family_of(tx, web.house, records[0], language), "papers": papers, "which": which}
    page = {"person": records[0].person, "opened": opened, "notice": notice}
    return draw_for(request, visitor, "records_family.html", 200, **facts, **page)


async def _records(tx: Tx, request: Request) -> list[Record]:
    """The sheets of the family of this address, oldest first."""
    found = await records_of(tx, request.path_params["id"])
    if not found:
        raise HTTPException(404)
    return found


async def _families(tx: Tx, request: Request, visitor: Visitor) -> list[Family]:
    house = web_of(request).house
    by_person: dict[str, list[Record]] = {}
    for record in await all_records(tx):
        by_person.setdefault(record.person, []).append(record)
    found = [
        Family(person, await family_of(tx, house, sheets[-1], visitor.person.language), len(sheets))
        for person, sheets in by_person.items()
    ]
    return sorted(found, key=lambda family: (family.name.casefold(), family.id))
