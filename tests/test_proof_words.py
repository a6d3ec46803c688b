"""Two words on the letter, the same two from the bot before it asks anything (B15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

from bot.proof import proof_words
from bot.said import JOIN, Tap, Text, asking
from bot.web_channel.app import make_app
from conversations.screening import screen
from conversations.texts import Texts, load_texts
from data.codes import Invitation, make_code
from data.people import Address
from data.vault import Vault
from tests.browser.plain import PlainBrowser
from tests.school import School

WORDS = load_texts().list("en", "proof.words")
CODE = "9F4K-20TW-J2"


def test_the_words_are_many_short_and_cannot_be_taken_for_one_another() -> None:
    """B15: one letter apart is too near for a tired eye; a word that sounds like danger would alarm."""
    assert len(WORDS) >= 128
    assert len(set(WORDS)) == len(WORDS)
    assert [w for w in WORDS if not (w.isalpha() and w.islower() and 3 <= len(w) <= 8)] == []
    assert [w for w in WORDS if screen(w)] == []
    assert [pair for pair in combinations(WORDS, 2) if near(*pair)] == []


def near(one: str, other: str) -> bool:
    """Whether one letter more, less or other makes one of the other."""
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) < 2
    short, long = sorted((one, other), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def test_a_code_has_two_words_of_its_own_however_it_is_typed(school: School) -> None:
    """B15: only who holds the school's key can tell them."""
    vault = school.db.vault
    words = proof_words(school.house, vault, CODE, "en")
    assert words[0] != words[1]
    assert set(words) <= set(WORDS)
    assert proof_words(school.house, vault, CODE.lower().replace("-", ""), "en") == words
    assert proof_words(school.house, vault, CODE, "xx") == words
    assert proof_words(school.house, Vault(b"k" * 32), CODE, "en") != words


def test_every_word_is_used_and_no_pair_is_twice_the_same(school: School) -> None:
    """B15: a copy of one letter says nothing about the words of the next."""
    pairs = [proof_words(school.house, school.db.vault, f"0000{n:06d}", "en") for n in range(4000)]
    assert all(a != b for a, b in pairs)
    assert {word for pair in pairs for word in pair} == set(WORDS)
    assert len(set(pairs)) > 3000


def two_words(school: School, code: str) -> str:
    first, second = proof_words(school.house, school.db.vault, code, "en")
    return f"{first} and {second}"


async def test_the_bot_says_them_before_it_asks_a_stranger(school: School) -> None:
    """B15, in a chat: the first words under the welcome, and again for as long as the question waits."""
    code, other, here = await school.code("parent"), await school.code("parent"), Address("telegram", "100")
    said = (await school.dialogue.hear(here, Text(f"/start {code}"), 1)).messages[0].text
    assert said.startswith(f"Check two words first: {two_words(school, code)}.")
    assert said.index("Check two words") < said.index("Do you want to join?")
    assert "stop and call the school: 0161 496 0000" in said
    assert two_words(school, other) not in said
    again = (await school.dialogue.hear(here, Text("who is this?"), 2)).messages[0].text
    assert again == said


async def test_a_code_used_up_meanwhile_is_not_asked_about_again(school: School) -> None:
    """B15: whoever comes second gets no words to show around."""
    code, here, other = await school.code("parent"), Address("telegram", "100"), Address("telegram", "200")
    for address in (here, other):
        await school.dialogue.hear(address, Text(f"/start {code}"))
    await school.dialogue.hear(other, Tap(asking(JOIN, "yes")))
    said = (await school.dialogue.hear(here, Text("who is this?"))).messages[0].text
    assert "Check two words" not in said


async def test_the_bot_says_them_to_somebody_who_joined_before(school: School) -> None:
    """B15, for a further code."""
    talk, code = school.on(await school.person("parent")), await school.code("senco")
    await talk.types(f"/start {code}")
    assert f"Check two words first: {two_words(school, code)}." in talk.text


async def test_the_page_says_them(school: School) -> None:
    """B15, on the web."""
    code = await school.code("parent")
    browser = PlainBrowser(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
    page = await browser.open(f"/join/{code}")
    await browser.close()
    assert f"Check two words first: {two_words(school, code)}." in page.text
    assert page.text.index("Check two words") < page.text.index("Do you want to join?")


async def test_the_words_are_those_of_the_language_of_the_letter(school: School) -> None:
    """B15: somebody who reads the bot in English holds a letter in another language."""
    other = dict(school.house.texts.phrases["en"]) | {"proof.words": "jabłko, rzeka, dom"}
    school.dialogue.house = replace(school.house, texts=Texts({"en": school.house.texts.phrases["en"], "pl": other}))
    async with school.db.transaction() as tx:
        until = school.clock.now + timedelta(days=14)
        code = await make_code(tx, Invitation("senco", None, "pl"), 1, until)
    talk = school.on(await school.person("parent"))
    await talk.types(f"/start {code}")
    first, second = proof_words(school.dialogue.house, school.db.vault, code, "pl")
    assert {first, second} < {"jabłko", "rzeka", "dom"}
    assert f"Check two words first: {first} and {second}." in talk.text
