"""The local Bot API server refuses what Telegram refuses, and lets a test play people."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web

from tests.telegram_server import Person, TelegramServer, TelegramServerInThread
from tests.telegram_server.formatting import read_html, read_markdown
from tests.telegram_server.refusals import Refusal
from tests.telegram_server.webhook import SECRET_HEADER

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (300).to_bytes(4) + (200).to_bytes(4) + b"rest"


class Answer(NamedTuple):
    status: int
    body: dict

    @property
    def why(self) -> str:
        return self.body["description"]

    @property
    def result(self):
        assert self.body["ok"], self.body
        return self.body["result"]


class Bot:
    """A bot made of bare HTTP."""

    def __init__(self, server: TelegramServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def call(self, method: str, token: str | None = None, **params: object) -> Answer:
        url = f"{self.server.url}/bot{token or self.server.token}/{method}"
        async with self.session.post(url, json=params) as answer:
            return Answer(answer.status, await answer.json())

    async def says(self, text: str = "Question", labels: str = "Yes No", chat_id: int = 1001) -> int:
        answer = await self.call("sendMessage", chat_id=chat_id, text=text, reply_markup=keyboard(labels))
        return answer.result["message_id"]


def keyboard(labels: str) -> dict:
    row = [{"text": label, "callback_data": label.lower()} for label in labels.split()]
    return {"inline_keyboard": [row]}


def button(**fields: object) -> dict:
    return {"inline_keyboard": [[{"text": "Yes", **fields}]]}


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as running:
        yield running


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with aiohttp.ClientSession() as session:
        yield Bot(server, session)


@pytest.fixture
async def alice(server: TelegramServer) -> Person:
    """A person who wrote first, so that the bot may answer."""
    person = server.person(1001, "Alice")
    await person.types("/start")
    return person


async def test_bot_learns_who_it_is(bot: Bot, server: TelegramServer) -> None:
    answer = await bot.call("getMe")
    assert (answer.result["id"], answer.result["is_bot"]) == (123456, True)
    assert [call.method for call in server.calls] == ["getMe"]


@pytest.mark.parametrize(
    ("token", "method", "status", "why"),
    [
        ("123456:wrong", "getMe", 401, "Unauthorized"),
        ("nonsense", "getMe", 404, "Not Found"),
        (None, "sendKindWords", 404, "Not Found: method not found"),
    ],
)
async def test_wrong_token_and_unknown_method(
    bot: Bot, server: TelegramServer, token: str | None, method: str, status: int, why: str
) -> None:
    answer = await bot.call(method, token)
    assert (answer.status, answer.why) == (status, why)
    assert server.refused == [(method, {}, why)]


async def test_message_is_shown_with_its_buttons(bot: Bot, alice: Person) -> None:
    message_id = await bot.says("How is lunch?", "Easy Hard")
    message = await alice.reads()
    assert (message.id, message.text) == (message_id, "How is lunch?")
    assert message.buttons == [("Easy", "easy"), ("Hard", "hard")]
    assert alice.messages == [alice.last] == [message]


async def test_parameters_come_as_form_query_or_parts(bot: Bot, server: TelegramServer, alice: Person) -> None:
    url = f"{server.url}/bot{server.token}/sendmessage"
    params = {"chat_id": "1001", "text": "one", "disable_notification": "true"}
    parts = aiohttp.FormData(default_to_multipart=True)
    for name, value in params.items():
        parts.add_field(name, value)
    for kwargs in ({"data": params}, {"params": params}, {"data": parts}):
        async with bot.session.post(url, **kwargs) as answer:
            assert answer.status == 200
    expected = {"chat_id": 1001, "text": "one", "disable_notification": True}
    assert server.calls_of("sendMessage") == [expected] * 3


@pytest.mark.parametrize(
    ("method", "params", "why"),
    [
        ("sendMessage", {"text": "x", "colour": "red"}, "unknown parameter 'colour' for sendMessage"),
        ("sendMessage", {"text": 7}, "parameter 'text': must be a string"),
        (
            "sendMessage",
            {"text": "x", "protect_content": "maybe"},
            "'protect_content': must be true or false",
        ),
        ("sendMessage", {"text": "x", "chat_id": "Alice"}, "parameter 'chat_id': must be an integer"),
        ("sendMessage", {"text": "x", "chat_id": True}, "parameter 'chat_id': must be an integer"),
        ("sendMessage", {"text": "x", "chat_id": 404}, "chat not found"),
        ("sendMessage", {"text": "x", "chat_id": "@somebody"}, "chat not found"),
        ("sendMessage", {}, "message text is empty"),
        ("sendMessage", {"text": " \n"}, "message text is empty"),
        ("sendMessage", {"text": "x" * 4097}, "message is too long"),
        ("sendMessage", {"text": "😀" * 2049}, "message is too long"),
        ("sendMessage", {"text": "x", "parse_mode": "Word"}, "unsupported parse_mode"),
        ("sendMessage", {"text": "<x>", "parse_mode": "HTML"}, "can't parse entities: Unsupported start tag"),
        ("sendMessage", {"text": "Hi.", "parse_mode": "MarkdownV2"}, "Character '.' is reserved"),
        (
            "sendMessage",
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "entity lies outside",
        ),
        (
            "sendMessage",
            {"text": "x", "reply_parameters": {"message_id": 9}},
            "message to be replied not found",
        ),
        ("sendMessage", {"text": "x", "reply_markup": "{"}, "can't parse JSON"),
        ("sendMessage", {"text": "x", "reply_markup": {"inline": []}}, "must be one of inline_keyboard"),
        ("sendMessage", {"text": "x", "reply_markup": button()}, "Text buttons are unallowed"),
        ("sendMessage", {"text": "x", "reply_markup": button(text=" ", callback_data="a")}, "non-empty"),
        ("sendMessage", {"text": "x", "reply_markup": button(callback_data="")}, "BUTTON_DATA_INVALID"),
        ("sendMessage", {"text": "x", "reply_markup": button(callback_data="é" * 33)}, "BUTTON_DATA_INVALID"),
        ("sendMessage", {"text": "x", "reply_markup": button(callback_data="a", pay=True)}, "exactly one"),
        ("sendMessage", {"text": "x", "reply_markup": button(url="ftp://x")}, "Wrong HTTP URL"),
        ("sendMessage", {"text": "x", "reply_markup": button(data="a")}, "unknown field 'data'"),
        ("sendMessage", {"text": "x", "reply_markup": keyboard("a " * 9)}, "more than 8 buttons in a row"),
        ("sendChatAction", {"action": "dancing"}, "parameter 'action': must be one of"),
        ("deleteMessage", {"message_id": 77}, "message to delete not found"),
        ("editMessageText", {"message_id": 77, "text": "x"}, "message to edit not found"),
        ("editMessageText", {"message_id": 1, "text": "x"}, "message can't be edited"),
        ("leaveChat", {}, "can't be changed in private chats"),
    ],
)
async def test_refused(bot: Bot, server: TelegramServer, alice: Person, method: str, params: dict, why: str) -> None:
    answer = await bot.call(method, **{"chat_id": 1001, **params})
    assert answer.status == 400
    assert answer.why.startswith("Bad Request: ")
    assert why in answer.why
    assert [(one[0], one[2]) for one in server.refused] == [(method, answer.why)]
    assert alice.messages == []
    with pytest.raises(AssertionError, match="Telegram would have refused"):
        server.assert_nothing_refused()


@pytest.mark.parametrize(
    "params",
    [
        {"text": "x" * 4096},
        {"text": "😀" * 2048},
        {"text": "<b>" + "x" * 4096 + "</b>", "parse_mode": "HTML"},
        {"text": "x", "reply_markup": button(callback_data="é" * 32)},
        {"text": "x", "reply_markup": button(url="https://school.example/a?b=c")},
        {"text": "x", "reply_markup": {"inline_keyboard": keyboard("a " * 8)["inline_keyboard"] * 12}},
        {"text": "x", "reply_markup": {"keyboard": [["Yes", {"text": "No"}]], "resize_keyboard": True}},
        {"text": "x", "reply_markup": {"remove_keyboard": True}},
        {"text": "x", "reply_parameters": {"message_id": 9, "allow_sending_without_reply": True}},
    ],
)
async def test_accepted_up_to_the_limit(bot: Bot, server: TelegramServer, alice: Person, params: dict) -> None:
    answer = await bot.call("sendMessage", chat_id=1001, **params)
    assert answer.status == 200, answer.why
    server.assert_nothing_refused()


async def test_hundred_and_first_button_is_refused(bot: Bot, alice: Person) -> None:
    rows = keyboard("a")["inline_keyboard"] * 101
    answer = await bot.call("sendMessage", chat_id=1001, text="x", reply_markup={"inline_keyboard": rows})
    assert answer.why == "Bad Request: reply markup is too long"


@pytest.mark.parametrize(
    ("source", "text", "kinds"),
    [
        ("<b>Hi</b> &amp; <i>bye</i> &copy;", "Hi & bye &copy;", ["bold", "italic"]),
        ('<a href="https://x.example">x</a>', "x", ["text_link"]),
        ("<b>a<u>b</u></b>", "ab", ["bold", "underline"]),
        ('<span class="tg-spoiler">s</span>', "s", ["spoiler"]),
        ("<blockquote expandable>q</blockquote>", "q", ["expandable_blockquote"]),
    ],
)
def test_html_is_read(source: str, text: str, kinds: list[str]) -> None:
    shown = read_html(source)
    assert (shown.text, [one["type"] for one in shown.entities]) == (text, kinds)


@pytest.mark.parametrize("source", ["<b>x", "x</b>", "<b>x</i>", "1 < 2", "<", "<span>x</span>", "<script>x</script>"])
def test_bad_html_is_refused(source: str) -> None:
    with pytest.raises(Refusal, match="can't parse entities"):
        read_html(source)


@pytest.mark.parametrize(
    ("source", "text", "kinds"),
    [
        ("*a* _b_ __c__ ~d~ ||e|| `f.`", "a b c d e f.", "bold italic underline strikethrough spoiler code"),
        (r"1\. [x](https://x.example/\))", "1. x", "text_link"),
        (">quoted\nnot", "quoted\nnot", ""),
        ("```py\nx = 1.```", "py\nx = 1.", "pre"),
    ],
)
def test_markdown_is_read(source: str, text: str, kinds: str) -> None:
    shown = read_markdown(source)
    assert (shown.text, [one["type"] for one in shown.entities]) == (text, kinds.split())


@pytest.mark.parametrize("source", ["*x", "a-b", "x!", "(x)", "[x](http", "`x", "a_b"])
def test_bad_markdown_is_refused(source: str) -> None:
    with pytest.raises(Refusal, match="can't parse entities"):
        read_markdown(source)


def test_entities_count_in_utf16_units() -> None:
    assert read_html("😀<b>x</b>").entities == [{"type": "bold", "offset": 2, "length": 1}]


async def test_bot_cannot_write_first_nor_to_who_blocked_it(bot: Bot, server: TelegramServer, alice: Person) -> None:
    server.person(1002, "Bob")
    stranger = await bot.call("sendMessage", chat_id=1002, text="hello")
    alice.blocks_bot()
    blocked = await bot.call("sendMessage", chat_id=1001, text="hello")
    alice.unblocks()
    back = await bot.call("sendMessage", chat_id=1001, text="hello")
    assert (stranger.status, stranger.why) == (403, "Forbidden: bot can't initiate conversation with a user")
    assert (blocked.status, blocked.why) == (403, "Forbidden: bot was blocked by the user")
    assert back.status == 200
    assert server.unavoidable == {"forbidden": 2}
    server.assert_nothing_refused()


async def test_tap_reaches_the_bot_and_is_answered_once(bot: Bot, server: TelegramServer, alice: Person) -> None:
    message_id = await bot.says()
    update = await alice.taps("Yes")
    query = update["callback_query"]
    assert (query["data"], query["message"]["message_id"]) == ("yes", message_id)
    assert server.unanswered == [query["id"]]
    first = await bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Saved")
    second = await bot.call("answerCallbackQuery", callback_query_id=query["id"])
    assert first.result is True
    assert (second.status, second.why.split(" and ")[0]) == (400, "Bad Request: query is too old")
    assert [(one.text, one.alert) for one in alice.notices] == [("Saved", False)]
    assert (server.unanswered, server.unavoidable) == ([], {"query": 1})


async def test_old_tap_cannot_be_answered(bot: Bot, server: TelegramServer, alice: Person) -> None:
    server.query_lifetime = 0
    await bot.says()
    update = await alice.taps("No")
    answer = await bot.call("answerCallbackQuery", callback_query_id=update["callback_query"]["id"])
    assert answer.status == 400
    assert server.refused == []


async def test_missing_button_is_said_with_those_that_are_there(bot: Bot, alice: Person) -> None:
    await bot.says(labels="Yes No")
    with pytest.raises(AssertionError, match="'Yes', 'No'"):
        await alice.taps("Maybe")


async def test_newest_button_is_tapped_unless_a_message_is_named(bot: Bot, alice: Person) -> None:
    older, newer = await bot.says("1"), await bot.says("2")
    assert (await alice.taps("Yes"))["callback_query"]["message"]["message_id"] == newer
    assert (await alice.taps("Yes", on=older))["callback_query"]["message"]["message_id"] == older


async def test_forged_tap_can_be_sent(bot: Bot, alice: Person) -> None:
    update = await alice.taps_data("anything", on=await bot.says())
    assert update["callback_query"]["data"] == "anything"


async def test_link_is_not_tapped_and_key_is_typed(bot: Bot, alice: Person) -> None:
    await bot.call("sendMessage", chat_id=1001, text="x", reply_markup=button(url="https://x.example"))
    with pytest.raises(AssertionError, match="tells the bot nothing"):
        await alice.taps("Yes")
    await bot.call("sendMessage", chat_id=1001, text="x", reply_markup={"keyboard": [["Later"]]})
    assert (await alice.taps("Later"))["message"]["text"] == "Later"


async def test_edit_changes_message_and_is_read_again(bot: Bot, server: TelegramServer, alice: Person) -> None:
    message_id = await bot.says()
    await alice.reads()
    which = {"chat_id": 1001, "message_id": message_id}
    assert (await bot.call("editMessageText", **which, text="Thank you")).status == 200
    message = await alice.reads()
    assert (message.text, message.buttons, message.edited) == ("Thank you", [], True)
    again = await bot.call("editMessageText", **which, text="Thank you ")
    assert again.why.startswith("Bad Request: message is not modified: specified new message content")
    assert server.unavoidable == {"not modified": 1}
    assert (await bot.call("editMessageReplyMarkup", **which, reply_markup=keyboard("A"))).status == 200
    assert alice.last.buttons == [("A", "a")]
    wrong = await bot.call("editMessageReplyMarkup", **which, reply_markup={"remove_keyboard": True})
    assert wrong.why == "Bad Request: inline keyboard expected"


async def test_deleted_message_is_gone(bot: Bot, alice: Person) -> None:
    message_id = await bot.says()
    assert (await bot.call("deleteMessage", chat_id=1001, message_id=message_id)).result is True
    assert (alice.messages, alice.deleted) == ([], [message_id])


async def test_files_are_sent_and_checked(bot: Bot, server: TelegramServer, alice: Person) -> None:
    url = f"{server.url}/bot{server.token}"

    async def send(method: str, part: str, data: bytes, **fields: str) -> int:
        form = aiohttp.FormData({"chat_id": "1001", **fields})
        form.add_field(part, data, filename="a.bin")
        async with bot.session.post(f"{url}/{method}", data=form) as answer:
            return answer.status

    assert await send("sendPhoto", "photo", PNG, caption="A chart") == 200
    assert (alice.last.photo, alice.last.caption) == (PNG, "A chart")
    assert await send("sendDocument", "document", b"a,b") == 200
    assert alice.last.document == ("a.bin", b"a,b")
    assert await send("sendVoice", "part", b"OggS", voice="attach://part") == 200
    assert alice.last.voice == b"OggS"
    assert await send("sendPhoto", "photo", b"no picture") == 400
    assert await send("sendDocument", "document", b"") == 400
    assert await send("sendPhoto", "photo", PNG, caption="x" * 1025) == 400
    assert [one[2].split(": ")[1] for one in server.refused] == [
        "IMAGE_PROCESS_FAILED",
        "file must be non-empty",
        "message caption is too long",
    ]


async def test_voice_of_a_person_is_downloaded(bot: Bot, server: TelegramServer, alice: Person) -> None:
    update = await alice.speaks(b"OggS...", duration=2)
    answer = await bot.call("getFile", file_id=update["message"]["voice"]["file_id"])
    async with bot.session.get(f"{server.url}/file/bot{server.token}/{answer.result['file_path']}") as file:
        assert await file.read() == b"OggS..."
    async with bot.session.get(f"{server.url}/file/bot{server.token}/elsewhere") as file:
        assert file.status == 404
    big = await alice.speaks(b"OggS", size=30_000_000)
    refused = await bot.call("getFile", file_id=big["message"]["voice"]["file_id"])
    assert refused.why == "Bad Request: file is too big"


async def test_updates_come_again_until_confirmed(bot: Bot, alice: Person) -> None:
    await alice.types("hello")
    first = (await bot.call("getUpdates")).result
    assert [one["message"]["text"] for one in first] == ["/start", "hello"]
    assert first[0]["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert first[1]["update_id"] == first[0]["update_id"] + 1
    assert (await bot.call("getUpdates", limit=1)).result == first[:1]
    assert (await bot.call("getUpdates", offset=first[1]["update_id"])).result == first[1:]
    assert (await bot.call("getUpdates", offset=first[1]["update_id"] + 1)).result == []


async def test_long_poll_ends_when_something_happens(bot: Bot, alice: Person) -> None:
    offset = (await bot.call("getUpdates")).result[-1]["update_id"] + 1
    waiting = asyncio.create_task(bot.call("getUpdates", offset=offset, timeout=30))
    await alice.types("now")
    assert [one["message"]["text"] for one in (await waiting).result] == ["now"]


async def test_second_poll_ends_the_first(bot: Bot, server: TelegramServer, alice: Person) -> None:
    offset = (await bot.call("getUpdates")).result[-1]["update_id"] + 1
    first = asyncio.create_task(bot.call("getUpdates", offset=offset, timeout=30))
    await server.called("getUpdates", times=2)
    second = asyncio.create_task(bot.call("getUpdates", offset=offset, timeout=30))
    ended = await first
    await alice.types("for the second")
    assert (ended.status, ended.why.split(";")[0]) == (
        409,
        "Conflict: terminated by other getUpdates request",
    )
    assert len((await second).result) == 1
    assert (server.unavoidable, server.refused) == ({"conflict": 1}, [])


async def test_update_can_be_delivered_again(bot: Bot, server: TelegramServer, alice: Person) -> None:
    update = await alice.types("once")
    offset = update["update_id"] + 1
    await bot.call("getUpdates", offset=offset)
    server.redeliver(update)
    assert (await bot.call("getUpdates", offset=offset)).result == [update]
    assert (await bot.call("getUpdates", offset=offset)).result == []


async def test_only_kinds_asked_for_arrive(bot: Bot, alice: Person) -> None:
    offset = (await bot.call("getUpdates", allowed_updates=["message"])).result[-1]["update_id"] + 1
    alice.blocks_bot()
    assert (await bot.call("getUpdates", offset=offset)).result == []
    await bot.call("getUpdates", offset=offset, allowed_updates=["my_chat_member"])
    alice.unblocks()
    alice.sends_update({"sticker": {}})
    arrived = (await bot.call("getUpdates", offset=offset)).result
    assert [list(one)[1] for one in arrived] == ["my_chat_member"]
    change = arrived[0]["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == ("kicked", "member")


async def test_raw_updates_of_any_kind_are_sent(alice: Person) -> None:
    assert alice.sends_update({"sticker": {"emoji": "x"}})["message"]["sticker"] == {"emoji": "x"}
    assert alice.sends_update({"poll": {"id": "1"}})["message"]["poll"] == {"id": "1"}
    assert alice.sends_update({"inline_query": {"id": "7"}})["inline_query"] == {"id": "7"}


async def test_webhook_gets_updates_until_it_takes_them(bot: Bot, server: TelegramServer, alice: Person) -> None:
    server.webhook_retry = 0.01
    seen: list[tuple[str | None, dict]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((request.headers.get(SECRET_HEADER), await request.json()))
        return web.Response(status=500 if len(seen) == 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await bot.call("setWebhook", url=hook, secret_token="s3cret")
    await alice.types("hello")
    await server.idle(0.05)
    assert [one["message"]["text"] for _, one in seen] == ["/start", "/start", "hello"]
    assert {secret for secret, _ in seen} == {"s3cret"}
    assert (await bot.call("getUpdates")).status == 409
    info = (await bot.call("getWebhookInfo")).result
    assert (info["url"], info["pending_update_count"]) == (hook, 0)
    assert info["last_error_message"] == "Wrong response from the webhook: 500"
    await bot.call("deleteWebhook")
    assert (await bot.call("getUpdates")).result == []
    await runner.cleanup()


async def test_webhook_needs_https(bot: Bot) -> None:
    answer = await bot.call("setWebhook", url="http://school.example/hook")
    assert answer.why == "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"


async def test_one_message_too_many_in_a_second_is_refused(bot: Bot, server: TelegramServer, alice: Person) -> None:
    server.per_second = 30
    answers = [await bot.call("sendMessage", chat_id=1001, text="x") for _ in range(31)]
    assert [one.status for one in answers] == [200] * 30 + [429]
    assert answers[-1].why == "Too Many Requests: retry after 1"
    assert answers[-1].body["parameters"] == {"retry_after": 1}
    assert (server.unavoidable, len(alice.messages)) == ({"flood": 1}, 30)


async def test_menu_is_the_narrowest_that_fits(bot: Bot, alice: Person) -> None:
    def menu(*names: str) -> list[dict]:
        return [{"command": name, "description": "what it does"} for name in names]

    await bot.call("setMyCommands", commands=menu("help"))
    await bot.call("setMyCommands", commands=menu("hilfe"), language_code="de")
    assert alice.menu == ["help"]
    scope = {"type": "chat", "chat_id": 1001}
    await bot.call("setMyCommands", commands=menu("summary", "help"), scope=scope)
    assert alice.menu == ["summary", "help"]
    assert (await bot.call("getMyCommands", scope=scope)).result == menu("summary", "help")
    await bot.call("deleteMyCommands", scope=scope)
    assert alice.menu == ["help"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("setMyCommands", {"commands": [{"command": "Help", "description": "x"}]}),
        ("setMyCommands", {"commands": [{"command": "a" * 33, "description": "x"}]}),
        ("setMyCommands", {"commands": [{"command": "a", "description": ""}]}),
        ("setMyCommands", {"commands": [{"command": "a", "description": "x" * 257}]}),
        ("setMyCommands", {"commands": [{"command": "a", "description": "x"}] * 101}),
        ("setMyCommands", {"commands": [], "scope": {"type": "chat", "chat_id": 5}}),
        ("setMyDescription", {"description": "x" * 513}),
        ("setMyShortDescription", {"short_description": "x" * 121}),
        ("setMyDescription", {"description": "x", "language_code": "english"}),
    ],
)
async def test_profile_has_limits(bot: Bot, server: TelegramServer, method: str, params: dict) -> None:
    assert (await bot.call(method, **params)).status == 400
    assert len(server.refused) == 1


async def test_profile_is_kept(bot: Bot, server: TelegramServer, alice: Person) -> None:
    await bot.call("setMyDescription", description="We listen")
    await bot.call("setMyShortDescription", short_description="Listens")
    await bot.call("setChatMenuButton", chat_id=1001, menu_button={"type": "commands"})
    assert (await bot.call("getMyDescription")).result == {"description": "We listen"}
    assert (await bot.call("getMyShortDescription")).result == {"short_description": "Listens"}
    assert (await bot.call("getMyName")).result == {"name": "YouSaid"}
    assert (await bot.call("getChat", chat_id=1001)).result["first_name"] == "Alice"
    assert server.profile.menu_buttons == {1001: {"type": "commands"}}


async def test_bot_leaves_a_group(bot: Bot, server: TelegramServer, alice: Person) -> None:
    group = server.group(-100123)
    group.adds_bot(alice)
    update = await alice.types("/start@yousaid_test_bot", group)
    assert update["message"]["chat"] == {"id": -100123, "type": "supergroup", "title": "A group"}
    assert (await bot.call("leaveChat", chat_id=-100123)).result is True
    await group.is_left()
    answer = await bot.call("sendMessage", chat_id=-100123, text="x")
    assert answer.why == "Forbidden: bot is not a member of the supergroup chat"


async def test_failure_before_and_after_the_effect(bot: Bot, server: TelegramServer, alice: Person) -> None:
    server.fail_next("sendMessage", 502, "Bad Gateway")
    server.fail_next("sendMessage", 429, "Too Many Requests: retry after 7", after=True)
    before = await bot.call("sendMessage", chat_id=1001, text="before")
    after = await bot.call("sendMessage", chat_id=1001, text="after")
    assert (before.status, after.status) == (502, 429)
    assert after.body["parameters"] == {"retry_after": 7}
    assert [one.text for one in alice.messages] == ["after"]
    assert (await bot.call("sendMessage", chat_id=1001, text="then")).status == 200
    server.assert_nothing_refused()


@pytest.mark.parametrize(("how", "shown"), [({}, 0), ({"after": True}, 1), ({"midway": True}, 1)])
async def test_connection_breaks(bot: Bot, server: TelegramServer, alice: Person, how: dict, shown: int) -> None:
    server.drop_connection_next("sendMessage", **how)
    with pytest.raises(aiohttp.ClientError):
        await bot.call("sendMessage", chat_id=1001, text="x")
    assert len(alice.messages) == shown


async def test_answers_can_be_slow_without_holding_up_others(bot: Bot, server: TelegramServer) -> None:
    server.delay = 0.5
    started = time.monotonic()
    await asyncio.gather(*(bot.call("getMe") for _ in range(20)))
    assert 0.5 <= time.monotonic() - started < 5  # one after another they take ten


async def test_person_waits_for_words_and_says_what_was_there_instead(bot: Bot, alice: Person) -> None:
    seeing = asyncio.create_task(alice.sees("two"))
    await bot.says("one")
    await bot.says("number two")
    assert (await seeing).text == "number two"
    assert (await alice.reads_until("two")).text == "number two"
    with pytest.raises(AssertionError, match=r"(?s)waited 0.01 s for a message with 'three'.*number two"):
        await alice.sees("three", timeout=0.01)
    with pytest.raises(AssertionError, match="anything new"):
        await alice.reads(timeout=0.01)


async def test_idle_waits_for_calls_and_for_updates_to_be_confirmed(bot: Bot, server: TelegramServer) -> None:
    server.delay = 0.1
    call = asyncio.create_task(bot.call("getMe"))
    started = time.monotonic()
    await server.called("getMe")
    await server.idle(0.02)
    assert time.monotonic() - started > 0.1
    await call
    server.delay = 0
    update = await server.person(1).types("hello")
    await bot.call("getUpdates")
    with pytest.raises(AssertionError, match="1 updates not confirmed"):
        await server.idle(0.01, timeout=0.05)
    await bot.call("getUpdates", offset=update["update_id"] + 1)
    await server.idle(0.01)


def test_server_runs_in_a_thread() -> None:
    with TelegramServerInThread() as running:
        person = running.server.person(1)
        update = running.run(person.types("hello"))
    assert update["message"]["text"] == "hello"
