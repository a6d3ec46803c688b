"""Every transcript again with each update delivered twice, late, and shuffled across chats: the same end (B2)."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from bot.errands.send import default_sending, send_survey
from bot.said import Said, Tap, Text
from conversations.channel import Button
from conversations.library import bundled_forms
from data.copying import copy_all
from data.database import Database
from data.people import Address, add_address, find_group
from data.place import SqliteFile
from data.queue import waiting_items
from data.runs import runs_in
from data.surveys import all_surveys
from data.tables import people
from tests.school import School, opened, sqlite_in
from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Person
from tests.test_telegram_journey import asked, until
from tests.test_transcripts import transcripts

pytestmark = pytest.mark.both_databases

EACH = 2  # chats that play each transcript
STORIES = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in transcripts()]


@dataclass(frozen=True)
class Update:
    """What came from a chat, numbered as Telegram does."""

    id: int
    chat: str
    said: Said


Script = list[list[Update]]  # the updates of each chat, in order
Plan = Callable[[random.Random, list[Update]], list[Update]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Script, object]:
    """A school just before its people answer; what they then send; and how it ends when all comes once, in order."""
    return asyncio.run(_play(tmp_path_factory.mktemp("replays")))


async def _play(folder: Path) -> tuple[Path, Script, object]:
    async with opened(folder / "before") as school:
        chats = await _invited(school)
    shutil.copytree(folder / "before", folder / "once")
    async with opened(folder / "once") as school:
        script = [await _plays(school, chat, survey, turns) for chat, survey, turns in chats]
        return folder, script, await _end(school)


async def _invited(school: School) -> list[tuple[str, str, list[dict[str, str]]]]:
    """(chat, survey, turns) for every chat; everybody is asked in every survey."""
    await school.readers()
    forms = {story["form"] for story in STORIES}
    everybody = await school.people(max(10, EACH * len(STORIES)))
    surveys = {}
    async with school.db.transaction() as tx:
        group = await find_group(tx, "SEND parents") or ""
        for form in sorted(forms):
            sending = default_sending(school.house, bundled_forms()[form], group, school.clock.now.date())
            surveys[form] = (await send_survey(tx, school.house, sending, school.clock.now)).id
        for n, person in enumerate(everybody):
            await add_address(tx, person, "telegram", str(n))
    told = [(surveys[story["form"]], story["turns"]) for story in STORIES for _ in range(EACH)]
    return [(str(n), survey, turns) for n, (survey, turns) in enumerate(told)]


async def _plays(school: School, chat: str, survey: str, turns: list[dict[str, str]]) -> list[Update]:
    """The transcript as updates: taps say what the buttons of this chat say."""
    sent: list[Update] = []
    shown: list[Button] = []

    async def say(said: Said) -> None:
        sent.append(Update(1000 * int(chat) + len(sent), chat, said))
        reply = await _delivered(school, sent[-1])
        shown.extend(b for m in reply.messages for b in m.buttons)

    await say(Tap(f"o={survey}"))
    for turn in turns:
        if "taps" in turn:
            await say(Tap(next(b.says for b in reversed(shown) if b.label == turn["taps"])))
        elif "types" in turn:
            await say(Text(turn["types"]))
    return sent


async def _delivered(school: School, update: Update):
    return await school.dialogue.hear(Address("telegram", update.chat), update.said, update.id)


async def _end(school: School) -> object:
    """Everything that came of it: answers, places, what waits for a human, who is stopped or has what in front."""
    async with school.db.reading() as tx:
        runs = [run for survey in await all_surveys(tx) for run in await runs_in(tx, survey)]
        items = sorted((i.kind, i.text, i.person, i.who, i.quote) for i in await waiting_items(tx))
        fronts = sorted((p.id, p.front, bool(p.stopped)) for p in await tx.all(select(people)))
    return {run.id: (run.person, run.state) for run in runs}, items, fronts


# --- how updates can come -----------------------------------------------------------------------------------------


def each_twice(dice: random.Random, updates: list[Update]) -> list[Update]:
    return [u for update in updates for u in (update, update)]


def again_later(dice: random.Random, updates: list[Update]) -> list[Update]:
    """The first deliveries in order, each second one anywhere after its first."""
    at = [(float(i), u) for i, u in enumerate(updates)]
    at += [(dice.uniform(i, len(updates)), u) for i, u in enumerate(updates)]
    return [u for _, u in sorted(at, key=lambda pair: pair[0])]


def all_again_shuffled(dice: random.Random, updates: list[Update]) -> list[Update]:
    return [*updates, *dice.sample(updates, len(updates)), *dice.sample(updates, len(updates))]


def double_taps(dice: random.Random, updates: list[Update]) -> list[Update]:
    """A finger that taps twice: two updates with ids of their own."""
    twice = [(u, Update(u.id + 500_000, u.chat, u.said)) if isinstance(u.said, Tap) else (u,) for u in updates]
    return [u for both in twice for u in both]


def ids_begin_anew(dice: random.Random, updates: list[Update]) -> list[Update]:
    """After a quiet week Telegram picks ids at random: lower ones are as new as higher ones."""
    half = len(updates) // 2
    return [*updates[:half], *(Update(u.id - 2_000_000, u.chat, u.said) for u in each_twice(dice, updates[half:]))]


PLANS: list[Plan] = [each_twice, again_later, all_again_shuffled, double_taps, ids_begin_anew]


def across(dice: random.Random, script: Script) -> list[Update]:
    """One stream: chats mixed at random, the order inside each kept."""
    left = [list(updates) for updates in script]
    stream = []
    while left := [updates for updates in left if updates]:
        stream.append(dice.choice(left).pop(0))
    return stream


@pytest.fixture
async def school(played: tuple[Path, Script, object], tmp_path: Path) -> AsyncIterator[School]:
    """The same school, again before anybody has answered."""
    shutil.copytree(played[0] / "before", tmp_path / "again")
    async with opened(tmp_path / "again") as running:
        if not isinstance(running.db.place, SqliteFile):
            before = Database(sqlite_in(tmp_path / "again"), running.db.vault, running.db.boxes)
            await copy_all(before, running.db, replace=True)
            await before.close()
        yield running


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.__name__)
async def test_repeated_updates_end_where_single_ones_do(school: School, played, plan: Plan, seed: int) -> None:
    """B2"""
    _, script, end = played
    dice = random.Random(seed)
    for update in across(dice, [plan(dice, updates) for updates in script]):
        await _delivered(school, update)
    assert await _end(school) == end


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.__name__)
async def test_all_chats_at_once_end_there_too(school: School, played, plan: Plan) -> None:
    """B2: concurrent across chats, in order inside each, as the loop delivers."""
    _, script, end = played
    dice = random.Random(7)

    async def one(updates: list[Update]) -> None:
        for update in updates:
            await _delivered(school, update)

    await asyncio.gather(*(one(plan(dice, updates)) for updates in script))
    assert await _end(school) == end


@pytest.mark.parametrize("seed", range(2))
async def test_updates_in_no_order_at_all_harm_nobody(school: School, played, seed: int) -> None:
    """B2: what was never said is never an answer, nobody gets another's, and every cry for help still arrives."""
    _, script, end = played
    dice = random.Random(seed)
    stream = [u for updates in script for u in (*updates, *updates)]
    dice.shuffle(stream)
    for update in stream:
        reply = await _delivered(school, update)
        assert not any("went wrong" in m.text for m in reply.messages)
    runs, items, _ = await _end(school)  # type: ignore[misc]
    for id, (person, state) in runs.items():
        assert (person, state.form) == (end[0][id][0], end[0][id][1].form)
        words = [a.values[0] for a in state.answers.values() if a.kind == "text"]
        assert set(words) <= {u.said.words for updates in script for u in updates if isinstance(u.said, Text)}
    flagged = [i for i in end[1] if i[0] == "flagged"]
    assert [i[1] for i in items if i[0] == "flagged"] == [i[1] for i in flagged]
    assert len(flagged) == EACH


