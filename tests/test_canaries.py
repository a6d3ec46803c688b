"""The watch over what all tests say finds what it is there for (B7, R10): see tests/canaries.py."""

from __future__ import annotations

import asyncio
import base64
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import SettingsProblem
from data.problems import DatabaseProblem
from data.rotation import RotationProblem
from tests.canaries import HEARD, our_errors
from tests.command_line import command_line_in
from tests.school import School
from tests.telegram_server import TelegramServer

LABEL = "Family Markovian"
pytestmark = pytest.mark.says_secrets


@pytest.mark.parametrize("kind", ["label", "code", "token", "chat words"])
async def test_every_kind_of_secret_would_be_noticed(school: School, request: pytest.FixtureRequest, kind: str) -> None:
    """Names, codes, tokens and words of people, said by our own loggers at debug level."""
    person = await school.person("parent", label=LABEL)
    await school.on(person).types("my uncle hurts me so much")
    code, server = await school.code("parent"), TelegramServer("123456:a-token-of-a-test")
    said = {"label": LABEL, "code": code, "token": server.token, "chat words": "my uncle hurts me so much"}[kind]
    listener, secrets = request.node.stash[HEARD]
    assert not secrets.said_in("\n".join(listener.lines))
    logging.getLogger("data.somewhere").debug("it was %s", said)
    assert secrets.said_in("\n".join(listener.lines))
    print("on stderr too", file=sys.stderr)


SAYS = [sys.executable, "-c", f"import sys; print({LABEL!r}, file=sys.stderr)"]


async def test_every_way_to_say_it_is_heard(
    school: School, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors of ours that nobody logs, a command's line on stderr, and both kinds of processes."""
    await school.person("parent", label=LABEL)
    listener, secrets = request.node.stash[HEARD]
    for kind in (DatabaseProblem, RotationProblem, SettingsProblem):
        kind(LABEL)
        assert secrets.said_in(listener.lines.pop()), kind
    command_line_in(tmp_path, monkeypatch)("results", LABEL)
    assert secrets.said_in("\n".join(listener.lines))
    listener.lines.clear()
    await asyncio.to_thread(subprocess.run, SAYS, capture_output=True, check=True)
    assert secrets.said_in("\n".join(listener.lines))
    listener.lines.clear()
    process = await asyncio.create_subprocess_exec(*SAYS, stderr=subprocess.PIPE)
    await process.communicate()
    assert secrets.said_in("\n".join(listener.lines))


async def test_what_people_type_and_keys_made_by_others_count(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    _, secrets = request.node.stash[HEARD]
    async with TelegramServer() as server:
        person = server.person(1001)
        await person.types("/start ABCDEFGHJK")
        await person.types("our dog is very old")
    key = base64.b64encode(bytes(range(1, 33))).decode()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/key").write_text(key + "\n")
    secrets.add_keys_in(tmp_path)
    for words in ("our dog is very old", "ABCDEFGHJK", key, server.token):
        assert secrets.said_in(f"it was {words}.")
    assert not secrets.said_in("nothing of that")


def test_all_our_errors_are_heard() -> None:
    names = {kind.__name__ for kind in our_errors()}
    assert names >= {"DatabaseProblem", "KeyProblem", "SettingsProblem", "BackupProblem", "Problem", "FamiliesProblem"}
