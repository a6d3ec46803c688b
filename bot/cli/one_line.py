"""How a command fails: one line on stderr and a code other than 0. Only --debug shows a traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup


class Problem(Exception):
    """A command that cannot do what was asked; one line that names the remedy."""


class OneLineGroup(TyperGroup):
    """The whole command line; whatever goes wrong inside ends here."""

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, *more: Any, **extra: Any
    ) -> NoReturn:
        given = list(sys.argv[1:] if args is None else args)
        extra = {**extra, "standalone_mode": False}
        try:
            code = super().main(given or ["--help"], prog_name, *more, **extra)
        except Exception as error:
            if "--debug" in given[:1]:
                _trace(error)
            print(line_for(error), file=sys.stderr)
            sys.exit(int(getattr(error, "exit_code", 1)))
        sys.exit(code if isinstance(code, int) else 0)


def _trace(error: Exception) -> None:
    """The way the error came, file by file, without values."""
    import traceback

    for frame in traceback.extract_tb(error.__traceback__):
        print(f"{frame.filename}:{frame.lineno} in {frame.name}", file=sys.stderr)


def line_for(error: Exception) -> str:
    """The error in one line: what is wrong and what to do. Nothing of a person's data can be in it."""
    if isinstance(error, typer.Abort):
        return "Stopped. Nothing more was done."
    if hasattr(error, "format_message"):
        return _usage(error)
    if isinstance(error, _known()):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        return _from_the_system(error)
    return (
        f"Something went wrong in the program ({type(error).__name__}). "
        "Run `yousaid doctor`; `yousaid --debug ...` shows where it happened."
    )


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "yousaid"
    return " ".join(f"{error.format_message().rstrip('.')}. See `{where} --help`.".split())


def _known() -> tuple[type[Exception], ...]:
    """Errors whose text is written for people. Imported late: only a failing command pays for it."""
    from bot.house import NotSetUp
    from bot.settings import SettingsProblem
    from conversations.form import FormError
    from data.backup_file import BackupProblem
    from data.database import DatabaseProblem
    from data.school import SchoolProblem
    from data.vault import KeyProblem

    return (Problem, NotSetUp, SettingsProblem, FormError, BackupProblem, DatabaseProblem, SchoolProblem, KeyProblem)


def _from_the_system(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "The listening address is in use. Stop the other program, or set YOUSAID_LISTEN to another port."
    what = f"{error.filename}: " if error.filename else ""
    return f"{what}{error.strerror or type(error).__name__}. Check that path and its rights."
