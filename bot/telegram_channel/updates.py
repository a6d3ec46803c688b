"""Telegram's updates as our words: who, what they said, and whether the chat is one we talk in."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from telegram import Chat, ChatMember, Message, Update

from bot.said import KEY_LIMIT, Edited, Said, Tap, Text, Unusable

log = logging.getLogger(__name__)

# Nothing else is asked for, nothing else is handled.
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
SCREEN = ("text", "entities", "reply_markup", "link_preview_options")  # what a message shows


@dataclass(frozen=True)
class Heard:
    """Something said in a private chat. `query` is to be answered; `on` is the message that was tapped.

    `number` is the message that was typed.
    """

    chat: int = field(repr=False)
    said: Said
    language: str
    query: str | None = None
    on: int | None = None
    number: int | None = None


@dataclass(frozen=True)
class Foreign:
    """A group or channel: left at once."""

    chat: int = field(repr=False)


@dataclass(frozen=True)
class Reachable:
    """Somebody blocked the bot, or came back."""

    chat: int = field(repr=False)
    reachable: bool


def without_screen(update: object) -> object:
    """An update as it came; of a message whose button was tapped only its place is left: nobody reads the rest."""
    query = update.get("callback_query") if isinstance(update, dict) else None
    tapped = query.get("message") if isinstance(query, dict) else None
    if isinstance(tapped, dict):
        for screen in SCREEN:
            tapped.pop(screen, None)
    return update


def read_update(update: Update) -> Heard | Foreign | Reachable | None:
    """What the update means to us; None for what we do not handle, or what makes no sense. Never raises (B11)."""
    try:
        return _meant(update)
    except (AttributeError, TypeError) as error:
        log.error("an update makes no sense and is passed over: %s", type(error).__name__)
        return None


def _meant(update: Update) -> Heard | Foreign | Reachable | None:
    chat = update.effective_chat
    if chat is None or (update.effective_user and update.effective_user.is_bot):
        return None
    if chat.type != Chat.PRIVATE:
        return None if _we_left(update) else Foreign(chat.id)
    if update.my_chat_member:
        return Reachable(chat.id, update.my_chat_member.new_chat_member.status == ChatMember.MEMBER)
    language = _words(update.effective_user.language_code)[:2] if update.effective_user else ""
    if update.callback_query:
        return _tapped(update, chat.id, language or "en")
    said = _said(update.message, update.edited_message)
    typed = update.message.message_id if update.message else None
    return Heard(chat.id, said, language or "en", number=typed if isinstance(typed, int) else None) if said else None


def _said(new: Message | None, edited: Message | None) -> Said | None:
    if new:
        return Text(_words(new.text)) if _words(new.text) else Unusable(_words(new.caption))
    words = (_words(edited.text) or _words(edited.caption)) if edited else None
    return Edited(words) if words else None  # a live location is edited all the time


def _tapped(update: Update, chat: int, language: str) -> Heard:
    query = update.callback_query
    assert query
    on = query.message.message_id if query.message and query.message.is_accessible else None
    number = on if isinstance(on, int) else None
    return Heard(chat, Tap(_words(query.data)[:KEY_LIMIT]), language, _words(query.id) or None, number)


def makes_sense(update: Update) -> bool:
    """Whether numbers stand where python-telegram-bot and we need them; it does not look itself (B11)."""
    try:
        told = (update.effective_user, update.effective_chat)
        return all(type(one.id) is int for one in told if one)
    except (AttributeError, TypeError):
        return False


def _words(value: object) -> str:
    """Python-telegram-bot passes on what it gets, also where no text stands in the place of text."""
    return value if isinstance(value, str) else ""


def _we_left(update: Update) -> bool:
    member = update.my_chat_member
    return bool(member and member.new_chat_member.status in (ChatMember.LEFT, ChatMember.BANNED))
