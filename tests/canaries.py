"""No secret in any log line or error of any test, at debug level, nor in what a process it starts says (B7, R10).

What is secret is not listed by hand: it is what the program seals or looks up by a keyed hash while the test runs
(labels, words, chats, codes), every key of the test's school, every token of its Telegram, and what people type there.
A test that leaks one fails. Listened to are our loggers, warnings of other libraries, the text of every error of our
own classes, stderr of commands, and both outputs of processes.
"""

from __future__ import annotations

import asyncio.subprocess
import base64
import importlib
import json
import logging
import pkgutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

import bot
import conversations
import data
import scheduler
from bot.logs import THIRD_PARTIES
from data.vault import Vault
from tests.command_line import Ran
from tests.school import MASTER
from tests.telegram_server import Person, TelegramServer

OURS = ("bot", "conversations", "data", "scheduler")
SEALED = ("names", "words", "addresses", "factors", "records", "removals", "pauses", "visits")
LOOKED_UP = ("code", "link", "session")
SHORTEST = 10  # letters; shorter ones stand in any text
ALWAYS = {MASTER.hex(), repr(MASTER), base64.b64encode(MASTER).decode(), base64.urlsafe_b64encode(MASTER).decode()}
DRIVER = "playwright"  # what Chromium's driver sends its test is the page, names and all: nothing is said there
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

    def add_keys_in(self, folder: Path) -> None:
        """Also one that a process of its own has made."""
        for file in (*folder.glob("keys/key"), *folder.glob("*/keys/key")):
            with suppress(OSError):
                self.words |= set(file.read_text("ascii", "replace").split())

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


# --- what must not be said ----------------------------------------------------------------------------------------


def gather(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the vault, from phones and from the Bot API."""
    plain_seal, plain_lookup = Vault.seal, Vault.lookup

    def seal(vault: Vault, purpose: str, plain: bytes, about: str) -> bytes:
        if purpose in SEALED and about != "school":  # the school's own names and numbers stand on its website
            secrets.add(plain.decode("utf-8", "replace"))
        return plain_seal(vault, purpose, plain, about)

    def lookup(vault: Vault, purpose: str, words: str) -> str:
        if purpose in LOOKED_UP:
            secrets.add(words)
            secrets.add(f"{words[:4]}-{words[4:8]}-{words[8:]}")  # a code as it is shown
        return plain_lookup(vault, purpose, words)

    monkeypatch.setattr(Vault, "seal", seal)
    monkeypatch.setattr(Vault, "lookup", lookup)
    _gather_from_telegram(secrets, monkeypatch)


def _gather_from_telegram(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_server, plain_types = TelegramServer.__init__, Person.types

    def server(self: TelegramServer, *given: Any, **more: Any) -> None:
        plain_server(self, *given, **more)
        secrets.add(self.token)

    async def types(person: Person, text: str, *more: Any) -> dict[str, Any]:
        secrets.add(text)
        secrets.add(text.removeprefix("/start "))
        return await plain_types(person, text, *more)

    monkeypatch.setattr(TelegramServer, "__init__", server)
    monkeypatch.setattr(Person, "types", types)


# --- what is said -------------------------------------------------------------------------------------------------


def listen(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of our own classes, stderr of commands, and what processes say."""
    plain_ran, plain_communicate = Ran.__init__, subprocess.Popen.communicate
    protocol = asyncio.subprocess.SubprocessStreamProtocol
    plain_made, plain_received = protocol.__init__, protocol.pipe_data_received
    plain_start = asyncio.create_subprocess_exec
    starting: ContextVar[str] = ContextVar("starting", default="")

    def ran(self: Ran, code: int, out: str, err: str) -> None:
        lines.append(err)
        plain_ran(self, code, out, err)

    def communicate(process: subprocess.Popen[Any], *given: Any, **more: Any) -> tuple[Any, Any]:
        said = plain_communicate(process, *given, **more)
        lines.append(_text(said[1]))
        return said

    async def start(*command: Any, **more: Any) -> asyncio.subprocess.Process:
        before = starting.set(str(command))
        try:
            return await plain_start(*command, **more)
        finally:
            starting.reset(before)

    def made(self: Any, *given: Any, **more: Any) -> None:
        self.heard = DRIVER not in starting.get()
        plain_made(self, *given, **more)

    def received(self: Any, fd: int, said: bytes) -> None:
        if self.heard:
            lines.append(_text(said))
        plain_received(self, fd, said)

    monkeypatch.setattr(Ran, "__init__", ran)
    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    monkeypatch.setattr(protocol, "__init__", made)
    monkeypatch.setattr(protocol, "pipe_data_received", received)


def _text(said: Any) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said or ""


def our_errors() -> list[type[Exception]]:
    """Every class of error that our packages define."""
    for package in (bot, conversations, data, scheduler):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__") and ".migrations." not in found.name:
                importlib.import_module(found.name)
    return [kind for kind in _below(Exception) if kind.__module__.partition(".")[0] in OURS]


def _below(kind: type[Exception]) -> Iterator[type[Exception]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)


@pytest.fixture(scope="session", autouse=True)
def errors_are_heard() -> Iterator[None]:
    """What one of our errors says may reach a log, stderr or a page of somebody else: it must be fit for all."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in our_errors():
            patch.setattr(kind, "__init__", _heard_init(kind.__init__))
        yield


def _heard_init(plain: Any) -> Any:
    def init(error: Exception, *given: Any, **more: Any) -> None:
        plain(error, *given, **more)
        if HEARING:
            HEARING[-1].append(f"{type(error).__name__}: {error}")

    return init


HEARING: list[list[str]] = []  # where errors are written down; none between tests


# --- every test ---------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def watched_for_secrets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our loggers speak at debug level, and everything that is said is kept until the test's report."""
    listener, secrets, root = Listener(), Secrets(), logging.getLogger()
    gather(secrets, monkeypatch)
    listen(listener.lines, monkeypatch)
    levels = {name: logging.getLogger(name).level for name in (*OURS, *THIRD_PARTIES)}
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(listener)
    HEARING.append(listener.lines)
    request.node.stash[HEARD] = (listener, secrets)
    yield
    HEARING.pop()
    root.removeHandler(listener)
    for name in OURS:
        logging.getLogger(name).setLevel(levels[name])


HEARD = pytest.StashKey[tuple[Listener, Secrets]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """A test that passed, and its tidying up, fails after all when it, or a process it started, said a secret."""
    report = yield
    heard = item.stash.get(HEARD, None)
    if call.when != "setup" and report.passed and heard and not item.get_closest_marker(MARK):
        listener, secrets = heard
        if folder := getattr(item, "funcargs", {}).get("tmp_path"):
            secrets.add_keys_in(folder)
        if found := secrets.said_in("\n".join((*listener.lines, report.capstderr))):
            report.outcome, report.longrepr = "failed", f"a log, error or stderr holds secrets: {', '.join(found)}"
    return report
