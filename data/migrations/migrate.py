"""Runs Alembic, all steps in one transaction: the old schema or the new one, never between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, event, text

from data.vault import Vault


def upgrade(
    path: Path,
    vault: Vault | None = None,
    revision: str = "head",
    finish: Callable[[Connection], None] = lambda _: None,
) -> None:
    """Bring a SQLite file to `revision`; `vault` opens and seals what has to move, `finish` belongs to it.

    Errors of SQLite come through as they are; nothing is half done.
    """
    with _one_transaction(path) as connection:
        upgrade_on(connection, vault, revision)
        finish(connection)


def downgrade(path: Path, vault: Vault, revision: str) -> None:
    """Take a SQLite file back to an older revision; what that has no place for goes."""
    with _one_transaction(path) as connection:
        downgrade_on(connection, vault, revision)


@contextmanager
def _one_transaction(path: Path) -> Iterator[Connection]:
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.execute(text("BEGIN IMMEDIATE")))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def upgrade_on(connection: Connection, vault: Vault | None = None, revision: str = "head") -> None:
    """The same inside the transaction that is open on this connection, whatever database it leads to."""
    command.upgrade(_config(connection, vault), revision)


def downgrade_on(connection: Connection, vault: Vault | None, revision: str) -> None:
    """Back to an older schema, inside the open transaction; what that has no place for goes."""
    command.downgrade(_config(connection, vault), revision)


def _config(connection: Connection, vault: Vault | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes.update(connection=connection, vault=vault)
    return config
