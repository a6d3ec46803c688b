"""Our messages as Telegram's: plain text in pieces that fit, and one button a row. Never a parse mode."""

from __future__ import annotations

import unicodedata

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from conversations.channel import Button, Message

LONGEST = 4096  # UTF-16 units of one text
CAPTION = 1024
LABEL = 64  # our own limit, so that a button can be read


def keyboard(message: Message) -> InlineKeyboardMarkup | None:
    """One button a row, so that none is small; None without buttons."""
    rows = [[drawn] for button in message.buttons if (drawn := _button(button))]
    return InlineKeyboardMarkup(rows) if rows else None


def _button(button: Button) -> InlineKeyboardButton | None:
    label = button.label if len(button.label) <= LABEL else button.label[: LABEL - 1].rstrip() + "…"
    label = "…" if _blank(label) else label  # a name of nothing but spaces would keep the whole message from going
    if button.says:
        return InlineKeyboardButton(label, callback_data=button.says)
    if button.opens.startswith(("http://", "https://")):
        return InlineKeyboardButton(label, url=button.opens)
    return None  # opens a page of the web channel, which a chat has not


def pieces(text: str, longest: int = LONGEST) -> list[str]:
    """The text in parts that fit one message each, cut at line ends where possible."""
    parts = []
    while _size(text) > longest:
        cut = _fitting(text, longest)
        line_end = text.rfind("\n", 0, cut)
        cut = line_end if line_end > cut // 2 else cut
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip("\n")
    return [part for part in (*parts, text) if not _blank(part)]


def _blank(text: str) -> bool:
    """Whether Telegram sees nothing in it: spaces, control and invisible characters."""
    return all(unicodedata.category(c)[0] in "CZ" for c in text)


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(text: str, longest: int) -> int:
    """How many characters take at most `longest` UTF-16 units."""
    return len(text.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore"))
