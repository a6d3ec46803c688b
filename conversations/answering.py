"""How a row of "you said, we did" is told to everybody, and which of its numbers may be shown (SUP-1, domain 7.2)."""

from __future__ import annotations

from conversations.summary import PUBLIC_LEAST, STAFF_LEAST
from conversations.texts import Texts


def how_many(texts: Texts, language: str, said_it: int | None, finished: int) -> str:
    """ "12 of 31", in words where the number would point to a few people; empty where nobody counted.

    Outside the staff team nothing is told below ten answers, and 1 to 4 only as "fewer than 5". Where all but a few
    said it, the few would be told by the difference (SUP-2).
    """
    if not said_it or finished < PUBLIC_LEAST:
        return ""
    if said_it < STAFF_LEAST:
        return texts.say(language, "wedid.few", least=STAFF_LEAST, of=finished)
    if 0 < finished - said_it < STAFF_LEAST:
        return texts.say(language, "wedid.nearly-all", of=finished)
    return texts.say(language, "wedid.number", count=said_it, of=finished)
