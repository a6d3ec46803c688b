"""What nobody here may promise: that words stay secret (SAFE-2). A child's danger is always passed on."""

from __future__ import annotations

import re

from conversations.texts import fold

_WHO = r"(?:no one|no-one|nobody)(?: else| at school| here)?"
_PROMISE = re.compile(
    r"\b(?:just|only|stays?) between (?:us|you and me)\b"
    r"|\b(?:completely|totally|fully|strictly|absolutely|100 ?%) (?:private|confidential|anonymous|secret)\b"
    rf"|\b{_WHO} will (?:ever )?(?:know|find out|hear|see (?:it|this|your|what))\b"
    r"|\bour (?:little )?secret\b"
    r"|\b(?:i|we|staff)(?:'ll| will| would|) (?:tell|inform) (?:no one|no-one|nobody)\b"
    r"|\b(?:won't|will not|will never|never|wouldn't) tell (?:anyone|anybody|a soul)\b(?! who)"
    r"|\boff the record\b|\bsecrets? (?:is|are) safe\b|\bprivate and confidential\b"
    r"|\bstays? (?:in (?:this|the) room|within (?:these|the) (?:four )?walls)\b"
    r"|(?<!n't )(?<!not )(?<!never )\b(?:keep|kept|stays?|remains?|is|are)(?: it| this| that| what you say| your \w+)*"
    r"(?: a)? secret\b"
)


def promises_secrecy(words: str) -> bool:
    """Whether this says in English that something stays secret; "I can't keep it secret" does not."""
    return _PROMISE.search(fold(words)) is not None
