"""Opening the school: key, database, school and phrases, for the program and every command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.cli.opening import now_utc
from bot.facts import House
from bot.settings import Settings
from conversations.texts import load_texts
from data.database import Database, open_database
from data.key_ring import KeyFile, read_ring
from data.place import SqliteFile
from data.preparing import Before
from data.school import School, load_school
from data.vault import BoxKeys, Vault


class NotSetUp(Exception):
    """There is no school in this database yet; one line with the remedy."""


@dataclass(frozen=True)
class Opened:
    """An open database with its school."""

    db: Database
    house: House


def read_vault(settings: Settings) -> Vault:
    """The vault for the keys of these settings; KeyProblem in one line otherwise."""
    if settings.key is not None:
        return Vault(*read_ring(settings.key.get_secret_value()))
    file = KeyFile(settings.key_file)
    return Vault(*file.read(), source=file)


def box_keys(settings: Settings) -> BoxKeys:
    return BoxKeys(settings.key_folder)


@asynccontextmanager
async def opened_database(settings: Settings, create: bool = False) -> AsyncIterator[Database]:
    """The database, closed again at the end."""
    before = Before(settings.backups_folder, now_utc())
    db = await open_database(settings.database, read_vault(settings), box_keys(settings), create, before)
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
    place = settings.database
    return isinstance(place, SqliteFile) and Path(settings.key_folder).resolve() == place.path.parent.resolve()
