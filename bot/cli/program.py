"""The commands around the program itself: demo, setup, run, doctor, try."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from bot.settings import Settings


def demo(
    port: int = typer.Option(8080, "--port", min=0, max=65535, help="Where the page listens; 0 takes a free port."),
    no_browser: bool = typer.Option(False, "--no-browser", help="Do not open a browser."),
) -> None:
    """Show an invented school on one page. Everything stays in var/demo; your school's data is not touched."""
    from bot.cli.one_line import Problem
    from bot.demo import run_demo
    from bot.loop import serve

    try:
        serve(run_demo(port, not no_browser))
    except OSError as error:
        if error.filename:
            raise
        raise Problem(f"Port {port} is in use. Choose another one: `yousaid demo --port 8181`.") from None


def set_up_school(
    source: Path | None = typer.Option(None, "--from", help="A school.yaml; then nothing is asked."),
) -> None:
    """Make the key, the database and the first codes; or update the school and print fresh codes."""
    from bot.cli.opening import now_utc, settings_now
    from bot.cli.school_questions import ask_school
    from bot.setup import set_up
    from data.school import read_school

    settings = settings_now()
    school = read_school(source) if source else ask_school()
    done = asyncio.run(set_up(settings, school, now_utc()))
    from bot.cli.setup_report import report

    typer.echo(report(done, settings))
    if source is None and done.key and sys.stdin.isatty():
        from bot.cli.key import ask_group

        ask_group(done.key)


def run() -> None:
    """Run the bot: Telegram, the web page and the clock, until Ctrl-C."""
    signal.signal(signal.SIGTERM, _ended)  # until the program hears signals itself: loading it takes a second
    from bot.cli.one_line import Problem
    from bot.cli.opening import settings_now
    from bot.logs import secrets_of, set_up_logging

    settings = settings_now()
    set_up_logging(settings.log, secrets_of(settings))
    _check_address(settings)
    from bot import program
    from bot.loop import serve

    try:
        serve(program.run(settings))
    except program.CannotRun as problem:
        raise Problem(str(problem)) from None
    except OSError as error:
        if error.filename:
            raise
        raise Problem(
            f"The address {settings.listen} is in use. Stop the other program, or set YOUSAID_LISTEN."
        ) from None


def _ended(*_: object) -> NoReturn:
    raise SystemExit(0)


def _check_address(settings: Settings) -> None:
    """Before anything is opened, so that a taken port ends in one line; a second bot is told so by the run lock."""
    import errno
    import socket

    from bot.cli.one_line import Problem
    from data.lock import run_lock

    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError as error:
        if asyncio.run(run_lock(settings.database).held_elsewhere()):
            return
        taken = error.errno == errno.EADDRINUSE
        remedy = "Stop the other program, or set YOUSAID_LISTEN." if taken else "Set YOUSAID_LISTEN to one that can be."
        raise Problem(f"The address {settings.listen} {'is in use' if taken else 'cannot be used'}. {remedy}") from None


def doctor(as_json: bool = typer.Option(False, "--json", help="Print the findings as JSON.")) -> None:
    """Say what is wrong, and the one command that mends it. Ends with 1 when something is broken."""
    from bot.cli.opening import now_utc
    from bot.doctor import as_text, examine, in_json

    findings = asyncio.run(examine(now_utc()))
    typer.echo(in_json(findings) if as_json else as_text(findings))
    if any(f.state == "broken" for f in findings):
        raise typer.Exit(1)


def try_form(
    file: Path = typer.Argument(help="A form file (YAML)."),
    language: str = typer.Option("en", "--language", help="The language to play it in."),
    trace: bool = typer.Option(False, "--trace", help="Show what the engine makes of each line."),
) -> None:
    """Play a form here: type numbers or words; `quit` leaves. Nothing is stored."""
    from bot.cli.opening import now_utc
    from bot.terminal import play_in_terminal
    from conversations.form import load_form

    play_in_terminal(load_form(file), language, now_utc().date(), trace)
