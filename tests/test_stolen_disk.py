"""A stolen disk without the key shows no name, address, word or answer of a person (FAIL-17, A5).

Marked words go everywhere a person's words can go. Then every file is looked through byte by byte: the database and
its log, temporary files, backups, and what lies beside the key; on PostgreSQL the server's whole folder.
"""

from __future__ import annotations

import base64
import json
import tempfile
import time
import urllib.parse
from pathlib import Path

import pytest

import data.backup
from data.children import add_places, set_name
from data.comments import QUOTE, Comment, save_comment
from data.looks import note_look
from data.people import add_address
from data.queue import mark_read, route_item, waiting_items
from scheduler.backing_up import back_up_due
from tests.intruder.evidence import Evidence, rows_of
from tests.postgres_server import Server
from tests.school import School, opened
from tests.stolen import forms, found_in, left_behind
from tests.test_ballot_box import fill_in
from tests.test_dialogue import send
from tests.test_privacy_modes import gives, room, sent

LABEL = "Marklabel Quixotry"  # a family, as staff call it
CHAT = "908070605040"
NICKNAME = "Marknick Zephyrine"
WORDS = "the Markbus comes too late at Vexford"
DISCLOSED = "my uncle hurts me, Markwords Obsidian"
REASON = "Markreason because the council Asked"
QUOTED = "a Markquote about Lunchtimes"
IN_BOX = "Markbox words that nobody has Read"
NAMED_WORDS = "Marknamed wishes for the Review"
MARKERS = (LABEL, CHAT, NICKNAME, WORDS, DISCLOSED, REASON, QUOTED, IN_BOX, NAMED_WORDS)


async def lives(school: School) -> None:
    """A school in the middle of everything."""
    dsl, _ = await school.readers()
    people = [await school.person("parent", label=LABEL) for _ in range(10)]
    async with school.db.transaction() as tx:
        await add_address(tx, people[0], "telegram", CHAT)
        await add_places(tx, people[0], 1)
        await set_name(tx, people[0], 1, NICKNAME)
    await send(school)
    await words_in_queue(school, people)
    named = await sent(school, room("NAMED", id="calm-named"))
    conf = await sent(school, room("CONF", id="calm-conf"))
    await gives(school, people[1], named, "1", "1", NAMED_WORDS)
    await gives(school, people[2], conf, "1", "1", WORDS)
    school.clock.move(days=15)
    await school.rounds()
    async with school.db.transaction() as tx:
        for item in await waiting_items(tx):
            await mark_read(tx, item.id, dsl, school.clock.now)
            await route_item(tx, item, "none", (), REASON, dsl, school.clock.now)
            await note_look(tx, dsl, "copy", item.id, REASON, school.clock.now)
            if item.survey and item.kind == "words":
                await save_comment(tx, Comment(item.id, item.survey, QUOTE, QUOTED, (QUOTED[:20],)))
    boxed = await sent(school, room("ANON", id="calm-anon"))
    await gives(school, people[3], boxed, "1", "2", IN_BOX)


async def words_in_queue(school: School, people: list[str]) -> None:
    for nth in range(5):
        await fill_in(school, people[nth], (1, 2, 3, 4, 1))
    await gives_words(school, people[5], WORDS)
    await school.on(people[6]).types(DISCLOSED)
    await school.on(people[7]).types("/needhelp " + WORDS)


async def gives_words(school: School, person: str, words: str) -> None:
    talk = school.on(person)
    talk.reply = await talk.forges("o=parent-send-provision-1")
    await talk.taps("Yes, start")
    await talk.types("1", "1", "1", "1", "1", "skip", words, "Send my answers")


async def test_files_without_the_key_show_nothing(tmp_path: Path) -> None:
    """FAIL-17: while it runs, with a backup made, and after it has stopped."""
    async with opened(tmp_path) as school:
        await lives(school)
        await backed_up(school, tmp_path)
        assert left_behind(MARKERS, tmp_path) == {}
        assert (tmp_path / "data" / "yousaid.db-wal").stat().st_size > 0
    assert left_behind(MARKERS, tmp_path) == {}
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} >= {".db", ".key"}


async def backed_up(school: School, folder: Path) -> None:
    school.clock.move(days=1)
    await back_up_due(school.db, school.house.school, folder / "backups", school.clock.now)
    assert list((folder / "backups").iterdir())


async def test_temporary_files_of_a_backup_show_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAIL-17: what lies there while one is made and tried, as a crash would leave it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    seen: list[str] = []
    plain = data.backup.seal_copy

    def looked(copy: Path, *more: object) -> object:
        seen.append(copy.name)
        assert left_behind(MARKERS, tmp_path) == {}
        return plain(copy, *more)

    async with opened(tmp_path) as school:
        await lives(school)
        monkeypatch.setattr(data.backup, "seal_copy", looked)
        await backed_up(school, tmp_path)
    assert seen
    assert left_behind(MARKERS, tmp_path) == {}


async def test_a_stolen_server_shows_nothing(tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAIL-17: PostgreSQL's pages, its log of changes and its log of errors."""
    began, place = time.time(), postgres.new()
    monkeypatch.setattr("tests.school.place_for", lambda _: place)
    async with opened(tmp_path) as school:
        await lives(school)
        postgres.does("CHECKPOINT")
        assert left_behind(MARKERS, postgres.folder, tmp_path, since=began - 1) == {}
    postgres.drop(place)


async def test_with_the_key_all_of_it_is_there(tmp_path: Path) -> None:
    """A look that finds nothing would prove nothing if the words had never been kept."""
    async with opened(tmp_path) as school:
        await lives(school)
        opened_values = await everything_opened(school)
    for marker in MARKERS:
        if marker != IN_BOX:  # sealed with its box's own key
            assert found_in(opened_values, [marker]), marker


async def everything_opened(school: School) -> bytes:
    """Every sealed value of every table, opened as an intruder with the key opens them."""
    thief, found = Evidence((), (), school.db.vault), []
    for _, rows in rows_of(school.db.path).values():
        found += [thief._open(v, row) for row in rows for v in row if isinstance(v, bytes)]
    return "\n".join(found).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("word", ["Zephyrine", "Žofie Nováková", "90807060"])
def test_words_are_found_in_every_form(word: str) -> None:
    """UTF-8, UTF-16, base64 at any place, hexadecimal, percent and JSON escapes."""
    coded = [
        word.encode(), word.encode("utf-16"), word.encode().hex().encode(), json.dumps(word).encode(),
        urllib.parse.quote(word).encode(), *(base64.b64encode(b"x" * n + word.encode() + b"yy") for n in range(3)),
    ]  # fmt: skip
    assert all(found_in(b"before" + one + b"after", [word]) for one in coded), forms(word)
