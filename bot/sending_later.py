"""Sendings planned with /send: sent at their time, shown, and cancelled."""

from __future__ import annotations

import json
from datetime import datetime

from bot.errands.send import Refused, Sending, send_survey
from bot.facts import House
from bot.said import WHEN, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.form import said
from conversations.roles import may
from conversations.texts import clock_time, day_and_date
from data.audit import note
from data.database import Tx
from data.forms import all_forms
from data.people import all_groups, find_person
from data.sendings import Planned, coming_sendings, end_sending, find_sending
from scheduler.planned import SendPlanned

ALL, CANCEL = "all", "cancel."


def planned_sender(house: House) -> SendPlanned:
    """What the clock calls for each: sends it with all checks of now; why not, as a phrase and its facts in JSON."""

    async def send(tx: Tx, planned: Planned, now: datetime) -> str:
        person = await find_person(tx, planned.by) if planned.by else None
        form = (await all_forms(tx)).get(planned.form)
        if form is None or person is None or not may(person.roles, "send"):
            return json.dumps(["staff.plan-nobody", {}])
        days = (planned.decision, planned.decider, planned.closes, planned.answer_by)
        try:
            await send_survey(tx, house, Sending(form, planned.group, *days), now, planned.by)
        except Refused as refused:
            return json.dumps([refused.key, refused.facts])
        return ""

    return send


async def show_planned(turn: PersonsTurn, what: str) -> None:
    """The list, one that was refused, or a tap on `Cancel`."""
    if not may(turn.person.roles, "send"):
        return turn.tell("refused")
    if what.startswith(CANCEL):
        return await _cancel(turn, what.removeprefix(CANCEL))
    if what != ALL:
        return await _show_one(turn, what)
    await _list(turn)


async def _list(turn: PersonsTurn) -> None:
    coming = await coming_sendings(turn.tx)
    if not coming:
        return turn.tell("staff.plan-none", turn.menu_button())
    rows = [await plan_words(turn, planned) for planned in coming]
    label = turn.phrase("staff.plan-cancel")
    names = [label if len(rows) == 1 else f"{label}: {n}" for n in range(1, len(rows) + 1)]
    buttons = tuple(Button(name, asking(WHEN, CANCEL + p.id)) for name, p in zip(names, coming, strict=True))
    numbered = rows if len(rows) == 1 else [f"{n}. {row}" for n, row in enumerate(rows, 1)]
    title = turn.phrase("staff.plan-title")
    turn.says.append(Message("\n".join(numbered), title=title, buttons=(*buttons, turn.menu_button())))


async def plan_words(turn: PersonsTurn, planned: Planned) -> str:
    """Its title, group, day and time in one line."""
    form = (await all_forms(turn.tx)).get(planned.form)
    at = planned.due_at.astimezone(turn.house.school.zone)
    return turn.phrase(
        "staff.plan-row",
        title=said(form.title, turn.language) if form else planned.form,
        group=(await all_groups(turn.tx)).get(planned.group, ""),
        day=day_and_date(at.date(), turn.language),
        time=clock_time(at, turn.language),
    )


async def _show_one(turn: PersonsTurn, id: str) -> None:
    planned = await find_sending(turn.tx, id)
    if planned is None or planned.state != "refused":
        return await _list(turn)
    key, facts = json.loads(planned.why)
    text = f"{await plan_words(turn, planned)}\n{turn.phrase(key, **facts)}"
    turn.says.append(Message(text, title=turn.phrase("staff.plan-refused"), buttons=(turn.menu_button(),)))


async def _cancel(turn: PersonsTurn, id: str) -> None:
    """Once; what went out in the meantime stays."""
    if not await end_sending(turn.tx, id, "cancelled"):
        return turn.tell("staff.plan-gone", turn.menu_button())
    await note(turn.tx, "survey.plan-cancelled", id, turn.now, turn.person.id)
    turn.tell("staff.plan-cancelled", turn.menu_button())
