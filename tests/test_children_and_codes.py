"""Children who write from an account of their own (AGE-3), and codes that are guessed (B3)."""

from __future__ import annotations

import pytest

from bot.said import Tap, Text
from data.codes import ALPHABET, LENGTH
from data.people import Address, person_at
from data.queue import waiting_items
from data.tables import metadata
from tests.school import School
from tests.test_dialogue import SURVEY, send

pytestmark = pytest.mark.both_databases

CHILDREN = [  # what they write, and whether a human must see it
    ("hello", False), ("hi im 9", False), ("is this school", False), ("can i answer too", False), ("who r u", False),
    ("i am in year 4", False), ("my mum said i can write here", False), ("when is lunch", False), ("😀", False),
    ("miss i forgot my pe kit", False), ("are you a robot", False), ("i like minecraft", False),
    ("what is a senco", False), ("help me", True), ("im scared to go home", True), ("my dad hit me", True),
    ("i want to die", True), ("someone touches me and i dont like it", True), ("i dont feel safe", True),
    ("my uncle hurts me", True),
]  # fmt: skip


@pytest.mark.parametrize(("words", "seen"), CHILDREN)
async def test_a_child_gets_a_kind_reply_and_only_what_a_human_must_see_is_kept(
    school: School, words: str, seen: bool
) -> None:
    """AGE-3, FAIL-8: kind, numbers, whom to ask; the DSL rule applies; nothing else is kept."""
    dsl, _ = await school.readers()
    before = await rows(school)
    reply = await school.dialogue.hear(Address("telegram", "4004"), Text(words), 1)
    said = " ".join(m.as_text() for m in reply.messages)
    assert "0800 1111" in said
    assert "999" in said
    assert ("ask a grown-up at school" in said) or seen
    async with school.db.reading() as tx:
        assert await person_at(tx, "telegram", "4004") is None
        items = await waiting_items(tx)
    assert [item.text for item in items] == ([words] if seen else [])
    changed = {name for name, count in (await rows(school)).items() if count != before[name]}
    assert changed <= ({"queue", "outbox", "alerts", "audit", "facts", "updates"} if seen else {"updates"})
    assert dsl


async def rows(school: School) -> dict[str, int]:
    async with school.db.reading() as tx:
        return {t.name: len(await tx.all(t.select())) for t in metadata.sorted_tables}


def test_guessing_a_code_is_hopeless() -> None:
    """B3: 300 live codes, 3,360 guesses in 14 days: under one in a billion."""
    assert 300 * 3360 / len(ALPHABET) ** LENGTH < 1e-9


async def test_wrong_codes_come_slower_and_nobody_is_locked_out(school: School) -> None:
    """The contract: after 5 an hour a chat's answers come slower, 3 s at most; a right code still works."""
    here = Address("telegram", "99")
    waits = [(await school.dialogue.hear(here, Text("/start 0000-0000-00"))).wait for _ in range(20)]
    assert waits[:5] == [0.0] * 5
    assert waits[5:] == sorted(waits[5:])
    assert 0 < waits[5] <= waits[-1] == 3.0
    code = await school.code("parent", "SEND parents")
    assert (await school.dialogue.hear(here, Text(f"/start {code}"))).wait == 0
    assert (await school.dialogue.hear(here, Tap("j=yes"))).joined
    school.clock.move(hours=2)
    assert (await school.dialogue.hear(Address("telegram", "98"), Text("/start 0000-0000-00"))).wait == 0


async def test_a_yes_is_for_what_was_asked_last(school: School) -> None:
    """A code opened at a survey's first screen is answered first; opening the survey again puts the code aside."""
    await school.readers()
    parents = await school.people(12)
    await send(school)
    talk = school.on(parents[0])
    talk.reply = await talk.forges(f"o={SURVEY}")
    await talk.types(f"/start {await school.code('staff')}", "yes")
    assert "You can now also do this: member of staff" in talk.text
    await talk.types(f"/start {await school.code('office')}")
    talk.reply = await talk.forges(f"o={SURVEY}")
    await talk.types("yes")
    assert "Question 1 of 7" in talk.text
    assert (await school.known(parents[0])).roles == {"parent", "staff"}
