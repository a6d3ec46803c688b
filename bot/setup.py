"""Setting up a school: key, database, school and groups, and the first codes. Never overwrites a key."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.cli.links import known_bot_name, remember_bot_name
from bot.cli.telegram_me import Me, ask_me
from bot.house import opened_database, read_vault, shares_folder
from bot.our_bot import remember_bot
from bot.settings import Settings
from data.audit import COMMAND_LINE, note
from data.codes import Invitation, make_code
from data.database import Database, DatabaseProblem, Tx, is_empty, remove_database
from data.key_ring import KeyFile
from data.people import save_groups
from data.school import School, load_school, save_school
from data.vault import KeyProblem, new_master_key, write_private

FIRST_ROLES = ("admin", "dsl", "deputy")
CODES_LAST = timedelta(days=14)


@dataclass(frozen=True)
class SetUp:
    """What was done. `key` is there only when it must be written down; codes are by role."""

    school: School
    again: bool
    bot_name: str | None = None
    telegram_silent: str = ""
    key: bytes | None = field(default=None, repr=False)
    codes: dict[str, str] = field(default_factory=dict, repr=False)


async def set_up(settings: Settings, school: School, now: datetime) -> SetUp:
    """Make or update the school's installation; known problems in one line, and then nothing was changed."""
    new_database = await is_empty(settings.database)
    made = _ready_key(settings, new_database)
    try:
        read_vault(settings)
        async with opened_database(settings, create=True) as db:
            return await _fill(db, settings, school, now, _sheet(settings) if made or new_database else None)
    except BaseException:
        if made:  # nobody has seen the key, so what little was sealed with it is of no use
            await _take_back(settings, new_database)
        raise


async def _take_back(settings: Settings, new_database: bool) -> None:
    if new_database:
        with suppress(DatabaseProblem, KeyProblem, OSError):
            await remove_database(settings.database, read_vault(settings))
    settings.key_file.unlink(missing_ok=True)


async def _fill(db: Database, settings: Settings, school: School, now: datetime, key: bytes | None) -> SetUp:
    me, silent = await _bot(settings)
    name = me.name or None if me else None
    async with db.transaction() as tx:
        again = await load_school(tx) is not None
        await note(tx, "school.changed" if again else "school.set-up", "school", now, COMMAND_LINE)
        await save_school(tx, school)
        await save_groups(tx, school.groups)
        if name:
            await remember_bot_name(tx, name)
        if me and me.identity:
            await remember_bot(tx, me.identity)
        name = name or await known_bot_name(tx)
        codes = {role: await _first_code(tx, role, school, now) for role in FIRST_ROLES}
    return SetUp(school, again, name, silent, key, codes)


async def _first_code(tx: Tx, role: str, school: School, now: datetime) -> str:
    await note(tx, "code.made", role, now, COMMAND_LINE, role=role)
    names = {"dsl": school.people.dsl, "deputy": school.people.deputy_dsl}
    return await make_code(tx, Invitation(role, None, school.languages[0], names.get(role, "")), 1, now + CODES_LAST)


async def _bot(settings: Settings) -> tuple[Me | None, str]:
    """What Telegram says of the bot, and in one line why that is not known."""
    if settings.telegram_token is None:
        return (
            None,
            "No YOUSAID_TELEGRAM_TOKEN is set, so there are no Telegram links yet. Codes can be typed.",
        )
    me = await ask_me(settings)
    if me.trouble == "refused":
        return None, "Telegram does not know this token. Copy YOUSAID_TELEGRAM_TOKEN from @BotFather again."
    if me.trouble:
        return (
            None,
            "Telegram could not be reached, so its links are missing here. Codes can be typed.",
        )
    return me, ""


def _ready_key(settings: Settings, new_database: bool) -> bool:
    """Whether a key was made now. A key that is there is never touched; a database without its key is never taken."""
    if settings.key is not None or settings.key_file.exists():
        return False
    if not new_database:
        raise KeyProblem(
            f"There is a database at {settings.database}, but no key at {settings.key_file}. "
            "Put the key back from the recovery sheet; nothing was changed."
        )
    folder = settings.key_folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):  # another setup was faster: its key holds
        write_private(settings.key_file, new_master_key().encode() + b"\n")
        return True
    return False


def _sheet(settings: Settings) -> bytes | None:
    """The key, to be written down; None when it comes from a secret store."""
    return None if settings.key is not None else KeyFile(settings.key_file).read()[0]


def warnings(settings: Settings) -> list[str]:
    """What works, but should be better before families are asked."""
    lines = []
    if settings.public_url is None:
        lines.append("YOUSAID_PUBLIC_URL is not set: web links open only on the school's machine.")
    if shares_folder(settings):
        lines.append(
            f"The key and the database share the folder {settings.key_folder}: whoever copies one has the other. "
            "Set YOUSAID_KEY_FILE to another place and move the key there."
        )
    return lines
