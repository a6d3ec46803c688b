"""/results/ID/sheet: one answer sheet by its number, to be looked at and then taken out with a reason (AUDIT-1)."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.sheets import NoSheet, OneSheet, look_at_sheet
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import acting, looking, to
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from data.database import Tx
from data.removals import LONGEST_REASON, remove_sheet, sheet_numbers
from data.surveys import Survey, find_survey

ACTION = "answers"


async def show(request: Request) -> Response:
    """The field for a number; with a number in the address that sheet, and the field for the reason."""
    web, visitor = web_of(request), await looking(request, ACTION, names=True)
    if isinstance(visitor, Response):
        return visitor
    typed = request.query_params.get("number")
    async with web.db.transaction() as tx:
        survey = await _survey(tx, request)
        sheet, notice = (None, "") if typed is None else await _looked(tx, web, visitor, survey, typed)
    return _page(request, visitor, survey, sheet, notice, 404 if notice else 200)


async def take_out(request: Request) -> Response:
    """Take it out. The form names the sheet itself, so that a second click finds it gone and does nothing."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    async with web.db.transaction() as tx:
        survey = await _survey(tx, request)
        number = (await sheet_numbers(tx, survey)).get(form.get("sheet", ""))
        if number is None:
            return to(request, f"/results/{survey.id}")
        sheet, notice = await _looked(tx, web, visitor, survey, str(number))
        if sheet is None or not reason:
            notice = notice or web.say(visitor.person.language, "removal.need-reason")
            return _page(request, visitor, survey, sheet, notice, 400)
        await remove_sheet(tx, survey, sheet.id, reason, visitor.person.id, web.now)
    return to(request, f"/results/{survey.id}")


async def _looked(tx: Tx, web: WebChannel, visitor: Visitor, survey: Survey, typed: str) -> tuple[OneSheet | None, str]:
    """The sheet, or why it cannot be shown."""
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0
    language, me = visitor.person.language, visitor.person.id
    try:
        return await look_at_sheet(tx, web.house, survey, number, me, language, web.now), ""
    except NoSheet as problem:
        return None, web.say(language, problem.key, **problem.facts)


def _page(
    request: Request, visitor: Visitor, survey: Survey, sheet: OneSheet | None, notice: str, status: int
) -> Response:
    facts = {"id": survey.id, "sheet": sheet, "notice": notice, "longest": LONGEST_REASON}
    return draw_for(request, visitor, "removal.html", status, **facts)


async def _survey(tx: Tx, request: Request) -> Survey:
    survey = await find_survey(tx, request.path_params["id"])
    if survey is None or survey.state != "closed" or survey.id != request.path_params["id"]:
        raise HTTPException(404)
    return survey
