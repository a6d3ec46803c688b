"""`yousaid restore`: checks, asks, makes a copy fit for today, and replaces the database by it in one step.

All that follows from the time since the backup is done on the copy: newer schema, deletions, letters that went out,
boxes that cannot be opened any more. A restore that is interrupted has changed nothing, or everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from bot.house import box_keys, opened_database
from bot.settings import Settings
from data.audit import COMMAND_LINE, note
from data.backup_file import BackupProblem
from data.database import Database, DatabaseProblem, open_database
from data.keeping import keep
from data.key_ring import KeyFile, earlier_keys, read_ring
from data.lock import run_lock
from data.people import has_people
from data.place import SqliteFile
from data.replaying import Sent, Tombstone, carry_over, replay, settle_letters, settled_letters
from data.restoring import Copy, log_problems, lost_boxes, open_copy, put_in_place, put_on_server
from data.rotation import is_unfinished, reseal
from data.school import load_school
from data.scratch import scratch
from data.surveys import all_surveys
from data.tombstone_mirror import Mirror, MirrorProblem, in_database, mirror_due, read_mirror
from data.tombstones import BOOKING, KEPT, OFF, PERSON, changes, set_changes
from data.vault import BoxKeys, KeyProblem, Vault
from scheduler.closing import close_survey, give_up_lost_box

Ask = Callable[[str], None]  # shows a line and asks whether to go on; does not return otherwise


@dataclass(frozen=True)
class Restored:
    """What was done. `made_at` is None for an unencrypted backup of an earlier version; counts are by kind.

    `known_by` says where it was known from what had gone since: database, list (beside the key) or nowhere.
    """

    made_at: datetime | None
    deleted_again: Mapping[str, int] = field(default_factory=dict)
    letters: int = 0
    lost: tuple[str, ...] = ()
    kept: str = ""
    known_by: str = ""


@dataclass(frozen=True)
class Since:
    """What is known of the time since the backup: what was deleted, how often that list changed, letters that went."""

    known_by: str = "nowhere"
    tombstones: frozenset[Tombstone] = frozenset()
    changes: int = 0
    letters: Sent = field(default_factory=dict)


def vault_for_backups(settings: Settings) -> Vault:
    """Today's keys, and those that were replaced in the last weeks."""
    keys = read_ring(settings.key.get_secret_value()) if settings.key else KeyFile(settings.key_file).read()
    return Vault(*keys, *earlier_keys(settings.key_folder, settings.key_file.name))


async def put_back(settings: Settings, file: Path, now: datetime, ask: Ask) -> Restored:
    """Restore this backup, alone on the database; BackupProblem or KeyProblem in one line, and nothing was changed."""
    place = settings.database
    if isinstance(place, SqliteFile):
        place.path.parent.mkdir(parents=True, exist_ok=True)
    lock = run_lock(place)
    if not await lock.acquire():
        raise BackupProblem(f"A bot runs on {place}. Stop it first; nothing was changed.")
    try:
        return await _put_back(settings, file, now, ask)
    finally:
        await lock.release()


async def _put_back(settings: Settings, file: Path, now: datetime, ask: Ask) -> Restored:
    vault, boxes = vault_for_backups(settings), box_keys(settings)
    with scratch(_beside(settings)) as folder:
        copy = await asyncio.to_thread(open_copy, file, vault, folder)
        lost = lost_boxes(copy.path, boxes)
        _ask(settings, lost, await log_problems(copy, vault, boxes), ask)
        _ask_of_age(copy.made_at, now, ask)
        since = await _since(settings, vault)
        restored = await _made_ready(copy, vault, boxes, file, lost, since, now)
        kept = await _installed(settings, copy.path, vault, now)
    await _mirrored(settings, now)
    return replace(restored, kept=kept, known_by=since.known_by)


async def _installed(settings: Settings, new: Path, vault: Vault, now: datetime) -> str:
    """The one step that replaces the database; what the old one is called now."""
    place = settings.database
    if isinstance(place, SqliteFile):
        return str(put_in_place(new, place.path) or "")
    return str(await put_on_server(new, place, vault, box_keys(settings), now, settings.backups_folder) or "")


