"""A code as the chat shows it: the code, its two words, and where to open it."""

from __future__ import annotations

from bot.cli.links import deep_links, known_bot_name
from bot.proof import proof_words
from bot.turn import PersonsTurn
from conversations.texts import listed


async def told(turn: PersonsTurn, code: str, language: str) -> str:
    """Code, words and links, a line each; says where the web link opens only on the school's machine."""
    words = listed(list(proof_words(turn.house, turn.tx.vault, code, language)), turn.language)
    links = deep_links(code, await known_bot_name(turn.tx), turn.house.web_address)
    local = [] if turn.house.public else [turn.phrase("staff.local-link")]
    return "\n".join([turn.phrase("invite.code", code=code, words=words), *links, *local])
