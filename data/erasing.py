"""Deleting a person: what goes, what stays and why, and what follows later (/delete, domain 6.8).

One transaction takes everything that is linked to somebody. What stays are numbers nobody can link to them any more,
words that a human must still read or pass on for somebody's safety (until that is done), and the log of what was done,
which knows them by a random number only. `yousaid restore` calls `erase` again for each buried person.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update

from data.access import end_addresses
from data.audit import note
from data.audit_erasing import erase_details
from data.bookings import bookings_of, fill_places
from data.codes import codes_used_by, keep_numbers, place_of
from data.comments import QUOTE, find_comment
from data.database import AnyRow, Tx
from data.events import find_occasion
from data.held import items_of, open_runs, sheets_of_person
from data.moments import moment, stamp
from data.outbox import post
from data.pauses import forget_setter
from data.people import all_groups, find_person, groups_of
from data.queue import CONCERNS, EMPTIED, URGENT, Item, empty_item, find_item
from data.records import records_of
from data.removals import remove_sheet
from data.requests import pass_on_requests
from data.surveys import find_survey
from data.tables import (
    addresses,
    alerts,
    audit,
    bookings,
    children,
    code_uses,
    codes,
    comments,
    duties,
    events,
    links,
    marks,
    memberships,
    outbox,
    pauses,
    people,
    queue,
    records,
    removals,
    requests,
    roles,
    runs,
    second_factors,
    sendings,
    sessions,
    sheet_keys,
    surveys,
    visits,
    wedid,
    wishes,
    wrong_codes,
)
from data.tombstones import PERSON, buried, bury

SKELETON_KEPT = timedelta(days=1)  # for tidying the chats; then the last of the row goes
OWN_WISH = "Their own wish."  # why a sheet of a child's papers was taken out
SHORTEST_LABEL = 3  # letters; a shorter one stands in too many reasons that are about somebody else
THEIRS = (
    runs, marks, children, code_uses, sessions, roles, memberships, second_factors, duties, outbox, pauses, links,
    bookings, wishes, requests,
)  # fmt: skip
AS_READER = (  # columns that say which member of staff did something
    queue.c.read_by, queue.c.routed_by, queue.c.done_by, alerts.c.acknowledged_by, codes.c.made_by, removals.c.by,
    events.c.host, events.c.made_by, sendings.c.by, wedid.c.written_by, wedid.c.seen_by,
)  # fmt: skip


@dataclass(frozen=True)
class Belongings:
    """What there is of a person, in numbers, for saying before a deletion what goes and what stays."""

    unsent: int = 0  # open questions whose answers were not sent
    sent: int = 0  # open questions whose answers were sent
    nameless: int = 0  # closed answers that lose their key: they stay as numbers
    named: int = 0  # closed answers in a child's papers: they go
    words: int = 0  # words that go at once
    waiting: int = 0  # words that stay until somebody has read them and done what safety needs
    sign_ups: int = 0  # bookings: they go, and free their places


async def belongings(tx: Tx, person: str) -> Belongings:
    """Counted now, for this person only; nothing is changed."""
    sheets, items = await sheets_of_person(tx, person), await items_of(tx, person)
    stays = [item for item in items if must_stay(item)]
    sent = [run is not None and run.state.sent is not None for _, run in await open_runs(tx, person)]
    return Belongings(
        unsent=sent.count(False),
        sent=sent.count(True),
        nameless=sum(sheet.mode != "NAMED" for sheet in sheets),
        named=len(await records_of(tx, person)),
        words=len(items) - len(stays),
        waiting=len(stays),
        sign_ups=len(await bookings_of(tx, person)),
    )


def must_stay(item: Item) -> bool:
    """Words that nobody has read yet, and concerns that are not yet where the school keeps such (SAFE-8)."""
    if item.read_at is None:
        return True
    unrouted = item.route is None and item.kind in URGENT
    return item.done_at is None and (unrouted or item.route in CONCERNS)


# --- deleting -----------------------------------------------------------------------------------------------------


async def erase(tx: Tx, person: str, now: datetime, actor: str | None = None) -> None:
    """Delete all that is linked to this person, but what must stay. Harmless when repeated, or for an unknown id.

    `actor` is whose wish it is: their own, or none for the program, whose periods are over.
    """
    again = bool(await buried(tx, PERSON, [person]))  # a restored backup brought them back: no goodbye a second time
    found = await find_person(tx, person)
    label = found.label if found else ""
    await _erase_words(tx, person, now)
    await _erase_answers(tx, person, now)
    await _erase_log(tx, label, now)
    await _erase_codes(tx, person)
    await _free_places(tx, person, now)
    await pass_on_requests(tx, person)
    for table in THEIRS:
        await tx.run(delete(table).where(table.c.person == person))
    await tx.run(delete(links).where(links.c.ref == person))
    await tx.run(delete(visits).where(visits.c.address == place_of(person)))
    await tx.run(delete(wrong_codes).where(wrong_codes.c.address == place_of(person)))
    for column in AS_READER:
        await tx.run(update(column.table).where(column == person).values({column.name: None}))
    await forget_setter(tx, person)
    await _bury_person(tx, person, again, now, actor)


async def _bury_person(tx: Tx, person: str, again: bool, now: datetime, actor: str | None) -> None:
    """An empty row stays while chats wait to be tidied; after a restore they are not written to once more."""
    if not again:
        await note(tx, "person.erased", person, now, actor)
    await bury(tx, PERSON, person, now)
    if again:
        await tx.run(delete(people).where(people.c.id == person))
        return
    await end_addresses(tx, person)
    empty = tx.vault.seal("names", json.dumps({"label": ""}).encode(), person)
    gone = {"sealed": empty, "front": None, "stopped": True, "ended_at": stamp(now), "erased_at": stamp(now)}
    await tx.run(update(people).where(people.c.id == person).values(**gone))
    await _drop_skeletons(tx, now)


async def _drop_skeletons(tx: Tx, now: datetime) -> int:
    """The last row of people whose chats are tidied, or cannot be within a day; how many."""
    waits = select(addresses.c.person).distinct()
    done = or_(people.c.id.not_in(waits), people.c.erased_at <= stamp(now - SKELETON_KEPT))
    return await tx.run(delete(people).where(people.c.erased_at.is_not(None), done))


async def _free_places(tx: Tx, person: str, now: datetime) -> None:
    """Places of what is still to come go to those who wait longest, who are told."""
    for booking in await bookings_of(tx, person):
        await tx.run(delete(bookings).where(bookings.c.id == booking.id))
        occasion = await find_occasion(tx, booking.occasion)
        if occasion and not occasion.off and occasion.starts_at > now:
            for next_one in await fill_places(tx, occasion, now):
                await post(tx, "place-free", next_one.id, [next_one.person], now)


async def _erase_codes(tx: Tx, person: str) -> None:
    """The codes they came in with, with the label on them, and the letters these had replaced."""
    await keep_numbers(tx)
    for slip in await codes_used_by(tx, person):
        others = code_uses.c.person != person
        shared = await tx.first(select(code_uses.c.hash).where(code_uses.c.hash == slip.hash, others))
        if shared is None and slip.uses_left < 1:
            await tx.run(delete(codes).where(codes.c.hash == slip.hash))
        if slip.invitation.slip is not None:
            used = select(code_uses.c.hash)
            same = and_(codes.c.group_id == slip.invitation.group, codes.c.slip == slip.invitation.slip)
            await tx.run(delete(codes).where(same, codes.c.replaced.is_(True), codes.c.hash.not_in(used)))
    await tx.run(delete(codes).where(codes.c.device_of == person))


# --- answers ------------------------------------------------------------------------------------------------------


async def _erase_answers(tx: Tx, person: str, now: datetime) -> None:
    """Keys are cut; sheets of a child's papers go. Each mark of sent answers that goes is counted (AUDIT-1)."""
    for sheet in await sheets_of_person(tx, person):
        survey = await find_survey(tx, sheet.survey)
        if survey and sheet.mode == "NAMED":
            await remove_sheet(tx, survey, sheet.sheet, OWN_WISH, None, now, damaged_too=True)
        await tx.run(delete(sheet_keys).where(sheet_keys.c.id == sheet.key))
    for record in await records_of(tx, person):
        await tx.run(delete(records).where(records.c.id == record.id))
    took_part = select(marks.c.survey).where(marks.c.person == person, marks.c.finished.is_(True))
    mine = [r.survey for r in await tx.all(took_part)]
    await tx.run(update(surveys).where(surveys.c.id.in_(mine)).values(gone=surveys.c.gone + 1))


