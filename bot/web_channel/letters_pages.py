"""/people/letters: letters with codes, from a number or from a list, and the PDF that was just made."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Sequence

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.cli.links import known_bot_name
from bot.invitations import (
    FamiliesProblem,
    Family,
    Made,
    invite_count,
    invite_families,
    last_day,
    read_families,
    text_of,
)
from bot.papers.slips import letters_pdf
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import Form, acting, looking, to
from bot.web_channel.papers import Paper
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for, language_name
from conversations.texts import long_date
from data.database import Tx
from data.looks import note_look
from data.people import all_groups

log = logging.getLogger(__name__)

ACTION = "invite"
MOST = 200  # letters of a number, without a list
PART = 256 * 1024  # bytes of a list


async def new(request: Request) -> Response:
    """The two forms: so many letters for a group, or a list of families."""
    visitor = await looking(request, ACTION, names=True)
    return visitor if isinstance(visitor, Response) else await _form(request, visitor)


async def _form(
    request: Request, visitor: Visitor, status: int = 200, wrong: Sequence[str] = (), text: str = ""
) -> Response:
    web = web_of(request)
    async with web.db.reading() as tx:
        groups = await all_groups(tx)
    languages = {code: language_name(code, visitor.person.language) for code in web.house.school.languages}
    sample = f"family,group,language\nFamily 12,{next(iter(groups.values()), '')},{web.house.school.languages[0]}"
    facts = {"groups": groups, "languages": languages, "wrong": wrong, "text": text, "sample": sample}
    return draw_for(request, visitor, "letters.html", status, once=new_once(), **facts)


def new_once() -> str:
    """Names a form, so that a double click carries it out once."""
    return secrets.token_urlsafe(12)


async def make(request: Request) -> Response:
    """Check a list, or make the letters."""
    let_in = await acting(request, ACTION, read=read_list)
    if isinstance(let_in, Response):
        return let_in
    web, (visitor, form) = web_of(request), let_in
    async with web.db.reading() as tx:
        groups = await all_groups(tx)
    try:
        families = _families(web, form, groups)
    except FamiliesProblem as problem:
        return await _form(request, visitor, 422, problem.lines, form.get("text", ""))
    if form.get("do") == "check":
        return _check(request, visitor, form["text"], families, groups)
    async with web.replies.of(visitor.key).lock:
        if web.papers.was_made(visitor.person.id, form.get("once", "")):
            return to(request, "/people/made")
        async with web.db.transaction() as tx:
            made = await _made(tx, web, visitor, form, families)
        return await print_letters(request, visitor, made, form.get("once", ""))


async def read_list(request: Request) -> Form:
    """The fields, and the text of a file that was chosen; "unread" where it is no text."""
    async with request.form(max_files=1, max_fields=20, max_part_size=PART) as sent:
        form = {name: value for name, value in sent.items() if isinstance(value, str)}
        file = sent.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
    if content:
        try:
            form["text"] = text_of(content, web_of(request).house)
        except FamiliesProblem:
            form["unread"] = "yes"
    return form


def _families(web: WebChannel, form: Form, groups: dict[str, str]) -> list[Family]:
    """Those of the list; none where only a number is wanted. FamiliesProblem names all that is wrong at once."""
    if form.get("unread"):
        raise FamiliesProblem([web.say("en", "families.not-text")])
    if form.get("do") in ("check", "make"):
        return read_families(form.get("text", ""), groups, web.house)
    count = form.get("count", "")
    known = form.get("group") in groups and form.get("language") in web.house.school.languages
    if not known or not (count.isascii() and count.isdigit() and 1 <= int(count[:4]) <= MOST):
        raise FamiliesProblem([web.say("en", "people.wrong-number", n=MOST)])
    return []


async def _made(tx: Tx, web: WebChannel, visitor: Visitor, form: Form, families: list[Family]) -> list[Made]:
    me = visitor.person.id
    if families:
        return await invite_families(tx, web.house, families, me, web.now)
    return await invite_count(tx, web.house, form["group"], int(form["count"]), form["language"], me, web.now)


def _check(
    request: Request, visitor: Visitor, text: str, families: Sequence[Family], groups: dict[str, str]
) -> Response:
    """How many letters for which group in which language, before anything is made."""
    found = Counter((groups[f.group], language_name(f.language, visitor.person.language)) for f in families)
    rows = [(group, language, n) for (group, language), n in sorted(found.items())]
    return draw_for(request, visitor, "letters_check.html", rows=rows, n=len(families), text=text, once=new_once())


# --- what was made ------------------------------------------------------------------------------------------------


async def print_letters(request: Request, visitor: Visitor, made: Sequence[Made], once: str) -> Response:
    """Typeset them now: the codes are known only here and are stored nowhere."""
    web = web_of(request)
    if not made:
        return to(request, "/people")
    async with web.db.reading() as tx:
        bot_name = await known_bot_name(tx)
    until = last_day(web.house, web.now)
    try:
        content = await asyncio.to_thread(letters_pdf, web.house, bot_name, made, until)
    except Exception as error:
        log.error("letters could not be printed: %s", type(error).__name__)
        text = web.say(visitor.person.language, "people.not-printed")
        return draw_for(request, visitor, "message.html", 500, title="sorry-title", text=text)
    web.papers.keep(visitor.person.id, Paper("letters.pdf", content, len(made), until, once, web.now))
    return to(request, "/people/made")


async def made(request: Request) -> Response:
    """Where the letters can be saved, for minutes."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    paper = web.papers.of(visitor.person.id, web.now)
    until = long_date(paper.until, visitor.person.language) if paper else ""
    return draw_for(request, visitor, "letters_made.html", n=paper.letters if paper else 0, until=until)


async def paper(request: Request) -> Response:
    """The PDF itself."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    found = web.papers.of(visitor.person.id, web.now)
    if found is None:
        raise HTTPException(404)
    async with web.db.transaction() as tx:
        await note_look(tx, visitor.person.id, "letters", "pdf", "", web.now)
    how = {"content-disposition": f'attachment; filename="{found.name}"'}
    return Response(found.content, media_type="application/pdf", headers=how)
