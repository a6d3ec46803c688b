"""/names: the sheets of a closed CONF survey without names, and one name at a time, with a reason that is noted first.

Who may come here is who was named before question 1 as able to see who people are (conversations/readers.py). When the
time is over the page shows no sheet any more and says that nobody can tell whose they were (domain 6.4, 6.8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.behind import behind
from bot.facts import House
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import acting, looking
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from conversations.answers import Answer
from conversations.asking import Setting, answer_words
from conversations.form import said
from conversations.texts import long_date
from data.answers import NO_CHOICE, sheets_of
from data.database import Tx
from data.looks import note_look
from data.names import cut_day, is_cut, whose_sheet
from data.removals import sheet_numbers
from data.surveys import Survey, all_surveys, find_survey

ACTION = "names"
MODE = "CONF"
AT_ONCE = 25  # sheets on one page
LONGEST_REASON = 500

Values = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sheet:
    """One sheet: its number, the same as in the file of answers, and (question, answer) in words."""

    id: str
    number: int
    lines: tuple[tuple[str, str], ...] = field(repr=False)


async def show(request: Request) -> Response:
    """The closed surveys in this mode, newest first."""
    web, visitor = web_of(request), await looking(request, ACTION)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.reading() as tx:
        found = [s for s in await all_surveys(tx, "closed") if s.mode == MODE]
    language = visitor.person.language
    rows = [(s.id, said(s.form.title, language), _how_long(web, s, language)) for s in found]
    return draw_for(request, visitor, "names.html", surveys=rows)


async def show_sheets(request: Request) -> Response:
    """The sheets of one survey, without names, some at a time."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.transaction() as tx:
        survey = await _survey(tx, request)
        gone = _over(web, survey)
        if not gone:
            await note_look(tx, visitor.person.id, "sheets", survey.id, "", web.now)
        sheets = [] if gone else await sheets_of(tx, survey.id, survey.form)
        numbers = await sheet_numbers(tx, survey)
    language, first = visitor.person.language, _first(request)
    shown = [_sheet(web.house, survey, numbers[id], id, values, language) for id, values in sheets]
    return draw_for(
        request, visitor, "names_sheets.html", 200, id=survey.id, title=said(survey.form.title, language), gone=gone,
        how_long=_how_long(web, survey, language), sheets=shown[first : first + AT_ONCE],
        before=max(0, first - AT_ONCE) if first else None,
        after=first + AT_ONCE if first + AT_ONCE < len(shown) else None,
    )  # fmt: skip


async def ask(request: Request) -> Response:
    """The question why; before it the second factor."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.reading() as tx:
        survey, sheet = await _sheet_here(tx, web, request, visitor)
    return _one(request, visitor, survey, sheet, None)


async def open_key(request: Request) -> Response:
    """The name. Loading this page again asks the browser to send the form again, which is noted again."""
    entered = await acting(request, ACTION)
    if isinstance(entered, Response):
        return entered
    web, (visitor, form) = web_of(request), entered
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    async with web.db.transaction() as tx:  # committed before the key is opened
        survey, sheet = await _sheet_here(tx, web, request, visitor)
        if reason:
            await note_look(tx, visitor.person.id, "name", sheet.id, reason, web.now)
    if not reason:
        notice = web.say(visitor.person.language, "queue.name-need")
        return _one(request, visitor, survey, sheet, None, 400, notice)
    async with web.db.reading() as tx:
        person = await whose_sheet(tx, survey.id, sheet.id)
        found = await behind(tx, web.house, person, visitor.person.language) if person else []
    return _one(request, visitor, survey, sheet, found)


def _one(
    request: Request,
    visitor: Visitor,
    survey: Survey,
    sheet: Sheet,
    person: list[tuple[str, str]] | None,
    status: int = 200,
    notice: str = "",
) -> Response:
    """One sheet; `person` is None before its key was opened, and empty where there is no key any more."""
    how_long = _how_long(web_of(request), survey, visitor.person.language)
    facts = {"id": survey.id, "sheet": sheet, "person": person, "notice": notice, "how_long": how_long}
    return draw_for(request, visitor, "names_sheet.html", status, **facts)


# --- what there is ------------------------------------------------------------------------------------------------


async def _survey(tx: Tx, request: Request) -> Survey:
    survey = await find_survey(tx, request.path_params["id"])
    known = survey is not None and survey.id == request.path_params["id"]
    if survey is None or not known or (survey.state, survey.mode) != ("closed", MODE):
        raise HTTPException(404)
    return survey


async def _sheet_here(tx: Tx, web: WebChannel, request: Request, visitor: Visitor) -> tuple[Survey, Sheet]:
    """The sheet of this address; there is none any more when the keys are cut."""
    survey = await _survey(tx, request)
    sheets = [] if _over(web, survey) else await sheets_of(tx, survey.id, survey.form)
    for id, values in sheets:
        if id == request.path_params["sheet"]:
            number = (await sheet_numbers(tx, survey))[id]
            return survey, _sheet(web.house, survey, number, id, values, visitor.person.language)
    raise HTTPException(404)


def _sheet(house: House, survey: Survey, number: int, id: str, values: Values, language: str) -> Sheet:
    s = house.setting(survey, "", language)
    asked = [q for q in survey.form.questions if q.id in values]
    return Sheet(id, number, tuple((s.fill(said(q.text, language)), _words(survey, q.id, values, s)) for q in asked))


def _words(survey: Survey, question: str, values: Values, s: Setting) -> str:
    q, given = survey.form.question(question), values[question]
    assert q
    if given[0] in NO_CHOICE:
        return s.say(f"answer.{given[0].removeprefix('~')}")
    kind = "choice" if q.tapped else q.type
    return answer_words(q, Answer(kind, given), s)  # type: ignore[arg-type]


def _first(request: Request) -> int:
    typed = request.query_params.get("from", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0


def _today(web: WebChannel) -> date:
    return web.now.astimezone(web.house.school.zone).date()


def _over(web: WebChannel, survey: Survey) -> bool:
    return is_cut(survey, web.house.school.keeping.conf_names_months, _today(web))


def _how_long(web: WebChannel, survey: Survey, language: str) -> str:
    """Until when a name can be shown, or since when nobody can tell any more."""
    cut = survey.keys_cut_on or cut_day(survey, web.house.school.keeping.conf_names_months)
    return web.say(language, "names.cut" if _over(web, survey) else "names.until", date=long_date(cut, language))
