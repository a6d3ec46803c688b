"""Parents who answer on Telegram while the bot is killed and started again; used by a test and by `make bench`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from data.place import Place, SqliteFile
from tests import school
from tests.telegram_server import Message, Person, TelegramServer

PATIENCE = 1.5  # seconds without an answer before a person taps again
QUESTIONS = 7


class BotProcess:
    """`yousaid run` as a process of its own, which can be killed and started again."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**os.environ, **environment, "YOUSAID_LOG": "debug"}  # what it says is looked through
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", env=self.environment, stdout=asyncio.subprocess.DEVNULL
        )

    async def kill(self) -> None:
        """kill -9: nothing is finished, nothing is said."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self._process
        with suppress(ProcessLookupError):
            self._process.terminate()
        return await self._process.wait()


@dataclass
class Parent:
    """Answers question after question with choices drawn beforehand; taps again when nothing comes."""

    person: Person
    dice: random.Random
    chosen: dict[int, str] = field(default_factory=dict)

    async def answer_all(self, seconds: float) -> None:
        """Until the answers are sent; AssertionError when that takes too long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            message = self._front()
            if message and "We have your answers" in message.text:
                return
            if message:
                await self._act(message)
            await self._wait()
        raise AssertionError(f"chat {self.person.id} could not finish: {self.person.last.text[:80]!r}")

    def _front(self) -> Message | None:
        with_buttons = [m for m in self.person.messages if m.buttons or "We have your answers" in m.text]
        return with_buttons[-1] if with_buttons else None

    async def _act(self, message: Message) -> None:
        label = self._label(message)
        if label in message.labels:
            await self.person.taps(label, on=message.id)

    def _label(self, message: Message) -> str:
        for label in ("Open", "Yes, start", "Send my answers", "Go on"):
            if label in message.labels:
                return label
        number = int(message.text.removeprefix("Question ").split(" ", 1)[0])
        if number == QUESTIONS:
            return "Skip"
        if number not in self.chosen:
            self.chosen[number] = self.dice.choice(_offered(message))
        return "Done" if f"{self.chosen[number]} ✓" in message.labels else self.chosen[number]

    async def _wait(self) -> None:
        """For something new, or until patience ends. A changed keyboard is something new."""
        looked = time.monotonic()
        before = self._look()
        while time.monotonic() - looked < PATIENCE:
            await asyncio.sleep(0.02)
            if self._look() != before:
                return

    def _look(self) -> tuple[object, ...]:
        front = self._front()
        return (front.id, tuple(front.labels)) if front else ()


def _offered(message: Message) -> list[str]:
    """The answers of a question: the numbered lines of its text."""
    lines = [line.partition(". ") for line in message.text.splitlines()]
    return [label for number, dot, label in lines if dot and number.isdigit()]


async def kill_now_and_then(bot: BotProcess, kills: int, dice: random.Random, pauses: tuple[float, float]) -> None:
    for _ in range(kills):
        await asyncio.sleep(dice.uniform(*pauses))
        await bot.kill()
        await bot.start()


def address_of(place: Place) -> str:
    """What YOUSAID_DATABASE says."""
    return str(place.path) if isinstance(place, SqliteFile) else place.url


def environment(server: TelegramServer, folder: Path, port: int, mode: str = "polling") -> dict[str, str]:
    """The settings of a bot on this server, with its files in this folder (see tests/school.py)."""
    public = {"YOUSAID_PUBLIC_URL": f"http://127.0.0.1:{port}"} if mode == "webhook" else {}
    return public | {
        "YOUSAID_TELEGRAM_MODE": mode,
        "YOUSAID_TELEGRAM_TOKEN": server.token,
        "YOUSAID_TELEGRAM_API": server.url,
        "YOUSAID_DATABASE": address_of(school.place_for(folder)),
        "YOUSAID_KEY_FILE": str(folder / "keys" / "key"),
        "YOUSAID_LISTEN": f"127.0.0.1:{port}",
    }