# --- words --------------------------------------------------------------------------------------------------------


async def _erase_words(tx: Tx, person: str, now: datetime) -> None:
    """What was read and done with is emptied, quotes from it go too; the rest stays, with whose it is."""
    known = await _known_as(tx, person)
    for item in await items_of(tx, person):
        if must_stay(item):
            await _keep_name(tx, item, known)
        else:
            await _empty(tx, item.id, now)


async def _empty(tx: Tx, item: str, now: datetime) -> None:
    comment = await find_comment(tx, item)
    if comment and comment.state == QUOTE:
        await tx.run(delete(comments).where(comments.c.item == item))
    await empty_item(tx, item, now)


async def _known_as(tx: Tx, person: str) -> str:
    """What the office knows them by when no name was given: their groups, each with the number of the letter."""
    names, slips = await all_groups(tx), await codes_used_by(tx, person)
    letters = [(s.invitation.group, str(s.invitation.slip)) for s in slips if s.invitation.slip]
    groups = {*(s.invitation.group for s in slips), *await groups_of(tx, person)} - {group for group, _ in letters}
    known = [*letters, *((group, "") for group in groups)]
    return ", ".join(sorted(f"{names[group]} {number}".strip() for group, number in known if group in names))


async def _keep_name(tx: Tx, item: Item, known: str) -> None:
    """Whoever reads it must still be able to find who wrote it: the account that says so goes now."""
    found = await find_person(tx, item.person)
    parts = [item.who or (found.label if found else ""), known if known not in item.who else ""]
    kept = replace(item, who=", ".join(part for part in parts if part))
    inside = {"text": kept.text, "person": kept.person, "who": kept.who, "quote": False}
    sealed = tx.vault.seal("words", json.dumps(inside).encode(), item.id)
    await tx.run(update(queue).where(queue.c.id == item.id).values(sealed=sealed))


