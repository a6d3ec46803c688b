"""An invented school for tests: real storage in a temporary folder, a clock that is moved by hand."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bot.dialogue import Dialogue
from bot.facts import House
from bot.letters import Letters
from bot.said import Reply, Tap, Text
from bot.sending_later import planned_sender
from conversations.channel import Button, Channel, Message
from conversations.texts import load_texts
from data.codes import Invitation, make_code
from data.database import Database, open_database
from data.key_ring import KeyFile
from data.outbox import new_owner
from data.people import Person, add_person, add_role, find_group, find_person, join_group, save_groups
from data.place import Place, SqliteFile
from data.school import check_school, save_school
from data.sqlite import prepare
from data.vault import BoxKeys, Vault
from scheduler.clock import rounds_of
from scheduler.sending import Sender

ELMFIELD = {
    "name": "Elmfield Primary",
    "timezone": "Europe/London",
    "phone": "0161 496 0000",
    "office_hours": "Mon-Fri 08:30-16:00",
    "send_window": "always",  # tests about times of sending say otherwise
    "people": {
        "senco": "Ms Patel", "dsl": "Mr Okafor", "deputy_dsl": "Mrs Lee", "head": "Mrs Ahmed", "chair": "Mr Jones",
    },
    "help": {"council_out_of_hours": "0161 496 0001", "sendiass": "0161 496 0002"},
    "languages": ["en"],
    "groups": ["Year 3 parents", "Year 4 parents", "SEND parents"],
}  # fmt: skip
MASTER = bytes(range(32))
CHORES = frozenset({"test", "keep", "old keys", "mirror"})  # once a month, night or key: tests do them by themselves
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)  # ten o'clock, school is open


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def set(self, now: datetime) -> None:
        self.now = now


class School:
    """A school that is set up, with shorthands for what tests do often."""

    def __init__(self, db: Database, house: House, clock: Clock) -> None:
        self.db = db
        self.house = house
        self.clock = clock
        self.dialogue = Dialogue(db, house, clock)
        self.letters = Letters(db, house)
        self.owner = new_owner()

    async def person(self, *roles: str, group: str | None = "SEND parents", label: str = "") -> str:
        """The id of somebody who joined with these roles."""
        async with self.db.transaction() as tx:
            id = await add_person(tx, "en", label, self.clock.now)
            for role in roles:
                await add_role(tx, id, role)
            if group and set(roles) & {"parent", "pupil"}:
                await join_group(tx, id, await find_group(tx, group) or "")
        return id

    async def people(self, n: int, role: str = "parent", group: str = "SEND parents") -> list[str]:
        return [await self.person(role, group=group) for _ in range(n)]

    async def readers(self) -> tuple[str, str]:
        """DSL and deputy, joined."""
        return await self.person("dsl"), await self.person("deputy")

    async def code(self, role: str, group: str | None = None, uses: int = 1, days: float = 14) -> str:
        async with self.db.transaction() as tx:
            group_id = await find_group(tx, group) if group else None
            return await make_code(tx, Invitation(role, group_id, "en"), uses, self.clock.now + timedelta(days=days))

    async def known(self, id: str) -> Person:
        async with self.db.reading() as tx:
            person = await find_person(tx, id)
        assert person
        return person

    def on(self, person: str, channel: str = "web") -> Talk:
        """A conversation with this person, played by tapping and typing."""
        return Talk(self, person, channel)

    async def rounds(self, channels: dict[str, Channel] | None = None, without: Iterable[str] = CHORES) -> None:
        """Everything that is due now: what the clock of the program runs, in its order, `without` some of its jobs."""
        sender = Sender(self.db, self.house.school, self.letters.compose, channels or {}, self.owner)
        jobs = rounds_of(self.db, self.house.school, sender, send_planned=planned_sender(self.house))
        for round, _seconds in (job for name, job in jobs.items() if name not in without):
            while await round(self.clock.now):
                pass


class Talk:
    """One person's conversation: what was said back last, and its buttons."""

    def __init__(self, school: School, person: str, channel: str) -> None:
        self.school = school
        self.person = person
        self.channel = channel
        self.reply = Reply()

    async def types(self, *lines: str) -> Reply:
        for line in lines:
            self.reply = await self.school.dialogue.hear_person(self.person, Text(line), self.channel)
        return self.reply

    async def taps(self, *labels: str) -> Reply:
        for label in labels:
            self.reply = await self.forges(self.button(label).says)
        return self.reply

    async def forges(self, says: str) -> Reply:
        """A tap that says this, whatever buttons there are."""
        return await self.school.dialogue.hear_person(self.person, Tap(says), self.channel)

    def button(self, label: str) -> Button:
        buttons = [b for m in self.messages for b in m.buttons]
        found = [b for b in buttons if b.label == label]
        assert found, f"no button {label!r} among {[b.label for b in buttons]}"
        return found[-1]

    @property
    def messages(self) -> list[Message]:
        return self.reply.messages

    @property
    def text(self) -> str:
        return "\n\n".join(m.as_text() for m in self.messages)


def sqlite_in(folder: Path) -> Place:
    return SqliteFile(folder / "data" / "yousaid.db")


def vault_in(folder: Path) -> Vault:
    """The vault of a key file in this folder, where a test has made one; else one that knows MASTER alone."""
    file = KeyFile(folder / "keys" / "key")
    return Vault(*file.read(), source=file) if file.path.exists() else Vault(MASTER)


elsewhere: Callable[[Path], Place] | None = None  # set in a test on PostgreSQL (tests/conftest.py)


def place_for(folder: Path) -> Place:
    """The database of the school in this folder."""
    return elsewhere(folder) if elsewhere else sqlite_in(folder)


all_texts = cache(load_texts)  # they cannot be changed, and take longer to read than most tests take


@cache
def migrated_file() -> Path:
    """An empty database under MASTER, made once: to migrate one takes longer than most tests take."""
    folder = Path(tempfile.mkdtemp(prefix="migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    prepare(folder / "yousaid.db", Vault(MASTER), create=True)
    return folder / "yousaid.db"


def start_migrated(path: Path) -> None:
    """Where there is no database yet, begin with one of the newest schema."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(migrated_file(), path)


@asynccontextmanager
async def opened(folder: Path, clock: Clock | None = None, **facts: object) -> AsyncIterator[School]:
    """Elmfield in this folder, closed again at the end. Opened twice, it is a restart."""
    clock, place, vault = clock or Clock(), place_for(folder), vault_in(folder)
    if isinstance(place, SqliteFile) and vault.id == Vault(MASTER).id:
        start_migrated(place.path)
    db = await open_database(place, vault, BoxKeys(folder / "keys"), create=True)
    try:
        school = check_school(ELMFIELD | facts, "school.yaml")
        async with db.transaction() as tx:
            await save_school(tx, school)
            await save_groups(tx, school.groups)
        yield School(db, House(school, all_texts()), clock)
    finally:
        with contextlib.suppress(Exception):
            await db.close()
