"""The command line in a folder of its own, for tests: run commands, and put people and answers into the database."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.house import opened_school
from bot.settings import read_settings
from conversations import words as w
from conversations.engine import Context, resume
from data.database import Tx
from data.people import add_person, add_role, find_group, join_group
from data.runs import runs_in, save_run
from data.surveys import find_survey

SCHOOL = """\
name: Elmfield Primary
timezone: Europe/London
phone: 0161 496 0000
office_hours: Mon-Fri 08:30-16:00
send_window: always
people: {senco: Ms Patel, dsl: Mr Okafor, deputy_dsl: Mrs Lee, head: Mrs Ahmed, chair: Mr Jones}
help: {council_out_of_hours: 0161 496 0001, sendiass: 0161 496 0002}
languages: [en]
groups: [Year 3 parents, Year 4 parents, SEND parents]
"""
LUNCH = """\
id: lunch-check
version: 1
mode: ANON
audience: parents
title: {en: Lunch}
intro: {en: We want lunch to be better.}
questions:
  - id: lunch.1
    type: one
    text: {en: Is lunch easy or hard?}
    choices: [{id: easy, label: {en: Easy}}, {id: hard, label: {en: Hard}}]
"""
GROUP = "SEND parents"


class Ran:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def lines(self) -> list[str]:
        return self.out.rstrip("\n").split("\n")

    def refused(self) -> str:
        """The one line a failing command says; nothing on stdout that looks like a traceback."""
        assert self.code != 0, self.out
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.out + self.err
        return self.err.strip()


class CommandLine:
    """`yousaid` in `folder`, in this process or in one of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "var/yousaid.db"
        self.key_file = folder / "keys/key"

    def __call__(self, *arguments: str, typed: str | None = None) -> Ran:
        result = CliRunner().invoke(app, list(arguments), input=typed, prog_name="yousaid")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def done(self, *arguments: str, typed: str | None = None) -> Ran:
        """The same, and it must end well."""
        ran = self(*arguments, typed=typed)
        assert (ran.code, ran.err) == (0, "")
        return ran

    def process(self, *arguments: str, typed: str = "") -> Ran:
        """As a process of its own."""
        command = [sys.executable, "-m", "bot", *arguments]
        here = Path(__file__).parent.parent
        env = {**os.environ, "PYTHONPATH": str(here)}
        ran = subprocess.run(
            command, cwd=self.folder, env=env, input=typed, capture_output=True, text=True, timeout=60, check=False
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def set_up(self) -> Ran:
        return self.done("setup", "--from", self.write("school.yaml", SCHOOL))

    def change(self, work: Callable[[Tx], Awaitable[Any]]) -> Any:
        """Do something in one transaction on this school's database."""

        async def go() -> Any:
            async with opened_school(read_settings()) as opened, opened.db.transaction() as tx:
                return await work(tx)

        return asyncio.run(go())

    def join(self, number: int, group: str = GROUP, role: str = "parent") -> None:
        async def work(tx: Tx) -> None:
            found = await find_group(tx, group)
            assert found
            for i in range(number):
                person = await add_person(tx, "en", f"Family {i}", datetime.now(UTC))
                await add_role(tx, person, role)
                await join_group(tx, person, found)

        self.change(work)

    def answer(self, survey: str, number: int) -> None:
        """So many people answer the first choice everywhere, and send."""

        async def work(tx: Tx) -> None:
            found = await find_survey(tx, survey)
            assert found
            for run in (await runs_in(tx, found))[:number]:
                state = run.state
                context = Context(read_texts(), "en", date(2026, 1, 5))
                for heard in ("yes", *("1" for _ in found.form.questions), "Send my answers"):
                    state = resume(found.form, state, w.Typed(heard), context).state
                assert state.sent is not None
                await save_run(tx, type(run)(run.id, run.person, run.survey, None, state, datetime.now(UTC)), found)

        self.change(work)


def read_texts() -> Any:
    from conversations.texts import load_texts

    return load_texts()


def command_line_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A command line that sees no setting but its own key file."""
    for name in [n for n in os.environ if n.startswith("YOUSAID_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    yousaid = CommandLine(folder)
    monkeypatch.setenv("YOUSAID_KEY_FILE", str(yousaid.key_file))
    monkeypatch.setenv("YOUSAID_LISTEN", "127.0.0.1:0")
    return yousaid