async def erase_leftovers(tx: Tx, now: datetime) -> int:
    """What had to stay and no longer must: words of deleted people since read, and their last rows; how many."""
    still_here = {r.id for r in await tx.all(select(people.c.id).where(people.c.erased_at.is_(None)))}
    written = select(queue.c.id).where(queue.c.kind != EMPTIED, queue.c.read_at.is_not(None))
    done = [item for r in await tx.all(written) if (item := await _left_over(tx, r, still_here))]
    for item in done:
        await _empty(tx, item, now)
    return len(done) + await _drop_skeletons(tx, now)


async def _left_over(tx: Tx, row: AnyRow, still_here: set[str]) -> str | None:
    item = await find_item(tx, row.id)
    left = item is not None and item.person and item.person not in still_here and not must_stay(item)
    return row.id if left else None


async def is_erased(tx: Tx, person: str) -> datetime | None:
    """Since when, while the last row is still there."""
    at = await tx.value(select(people.c.erased_at).where(people.c.id == person))
    return moment(at) if at else None


# --- the log ------------------------------------------------------------------------------------------------------


async def _erase_log(tx: Tx, label: str, now: datetime) -> None:
    """Reasons that staff wrote and that name them. Who did what, when and to what stays.

    Only what people wrote is searched: a label can be a word of ours, such as Head, or a number.
    """
    if len(label.strip()) < SHORTEST_LABEL:
        return
    word = re.compile(rf"(?<!\w){re.escape(label.strip())}(?!\w)", re.IGNORECASE)
    rows = await tx.all(select(audit.c.id, audit.c.sealed).where(audit.c.sealed.is_not(None)))
    naming = [r.id for r in rows if word.search(_reason(tx, r))]
    await erase_details(tx, naming, now, "deleted")


def _reason(tx: Tx, row: AnyRow) -> str:
    return str(json.loads(tx.vault.open("audit", row.sealed, str(row.id))).get("reason", ""))
