"""People and groups a test plays: what they send, and what they see of the bot."""

# ruff: noqa: ASYNC109 - a test says how long a person waits, and reads what the chat shows when nothing came

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.telegram_server.formatting import utf16
from tests.telegram_server.parameters import UPDATE_KINDS
from tests.telegram_server.profile import menu_for
from tests.telegram_server.refusals import Refusal, bad, forbidden

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer

MEMBER_KINDS = {"member": {}, "left": {}, "kicked": {"until_date": 0}}
RAW_KINDS = UPDATE_KINDS - {"poll"}  # a poll is an update, and also a field of a message


@dataclass(frozen=True)
class Message:
    """A message of the bot as a person sees it."""

    id: int
    chat_id: int
    text: str = ""
    caption: str = ""
    rows: list[list[tuple[str, str]]] = field(default_factory=list)
    keyboard: list[str] = field(default_factory=list)
    entities: list[dict] = field(default_factory=list)
    edited: bool = False
    photo: bytes | None = field(default=None, repr=False)
    document: tuple[str, bytes] | None = field(default=None, repr=False)
    voice: bytes | None = field(default=None, repr=False)
    at: float = 0.0
    raw: dict = field(default_factory=dict, repr=False)

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Label and data, or label and address."""
        return [button for row in self.rows for button in row]

    @property
    def labels(self) -> list[str]:
        return [label for label, _ in self.buttons] + self.keyboard

    @property
    def words(self) -> str:
        return self.text or self.caption


@dataclass(frozen=True)
class Notice:
    """What appeared over the chat after a tap."""

    text: str
    alert: bool


class Chat:
    """Messages of one chat; a person's own, or a group's."""

    kind = "private"

    def __init__(self, server: "TelegramServer", chat_id: int) -> None:
        self.server = server
        self.id = chat_id
        self.inbound: dict[int, dict] = {}
        self.actions: list[str] = []
        self.deleted: list[int] = []
        self._shown: dict[int, Message] = {}
        self._unread: deque[Message] = deque()

    @property
    def messages(self) -> list[Message]:
        """The bot's messages as they look now, oldest first."""
        return list(self._shown.values())

    @property
    def last(self) -> Message:
        assert self._shown, f"the bot has said nothing in chat {self.id}"
        return self.messages[-1]

    def message(self, message_id: int) -> Message | None:
        return self._shown.get(message_id)

    def show(self, message: Message) -> None:
        """A new message, or the new face of one that is there."""
        self._shown[message.id] = message
        self._unread.append(message)
        self.server.bell.ring()

    def remove(self, message_id: int) -> None:
        if self._shown.pop(message_id, None) is None and self.inbound.pop(message_id, None) is None:
            raise bad("message to delete not found")
        self.deleted.append(message_id)
        self.server.bell.ring()

    def sent_at(self, message_id: int) -> float | None:
        """When a message of this chat was sent, as Telegram dates it; None when it is not there."""
        if (shown := self._shown.get(message_id)) is not None:
            return float(shown.raw["date"])
        there = self.inbound.get(message_id)
        return float(there["date"]) if there else None

    def ages(self, hours: float) -> None:
        """Everything in this chat was sent so much earlier."""
        for raw in (*(shown.raw for shown in self._shown.values()), *self.inbound.values()):
            raw["date"] -= int(hours * 3600)

    async def reads(self, timeout: float = 20) -> Message:
        """The next new or edited message that was not read yet."""
        return await self._until(self._next_unread, timeout, "anything new")

    async def reads_until(self, fragment: str, timeout: float = 20) -> Message:
        """Reads on until a message says this; an older one that says it does not count."""

        def look() -> Message | None:
            while message := self._next_unread():
                if fragment in message.words:
                    return message
            return None

        return await self._until(look, timeout, f"a new message with {fragment!r}")

    def read_all(self) -> None:
        self._unread.clear()

    async def sees(self, fragment: str, timeout: float = 20) -> Message:
        """The newest message in the chat that says this, as soon as there is one."""

        def look() -> Message | None:
            return next((one for one in reversed(self.messages) if fragment in one.words), None)

        return await self._until(look, timeout, f"a message with {fragment!r}")

    async def sees_button(self, label: str, timeout: float = 20) -> Message:
        return await self._until(lambda: self._with_label(label), timeout, f"a button {label!r}")

    def check_sending(self) -> None:
        """Raises Refusal where the bot may not speak."""

    def described(self) -> dict:
        return {"id": self.id, "type": self.kind}

    def member_changes(self, old: str, new: str, by: dict) -> dict:
        """Tells the bot that its own standing in this chat changed."""
        bot = self.server.bot_user
        content = {
            "chat": self.described(),
            "from": by,
            "date": int(time.time()),
            "old_chat_member": {"user": bot, "status": old} | MEMBER_KINDS[old],
            "new_chat_member": {"user": bot, "status": new} | MEMBER_KINDS[new],
        }
        return self.server.put_update("my_chat_member", content)

    def _next_unread(self) -> Message | None:
        return self._unread.popleft() if self._unread else None

    def _with_label(self, label: str) -> Message | None:
        return next((one for one in reversed(self.messages) if label in one.labels), None)

    async def _until(self, look: Callable[[], Message | None], timeout: float, what: str) -> Message:
        until = time.monotonic() + timeout
        while (found := look()) is None:
            left = until - time.monotonic()
            if left <= 0 or not await self.server.bell.heard(left):
                raise AssertionError(f"chat {self.id} waited {timeout} s for {what}; it shows:\n{self._page()}")
        return found

    def _page(self) -> str:
        lines = [f"  {one.id}: {one.words!r} {one.labels}" for one in self.messages[-5:]]
        return "\n".join(lines) or "  nothing"


