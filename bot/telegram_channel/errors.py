"""What Telegram refuses, in our terms: Unreachable, TryLater(seconds), or a bug that goes up as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter

from bot.telegram_channel.request import Unanswered
from conversations.channel import TryLater, Unreachable

GONE = ("chat not found", "user not found", "user is deactivated", "peer_id_invalid", "chat_id is empty")
HARMLESS = ("message is not modified", "query is too old", "message to edit not found", "message can't be edited")
NETWORK_PAUSE = 2.0  # seconds before trying again after a broken connection


@contextmanager
def translated() -> Iterator[None]:
    """Raises Unreachable or TryLater for what Telegram says of a chat; other errors are bugs and pass."""
    try:
        yield
    except (Forbidden, ChatMigrated):
        raise Unreachable("blocked, or never started") from None
    except RetryAfter as error:
        raise TryLater(seconds_of(error)) from None
    except InvalidToken:  # it was revoked: what waits goes out with the new one
        raise TryLater(NETWORK_PAUSE) from None
    except BadRequest as error:
        if any(words in error.message.lower() for words in GONE):
            raise Unreachable("no such chat") from None
        raise
    except Unanswered:
        raise TryLater(NETWORK_PAUSE, unsure=True) from None
    except NetworkError:  # TimedOut is one
        raise TryLater(NETWORK_PAUSE) from None


def harmless(error: BadRequest) -> bool:
    """What a restart cannot avoid: a query answered before, a message that looks so already."""
    return any(words in error.message.lower() for words in HARMLESS)


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram asks us to wait."""
    after = error.retry_after
    return float(after if isinstance(after, int) else after.total_seconds())
