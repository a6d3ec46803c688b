"""Two words for each code: on the letter, and said by the bot before it asks anything, so that a copy shows (B15)."""

from __future__ import annotations

from bot.facts import House
from data.codes import read_code
from data.vault import Vault


def proof_words(house: House, vault: Vault, code: str, language: str) -> tuple[str, str]:
    """The two different words of this code, in the language of its letter; only the holder of the key can tell them."""
    words = house.texts.list(language if language in house.texts.languages else "en", "proof.words")
    n = int(vault.lookup("proof", read_code(code) or code), 16)
    first, step = n % len(words), n // len(words) % (len(words) - 1) + 1
    return words[first], words[(first + step) % len(words)]
