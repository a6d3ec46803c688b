"""Telegram's updates as our words: who, what they said, and whether the chat is one we talk in."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Chat, ChatMember, Update

from bot.said import KEY_LIMIT, Said, Tap, Text, Unusable

ALLOWED = ("message", "callback_query", "my_chat_member")  # nothing else is asked for, nothing else is handled


@dataclass(frozen=True)
class Heard:
    """Something said in a private chat. `query` is to be answered; `on` is the message that was tapped."""

    chat: int
    said: Said
    language: str
    query: str | None = None
    on: int | None = None


@dataclass(frozen=True)
class Foreign:
    """A group or channel: left at once."""

    chat: int


@dataclass(frozen=True)
class Reachable:
    """Somebody blocked the bot, or came back."""

    chat: int
    reachable: bool


def read_update(update: Update) -> Heard | Foreign | Reachable | None:
    """What the update means to us; None for what we do not handle."""
    chat = update.effective_chat
    if chat is None or (update.effective_user and update.effective_user.is_bot):
        return None
    if chat.type != Chat.PRIVATE:
        return None if _we_left(update) else Foreign(chat.id)
    if update.my_chat_member:
        return Reachable(chat.id, update.my_chat_member.new_chat_member.status == ChatMember.MEMBER)
    language = (update.effective_user.language_code or "en")[:2] if update.effective_user else "en"
    if update.callback_query:
        return _tapped(update, chat.id, language)
    if update.message:
        said = Text(update.message.text) if update.message.text else Unusable()
        return Heard(chat.id, said, language)
    return None


def _tapped(update: Update, chat: int, language: str) -> Heard:
    query = update.callback_query
    assert query
    says = query.data or ""
    on = query.message.message_id if query.message and query.message.is_accessible else None
    return Heard(chat, Tap(says[:KEY_LIMIT]), language, query.id, on)


def _we_left(update: Update) -> bool:
    member = update.my_chat_member
    return bool(member and member.new_chat_member.status in (ChatMember.LEFT, ChatMember.BANNED))
