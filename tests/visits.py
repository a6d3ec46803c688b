"""Events that are over, for tests of what follows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from data.bookings import COMING, Booking, book
from data.events import Occasion, add_event, new_event, new_occasion
from data.moments import new_id
from data.people import find_group
from data.surveys import Survey
from data.tables import outbox
from data.wishes import wish
from tests.school import School, Talk

NEXT = ("Yoga", "Bread", "A walk")


async def held(school: School, came: Sequence[str], kind: str = "dropin", **more: object) -> Occasion:
    """An event that ended an hour ago, and who had booked it: of what people choose to hear of, those who chose."""
    now = school.clock.now
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        event = new_event(kind, group, place="Room 4", made_at=now - timedelta(days=9), **more)
        occasion = new_occasion(
            event, now - timedelta(hours=2), now - timedelta(hours=1), first_done=True, hour_done=True
        )
        await add_event(tx, event, [occasion])
        for person in came:
            if event.opted:
                await wish(tx, person, kind)
            await book(tx, occasion, Booking(new_id(), occasion.id, person, COMING, made_at=now))
    return occasion


async def asked_after(school: School, came: Sequence[str], kind: str = "dropin", **more: object) -> Occasion:
    """The same, and the evening's round of jobs."""
    occasion = await held(school, came, kind, **more)
    school.clock.set(school.clock.now.replace(hour=17, minute=5))
    await school.rounds()
    return occasion


async def letters(school: School, occasion: Occasion) -> set[str]:
    """Who has a letter that asks how it was."""
    async with school.db.reading() as tx:
        mine = select(outbox.c.person).where(outbox.c.kind == "how-was-it", outbox.c.ref == occasion.id)
        return {r.person for r in await tx.all(mine)}


async def pools(school: School) -> list[Survey]:
    """Every pool, oldest first."""
    from data.surveys import all_surveys

    async with school.db.reading() as tx:
        return [s for s in reversed(await all_surveys(tx)) if s.pooled]


async def says_how_it_was(school: School, person: str, *picks: str, pool: str = "drop-in-feedback-1") -> Talk:
    """Opens the letter, answers and sends."""
    talk = school.on(person)
    talk.reply = await talk.forges(f"o={pool}")
    await talk.taps("Yes, start", *picks, "Send my answers")
    return talk


B6 = ("Mostly", "Partly", "Friends", "Done")
