"""Pupils who asked to talk: the adult is told within office hours, and the SENCO where that one does not look (S15)."""

from __future__ import annotations

from datetime import datetime

from data.database import Database, Tx
from data.outbox import ALERT, post
from data.people import people_with_role
from data.requests import Request, unseen_requests
from data.school import School
from scheduler.ladder import PATIENCE, is_open, next_opening


async def tell_adult(tx: Tx, school: School, request: Request, now: datetime) -> None:
    """At once while school is open, else at the next opening."""
    due = now if await is_open(tx, school, now) else await next_opening(tx, school, now)
    await post(tx, "asked-to-talk", request.id, [request.adult], due, ALERT)


async def ask_others_due(db: Database, school: School, now: datetime) -> bool:
    """After 15 minutes of office hours without a look, tell the SENCO; where that is the adult, those who stand in."""
    async with db.reading() as tx:
        if not await unseen_requests(tx) or not await is_open(tx, school, now):
            return False
    async with db.transaction() as tx:
        told = [await _tell_others(tx, school, request, now) for request in await unseen_requests(tx)]
    return any(told)


async def _tell_others(tx: Tx, school: School, request: Request, now: datetime) -> int:
    """How many are told only now."""
    asked = request.asked_at
    heard = asked if await is_open(tx, school, asked) else await next_opening(tx, school, asked)
    if now < heard + PATIENCE:
        return 0
    others = [id for id in await people_with_role(tx, "senco") if id != request.adult]
    others = others or [id for id in await people_with_role(tx, "dsl", "deputy") if id != request.adult]
    return await post(tx, "asked-to-talk", request.id, others, now, ALERT)
