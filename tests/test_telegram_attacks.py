"""What somebody can do to a bot with Telegram alone: groups, files, odd updates, false names (trust B7 to B18)."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from telegram import Update
from telegram.ext import ExtBot
from telegram.request import BaseRequest, RequestData

from bot.logs import RedactingHandler, set_up_logging
from bot.telegram_channel.channel import TelegramChannel
from bot.telegram_channel.drawing import pieces
from bot.telegram_channel.updates import ALLOWED
from conversations.channel import Button, Message
from conversations.texts import load_texts
from data import vault
from data.queue import waiting_items
from data.tables import metadata
from tests.school import School
from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Person, TelegramServer, parameters
from tests.telegram_server.parameters import UPDATE_KINDS
from tests.telegram_server.server import HANDLERS
from tests.test_telegram_journey import asked, taps, until

TEXTS = load_texts()
PICTURE = TEXTS.say("en", "works.picture")
FILE = {"file_id": "canary-file", "file_unique_id": "canary-unique"}
HUGE = 20 * 1024**4
FILES: dict[str, dict[str, Any]] = {
    "photo": {"photo": [FILE | {"width": 40_000, "height": 40_000, "file_size": 48_685}]},
    "zip": {"document": FILE | {"file_name": "canary.zip", "mime_type": "application/zip", "file_size": HUGE}},
    "picture sent as a file": {"document": FILE | {"file_name": "canary.png", "mime_type": "image/png"}},
    "voice": {"voice": FILE | {"duration": 86_400, "mime_type": "audio/ogg", "file_size": HUGE}},
    "audio": {"audio": FILE | {"duration": 3, "title": "canary", "performer": "canary"}},
    "video": {"video": FILE | {"width": 1, "height": 1, "duration": 3, "file_size": HUGE}},
    "round video": {"video_note": FILE | {"length": 1, "duration": 3}},
    "animation": {"animation": FILE | {"width": 1, "height": 1, "duration": 3}},
    "sticker": {
        "sticker": FILE | {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}
    },
}  # fmt: skip
PLACES: dict[str, dict[str, Any]] = {
    "place": {"location": {"latitude": 53.482_771_23, "longitude": -2.239_123_45}},
    "live place": {"location": {"latitude": 53.482_771_23, "longitude": -2.239_123_45, "live_period": 900}},
    "venue": {"venue": {"location": {"latitude": 53.482_771_23, "longitude": -2.239_123_45},
                        "title": "canary house", "address": "canary street"}},
    "contact": {"contact": {"phone_number": "07700900123", "first_name": "Canaryfirst", "last_name": "Canarylast"}},
    "photo": FILES["photo"] | {"caption": "canary caption of a birthday"},
}  # fmt: skip
CANARIES = ("canary", "07700900123", "53.48277", "2.23912")


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[TelegramSchool]:
    async with telegram_school(tmp_path) as running:
        yield running


async def contents(school: School) -> dict[str, list[str]]:
    """Every row of every table but the numbers of deliveries."""
    async with school.db.reading() as tx:
        tables = [t for t in metadata.sorted_tables if t.name != "updates"]
        return {t.name: sorted(str(tuple(row)) for row in await tx.all(select(t))) for t in tables}


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """What is logged at debug, as `yousaid run` would log it."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    set_up_logging("debug", ["123456:TEST-canary-token"])
    next(h for h in root.handlers if isinstance(h, RedactingHandler)).setStream(stream)
    try:
        yield stream
    finally:
        root.handlers[:], logging.raiseExceptions = before, raising
        root.setLevel(level)


@contextmanager
def everything_sealed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """All that is encrypted meanwhile, before it is: what lies in the database behind its locks."""
    plain: list[bytes] = []
    seal = vault.seal_with

    def noting(key: bytes, words: bytes, about: str) -> bytes:
        plain.append(words)
        return seal(key, words, about)

    for module in (vault, *_users_of(vault.seal_with)):
        monkeypatch.setattr(module, "seal_with", noting)
    yield plain


def _users_of(function: object) -> list[Any]:
    import sys

    modules = [m for name, m in sys.modules.items() if name.startswith(("data.", "bot."))]
    return [m for m in modules if getattr(m, "seal_with", None) is function]


