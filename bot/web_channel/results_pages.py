"""/results: the files of closed surveys, to save after a second factor (EXP-5). What may leave: bot/survey_files.py."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.delivery import lines_about
from bot.survey_files import SurveyFiles, files_of
from bot.web_channel.channel import WebChannel, web_of
from bot.web_channel.door import acting, looking
from bot.web_channel.sessions import Visitor
from bot.web_channel.staff_page import draw_for
from conversations.counting import count_and_removed
from conversations.form import said
from conversations.roles import may
from conversations.texts import long_date
from data.counting import count_check
from data.database import Tx
from data.looks import note_look
from data.surveys import Survey, all_surveys, find_survey

ACTION = "answers"


async def show(request: Request) -> Response:
    """The closed surveys, newest first."""
    web, visitor = web_of(request), await looking(request, ACTION)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.reading() as tx:
        found = await all_surveys(tx, "closed")
    rows = [(s.id, said(s.form.title, visitor.person.language), _closed(s, visitor)) for s in found]
    return draw_for(request, visitor, "results.html", surveys=rows)


async def show_one(request: Request) -> Response:
    """Which files there are of one survey, and which not and why."""
    web, visitor = web_of(request), await looking(request, ACTION)
    if isinstance(visitor, Response):
        return visitor
    async with web.db.reading() as tx:
        survey = await _survey(tx, request)
        found = await _files(tx, web, visitor, survey)
        check = await count_check(tx, survey)
        sendings = await lines_about(tx, web.house, visitor.person.language, survey.id, web.now)
    title = said(survey.form.title, visitor.person.language)
    further = {"CONF": "names", "NAMED": "records"}.get(survey.mode, "")
    facts = {"title": title, "closed": _closed(survey, visitor), "kinds": list(found.files), "notes": found.notes}
    facts["leads"] = [further] if further and may(visitor.person.roles, further) else []
    facts["sendings"] = sendings
    facts["count"] = count_and_removed(check, web.house.texts, visitor.person.language)
    return draw_for(request, visitor, "results_files.html", 200, **facts, id=survey.id)


async def save(request: Request) -> Response:
    """One file. That it was taken is noted before it goes out."""
    web, let_in = web_of(request), await acting(request, ACTION)
    if isinstance(let_in, Response):
        return let_in
    visitor, form = let_in
    kind = form.get("file", "")
    async with web.db.reading() as tx:
        survey = await _survey(tx, request)
        found = await _files(tx, web, visitor, survey)
    if kind not in found.files:
        raise HTTPException(404)
    async with web.db.transaction() as tx:
        await note_look(tx, visitor.person.id, f"export-{kind}", survey.id, "", web.now)
    how = {"content-disposition": f'attachment; filename="{found.name(kind)}"'}
    return Response(found.files[kind].encode(), media_type="text/csv", headers=how)


async def _survey(tx: Tx, request: Request) -> Survey:
    survey = await find_survey(tx, request.path_params["id"])
    if survey is None or survey.state != "closed" or survey.id != request.path_params["id"]:
        raise HTTPException(404)
    return survey


async def _files(tx: Tx, web: WebChannel, visitor: Visitor, survey: Survey) -> SurveyFiles:
    made_by = ", ".join(web.say("en", f"role.{role}") for role in sorted(visitor.person.roles))
    return await files_of(tx, web.house, survey, made_by, web.now.astimezone(web.house.school.zone).date())


def _closed(survey: Survey, visitor: Visitor) -> str:
    return long_date(survey.closed_on or survey.opened_on, visitor.person.language)