# --- on Telegram --------------------------------------------------------------------------------------------------


async def _answers_all(parent: Person, word: str) -> None:
    await parent.reads_until("has 7 questions for you")
    await parent.taps("Open")
    await parent.reads_until("You do not have to answer")
    await parent.taps("Yes, start")
    await parent.reads_until("Question 1 of 7")
    for n, said in enumerate(("2", "Some", "a lot", "3", "easy", "1, 2"), 2):
        await parent.types(said)
        await parent.reads_until(f"Question {n} of 7")
    await parent.types(word)
    await parent.reads_until("They are not sent yet")
    await parent.taps("Send my answers")
    await parent.reads_until("Thank you. We have your answers.")


async def _states(bot: TelegramSchool) -> list[object]:
    async with bot.school.db.reading() as tx:
        runs = [run for survey in await all_surveys(tx) for run in await runs_in(tx, survey)]
    plain = ({q: a.values for q, a in (run.state.sent or {}).items()} for run in runs)
    return sorted(plain, key=str)


async def test_a_journey_with_every_update_delivered_again_and_again(tmp_path: Path) -> None:
    """B2, over real HTTP: the server sends every update of these parents twice at once, and old ones in between."""
    async with telegram_school(tmp_path) as bot:
        _, parents = await asked(bot)
        server, dice, seen = bot.server, random.Random(5), []
        put = server.put_update

        def often(kind: str, content: object) -> dict:
            update = put(kind, content)
            seen.append(update)
            for one in (update, dice.choice(seen), dice.choice(seen)):
                server.redeliver(one)
            return update

        server.put_update = often  # type: ignore[method-assign]
        words = [f"More time, says {n}" for n in range(4)]
        await asyncio.gather(*(_answers_all(p, w) for p, w in zip(parents, words, strict=False)))
        for update in dice.sample(seen, len(seen)):
            server.redeliver(update)
        await until(lambda: not server.updates.again)
        await server.idle()
        states = await _states(bot)
    picks = {"B1.1": "quite-well", "B1.2": "some", "B1.3": "a-lot", "B1.4": "nothing-changes", "B1.5": "easy"}
    given = {q: (value,) for q, value in picks.items()} | {"B1.6": ("more-time", "clearer-plan")}
    assert states.count({}) == 6
    assert sorted((s for s in states if s), key=str) == [given | {"B1.7": (word,)} for word in words]
