"""Clearing a chat: Telegram lets a bot delete what is younger than 48 hours, a hundred numbers at a time.

We keep no message numbers, so those before a known one are tried. A bot's private chats share their numbers, and
Telegram passes over those that lie elsewhere or are gone. Where one is too old the whole hundred is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from telegram import Bot
from telegram.error import BadRequest

from bot.telegram_channel.errors import harmless

AT_ONCE = 100
FARTHEST = 3000  # numbers back, so that one chat does not keep the bot busy for long
TOO_OLD = "can't be deleted"
NOT_FOUND = "not found"


async def clear(bot: Bot, chat: int, before: int) -> None:
    """Delete what came before this message, newest first, until the rest is too old."""
    first = max(1, before - FARTHEST)
    for end in range(before, first, -AT_ONCE):
        if not await _deleted(bot, chat, range(max(first, end - AT_ONCE), end)):
            return


async def take_away(bot: Bot, chat: int, numbers: Sequence[int], instead: str) -> None:
    """Delete these messages. Our own that are too old for it can still be changed: they say `instead`.

    What the person wrote has a number below zero: nobody else can change it.
    """
    known = sorted(set(numbers), key=abs)
    for end in range(len(known), 0, -AT_ONCE):
        part = known[max(0, end - AT_ONCE) : end]
        if not await _deleted(bot, chat, [abs(number) for number in part]):
            for number in part:
                if number > 0:
                    await _changed(bot, chat, number, instead)


async def _changed(bot: Bot, chat: int, number: int, instead: str) -> None:
    """What somebody else wrote, and what is gone, stays as it is."""
    try:
        await bot.edit_message_text(instead, chat, number)
    except BadRequest as error:
        if not harmless(error):
            raise


async def _deleted(bot: Bot, chat: int, numbers: Sequence[int]) -> bool:
    """Whether all of them are gone; if not, everything before them is too old as well."""
    try:
        await bot.delete_messages(chat, list(numbers))
    except BadRequest as error:
        words = error.message.lower()
        if TOO_OLD not in words:
            return _passed_over(words, error)
    else:
        return True
    middle = len(numbers) // 2
    return middle > 0 and await _deleted(bot, chat, numbers[middle:]) and await _deleted(bot, chat, numbers[:middle])


def _passed_over(words: str, error: BadRequest) -> bool:
    """Nothing of this chat lies there; any other refusal goes up."""
    if NOT_FOUND in words and "message" in words:
        return True
    raise error
