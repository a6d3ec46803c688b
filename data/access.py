"""Who is let in and who no longer: access cut by the school, devices logged out, roles taken away (PR-2)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from data.bookings import give_back_all
from data.database import Tx
from data.moments import stamp
from data.people import address_hashes
from data.tables import (
    addresses,
    code_uses,
    codes,
    duties,
    links,
    memberships,
    outbox,
    people,
    roles,
    second_factors,
    sessions,
    visits,
)
from data.tombstones import ACCESS, ROLE, bury, role_ref


async def cut_access(tx: Tx, person: str, now: datetime) -> None:
    """From this moment: no chat, page, link or code of this person opens anything. What they said stays.

    Their places at what is still to come go to who waits for one.
    """
    await tx.run(update(people).where(people.c.id == person).values(ended_at=stamp(now), front=None))
    await end_addresses(tx, person)
    for table in (sessions, links, roles, memberships, duties, second_factors):
        await tx.run(delete(table).where(table.c.person == person))
    await tx.run(delete(visits).where(visits.c.address == f"person/{person}"))
    await kill_codes_of(tx, person)
    await give_back_all(tx, person, now)
    waiting = update(outbox).where(outbox.c.person == person, outbox.c.state.in_(("waiting", "page", "sending")))
    await tx.run(waiting.values(state="dropped", why="ended"))
    await bury(tx, ACCESS, person, now)


async def kill_codes_of(tx: Tx, person: str) -> None:
    """The codes this person came in with, the devices they were about to add, and roles still waiting for a yes."""
    theirs = select(code_uses.c.hash).where(code_uses.c.person == person)
    mine = update(codes).where((codes.c.device_of == person) | codes.c.hash.in_(theirs))
    await tx.run(mine.values(uses_left=0, waits=False))


async def end_addresses(tx: Tx, person: str, but: tuple[str, str] | None = None) -> int:
    """All chats of this person, except one (channel, where), belong to nobody from now on; how many there were."""
    theirs = update(addresses).where(addresses.c.person == person, addresses.c.ended.is_(False))
    if but:
        theirs = theirs.where(addresses.c.hash.not_in(address_hashes(tx, *but)))
    return await tx.run(theirs.values(ended=True))


async def end_address(tx: Tx, channel: str, where: str) -> None:
    """This chat belongs to nobody from now on."""
    here = addresses.c.hash.in_(address_hashes(tx, channel, where))
    await tx.run(update(addresses).where(addresses.c.channel == channel, here).values(ended=True))


async def end_sessions(tx: Tx, person: str, but: str = "") -> int:
    """All browsers of this person are signed out, except the one with this secret; how many."""
    kept = tx.vault.lookups("session", but) if but else ()
    return await tx.run(delete(sessions).where(sessions.c.person == person, sessions.c.hash.not_in(kept)))


async def take_role(tx: Tx, person: str, role: str, now: datetime) -> bool:
    """Take a role away and sign out every browser, which may show what it opened; whether it was held."""
    taken = await tx.run(delete(roles).where(roles.c.person == person, roles.c.role == role)) == 1
    if taken:
        await end_sessions(tx, person)
        await bury(tx, ROLE, role_ref(person, role), now)
    return taken


async def end_others(tx: Tx, person: str, here: tuple[str, str] | None, session: str = "") -> int:
    """Log this person out everywhere but here (a chat, or the browser with this secret); how many there were.

    What could let one of the others in again goes too: codes for a further device, and one-time links.
    """
    ended = await end_addresses(tx, person, here) + await end_sessions(tx, person, session)
    await tx.run(update(codes).where(codes.c.device_of == person).values(uses_left=0))
    await tx.run(delete(links).where(links.c.person == person))
    return ended


async def has_access(tx: Tx, person: str) -> bool:
    """False for somebody whose access the school has cut."""
    return await tx.first(select(people.c.id).where(people.c.id == person, people.c.ended_at.is_(None))) is not None


async def ended_addresses(tx: Tx, channel: str, limit: int = 20) -> list[tuple[str, str, str]]:
    """Chats that belong to nobody any more and wait to be tidied, as (hash, where, whose it was)."""
    query = select(addresses).where(addresses.c.channel == channel, addresses.c.ended.is_(True)).limit(limit)
    return [(r.hash, tx.vault.open("addresses", r.sealed, r.hash).decode(), r.person) for r in await tx.all(query)]


async def forget_address(tx: Tx, channel: str, hashed: str) -> None:
    """It was tidied: nothing of it is kept."""
    gone = delete(addresses).where(addresses.c.channel == channel, addresses.c.hash == hashed)
    await tx.run(gone.where(addresses.c.ended.is_(True)))