class Person(Chat):
    """Somebody with Telegram; the bot cannot write first."""

    def __init__(self, server: "TelegramServer", chat_id: int, first_name: str, language_code: str) -> None:
        super().__init__(server, chat_id)
        self.first_name = first_name
        self.language_code = language_code
        self.started = False
        self.blocked = False
        self.gone = False
        self.notices: list[Notice] = []

    @property
    def user(self) -> dict:
        user = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        return user | ({"language_code": self.language_code} if self.language_code else {})

    @property
    def menu(self) -> list[str]:
        """The commands this person finds in the menu."""
        return menu_for(self.server.profile, self.id, self.language_code)

    def described(self) -> dict:
        return super().described() | {"first_name": self.first_name}

    def check_sending(self) -> None:
        if self.gone:
            raise forbidden("user is deactivated")
        if self.blocked:
            raise forbidden("bot was blocked by the user")
        if not self.started:
            raise forbidden("bot can't initiate conversation with a user")

    async def types(self, text: str, chat: "Chat | None" = None) -> dict:
        """Sends words, in a group if one is given; returns the update."""
        entities = _commands_in(text)
        fields = {"text": text} | ({"entities": entities} if entities else {})
        update = self.sends_update(fields, chat)
        await asyncio.sleep(0)
        return update

    async def speaks(self, data: bytes, duration: int = 3, size: int | None = None) -> dict:
        """Sends a voice message; `size` is what Telegram claims, if it shall differ from the truth."""
        kept = self.server.files.keep(data, "voice.oga", size)
        voice = kept.described() | {"duration": duration, "mime_type": "audio/ogg"}
        return self.sends_update({"voice": voice})

    async def taps(self, label: str, on: int | None = None, chat: "Chat | None" = None) -> dict:
        """Taps the button with this label on the newest message that has it; returns the update."""
        place = chat or self
        message = place.message(on) if on else place._with_label(label)
        if message is None or label not in message.labels:
            raise AssertionError(f"there is no button {label!r} {_place(on)}:\n{place._page()}")
        if label in message.keyboard:
            return await self.types(label, chat)
        return await self.taps_data(_data_of(message, label), message.id, chat)

    async def taps_data(self, data: str, on: int, chat: "Chat | None" = None) -> dict:
        """A tap with this data on that message, whether or not the button is (still) there."""
        place = chat or self
        message = place.message(on)
        raw = message.raw if message else {"message_id": on, "date": 0, "chat": place.described()}
        content = {
            "id": self.server.new_query(self),
            "from": self.user,
            "message": raw,
            "chat_instance": str(place.id),
            "data": data,
        }
        update = self.server.put_update("callback_query", content)
        await asyncio.sleep(0)
        return update

    def sends_update(self, fields: dict, chat: "Chat | None" = None) -> dict:
        """A message with these fields (sticker, photo, ...), or a whole update of another kind.

        Whole updates are written as Telegram does: {"edited_message": {...}}.
        """
        self.started = True
        if kind := next(iter(fields.keys() & RAW_KINDS), None):
            return self.server.put_update(kind, fields[kind])
        place = chat or self
        message = {
            "message_id": self.server.new_message_id(),
            "from": self.user,
            "chat": place.described(),
            "date": int(time.time()),
        } | fields
        place.inbound[message["message_id"]] = message
        return self.server.put_update("message", message)

    def blocks_bot(self) -> dict:
        self.blocked = True
        return self.member_changes("member", "kicked", self.user)

    def unblocks(self) -> dict:
        self.blocked = False
        return self.member_changes("kicked", "member", self.user)

    def deletes_account(self) -> None:
        self.gone = True