def on_disk(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


# --- files and places ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FILES)
async def test_no_file_is_ever_fetched(bot: TelegramSchool, kind: str) -> None:
    """B8, SAFE-11: whatever its size, nothing is asked for, nothing opened, nothing kept; the place stays."""
    person = await bot.joins("parent", "SEND parents")
    await bot.server.idle()
    before = await contents(bot.school)
    person.sends_update(FILES[kind])
    await person.reads_until(PICTURE)
    await person.reads_until("If you need help now")
    assert bot.server.calls_of("getFile") == []
    assert await contents(bot.school) == before


async def test_a_child_who_sends_a_picture_is_given_numbers_and_nothing_is_fetched(bot: TelegramSchool) -> None:
    """B8, SAFE-12: also from somebody nobody knows."""
    child = bot.server.person(4711)
    before = await contents(bot.school)
    child.sends_update(FILES["photo"])
    await child.reads_until("0800 1111")
    assert bot.server.calls_of("getFile") == []
    assert await contents(bot.school) == before


@pytest.mark.parametrize("kind", PLACES)
async def test_places_contacts_and_photos_are_not_stored_and_that_is_said(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B18: at a question; neither on disk, nor sealed, nor logged, nor as an answer."""
    with everything_logged() as log, everything_sealed(monkeypatch) as sealed:
        async with telegram_school(tmp_path) as bot:
            _, parents = await asked(bot)
            await taps(parents[0], "Open", "Yes, start")
            await parents[0].sees("Question 1 of 7")
            parents[0].sends_update(PLACES[kind])
            said = await parents[0].reads_until(PICTURE)
            assert "I did not open or keep it." in said.text
            await taps(parents[0], "Very well")
            await parents[0].sees("Question 2 of 7")
    for told in (on_disk(tmp_path), b"".join(sealed), log.getvalue().encode()):
        assert not any(canary.encode() in told.lower() for canary in CANARIES)
    assert len(sealed) > 20


# --- words that look like markup ----------------------------------------------------------------------------------

MARKUP = ["<b>", "</b>", "<a href='http://evil.example'>school</a>", "[school](http://evil.example)", "**", "__", "`",
          "```", "||", "~", "&lt;", "&", "<", ">", "tg://user?id=1", "\\", "{school}", "{0}", "%s", "@admin", "/start",
          "\u202e", "\u200b", "\u0301", "😀", "\U0001f468\u200d\U0001f469", "\n", " "]  # fmt: skip
hostile = st.one_of(
    st.lists(st.sampled_from(MARKUP), min_size=1, max_size=12).map("".join),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200),
)
KEYS = sorted(k for k, v in TEXTS.phrases["en"].items() if "{" in str(v))


class _Hostile(dict[str, object]):
    """The same words for every placeholder; numbers where a plural needs one."""

    def __init__(self, words: str) -> None:
        super().__init__(n=2)
        self.words = words

    def __missing__(self, name: str) -> str:
        return self.words


@settings(max_examples=100, deadline=None, phases=[Phase.generate])
@given(st.lists(st.tuples(hostile, st.sampled_from(KEYS)), min_size=100, max_size=100))
def test_words_of_people_are_never_markup(texts: list[tuple[str, str]]) -> None:
    """B9: 10,000 texts in every phrase that has a place for words: none refused, none parsed, no link made."""
    asyncio.run(_all_sent(texts))


class _Direct(BaseRequest):
    """The server's own checks without the way over HTTP, which 10,000 messages would make long."""

    def __init__(self, server: TelegramServer) -> None:
        self.server = server
        self.sent: list[dict[str, Any]] = []

    @property
    def read_timeout(self) -> float:
        return 1.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any):
        name = url.rpartition("/")[2]
        params = parameters.check(name, dict(request_data.json_parameters if request_data else {}))
        if name == "sendMessage":
            self.sent.append(params)
        result = HANDLERS[name](self.server, params)  # Refusal goes up and fails the test
        return 200, json.dumps({"ok": True, "result": result}).encode()


async def _all_sent(texts: list[tuple[str, str]]) -> None:
    server = TelegramServer()
    reader = server.person(1)
    await reader.types("/start")
    request = _Direct(server)
    channel = TelegramChannel(ExtBot(server.token, request=request, get_updates_request=request))
    messages = [_message(words, key) for words, key in texts]
    for message in messages:
        await channel.send("1", message)
    assert not any({"parse_mode", "entities"} & set(call) for call in request.sent)
    assert not any(shown.entities for shown in reader.messages)
    assert all(call["link_preview_options"] == {"is_disabled": True} for call in request.sent)
    expected = [" ".join(m.as_text().split()) for m in messages if pieces(m.as_text())]
    assert [" ".join(call["text"].split()) for call in request.sent] == expected


def _message(words: str, key: str) -> Message:
    phrase = TEXTS.phrases["en"][key]
    template = phrase if isinstance(phrase, str) else phrase["other"]
    return Message(template.format_map(_Hostile(words)), title=words, buttons=(Button(words[:60] or "x", "c=menu"),))


# --- groups and channels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_a_group_gets_silence_and_is_left(bot: TelegramSchool, kind: str) -> None:
    """B12: added, spoken to, given a code, tapped in: it leaves, says nothing, stores nothing, spends nothing."""
    person = await bot.joins("parent", "SEND parents")
    await bot.server.idle()
    code = await bot.school.code("senco")
    before, said = await contents(bot.school), len(bot.server.calls_of("sendMessage"))
    for number, does in enumerate(_in_groups(person, code), 1):
        group = bot.server.group(-1000 - number, kind=kind)
        await does(group)
        await group.is_left()
        assert group.messages == []
    await bot.server.idle()
    assert await contents(bot.school) == before
    assert len(bot.server.calls_of("sendMessage")) == said


def _in_groups(person: Person, code: str):
    name = "yousaid_test_bot"
    lines = ["/start", f"/start@{name}", f"/start@{name} {code}", code, "/summary", "my uncle hurts me", f"@{name} hi"]

    async def added(group) -> None:
        group.adds_bot(by=person)

    async def made_admin(group) -> None:
        group.member_changes("member", "member", person.user)

    async def tapped(group) -> None:
        await person.taps_data("c=menu", 1, group)

    async def edited(group) -> None:
        message = (await person.types("hello", group))["message"]
        person.sends_update({"edited_message": message | {"text": "/start", "edit_date": message["date"]}})

    def typed(line: str):
        return lambda group: person.types(line, group)

    return [added, made_admin, tapped, edited, *(typed(line) for line in lines)]


async def test_a_group_that_is_gone_before_it_is_left_does_no_harm(bot: TelegramSchool) -> None:
    """B12"""
    person = await bot.joins("parent", "SEND parents")
    group = bot.server.group(-2000)
    bot.server.fail_next("leaveChat", 400, "Bad Request: chat not found")
    group.adds_bot(by=person)
    await bot.server.called("leaveChat")
    await person.types("/help")
    await person.reads_until("What you can do")
    group.left = True


# --- kinds of updates ---------------------------------------------------------------------------------------------


def _of_kind(kind: str, person: Person) -> dict[str, Any]:
    """An update of this kind in which the same cry for help stands wherever words can stand."""
    words, user = "my uncle hurts me canary", person.user
    message = {"message_id": 9, "from": user, "chat": person.described(), "date": int(time.time()), "text": words}
    channel = {"id": -100_5, "type": "channel", "title": words}
    post = message | {"chat": channel, "sender_chat": channel}
    boost = {"boost_id": "b", "add_date": 1, "expiration_date": 2, "source": {"source": "premium", "user": user}}
    reaction = {"chat": person.described(), "message_id": 9, "date": 1}
    contents: dict[str, Any] = {
        "channel_post": post,
        "edited_channel_post": post,
        "business_connection": {"id": "c", "user": user, "user_chat_id": person.id, "date": 1, "is_enabled": True},
        "business_message": message | {"business_connection_id": "c"},
        "edited_business_message": message | {"business_connection_id": "c"},
        "deleted_business_messages": {"business_connection_id": "c", "chat": person.described(), "message_ids": [9]},
        "message_reaction": reaction | {"user": user, "old_reaction": [], "new_reaction": []},
        "message_reaction_count": reaction | {"reactions": []},
        "inline_query": {"id": "1", "from": user, "query": words, "offset": ""},
        "chosen_inline_result": {"result_id": "1", "from": user, "query": words},
        "shipping_query": {"id": "1", "from": user, "invoice_payload": words, "shipping_address": {
            "country_code": "GB", "state": "", "city": words, "street_line1": "", "street_line2": "", "post_code": ""}},
        "pre_checkout_query": {"id": "1", "from": user, "currency": "GBP", "total_amount": 1, "invoice_payload": words},
        "purchased_paid_media": {"from": user, "paid_media_payload": words},
        "poll": {"id": "1", "question": words, "options": [], "total_voter_count": 0, "is_closed": False,
                 "is_anonymous": True, "type": "regular", "allows_multiple_answers": False},
        "poll_answer": {"poll_id": "1", "user": user, "option_ids": [0]},
        "chat_member": {"chat": channel, "from": user, "date": 1,
                        "old_chat_member": {"user": user, "status": "left"},
                        "new_chat_member": {"user": user, "status": "member"}},
        "chat_join_request": {"chat": channel, "from": user, "user_chat_id": person.id, "date": 1, "bio": words},
        "chat_boost": {"chat": channel, "boost": boost},
        "removed_chat_boost": {"chat": channel, "boost_id": "b", "remove_date": 1, "source": boost["source"]},
        "managed_bot": {"user": user, "bot": user | {"is_bot": True}},
        "guest_message": message | {"guest_query_id": "g"},
    }  # fmt: skip
    return {kind: contents[kind]}


FOREIGN_KINDS = sorted(UPDATE_KINDS - {*ALLOWED})


def test_the_kinds_tried_are_all_there_are() -> None:
    """B13: a version of the library that knows a new kind fails here first."""
    assert set(map(str, Update.ALL_TYPES)) == UPDATE_KINDS
    assert set(ALLOWED) == {"message", "edited_message", "callback_query", "my_chat_member"}


async def test_telegram_is_asked_for_four_kinds_and_no_more(bot: TelegramSchool) -> None:
    """B13: the list is explicit in every request."""
    await bot.joins("parent", "SEND parents")
    asked_for = [call["allowed_updates"] for call in bot.server.calls_of("getUpdates")]
    assert asked_for
    assert all(sorted(kinds) == sorted(ALLOWED) for kinds in asked_for)


async def test_no_other_kind_of_update_is_handled(bot: TelegramSchool) -> None:
    """B13: also where Telegram sends it all the same; a channel at most is left."""
    person = await bot.joins("parent", "SEND parents")
    bot.server.group(-100_5, kind="channel")
    await bot.server.idle()
    before, calls = await contents(bot.school), len(bot.server.calls)
    numbers = itertools.count(bot.server.updates.next_id + 1000)
    for kind in FOREIGN_KINDS:
        bot.server.redeliver({"update_id": next(numbers), **_of_kind(kind, person)})
    await until(lambda: not bot.server.updates.again)
    await bot.server.idle()
    assert await contents(bot.school) == before
    assert {call.method for call in bot.server.calls[calls:]} <= {"getUpdates", "leaveChat"}


async def test_other_bots_get_no_answer(bot: TelegramSchool) -> None:
    """B13: a sender that is a bot is dropped, in words, edits, pictures and taps."""
    person = await bot.joins("parent", "SEND parents")
    code = await bot.school.code("senco")
    await bot.server.idle()
    before, calls = await contents(bot.school), len(bot.server.calls)
    robot = person.user | {"is_bot": True}
    for fields in ({"text": "/help"}, {"text": f"/start {code}"}, {"text": "my uncle hurts me"}, FILES["photo"]):
        message = person.sends_update(fields | {"from": robot})["message"]
        person.sends_update({"edited_message": message | {"text": "my uncle hurts me", "edit_date": 1}})
    content = {"id": "1", "from": robot, "message": person.last.raw, "chat_instance": "1", "data": "c=menu"}
    bot.server.put_update("callback_query", content)
    await bot.server.idle()
    assert await contents(bot.school) == before
    assert {call.method for call in bot.server.calls[calls:]} <= {"getUpdates"}


# --- odd updates --------------------------------------------------------------------------------------------------

ODD: list[Any] = [
    None, True, 0, -1, 2**63, 10**30, 0.5, "", "x" * 100_000, "\x00", "\ud800", "\u202e", [], {}, [[[[[[]]]]]], [None],
    {"id": None}, {"a": {"b": {"c": {}}}}, "😀" * 3000, ["x"] * 1000, "/start", "c=menu", "é\u0301" * 500,
]  # fmt: skip
BASES: list[dict[str, Any]] = [{"text": "hello"}, {"text": "/menu"}, {"text": "1"}, *FILES.values(), *PLACES.values()]


def _mutated(dice: random.Random, whole: dict[str, Any]) -> dict[str, Any]:
    """A copy in which some parts are missing, odd or in the wrong place; never the number of the update."""
    changed = _copy(whole)
    for _ in range(dice.randrange(1, 4)):
        part = changed
        while deeper := [v for v in part.values() if isinstance(v, dict) and v] if dice.random() < 0.7 else []:
            part = dice.choice(deeper)
        key = dice.choice(sorted(part))
        if dice.random() < 0.2:
            del part[key]
            if not part:
                break
        else:
            part[dice.choice([key, key, dice.choice(sorted(UPDATE_KINDS))])] = _copy(dice.choice(ODD))
    return changed


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    return list(value) if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(3))
async def test_odd_updates_neither_stop_nor_hold_up_the_bot(tmp_path: Path, seed: int) -> None:
    """B11: 3,000 mutated updates; nothing is handled with an error, nothing is stuck, the next person is answered."""
    dice = random.Random(seed)
    with everything_logged() as log:
        async with telegram_school(tmp_path) as bot:
            person = await bot.joins("parent", "SEND parents")
            other = await bot.joins("parent", "SEND parents")
            for _ in range(10):
                for _ in range(100):
                    _send_odd(dice, bot.server, person)
                await other.types("/help")
                await other.reads_until("What you can do", timeout=60)
                other.read_all()
            await bot.server.idle(timeout=60)
            assert bot.server.updates.waiting == []
            _forgive_chats_that_are_not_there(bot.server)
    said = log.getvalue()
    assert "an update failed" not in said
    assert "a reply failed" not in said.replace("a reply failed with BadRequest", "")  # to chats that are not there
    assert "set aside" not in said
    assert "nobody expected" not in said


