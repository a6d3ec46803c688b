"""Methods that put something into a chat: messages, pictures, files, voice."""

import time
from collections import deque
from typing import TYPE_CHECKING

from tests.telegram_server.chats import Chat, Message, find_chat, leave, speaking_place
from tests.telegram_server.files import StoredFile, picture_size
from tests.telegram_server.formatting import Formatted, caption_of, text_of
from tests.telegram_server.keyboards import check_markup, inline_rows, keyboard_labels
from tests.telegram_server.refusals import bad, too_many

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer


class Flood:
    """Refuses what would be one message too many in any one second."""

    def __init__(self) -> None:
        self._accepted: deque[float] = deque()

    def check(self, per_second: int | None, retry_after: int) -> None:
        now = time.monotonic()
        while self._accepted and self._accepted[0] <= now - 1:
            self._accepted.popleft()
        if per_second is not None and len(self._accepted) >= per_second:
            raise too_many(retry_after)
        self._accepted.append(now)


def send_message(server: "TelegramServer", params: dict) -> dict:
    chat, shown = speaking_place(server.chats, params["chat_id"]), text_of(params)
    return _put(server, chat, params, _content("text", "entities", shown))


def send_photo(server: "TelegramServer", params: dict) -> dict:
    chat, shown = speaking_place(server.chats, params["chat_id"]), caption_of(params)
    kept = server.files.sent("photo", params["photo"])
    width, height = picture_size(kept.data)
    photo = [kept.described() | {"width": width, "height": height}]
    return _put(server, chat, params, {"photo": photo} | _caption(shown), kept)


def send_document(server: "TelegramServer", params: dict) -> dict:
    chat, shown = speaking_place(server.chats, params["chat_id"]), caption_of(params)
    kept = server.files.sent("document", params["document"])
    document = kept.described() | {"file_name": _name(kept)}
    return _put(server, chat, params, {"document": document} | _caption(shown), kept)


def send_voice(server: "TelegramServer", params: dict) -> dict:
    chat, shown = speaking_place(server.chats, params["chat_id"]), caption_of(params)
    kept = server.files.sent("voice", params["voice"])
    voice = kept.described() | {"duration": params.get("duration", 0), "mime_type": "audio/ogg"}
    return _put(server, chat, params, {"voice": voice} | _caption(shown), kept)


def send_chat_action(server: "TelegramServer", params: dict) -> bool:
    chat = speaking_place(server.chats, params["chat_id"])
    chat.actions.append(params["action"])
    return True


def get_chat(server: "TelegramServer", params: dict) -> dict:
    chat = find_chat(server.chats, params["chat_id"])
    gifts = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    more = {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    return chat.described() | more


def leave_chat(server: "TelegramServer", params: dict) -> bool:
    leave(find_chat(server.chats, params["chat_id"]))
    return True


def get_file(server: "TelegramServer", params: dict) -> dict:
    return server.files.for_download(params["file_id"])


def _put(server: "TelegramServer", chat: Chat, params: dict, content: dict, kept: StoredFile | None = None) -> dict:
    markup = params.get("reply_markup")
    check_markup(markup)
    _check_reply(chat, params.get("reply_parameters"))
    server.flood.check(server.per_second, server.retry_after)
    head = {"message_id": server.new_message_id(), "from": server.bot_user, "chat": chat.described()}
    raw = head | {"date": int(time.time())} | content
    if markup and "inline_keyboard" in markup:
        raw["reply_markup"] = markup
    chat.show(seen(raw, chat, kept, keyboard_labels(markup)))
    return raw


def _check_reply(chat: Chat, reply: dict | None) -> None:
    if reply is None or reply.get("allow_sending_without_reply"):
        return
    if chat.message(reply["message_id"]) is None and reply["message_id"] not in chat.inbound:
        raise bad("message to be replied not found")


def seen(raw: dict, chat: Chat, kept: StoredFile | None, keyboard: list[str]) -> Message:
    """The message as it appears on the screen."""
    data = kept.data if kept else None
    return Message(
        id=raw["message_id"],
        chat_id=chat.id,
        text=raw.get("text", ""),
        caption=raw.get("caption", ""),
        rows=inline_rows(raw.get("reply_markup")),
        keyboard=keyboard,
        entities=raw.get("entities") or raw.get("caption_entities") or [],
        photo=data if "photo" in raw else None,
        document=(raw["document"]["file_name"], kept.data) if kept and "document" in raw else None,
        voice=data if "voice" in raw else None,
        at=time.monotonic(),
        raw=raw,
    )


def _content(text_key: str, entities_key: str, shown: Formatted) -> dict:
    return {text_key: shown.text} | ({entities_key: shown.entities} if shown.entities else {})


def _caption(shown: Formatted) -> dict:
    return _content("caption", "caption_entities", shown) if shown.text else {}


def _name(kept: StoredFile) -> str:
    return kept.path.split("_", 1)[1]
