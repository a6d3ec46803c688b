"""Which parameters each method has, and of what type; anything else is refused."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.telegram_server.refusals import bad

Reader = Callable[[object], object]

_UPDATE_KINDS = (
    "message edited_message channel_post edited_channel_post business_connection business_message "
    "edited_business_message deleted_business_messages message_reaction message_reaction_count "
    "inline_query chosen_inline_result callback_query shipping_query pre_checkout_query "
    "purchased_paid_media poll poll_answer my_chat_member chat_member chat_join_request chat_boost "
    "removed_chat_boost managed_bot guest_message"
)
_ACTIONS = (
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document "
    "choose_sticker find_location record_video_note upload_video_note"
)
UPDATE_KINDS = frozenset(_UPDATE_KINDS.split())
ACTIONS = frozenset(_ACTIONS.split())


@dataclass(frozen=True)
class Upload:
    """A file that came with a call."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Method:
    """The parameters a method must have and may have."""

    required: Mapping[str, Reader]
    optional: Mapping[str, Reader]


def integer(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,19}", raw):
        return int(raw)
    raise ValueError("must be an integer")


def boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    raise ValueError("must be true or false")


def string(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("must be a string")
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise ValueError("strings must be encoded in UTF-8") from None
    return raw


def chat_id(raw: object) -> int | str:
    if isinstance(raw, str) and re.fullmatch(r"@\w{4,32}", raw):
        return raw
    return integer(raw)


def input_file(raw: object) -> Upload | str:
    return raw if isinstance(raw, Upload) else string(raw)


def one_of(*values: str) -> Reader:
    def read(raw: object) -> str:
        if raw not in values:
            raise ValueError(f"must be one of {', '.join(sorted(values))}")
        return string(raw)

    return read


def parsed(raw: object) -> object:
    """What a form carries as JSON text; a JSON body has it as it is."""
    try:
        return json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        raise ValueError("can't parse JSON") from None


def list_of(read_one: Reader) -> Reader:
    def read(raw: object) -> list:
        value = parsed(raw)
        if not isinstance(value, list):
            raise ValueError("must be an array")
        return [read_one(one) for one in value]

    return read


def shape(required: Mapping[str, Reader] | None = None, **optional: Reader) -> Reader:
    """An object with these keys and no others."""
    needed = required or {}
    known = {**needed, **optional}

    def read(raw: object) -> dict:
        value = parsed(raw)
        if not isinstance(value, dict):
            raise ValueError("must be an object")
        if unknown := value.keys() - known.keys():
            raise ValueError(f"unknown field {sorted(unknown)[0]!r}")
        if missing := needed.keys() - value.keys():
            raise ValueError(f"field {sorted(missing)[0]!r} is missing")
        return {key: _named(key, known[key], one) for key, one in value.items()}

    return read


def _named(key: str, read: Reader, raw: object) -> object:
    try:
        return read(raw)
    except ValueError as error:
        raise ValueError(f"field {key!r} {error}") from None


def anything(raw: object) -> object:
    return raw


USER = shape({"id": integer}, is_bot=boolean, first_name=string, last_name=string, username=string)
ENTITY = shape(
    {"type": string, "offset": integer, "length": integer},
    url=string,
    user=USER,
    language=string,
    custom_emoji_id=string,
    unix_time=integer,
    date_time_format=string,
)
REPLY = shape(
    {"message_id": integer},
    chat_id=chat_id,
    allow_sending_without_reply=boolean,
    quote=string,
    quote_parse_mode=string,
    quote_entities=list_of(ENTITY),
    quote_position=integer,
)
PREVIEW = shape(
    is_disabled=boolean,
    url=string,
    prefer_small_media=boolean,
    prefer_large_media=boolean,
    show_above_text=boolean,
)
STYLE = one_of("danger", "success", "primary")
INLINE_BUTTON = shape(
    {"text": string},
    url=string,
    callback_data=string,
    web_app=shape({"url": string}),
    login_url=shape({"url": string}, forward_text=string, bot_username=string, request_write_access=boolean),
    switch_inline_query=string,
    switch_inline_query_current_chat=string,
    switch_inline_query_chosen_chat=anything,
    copy_text=shape({"text": string}),
    callback_game=anything,
    pay=boolean,
    style=STYLE,
    icon_custom_emoji_id=string,
)
KEY = shape(
    {"text": string},
    request_contact=boolean,
    request_location=boolean,
    request_users=anything,
    request_chat=anything,
    request_poll=anything,
    web_app=shape({"url": string}),
    style=STYLE,
    icon_custom_emoji_id=string,
)


def _key(raw: object) -> object:
    return {"text": raw} if isinstance(raw, str) else KEY(raw)


INLINE_KEYBOARD = shape({"inline_keyboard": list_of(list_of(INLINE_BUTTON))})
REPLY_KEYBOARD = shape(
    {"keyboard": list_of(list_of(_key))},
    is_persistent=boolean,
    resize_keyboard=boolean,
    one_time_keyboard=boolean,
    input_field_placeholder=string,
    selective=boolean,
)
REMOVE_KEYBOARD = shape({"remove_keyboard": boolean}, selective=boolean)
FORCE_REPLY = shape({"force_reply": boolean}, input_field_placeholder=string, selective=boolean)
MARKUPS = {
    "inline_keyboard": INLINE_KEYBOARD,
    "keyboard": REPLY_KEYBOARD,
    "remove_keyboard": REMOVE_KEYBOARD,
    "force_reply": FORCE_REPLY,
}


def markup(raw: object) -> object:
    value = parsed(raw)
    if not isinstance(value, dict):
        raise ValueError("object expected as reply markup")
    kinds = [kind for kind in MARKUPS if kind in value]
    if len(kinds) != 1:
        raise ValueError(f"must be one of {', '.join(MARKUPS)}")
    return MARKUPS[kinds[0]](value)


COMMAND = shape({"command": string, "description": string})
SCOPE = shape(
    {
        "type": one_of(
            "default",
            "all_private_chats",
            "all_group_chats",
            "all_chat_administrators",
            "chat",
            "chat_administrators",
            "chat_member",
        )
    },
    chat_id=chat_id,
    user_id=integer,
)
MENU_BUTTON = shape({"type": one_of("commands", "web_app", "default")}, text=string, web_app=shape({"url": string}))

_CHAT = {"chat_id": chat_id}
_LANGUAGE = {"language_code": string}
_SCOPED = {"scope": SCOPE, **_LANGUAGE}
_SEND: dict[str, Reader] = {
    "business_connection_id": string,
    "message_thread_id": integer,
    "direct_messages_topic_id": integer,
    "parse_mode": string,
    "disable_notification": boolean,
    "protect_content": boolean,
    "allow_paid_broadcast": boolean,
    "message_effect_id": string,
    "suggested_post_parameters": anything,
    "reply_parameters": REPLY,
    "reply_markup": markup,
}
_CAPTION: dict[str, Reader] = {"caption": string, "caption_entities": list_of(ENTITY)}
_WHICH: dict[str, Reader] = {
    "business_connection_id": string,
    "chat_id": chat_id,
    "message_id": integer,
    "inline_message_id": string,
    "reply_markup": markup,
}
_UPDATES = list_of(one_of(*UPDATE_KINDS))

METHODS: dict[str, Method] = {
    "getMe": Method({}, {}),
    "getUpdates": Method({}, {"offset": integer, "limit": integer, "timeout": integer, "allowed_updates": _UPDATES}),
    "setWebhook": Method(
        {"url": string},
        {
            "certificate": input_file,
            "ip_address": string,
            "max_connections": integer,
            "allowed_updates": _UPDATES,
            "drop_pending_updates": boolean,
            "secret_token": string,
        },
    ),
    "deleteWebhook": Method({}, {"drop_pending_updates": boolean}),
    "getWebhookInfo": Method({}, {}),
    "sendMessage": Method(
        {**_CHAT, "text": string},
        {**_SEND, "entities": list_of(ENTITY), "link_preview_options": PREVIEW},
    ),
    "sendPhoto": Method(
        {**_CHAT, "photo": input_file},
        {**_SEND, **_CAPTION, "show_caption_above_media": boolean, "has_spoiler": boolean},
    ),
    "sendDocument": Method(
        {**_CHAT, "document": input_file},
        {**_SEND, **_CAPTION, "thumbnail": input_file, "disable_content_type_detection": boolean},
    ),
    "sendVoice": Method({**_CHAT, "voice": input_file}, {**_SEND, **_CAPTION, "duration": integer}),
    "editMessageText": Method(
        {"text": string},
        {**_WHICH, "parse_mode": string, "entities": list_of(ENTITY), "link_preview_options": PREVIEW},
    ),
    "editMessageReplyMarkup": Method({}, _WHICH),
    "deleteMessage": Method({**_CHAT, "message_id": integer}, {}),
    "deleteMessages": Method({**_CHAT, "message_ids": list_of(integer)}, {}),
    "answerCallbackQuery": Method(
        {"callback_query_id": string},
        {"text": string, "show_alert": boolean, "url": string, "cache_time": integer},
    ),
    "setMyCommands": Method({"commands": list_of(COMMAND)}, _SCOPED),
    "deleteMyCommands": Method({}, _SCOPED),
    "getMyCommands": Method({}, _SCOPED),
    "getMyName": Method({}, _LANGUAGE),
    "setMyDescription": Method({}, {"description": string, **_LANGUAGE}),
    "getMyDescription": Method({}, _LANGUAGE),
    "setMyShortDescription": Method({}, {"short_description": string, **_LANGUAGE}),
    "getMyShortDescription": Method({}, _LANGUAGE),
    "setChatMenuButton": Method({}, {"chat_id": integer, "menu_button": MENU_BUTTON}),
    "leaveChat": Method(_CHAT, {}),
    "sendChatAction": Method(
        {**_CHAT, "action": one_of(*ACTIONS)},
        {"business_connection_id": string, "message_thread_id": integer},
    ),
    "getChat": Method(_CHAT, {}),
    "getFile": Method({"file_id": string}, {}),
}
EMPTY = {"text": "message text is empty", "chat_id": "chat_id is empty"}


def check(method: str, raw: dict[str, object]) -> dict[str, object]:
    """The call's parameters, read; raises Refusal for what the table does not allow."""
    table = METHODS[method]
    known = {**table.required, **table.optional}
    given = _attached(raw)
    for name in given:
        if name not in known:
            raise bad(f"unknown parameter {name!r} for {method}")
    for name in table.required:
        if given.get(name) in (None, ""):
            if name in given and method == "setWebhook":
                continue
            raise bad(EMPTY.get(name, f"parameter {name!r} is required"))
    return {name: _read(name, known[name], value) for name, value in given.items()}


def _read(name: str, read: Reader, raw: object) -> object:
    try:
        return read(raw)
    except ValueError as error:
        raise bad(f"parameter {name!r}: {error}") from None


def _attached(raw: dict[str, object]) -> dict[str, object]:
    """Parts named by `attach://part` put where they are named."""
    parts = {str(value)[9:] for value in raw.values() if isinstance(value, str) and value.startswith("attach://")}
    if missing := parts - raw.keys():
        raise bad(f"file part {sorted(missing)[0]!r} is missing")
    return {
        name: raw[value[9:]] if isinstance(value, str) and value.startswith("attach://") else value
        for name, value in raw.items()
        if name not in parts
    }