def _send_odd(dice: random.Random, server: TelegramServer, person: Person) -> None:
    message = {"message_id": server.new_message_id(), "from": person.user, "chat": person.described(), "date": 1}
    content = message | dice.choice(BASES)
    tap = {"id": "1", "from": person.user, "message": content, "chat_instance": "1", "data": "c=menu"}
    member = {"user": server.bot_user, "status": "member"}
    standing = {"chat": person.described(), "from": person.user, "date": 1, "old_chat_member": member,
                "new_chat_member": member | {"status": "kicked", "until_date": 0}}  # fmt: skip
    kind, whole = dice.choice(
        [("message", content), ("edited_message", content | {"edit_date": 2}), ("callback_query", tap),
         ("my_chat_member", standing)]
    )  # fmt: skip
    server.put_update(kind, _mutated(dice, whole))


def _forgive_chats_that_are_not_there(server: TelegramServer) -> None:
    """Chats and taps that the mutations invented: Telegram would not have sent these."""
    invented = ("chat not found", "query is too old", "bot was blocked", "message to edit not found",
                "chat_id", "can't be changed in private chats")  # fmt: skip
    server.refused[:] = [r for r in server.refused if not any(words in r[2] for words in invented)]


async def test_a_very_long_and_a_very_deep_update_are_survived(bot: TelegramSchool) -> None:
    """B11: a body of a megabyte, lists in lists."""
    person = await bot.joins("parent", "SEND parents")
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    person.sends_update({"text": "word " * 200_000})
    await person.reads_until("I did not understand that")
    person.sends_update({"text": "hello", "entities": deep, "reply_to_message": {"text": deep}})
    await person.types("/help")
    await person.reads_until("What you can do")


