"""/people/pause: no messages to a family for a while or for good, and a child's name taken out (FAIL-18)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import Form, acting, looking, to
from bot.web_channel.pause_words import pause_words
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from conversations.listening import parse_date
from conversations.roles import FAMILIES
from conversations.texts import long_date
from data.audit import note
from data.children import take_out_name
from data.codes import codes_used_by
from data.database import Tx
from data.looks import note_look
from data.pauses import REASONS, Pause, end_pause, pause_of, set_pause
from data.people import Person, find_person

ACTION = "invite"
LONGEST_NAME = 60  # letters


@dataclass(frozen=True)
class Said:
    """What the page says about the form that was sent: a remark, and what was typed."""

    remark: str = field(default="", repr=False)
    until: str = ""
    reason: str = field(default="", repr=False)


async def show(request: Request) -> Response:
    """Whether messages are paused, why, and what can be done."""
    visitor = await looking(request, ACTION, names=True)
    return visitor if isinstance(visitor, Response) else await _page(request, visitor, Said())


async def _page(request: Request, visitor: Visitor, said: Said, status: int = 200) -> Response:
    web, language = web_of(request), visitor.person.language
    async with web.db.transaction() as tx:
        family = await _family(tx, request)
        await note_look(tx, visitor.person.id, "pause", family.id, "", web.now)
        pause, back = await pause_of(tx, family.id, web.now), await _page_of(tx, family.id)
    facts = {
        "family": family,
        "pause": pause,
        "words": _left(web, pause, language) or pause_words(web, pause, language),
        "reasons": REASONS,
        "chosen": said.reason or (pause.reason if pause else ""),
        "until": said.until or _until(web, pause),
        "remark": said.remark,
        "back": back,
    }
    return draw_for(request, visitor, "pause.html", status, **facts)


def _left(web: WebChannel, pause: Pause | None, language: str) -> str:
    return web.say(language, "pause.paused-left") if pause and pause.reason == "left" else ""


def _until(web: WebChannel, pause: Pause | None) -> str:
    """As a date field takes it."""
    return pause.until.astimezone(web.house.school.zone).date().isoformat() if pause and pause.until else ""


async def change(request: Request) -> Response:
    """A pause set, changed or ended; names taken out."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    what = form.get("do", "")
    if what in ("name", "names"):
        return await _names_out(request, visitor, form.get("name", "") if what == "name" else None)
    until = _day(web, form)
    if what == "start" and until is not None and until <= _today(web):
        return await _page(request, visitor, _wrong(web, visitor, form), 422)
    async with web.db.transaction() as tx:
        family = await _family(tx, request)
        if what == "start" and form.get("reason") in REASONS:
            at = datetime.combine(until, time(), web.house.school.zone) if until else None
            await set_pause(tx, family.id, form["reason"], at, visitor.person.id, web.now)
        elif what == "end":
            await end_pause(tx, family.id, visitor.person.id, web.now)
    return to(request, f"/people/pause/{family.id}")


def _today(web: WebChannel) -> date:
    return web.now.astimezone(web.house.school.zone).date()


def _day(web: WebChannel, form: Form) -> date | None:
    """The day that was typed; None for none, and a day long ago for what is no day."""
    typed = form.get("until", "").strip()
    return parse_date(typed, _today(web)) or date.min if typed else None


def _wrong(web: WebChannel, visitor: Visitor, form: Form) -> Said:
    language = visitor.person.language
    example = long_date(_today(web) + timedelta(days=14), language)
    remark = web.say(language, "pause.wrong-date", date=example)
    return Said(remark, form.get("until", "")[:20], form.get("reason", ""))


async def _names_out(request: Request, visitor: Visitor, name: str | None) -> Response:
    """`name`: as staff know the child; None for all. Which names a parent wrote is not shown."""
    web, language = web_of(request), visitor.person.language
    async with web.db.transaction() as tx:
        family = await _family(tx, request)
        wanted = name[:LONGEST_NAME] if name is not None else None
        n = await take_out_name(tx, family.id, wanted, web.now)
        await note(tx, "child-name.out", family.id, web.now, visitor.person.id, n=str(n))
    key = "names-done" if name is None else "name-done" if n else "name-unknown"
    return await _page(request, visitor, Said(web.say(language, f"pause.{key}")))


# --- whose --------------------------------------------------------------------------------------------------------


async def _family(tx: Tx, request: Request) -> Person:
    person = await find_person(tx, request.path_params["id"])
    if person is None or not person.roles & FAMILIES:
        raise HTTPException(404)
    return person


async def _page_of(tx: Tx, person: str) -> str:
    """The page of their letter, or of themselves where they joined without one."""
    letters = [slip.hash for slip in await codes_used_by(tx, person) if slip.invitation.slip is not None]
    return f"/people/letter/{letters[0]}" if letters else f"/people/family/{person}"
