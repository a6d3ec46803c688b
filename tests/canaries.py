"""No secret in any log line of any test, at debug level, nor on stderr of a process it starts (B7, R10).

What is secret is not listed by hand: it is what the program seals or looks up by a keyed hash while the test runs
(labels, words, chats, codes), the key itself and every token of a test's Telegram. A test that leaks one fails.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bot.logs import THIRD_PARTIES
from data.vault import Vault
from tests.school import MASTER
from tests.telegram_server import TelegramServer

OURS = ("bot", "conversations", "data", "scheduler")
SEALED = ("names", "words", "addresses", "factors", "records", "removals", "pauses", "visits")
LOOKED_UP = ("code", "link", "session")
SHORTEST = 10  # letters; shorter ones stand in any text
ALWAYS = {MASTER.hex(), repr(MASTER), base64.b64encode(MASTER).decode(), base64.urlsafe_b64encode(MASTER).decode()}
MARK = "says_secrets"  # tests that say secrets themselves, to see them hidden


class Listener(logging.Handler):
    """Every record as it was said, before anything is taken out of it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in OURS or record.levelno >= logging.WARNING:
            with suppress(Exception):
                self.lines.append(f"{record.name}: {record.getMessage()}")


class Secrets:
    """What must not be said, gathered while a test runs."""

    def __init__(self) -> None:
        self.words = set(ALWAYS)

    def add(self, plain: str) -> None:
        for text in _texts(plain):
            if len(text) >= SHORTEST:
                self.words.add(text)

    def said_in(self, text: str) -> list[str]:
        """The kinds of secrets in it, by their first letters only: a report must not leak either."""
        return sorted(f"{word[:3]}... ({len(word)} letters)" for word in self.words if word in text)


def _texts(plain: str) -> Iterator[str]:
    """A sealed value, or what stands in it: labels and words lie in JSON."""
    try:
        value = json.loads(plain)
    except ValueError:
        value = plain
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (
            text for name, text in value.items() if isinstance(text, str) and name in ("label", "text", "reason")
        )


@pytest.fixture(autouse=True)
def watched_for_secrets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our loggers speak at debug level, and everything they say is kept until the test's report."""
    listener, secrets, root = Listener(), Secrets(), logging.getLogger()
    plain_seal, plain_lookup, plain_server = Vault.seal, Vault.lookup, TelegramServer.__init__

    def seal(vault: Vault, purpose: str, plain: bytes, about: str) -> bytes:
        if purpose in SEALED and about != "school":  # the school's own names and numbers stand on its website
            secrets.add(plain.decode("utf-8", "replace"))
        return plain_seal(vault, purpose, plain, about)

    def lookup(vault: Vault, purpose: str, words: str) -> str:
        if purpose in LOOKED_UP:
            secrets.add(words)
            secrets.add(f"{words[:4]}-{words[4:8]}-{words[8:]}")  # a code as it is shown
        return plain_lookup(vault, purpose, words)

    def server(self: TelegramServer, *given: object, **more: object) -> None:
        plain_server(self, *given, **more)  # type: ignore[arg-type]
        secrets.add(self.token)

    monkeypatch.setattr(Vault, "seal", seal)
    monkeypatch.setattr(Vault, "lookup", lookup)
    monkeypatch.setattr(TelegramServer, "__init__", server)
    levels = {name: logging.getLogger(name).level for name in (*OURS, *THIRD_PARTIES)}
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(listener)
    request.node.stash[HEARD] = (listener, secrets)
    yield
    root.removeHandler(listener)
    for name in OURS:
        logging.getLogger(name).setLevel(levels[name])


HEARD = pytest.StashKey[tuple[Listener, Secrets]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """A test that passed fails after all when it, or a process it started, said a secret."""
    report = yield
    heard = item.stash.get(HEARD, None)
    if call.when == "call" and report.passed and heard and not item.get_closest_marker(MARK):
        listener, secrets = heard
        if found := secrets.said_in("\n".join((*listener.lines, report.capstderr))):
            report.outcome, report.longrepr = "failed", f"a log or stderr holds secrets: {', '.join(found)}"
    return report