# --- names of Telegram --------------------------------------------------------------------------------------------


async def test_names_from_telegram_are_kept_and_shown_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B14, B7: neither first name nor last name nor @name: in no table, sealed or not, no log, no message to staff."""
    false = {"first_name": "Zorba Patel (SENCO)", "last_name": "Zorbalast", "username": "zorba_the_senco"}
    with everything_logged() as log, everything_sealed(monkeypatch) as sealed:
        async with telegram_school(tmp_path) as bot:
            monkeypatch.setattr(Person, "user", property(lambda p: {"id": p.id, "is_bot": False, **false}))
            monkeypatch.setattr(Person, "described", lambda p: {"id": p.id, "type": "private", **false})
            senco, parents = await asked(bot)
            parent = parents[0]
            await taps(parent, "Open", "Yes, start", *["Skip"] * 6)
            await parent.types("More time, please.")
            await parent.reads_until("They are not sent yet")
            await parent.taps("Send my answers")
            await parent.types("my uncle hurts me")
            await parent.reads_until("You did the right thing")
            await senco.types("/summary")
            await senco.reads_until("Finished: 1.")
            stranger = bot.server.person(5005)
            await stranger.types("my uncle hurts me")
            await stranger.reads_until("You did the right thing")
            async with bot.school.db.reading() as tx:
                items = await waiting_items(tx)
            shown = [m.words for p in bot.server.chats.values() for m in p.messages]
    assert len(items) == 2
    told = [repr(items).encode(), repr(shown).encode(), on_disk(tmp_path), b"".join(sealed), log.getvalue().encode()]
    for place in told:
        assert b"zorba" not in place.lower()
    assert b"TEST-canary-token" not in log.getvalue().encode() + on_disk(tmp_path)
    assert any(b"More time" in words for words in sealed)
