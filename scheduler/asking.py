"""Pupils who asked to talk: the adult is told within office hours, and the SENCO where that one does not look (S15)."""

from __future__ import annotations

from datetime import datetime

from conversations.roles import may
from data.database import Database, Tx
from data.outbox import ALERT, post
from data.people import find_person, people_with_role
from data.requests import Request, open_requests, pass_on_requests, unseen_requests
from data.school import School
from scheduler.ladder import PATIENCE, is_open, next_opening


async def tell_adult(tx: Tx, school: School, request: Request, now: datetime) -> None:
    """At once while school is open, else at the next opening."""
    due = now if await is_open(tx, school, now) else await next_opening(tx, school, now)
    await post(tx, "asked-to-talk", request.id, [request.adult], due, ALERT)


async def ask_others_due(db: Database, school: School, now: datetime) -> bool:
    """After 15 minutes of office hours without a look, tell the SENCO; where that is the adult, those who stand in.

    Where the adult has left, or is no member of staff any more, the pupil waits for another one, who is told.
    """
    async with db.reading() as tx:
        gone = await _gone(tx)
        if not (gone or await unseen_requests(tx)) or not await is_open(tx, school, now):
            return False
    async with db.transaction() as tx:
        for adult in await _gone(tx):
            await pass_on_requests(tx, adult)
        told = [await _tell(tx, school, request, now) for request in await unseen_requests(tx)]
    return any(told)


async def _gone(tx: Tx) -> list[str]:
    """Adults whom pupils wait for, though they cannot open it any more."""
    adults = {request.adult for request in await open_requests(tx)}
    known = {id: await find_person(tx, id) for id in sorted(adults)}
    return [id for id, adult in known.items() if adult is None or not may(adult.roles, "requests")]


async def _tell(tx: Tx, school: School, request: Request, now: datetime) -> int:
    """How many are told only now: the adult where it was passed on to them, and in time those who stand in."""
    told = await post(tx, "asked-to-talk", request.id, [request.adult], now, ALERT)
    asked = request.asked_at
    heard = asked if await is_open(tx, school, asked) else await next_opening(tx, school, asked)
    if now < heard + PATIENCE:
        return told
    others = [id for id in await people_with_role(tx, "senco") if id != request.adult]
    others = others or [id for id in await people_with_role(tx, "dsl", "deputy") if id != request.adult]
    return told + await post(tx, "asked-to-talk", request.id, others, now, ALERT)