class Group(Chat):
    """A group, supergroup or channel; the bot is in it until it leaves."""

    def __init__(self, server: "TelegramServer", chat_id: int, title: str, kind: str) -> None:
        super().__init__(server, chat_id)
        self.title = title
        self.kind = kind
        self.left = False

    def described(self) -> dict:
        return super().described() | {"title": self.title}

    def check_sending(self) -> None:
        if self.left:
            raise forbidden(f"bot is not a member of the {self.kind} chat")

    def adds_bot(self, by: Person) -> dict:
        self.left = False
        return self.member_changes("left", "member", by.user)

    def leave(self) -> None:
        self.check_sending()
        self.left = True
        self.member_changes("member", "left", self.server.bot_user)
        self.server.bell.ring()

    async def is_left(self, timeout: float = 20) -> None:
        until = time.monotonic() + timeout
        while not self.left:
            remaining = until - time.monotonic()
            if remaining <= 0 or not await self.server.bell.heard(remaining):
                raise AssertionError(f"the bot is still in group {self.id} after {timeout} s")


def find_chat(chats: dict[int, Chat], chat_id: object) -> Chat:
    if not isinstance(chat_id, int) or chat_id not in chats:
        raise bad("chat not found")
    return chats[chat_id]


def speaking_place(chats: dict[int, Chat], chat_id: object) -> Chat:
    """The chat, if the bot may say something there."""
    chat = find_chat(chats, chat_id)
    chat.check_sending()
    return chat


def leave(chat: Chat) -> None:
    if not isinstance(chat, Group):
        raise Refusal(400, "Bad Request: chat member status can't be changed in private chats")
    chat.leave()


def _commands_in(text: str) -> list[dict]:
    return [
        {"type": "bot_command", "offset": utf16(text[: one.start()]), "length": utf16(one[0])}
        for one in re.finditer(r"(?<!\S)/[A-Za-z0-9_]{1,64}(@\w+)?", text)
    ]


def _data_of(message: Message, label: str) -> str:
    raw = [one for row in message.raw["reply_markup"]["inline_keyboard"] for one in row]
    button = next(one for one in raw if one["text"] == label)
    if "callback_data" not in button:
        raise AssertionError(f"{label!r} opens {dict(message.buttons)[label]!r} and tells the bot nothing")
    return str(button["callback_data"])


def _place(on: int | None) -> str:
    return f"on message {on}" if on else "in this chat"
