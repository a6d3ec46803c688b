"""Fills a school as a released version knows it: run once, with that version's own code, to make a file of this folder.

    git archive COMMIT | tar -x -C OLD && cd OLD && PYTHONPATH=OLD python .../tests/schemas/fill.py FILE.db.gz

COMMIT was 9b8c418 for 0001, fd8bad0 for 0002 and 756493a for 0003. What later versions added is filled in where the
version has it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from data.people import add_address, groups_of, people_with_role
from data.queue import mark_read, waiting_items
from tests.school import School, opened

FRIDAY = datetime(2026, 11, 6, 15, 30, tzinfo=UTC)


async def fill(school: School) -> None:
    """A closed survey with counts and words, an open one with answers in its box, and alerts on their way."""
    await school.readers()
    await school.person("head")
    parents = await school.people(10)
    async with school.db.transaction() as tx:
        for nth, parent in enumerate(parents[:6]):
            await add_address(tx, parent, "telegram", str(7000 + nth))
    senco = school.on(await school.person("senco", label="Ms Patel"))
    await senco.types("/send")
    await senco.taps("Help for extra needs (SEND)", "SEND parents", "Send now")
    for nth, parent in enumerate(parents[:7]):
        await answer(school, parent, nth)
    school.clock.move(days=15)
    await school.rounds()
    await senco.types("/send")
    await senco.taps("After a drop-in", "SEND parents", "Send now")
    await answer_short(school, parents[0])
    await alarm(school, parents[9])
    await school.code("parent", "SEND parents")
    await meet(school, parents[0])


async def answer(school: School, parent: str, nth: int) -> None:
    talk = school.on(parent)
    talk.reply = await talk.forges("o=parent-send-provision-1")
    picks = (str(nth % 5 + 1), str((nth + 1) % 5 + 1), "1", "2", "1")
    words = "a clearer plan, please" if nth < 3 else "skip"
    await talk.taps("Yes, start")
    await talk.types(*picks, "skip", words)
    await talk.taps("Send my answers")


async def answer_short(school: School, parent: str) -> None:
    """In a box that is still closed."""
    talk = school.on(parent)
    talk.reply = await talk.forges("o=drop-in-feedback-1")
    await talk.taps("Yes, start", "Mostly", "Partly")


async def alarm(school: School, parent: str) -> None:
    """Somebody needs help; its ladder climbs, somebody reads, and takes a copy with a reason."""
    school.clock.set(FRIDAY.replace(day=27))
    await school.on(parent).types("my uncle hurts me")
    for minutes in (0, 15, 15):
        school.clock.move(minutes=minutes)
        await school.rounds()
    async with school.db.transaction() as tx:
        reader = (await people_with_role(tx, "dsl"))[0]
        item = next(i for i in await waiting_items(tx) if i.kind == "flagged")
        await mark_read(tx, item.id, reader, school.clock.now)
        await look(tx, reader, item.id, school)


async def meet(school: School, parent: str) -> None:
    """Two drop-ins, of the first of which people were reminded (0001 and 0002 were filled before this was here)."""
    try:
        from data.dropins import add_dropin
    except ImportError:
        return
    async with school.db.transaction() as tx:
        group = sorted(await groups_of(tx, parent))[0]
        for days in (1, 8):
            starts = school.clock.now + timedelta(days=days)
            await add_dropin(tx, group, starts, "Room 4", starts - timedelta(hours=20))
    school.clock.move(hours=5)
    await school.rounds()


async def look(tx: object, reader: str, item: str, school: School) -> None:
    try:
        from data.looks import note_look
    except ImportError:  # 0001 notes no looks
        return
    await note_look(tx, reader, "copy", item, "for the school's own record", school.clock.now)
    await note_look(tx, reader, "name", item, "", school.clock.now)


async def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with opened(folder) as school:
            await fill(school)
        connection = sqlite3.connect(folder / "data" / "yousaid.db")
        connection.execute("VACUUM INTO ?", (str(folder / "small.db"),))
        connection.close()
        target.write_bytes(gzip.compress((folder / "small.db").read_bytes(), mtime=0))
        keys = {path.name: path.read_text() for path in (folder / "keys").iterdir()}
        target.with_suffix("").with_suffix(".keys.json").write_text(json.dumps(keys) + "\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
