"""How a pause is said on the pages of staff: since when, until when; the reason only on its own page."""

from __future__ import annotations

from datetime import datetime

from bot.web_channel.channel import WebChannel
from conversations.texts import long_date
from data.pauses import Pause


def pause_words(web: WebChannel, pause: Pause | None, language: str) -> str:
    """One line; empty without a pause."""
    if pause is None:
        return ""
    if pause.until:
        return web.say(language, "pause.paused-until", date=_day(web, pause.until, language))
    return web.say(language, "pause.paused", date=_day(web, pause.since, language))


def _day(web: WebChannel, at: datetime, language: str) -> str:
    return long_date(at.astimezone(web.house.school.zone).date(), language)
