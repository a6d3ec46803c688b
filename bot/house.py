"""Opening the school: key, database, school and phrases, for the program and every command."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.facts import House
from bot.settings import Settings
from conversations.texts import load_texts
from data.database import Database, open_database
from data.school import School, load_school
from data.vault import BoxKeys, KeyProblem, Vault, read_master_key


class NotSetUp(Exception):
    """There is no school in this database yet; one line with the remedy."""


@dataclass(frozen=True)
class Opened:
    """An open database with its school."""

    db: Database
    house: House


def read_vault(settings: Settings) -> Vault:
    """The vault for the key of these settings; KeyProblem in one line otherwise."""
    if settings.key is not None:
        return Vault(read_master_key(settings.key.get_secret_value()))
    path = settings.key_file
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise KeyProblem(f"There is no key at {path}. Run `yousaid setup`, or restore it from the sheet.") from None
    except (OSError, UnicodeDecodeError):
        raise KeyProblem(f"The key at {path} cannot be read. Check who owns it: `chmod 600 {path}`.") from None
    if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        raise KeyProblem(f"The key at {path} can be read by others. Run `chmod 600 {path}`.")
    return Vault(read_master_key(text))


def box_keys(settings: Settings) -> BoxKeys:
    return BoxKeys(settings.key_folder)


@asynccontextmanager
async def opened_database(settings: Settings, create: bool = False) -> AsyncIterator[Database]:
    """The database, closed again at the end."""
    db = await open_database(settings.database, read_vault(settings), box_keys(settings), create)
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def opened_school(settings: Settings) -> AsyncIterator[Opened]:
    """The database with its school; NotSetUp before `yousaid setup`."""
    async with opened_database(settings) as db:
        yield Opened(db, await house_of(db, settings))


async def house_of(db: Database, settings: Settings) -> House:
    async with db.reading() as tx:
        school = await load_school(tx)
    if school is None:
        raise NotSetUp(f"There is no school in {settings.database}. Run `yousaid setup` first.")
    if settings.timezone:
        school = School.model_validate(school.model_dump() | {"timezone": settings.timezone})
    return House(school, load_texts(), settings.web_address, settings.public_url is not None)


def shares_folder(settings: Settings) -> bool:
    """Whether key and database lie in one folder, so that whoever copies one has the other."""
    return Path(settings.key_folder).resolve() == settings.database.parent.resolve()
