"""Logging without secrets: one handler whose filter takes out token, key and codes, and prints no value of an error."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from data.place import PostgresServer

if TYPE_CHECKING:
    from bot.settings import Settings

HIDDEN = "[hidden]"
THIRD_PARTIES = (
    "httpx", "httpcore", "telegram", "telegram.ext", "aiohttp", "apscheduler", "sqlalchemy",
    "aiosqlite", "alembic", "asyncio", "asyncpg", "uvicorn", "uvicorn.access", "uvicorn.error",
)  # fmt: skip
TELL_EVERYTHING = ("telegram.Bot", "telegram.ext.ExtBot")  # print whole updates when they cannot read one
SHAPES = (
    re.compile(r"\d{6,}(?::|%3A)[\w-]{30,}", re.IGNORECASE),  # a bot token
    re.compile(r"(?<![\w-])[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{2}(?![\w-])"),  # a code
    re.compile(r"(?<=/join/)[\w-]+|(?<=/file/)[\w-]+|(?<=start[= ])[\w-]{10,64}"),
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}="),  # a key
    re.compile(r"(?:[0-9A-HJKMNP-TV-Z]{4}[ -]{1,2}){6,13}[0-9A-HJKMNP-TV-Z]{4}"),  # a recovery sheet, or half of it
)

log = logging.getLogger(__name__)


class Redactor(logging.Filter):
    """Rewrites every record so that no secret is left in it, before any handler after it sees it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets: list[str] = []
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """From now on this one too."""
        self._secrets = sorted({*self._secrets, *_forms(secret)}, key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.clean(_message(record)), ()
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        if error is not None:
            record.msg += f" [{type_and_place(error)}]"
        return True

    def clean(self, text: str) -> str:
        """The text with every secret in it hidden."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for shape in SHAPES:
            text = shape.sub(HIDDEN, text)
        return text


class RedactingHandler(logging.StreamHandler[Any]):
    """The one handler of this program."""


def set_up_logging(level: str, secrets: Iterable[str]) -> Redactor:
    """One handler on stderr, other people's libraries at WARNING, and nothing printed on the side."""
    redactor = Redactor(secrets)
    handler = RedactingHandler(sys.stderr)
    handler.addFilter(redactor)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler, *(h for h in root.handlers if not isinstance(h, RedactingHandler))]
    root.setLevel(level.upper())
    for name in THIRD_PARTIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in TELL_EVERYTHING:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    logging.raiseExceptions = False  # a line that cannot be formatted would be printed with its arguments
    _catch_the_rest()
    return redactor


def hide_also(secret: str) -> None:
    """A secret that came while the program runs: a new token."""
    for handler in logging.getLogger().handlers:
        for found in handler.filters:
            if isinstance(found, Redactor):
                found.hide(secret)


def secrets_of(settings: Settings) -> list[str]:
    """What must not stand in any log: the token, the database's password and the key, wherever it comes from."""
    given = [s.get_secret_value() for s in (settings.telegram_token, settings.key) if s is not None]
    password = settings.database.secrets() if isinstance(settings.database, PostgresServer) else []
    return [*given, *password, *_key_in(settings.key_file)]


def _key_in(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        return []


def _forms(secret: str) -> list[str]:
    """How a secret may be written: whole, quoted, in groups, and the part of a token after its colon."""
    whole = secret.strip()
    grouped = " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))  # as on older recovery sheets
    forms = {whole, grouped, quote(whole, safe=""), whole.rstrip("="), whole.partition(":")[2]}
    return [form for form in forms if len(form) >= 8]


def _message(record: logging.LogRecord) -> str:
    try:
        said = record.getMessage()
    except Exception:
        return "(a line that could not be put together)"
    # What asyncio adds after the first line are reprs of tasks, with the results and errors in them.
    return said.partition("\n")[0] if record.name == "asyncio" else said


def type_and_place(error: BaseException) -> str:
    """The kinds of error and where each was raised; never what it says, for that may hold a person's words."""
    told, seen = [], set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        told.append(f"{type(link).__name__} at {_place(link.__traceback__)}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return ", caused by ".join(told)


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    if not frames:
        return "an unknown place"
    ours = [f for f in frames if "site-packages" not in f.filename and "<" not in f.filename]
    shown = [frames[-1]] if not ours or ours[-1] is frames[-1] else [frames[-1], ours[-1]]
    return " from ".join(f"{'/'.join(Path(f.filename).parts[-2:])}:{f.lineno}" for f in shown)


# --- what nobody caught -------------------------------------------------------------------------------------------


def _catch_the_rest() -> None:
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda found: _tell(found.exc_value)
    threading.excepthook = lambda found: _tell(found.exc_value)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _tell(error)


def _tell(error: BaseException | None) -> None:
    if error is not None:
        log.error("stopped by an error nobody expected [%s]", type_and_place(error))


def loop_problem(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """For `loop.set_exception_handler`: the message and the kind of error, without reprs of tasks."""
    error = context.get("exception")
    where = f" [{type_and_place(error)}]" if isinstance(error, BaseException) else ""
    log.error("%s%s", context.get("message", "a task failed"), where)
