"""Methods that change what is there: edits, deletions, answers to taps."""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.telegram_server.chats import Chat, Message, Notice, Person, find_chat, speaking_place
from tests.telegram_server.formatting import text_of, utf16
from tests.telegram_server.keyboards import check_inline, inline_rows
from tests.telegram_server.refusals import TOO_OLD, bad, not_modified, query_too_old

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer

NOTICE_LIMIT = 200
MOST_DELETED = 100
DELETABLE_FOR = 48 * 3600  # seconds


@dataclass(frozen=True)
class Query:
    """A tap that waits for its answer."""

    person: Person
    asked_at: float


def edit_message_text(server: "TelegramServer", params: dict) -> dict:
    chat, message = _editable(server, params)
    shown = text_of(params)
    if "text" not in message.raw:
        raise bad("there is no text in the message to edit")
    raw = _without(message.raw, "entities") | {"text": shown.text}
    if shown.entities:
        raw["entities"] = shown.entities
    return _change(chat, message, raw, params.get("reply_markup"))


def edit_message_reply_markup(server: "TelegramServer", params: dict) -> dict:
    chat, message = _editable(server, params)
    return _change(chat, message, message.raw, params.get("reply_markup"))


def delete_message(server: "TelegramServer", params: dict) -> bool:
    chat, number = find_chat(server.chats, params["chat_id"]), params["message_id"]
    if time.time() - (chat.sent_at(number) or time.time()) > DELETABLE_FOR:
        raise bad("message can't be deleted for everyone", TOO_OLD)
    chat.remove(number)
    return True


def delete_messages(server: "TelegramServer", params: dict) -> bool:
    """Up to 100 at once: what is not in this chat is passed over; one that is too old, and nothing is deleted."""
    numbers = params["message_ids"]
    if not 1 <= len(numbers) <= MOST_DELETED:
        raise bad("there must be from 1 to 100 message identifiers")
    if min(numbers) < 1:
        raise bad("invalid message identifier specified")
    chat = find_chat(server.chats, params["chat_id"])
    there = [number for number in numbers if chat.sent_at(number) is not None]
    if any(time.time() - (chat.sent_at(number) or 0) > DELETABLE_FOR for number in there):
        raise bad("message can't be deleted for everyone", TOO_OLD)
    for number in there:
        chat.remove(number)
    return True


def answer_callback_query(server: "TelegramServer", params: dict) -> bool:
    if utf16(params.get("text", "")) > NOTICE_LIMIT:
        raise bad("MESSAGE_TOO_LONG")
    query = server.queries.pop(params["callback_query_id"], None)
    if query is None or time.monotonic() - query.asked_at > server.query_lifetime:
        raise query_too_old()
    if params.get("text"):
        query.person.notices.append(Notice(params["text"], params.get("show_alert", False)))
    server.bell.ring()
    return True


def _editable(server: "TelegramServer", params: dict) -> tuple[Chat, Message]:
    if "chat_id" not in params or "message_id" not in params:
        raise bad("message identifier is not specified")
    chat = speaking_place(server.chats, params["chat_id"])
    message = chat.message(params["message_id"])
    if message is None and params["message_id"] in chat.inbound:
        raise bad("message can't be edited")
    if message is None:
        raise bad("message to edit not found")
    if message.keyboard:
        raise bad("message can't be edited")
    check_inline(params.get("reply_markup"))
    return chat, message


def _change(chat: Chat, message: Message, content: dict, markup: dict | None) -> dict:
    """An edit without a keyboard takes the keyboard away."""
    raw = _without(content, "reply_markup")
    if markup and any(markup["inline_keyboard"]):
        raw["reply_markup"] = markup
    if raw == message.raw:
        raise not_modified()
    raw["edit_date"] = int(time.time())
    rows = inline_rows(raw.get("reply_markup"))
    entities = raw.get("entities", message.entities if "text" not in raw else [])
    text = raw.get("text", "")
    chat.show(replace(message, raw=raw, text=text, rows=rows, entities=entities, edited=True, at=time.monotonic()))
    return raw


def _without(raw: dict, key: str) -> dict:
    return {name: value for name, value in raw.items() if name != key}
