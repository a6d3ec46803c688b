"""Two words for each code: on the letter, and said by the bot before it asks anything, so that a copy shows (B15)."""

from __future__ import annotations

from bot.facts import House
from data.codes import read_code
from data.vault import Vault


def proof_words(house: House, vault: Vault, code: str, language: str, stands_under: str = "") -> tuple[str, str]:
    """The two different words of this code, in the language of its letter; only the holder of the key can tell them.

    `stands_under` is the hash of a code that was made before, perhaps with an earlier key: its letter has that key's
    words. Without it the code has just been made.
    """
    words = house.texts.list(language if language in house.texts.languages else "en", "proof.words")
    plain = read_code(code) or code
    with_key = dict(zip(vault.lookups("code", plain), vault.lookups("proof", plain), strict=True))
    n = int(with_key.get(stands_under) or vault.lookup("proof", plain), 16)
    first, step = n % len(words), n // len(words) % (len(words) - 1) + 1
    return words[first], words[(first + step) % len(words)]
