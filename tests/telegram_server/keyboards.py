"""What Telegram allows under a message: rows, labels, data, addresses."""

import re

from tests.telegram_server.refusals import bad

MOST_BUTTONS = 100
MOST_IN_A_ROW = 8
MOST_DATA_BYTES = 64
NOT_ACTIONS = frozenset({"text", "style", "icon_custom_emoji_id"})
ADDRESS = re.compile(r"(https?://[^\s/?#]+\S*|tg://\S+)", re.IGNORECASE)


def check_markup(markup: dict | None) -> None:
    if markup is None:
        return
    rows = markup.get("inline_keyboard", markup.get("keyboard", []))
    if sum(len(row) for row in rows) > MOST_BUTTONS:
        raise bad("reply markup is too long")
    for row in rows:
        if len(row) > MOST_IN_A_ROW:
            raise bad(f"BUTTON_ROW_INVALID: more than {MOST_IN_A_ROW} buttons in a row")
        for button in row:
            _check_label(button)
    for row in markup.get("inline_keyboard", []):
        for button in row:
            _check_action(button)


def check_inline(markup: dict | None) -> None:
    """For edits: nothing but an inline keyboard can be put under a message that is there."""
    if markup is not None and "inline_keyboard" not in markup:
        raise bad("inline keyboard expected")
    check_markup(markup)


def _check_label(button: dict) -> None:
    if not button["text"].strip():
        raise bad("button text must be non-empty")


def _check_action(button: dict) -> None:
    actions = button.keys() - NOT_ACTIONS
    if not actions:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad("can't parse inline keyboard button: exactly one action is allowed")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= MOST_DATA_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    for address in (button.get("url"), button.get("web_app", {}).get("url")):
        if address is not None and not ADDRESS.fullmatch(address):
            raise bad(f"inline keyboard button URL '{address}' is invalid: Wrong HTTP URL")


def inline_rows(markup: dict | None) -> list[list[tuple[str, str]]]:
    """Each button as label and data, or label and address."""
    return [[_seen(button) for button in row] for row in (markup or {}).get("inline_keyboard", [])]


def _seen(button: dict) -> tuple[str, str]:
    action = next(key for key in button if key not in NOT_ACTIONS)
    value = button[action]
    if isinstance(value, dict):
        value = value.get("url") or value.get("text") or ""
    return button["text"], str(value)


def keyboard_labels(markup: dict | None) -> list[str]:
    return [button["text"] for row in (markup or {}).get("keyboard", []) for button in row]