async def _made_ready(
    copy: Copy, vault: Vault, boxes: BoxKeys, file: Path, lost: list[str], since: Since, now: datetime
) -> Restored:
    """Bring the copy to today's schema and key, then to what is so today."""
    try:
        db = await open_database(SqliteFile(copy.path), vault, boxes)
    except DatabaseProblem as problem:
        raise BackupProblem(str(problem).replace(str(copy.path), str(file))) from None
    try:
        if copy.earlier_key or await is_unfinished(db):
            await reseal(db, now)
        restored = await _made_fit(db, copy, lost, since, now)
        await db.wipe_deleted()
        return restored
    finally:
        await db.close()


async def _mirrored(settings: Settings, now: datetime) -> None:
    """Tell the list beside the key. Whoever is interrupted before is told by the list at the next start."""
    async with opened_database(settings) as db:
        await mirror_due(db, now)


def _beside(settings: Settings) -> Path:
    place = settings.database
    return place.path.parent if isinstance(place, SqliteFile) else settings.backups_folder


def _ask(settings: Settings, lost: list[str], problems: list[str], ask: Ask) -> None:
    if problems:
        ask(f"The log of who did what is not whole in this backup: {problems[0]}")
    if lost:
        ask(
            f"The box keys of these surveys are not in {settings.key_folder}: {', '.join(lost)}.\n"
            "Their answers cannot come back. The surveys end as lost, and everybody asked is told."
        )


def _ask_of_age(made_at: datetime | None, now: datetime, ask: Ask) -> None:
    """Ours are gone before that; somebody may have kept one, and nothing knows any more who was deleted then."""
    if made_at and now - made_at > KEPT:
        ask(
            f"This backup is {(now - made_at).days} days old, and deletions are known for {KEPT.days} days: people who "
            "were deleted before that come back. Delete them again with `yousaid forget --family`, or use a newer one."
        )


async def _since(settings: Settings, vault: Vault) -> Since:
    """From the database that is to be replaced, and from the list beside the key where that knows more."""
    before = await _in_old_database(settings, vault)
    try:
        there = read_mirror(settings.key_folder, vault)
    except MirrorProblem:
        there = None
    if there is None or (before and not there.ahead_of(before[0])):
        return Since("database", before[0].tombstones, before[0].changes, before[1]) if before else Since()
    return Since("list", there.tombstones, there.changes, before[1] if before else {})


async def _in_old_database(settings: Settings, vault: Vault) -> tuple[Mirror, Sent] | None:
    """None where there is none, where it cannot be read any more, or where nobody has joined yet: it knows nothing."""
    place = settings.database
    if isinstance(place, SqliteFile) and not place.path.exists():
        return None
    db = Database(place, vault, box_keys(settings))
    try:
        async with db.reading() as tx:
            return (await in_database(tx), await settled_letters(tx)) if await has_people(tx) else None
    except (DatabaseProblem, KeyProblem):
        return None
    finally:
        await db.close()


async def _made_fit(db: Database, copy: Copy, lost: list[str], since: Since, now: datetime) -> Restored:
    """Whatever has gone or ended since that day goes and ends again, before anybody sees it."""
    async with db.transaction() as tx:
        await carry_over(tx, since.tombstones)
        await set_changes(tx, max(since.changes, await changes(tx)) + 1)
        school = await load_school(tx)
        zone: tzinfo = school.zone if school else UTC
        # Before closing, which would hand their words to the readers; and before it is looked which letters went out.
        gone = await replay(tx, now, PERSON, OFF, BOOKING)
        for survey in await all_surveys(tx, "open"):
            if survey.id in lost:
                await give_up_lost_box(tx, survey, now, now.astimezone(zone).date())
            elif survey.mode != "ANON" and survey.closes_at <= now:
                await close_survey(tx, survey, now, survey.closes_at.astimezone(zone).date())
        letters = await settle_letters(tx, since.letters)
        deleted = gone | await replay(tx, now)
        if school:
            await keep(tx, school, now, COMMAND_LINE)
        made = copy.made_at.isoformat(timespec="minutes") if copy.made_at else ""
        await note(tx, "restored", "database", now, COMMAND_LINE, made=made)
    return Restored(copy.made_at, deleted, letters, tuple(lost))
