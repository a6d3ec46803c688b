"""What goes of events, day by day: needs the day after, sign-ups a month after, counts and themes with the logs (6.8).

All of it follows from the rows and the periods, so that the deletions of the night after a restore do it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import and_, delete, func, select, update

from data.database import Tx
from data.moments import stamp
from data.night import Gone, Night, delete_old
from data.pools import forget_visits
from data.tables import bookings, events, occasions, outbox, requests, room_notes, sendings, wedid

REQUESTS_KEPT = timedelta(days=7)  # of pupils who asked for an adult: no longer than the readers' own words
ID = 12  # letters of an id, with which the ref of a letter about a time, an event or a booking begins


async def keep_events(tx: Tx, night: Night) -> Iterable[Gone]:
    return [
        await _needs(tx, night),
        *await _sign_ups(tx, night),
        await _times(tx, night),
        await delete_old(
            tx, "requests", requests, requests.c.asked_at < stamp(night.now - REQUESTS_KEPT), requests.c.asked_at
        ),
        *await _with_the_logs(tx, night),
    ]


async def _needs(tx: Tx, night: Night) -> Gone:
    """What people need at an event is emptied the day after, also of those who waited or could not come."""
    yesterday = select(occasions.c.id).where(occasions.c.ends_at < stamp(night.start_of(night.today)))
    theirs = and_(bookings.c.sealed.is_not(None), bookings.c.occasion.in_(yesterday))
    since = select(func.min(occasions.c.ends_at)).join(bookings, bookings.c.occasion == occasions.c.id).where(theirs)
    oldest = await tx.value(since)
    return Gone("needs", await tx.run(update(bookings).where(theirs).values(sealed=None)), oldest or "")


async def _sign_ups(tx: Tx, night: Night) -> list[Gone]:
    """Who booked and who was told, and the link between a visit and its answers (data/pools.py)."""
    before = night.before(days=night.keeping.sign_ups_days)
    over = select(occasions.c.id).where(occasions.c.ends_at < before)
    booked = select(func.min(occasions.c.ends_at)).join(bookings, bookings.c.occasion == occasions.c.id)
    oldest = await tx.value(booked.where(occasions.c.ends_at < before))
    to_come = select(occasions.c.event).where(occasions.c.ends_at >= before)
    theirs = select(bookings.c.id).where(bookings.c.occasion.in_(over))
    about = over.union(select(events.c.id).where(events.c.id.not_in(to_come)), theirs)
    letters = await tx.run(delete(outbox).where(func.substr(outbox.c.ref, 1, ID).in_(about)))
    links = await forget_visits(tx, before)
    gone = await tx.run(delete(bookings).where(bookings.c.occasion.in_(over)))
    return [Gone("sign-ups", gone, oldest or ""), Gone("told", letters, ""), Gone("visits-asked", links)]


async def _times(tx: Tx, night: Night) -> Gone:
    """Times with their counts and themes, and events that have no time left."""
    before = stamp(night.months_ago(night.keeping.logs_months))
    over = occasions.c.ends_at < before
    await tx.run(delete(bookings).where(bookings.c.occasion.in_(select(occasions.c.id).where(over))))
    await tx.run(delete(room_notes).where(room_notes.c.occasion.in_(select(occasions.c.id).where(over))))
    gone = await delete_old(tx, "drop-ins", occasions, over, occasions.c.ends_at)
    await tx.run(delete(events).where(events.c.id.not_in(select(occasions.c.event))))
    return gone


async def _with_the_logs(tx: Tx, night: Night) -> list[Gone]:
    """Sendings that were done or given up, and rows of "you said, we did" that a newer one replaced."""
    before = night.months_ago(night.keeping.logs_months)
    done = and_(sendings.c.state != "planned", sendings.c.due_at < stamp(before))
    replaced = and_(wedid.c.state == "replaced", wedid.c.published_on < before.date().isoformat())
    return [
        await delete_old(tx, "sendings", sendings, done, sendings.c.due_at),
        await delete_old(tx, "replaced", wedid, replaced, wedid.c.published_on),
    ]
