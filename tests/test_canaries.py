"""The watch over all logs of all tests finds what it is there for (B7, R10): see tests/canaries.py."""

from __future__ import annotations

import logging
import sys

import pytest

from tests.canaries import HEARD
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
